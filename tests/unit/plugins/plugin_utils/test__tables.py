# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""netsh, tasklist, text and names of ports."""

from __future__ import annotations

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _netsh, _tasklist
from ansible_collections.sms.helpdesk.plugins.plugin_utils._netsh import PortRange
from ansible_collections.sms.helpdesk.plugins.plugin_utils._port_names import PORTS_BY_NAME
from ansible_collections.sms.helpdesk.plugins.plugin_utils._ports import from_list, from_set
from ansible_collections.sms.helpdesk.plugins.plugin_utils._text import decode, printable
from hypothesis import given
from hypothesis import strategies as st


def excluded(title: str, rows: list[str]) -> str:
    """A table of excluded port ranges as netsh prints it."""
    legend = "* - Administered port exclusions."
    return "\r\n".join(["", title, "", "Start Port    End Port      ", "----------    --------      ", *rows, "", legend, ""])


TITLES = [
    "Protocol tcp Port Exclusion Ranges",
    "Protokoll tcp-Portausschlussbereiche",
    "协议 tcp 端口排除范围",
    "プロトコルtcpポート除外範囲",
]


@pytest.mark.parametrize(
    "text", ["", "The following command was not found: interface ipv4 show excludedportrange protocol=tcp.\r\n", "tcp\r\n1 2\r\n"]
)
def test_no_table_is_not_an_empty_table(text: str) -> None:
    assert _netsh.parse(text).excluded == {}


@pytest.mark.parametrize("title", TITLES)
def test_excluded_ranges_in_any_language(title: str) -> None:
    found = _netsh.parse(excluded(title, ["      1761        1860      ", "     50000       50059     *"]))
    assert found.excluded == {"tcp": [PortRange(1761, 1860), PortRange(50000, 50059, True)]}


def test_an_empty_table_is_an_answer() -> None:
    assert _netsh.parse(excluded(TITLES[0], [])).excluded == {"tcp": []}


def test_the_echoed_line_names_the_protocol_where_the_title_does_not() -> None:
    text = "excludedportrange udp \r\n" + excluded("Ausgeschlossene Anschlüsse", ["   1761   1860"])
    assert _netsh.parse(text).excluded == {"udp": [PortRange(1761, 1860)]}


def test_numbers_that_are_no_ports_are_left_out() -> None:
    assert _netsh.parse(excluded(TITLES[0], [" 70000 70001", " 5 4", " 7 7"])).excluded == {"tcp": [PortRange(7, 7)]}


@pytest.mark.parametrize(
    ("start", "count", "wanted"),
    [(49152, 16384, PortRange(49152, 65535)), (1024, 64511, PortRange(1024, 65534)), (65000, 999, None), (0, 0, None)],
)
def test_dynamic_range(start: int, count: int, wanted: PortRange | None) -> None:
    head = "\r\nProtocol udp Dynamic Port Range\r\n---------------------------------\r\n"
    text = f"{head}Start Port      : {start}\r\nNumber of Ports : {count}\r\n"
    assert _netsh.parse(text).dynamic.get("udp") == wanted


def test_rows_of_netstat_are_no_titles() -> None:
    text = "  UDP    0.0.0.0:500   *:*   77\r\n" + excluded("Port Exclusion Ranges", [" 1 2"])
    assert _netsh.parse(text).excluded == {}


@given(st.text(max_size=300))
def test_netsh_and_tasklist_never_raise(text: str) -> None:
    _netsh.parse(text)
    _tasklist.parse(text)


def test_tasklist() -> None:
    text = (
        '"System Idle Process","0","Nicht zutreffend"\r\n"System","4","Nicht zutreffend"\r\n"svchost.exe","1044","RpcEptMapper,RpcSs"\r\n'
        '"wuser32.exe","4321","Wuser32"\r\n"explorer.exe","900","Nicht zutreffend"\r\n"broken\r\nERROR: x\r\n"x.exe","12x","y"\r\n'
    )
    tasks = _tasklist.parse(text)
    assert tasks[1044] == _tasklist.Task("svchost.exe", ("RpcEptMapper", "RpcSs"))
    assert (tasks[900].services, tasks[4321].services) == ((), ("Wuser32",))
    assert set(tasks) == {0, 4, 1044, 4321, 900}


def test_tasklist_without_services() -> None:
    assert _tasklist.parse('"cmd.exe","12","Console","1","2.345 K"')[12] == _tasklist.Task("cmd.exe", ())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_decode_knows_the_encodings_of_saved_files(encoding: str) -> None:
    text = "  TCP    0.0.0.0:1762           0.0.0.0:0              LISTENING       4 ABHÖREN\r\n"
    assert decode(text.encode(encoding)) == text


def test_decode_takes_anything_else_for_code_page_850() -> None:
    assert decode(b"ABH\x99REN") == "ABHÖREN"


def test_a_character_cut_in_two_is_no_error() -> None:
    assert decode("ABHÖREN".encode()[:4]).startswith("ABH")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain.exe", "plain.exe"),
        ("a\r\nb", r"a\r\nb"),
        ("\x1b[2J", r"\x1b[2J"),
        ("gpj\u202eexe", r"gpj\u202eexe"),
        ("Zeiterfassung ü", "Zeiterfassung ü"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_printable_is_one_line_of_bounded_length(text: str) -> None:
    shown = printable(text, 50)
    assert len(shown) <= 50
    assert shown == "" or (len(shown.splitlines()) == 1 and "\x1b" not in shown)


def test_the_two_meanings_of_the_new_names_are_kept() -> None:
    assert PORTS_BY_NAME["sms-remctrl"] == (2702, 2704)
    assert PORTS_BY_NAME["sms-xfer"] == (2704, 2702)
    assert (PORTS_BY_NAME["sms-rcinfo"], PORTS_BY_NAME["sms-chat"], PORTS_BY_NAME["https"]) == ((2701,), (2703,), (443,))


def test_the_ports_of_the_article() -> None:
    wanted = from_set("all")
    assert [(need.port, need.protocol) for need in wanted] == [
        (port, protocol) for port in (1761, 1762, 1763, 1764, 2701, 2702, 2703, 2704) for protocol in ("tcp", "udp")
    ]
    assert wanted[2].purpose == "Remote Control"
    assert "sms-xfer" in wanted[15].purpose


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([], "empty"),
        ([{"port": 0, "protocol": "tcp"}], "port 0"),
        ([{"port": 65536, "protocol": "tcp"}], "65536"),
        ([{"port": -1, "protocol": "both"}], "-1"),
        ([{"port": 80, "protocol": "both"}, {"port": 80, "protocol": "tcp"}], "80/tcp twice"),
    ],
)
def test_lists_that_cannot_be_used(entries: list[dict[str, object]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        from_list(entries)
