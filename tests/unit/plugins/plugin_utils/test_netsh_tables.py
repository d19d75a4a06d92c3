# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Port ranges out of `netsh`, in any language."""

# ruff: noqa: RUF001 - full-width punctuation is meant

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._netsh import PortRange, parse
from ansible_collections.sms.helpdesk.plugins.plugin_utils._text import decode
from hypothesis import given
from hypothesis import strategies as st

EXCLUDED = {
    "English": ("Protocol {} Port Exclusion Ranges", "Start Port    End Port      ", "* - Administered port exclusions."),
    "German": ('Portausschlussbereiche für das Protokoll "{}"', "Startport      Endport", "* - Verwaltete Portausschlüsse."),
    "French": ("Protocole {} Plages d'exclusion de ports", "Port de début    Port de fin", "* - Exclusions de ports administrés."),
    "Spanish": ("Intervalos de exclusión de puertos del protocolo {}", "Puerto inicial  Puerto final", "* - Administrado."),
    "Russian": ("Диапазоны исключения портов протокола {}", "Начальный порт    Конечный порт", "* - Управляемые исключения портов."),
    "Chinese": ("协议 {} 端口排除范围", "开始端口    结束端口      ", "* - 管理的端口排除。"),
    "Japanese": ("プロトコル {} ポート除外範囲", "開始ポート    終了ポート", "* - 管理されたポート除外。"),
}
DYNAMIC = {
    "English": ("Protocol {} Dynamic Port Range", "Start Port      : ", "Number of Ports : "),
    "German": ("Dynamischer Portbereich für das Protokoll {}", "Startport       : ", "Anzahl von Ports: "),
    "French": ("Protocole {} Plage de ports dynamique", "Port de démarrage   : ", "Nombre de ports     : "),
    "Chinese": ("协议 {} 动态端口范围", "启动端口        ：", "端口数          ："),
}


def excluded(protocol: str, rows: list[str], language: str = "English") -> str:
    title, header, legend = EXCLUDED[language]
    lines = ["", title.format(protocol), "", header, "----------    --------      ", *rows, "", legend, ""]
    return "\r\n".join(lines)


def dynamic(protocol: str, start: int, count: int, language: str = "English") -> str:
    title, first, second = DYNAMIC[language]
    return "\r\n".join(["", title.format(protocol), "---------------------------------", f"{first}{start}", f"{second}{count}", ""])


class TestNoTable:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "The following command was not found: interface ipv4 show excludedportrange protocol=tcp.\r\n",
            "'netsh' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n",
            "excludedportrange tcp \r\nThe parameter is incorrect.\r\n",
            "      1761        1860\r\n",
            "----------    --------\r\n      1761        1860\r\n",
            "TCP and UDP\r\n----------    --------\r\n      1761        1860\r\n",
        ],
    )
    def test_nothing_was_answered(self, text: str) -> None:
        found = parse(text)
        assert (found.excluded, found.dynamic) == ({}, {})


class TestExcluded:
    ROWS: t.ClassVar = ["      1761        1860      ", "      5357        5357      ", "     50000       50059     *"]

    @pytest.mark.parametrize("language", EXCLUDED)
    @pytest.mark.parametrize("protocol", ["tcp", "udp", "TCP"])
    def test_every_language(self, language: str, protocol: str) -> None:
        found = parse(excluded(protocol, self.ROWS, language))
        assert found.excluded == {protocol.lower(): [PortRange(1761, 1860), PortRange(5357, 5357), PortRange(50000, 50059, True)]}

    def test_an_empty_table_is_an_answer(self) -> None:
        assert parse(excluded("tcp", [])).excluded == {"tcp": []}

    def test_both_protocols_and_the_rest_of_the_output(self) -> None:
        text = (
            "Microsoft Windows [Version 10.0.19045.3803]\r\n\r\nActive Connections\r\n\r\n"
            "  TCP    0.0.0.0:1764           0.0.0.0:0              LISTENING       2316\r\n"
            "excludedportrange tcp \r\n" + excluded("tcp", self.ROWS[:1]) + "excludedportrange udp \r\n" + excluded("udp", [])
        )
        assert parse(text).excluded == {"tcp": [PortRange(1761, 1860)], "udp": []}

    def test_a_title_that_names_no_protocol_takes_the_one_before(self) -> None:
        text = "excludedportrange udp \r\n\r\n포트 제외 범위\r\n\r\n시작 포트    끝 포트\r\n----------    --------\r\n   2701   2704\r\n"
        assert parse(text).excluded == {"udp": [PortRange(2701, 2704)]}

    @pytest.mark.parametrize("row", ["      1860        1761", "      1761       99999", "      1761        x", "      1761", "  17611761"])
    def test_a_row_that_is_no_range_is_left_out(self, row: str) -> None:
        assert parse(excluded("tcp", [row, "  5357   5357"])).excluded == {"tcp": [PortRange(5357, 5357)]}

    def test_in_a_code_page(self) -> None:
        assert parse(decode(excluded("tcp", self.ROWS, "German").encode("cp850"))).excluded["tcp"][0] == PortRange(1761, 1860)

    @given(st.lists(st.tuples(st.integers(1, 65535), st.integers(0, 200), st.booleans()), max_size=30), st.sampled_from(sorted(EXCLUDED)))
    def test_a_table_is_read_back(self, rows: list[tuple[int, int, bool]], language: str) -> None:
        ranges = [PortRange(start, min(start + more, 65535), starred) for start, more, starred in rows]
        lines = [f"{span.start:>10}{span.end:>12}{'     *' if span.administered else '      '}" for span in ranges]
        assert parse(excluded("udp", lines, language)).excluded == {"udp": ranges}


class TestDynamic:
    @pytest.mark.parametrize("language", DYNAMIC)
    def test_every_language(self, language: str) -> None:
        assert parse(dynamic("tcp", 49152, 16384, language)).dynamic == {"tcp": PortRange(49152, 65535)}

    def test_start_and_count_not_start_and_end(self) -> None:
        assert parse(dynamic("udp", 1024, 64511)).dynamic == {"udp": PortRange(1024, 65534)}

    @pytest.mark.parametrize(("start", "count"), [(49152, 0), (60000, 16384), (99999, 10)])
    def test_numbers_that_are_no_ports_are_left_out(self, start: int, count: int) -> None:
        assert parse(dynamic("tcp", start, count)).dynamic == {}

    def test_neither_table_disturbs_the_other(self) -> None:
        text = excluded("tcp", ["  1761  1860"]) + dynamic("tcp", 1025, 3976) + dynamic("udp", 49152, 16384) + excluded("udp", [])
        found = parse(text)
        assert found.excluded == {"tcp": [PortRange(1761, 1860)], "udp": []}
        assert found.dynamic == {"tcp": PortRange(1025, 5000), "udp": PortRange(49152, 65535)}


@given(st.text(max_size=300))
def test_no_text_breaks_the_parser(text: str) -> None:
    for prefix in ("", "tcp\r\n----------    --------\r\n", "udp\r\n----------\r\n"):
        found = parse(prefix + text)
        for spans in found.excluded.values():
            assert all(0 <= span.start <= span.end <= 65535 for span in spans)


def test_a_range_holds_both_its_ends() -> None:
    span = PortRange(1761, 1764)
    assert [port for port in range(1759, 1768) if port in span] == [1761, 1762, 1763, 1764]
    assert "1762" not in span
