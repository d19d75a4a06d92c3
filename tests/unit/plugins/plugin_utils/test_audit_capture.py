# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was saved on a machine without WinRM is judged by the same rules."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._audit import Question, audit_capture
from ansible_collections.sms.helpdesk.plugins.plugin_utils._ports import from_set
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.netstat_tables import LANGUAGES, Language, Row, table, tcp, udp
from hypothesis import given
from hypothesis import strategies as st

AGENT = frozenset({"wuser32.exe"})
TASKS = '\r\n"System","4","N/A"\r\n"svchost.exe","564","RpcSs"\r\n"wuser32.exe","1200","N/A"\r\n"backupd.exe","2316","BackupAgent"\r\n'
RESERVED = "\r\nProtocol tcp Port Exclusion Ranges\r\n\r\nStart Port    End Port\r\n----------    --------\r\n      1764        1764\r\n"
ROWS = [
    tcp("0.0.0.0:135", 564),
    tcp("0.0.0.0:1761", 2316),
    udp("0.0.0.0:1762", 1200),
    tcp("10.0.0.7:1763", 0, "10.0.0.9:80", "TIME_WAIT"),
]


def judged(data: str | bytes, expected: frozenset[str] = AGENT, port_set: str = "original") -> dict[str, t.Any]:
    return audit_capture(data.encode() if isinstance(data, str) else data, Question(tuple(from_set(port_set)), expected))


def statuses(answer: dict[str, t.Any]) -> dict[str, str]:
    return {f"{entry['port']}/{entry['protocol']}": entry["status"] for entry in answer["ports"] if entry["status"] != "free"}


def old(*rows: Row) -> str:
    return table([row._replace(pid=None) for row in rows])


class TestBadFiles:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\r\n",
            b"\xff\xfe",
            b"PK\x03\x04" + bytes(200),
            b"\x89PNG\r\n\x1a\n",
            bytes(4096),
            "Zugriff verweigert".encode("cp850"),
            TASKS.encode(),
        ],
    )
    def test_no_listing_is_inconclusive(self, data: bytes) -> None:
        answer = judged(data)
        assert answer["verdict"] == "inconclusive"
        assert {entry["status"] for entry in answer["ports"]} == {"unknown"}
        assert answer["warnings"]

    @given(st.binary(max_size=300))
    def test_no_bytes_are_clear(self, data: bytes) -> None:
        assert judged(data)["verdict"] == "inconclusive"

    @pytest.mark.parametrize(("rows", "unknown"), [([ROWS[0]], "udp"), ([udp("0.0.0.0:500", 900)], "tcp")])
    def test_a_listing_of_one_protocol_says_nothing_of_the_other(self, rows: list[Row], unknown: str) -> None:
        answer = judged(table(rows) + TASKS)
        assert answer["verdict"] == "inconclusive"
        assert {entry["protocol"] for entry in answer["ports"] if entry["status"] == "unknown"} == {unknown}

    def test_connections_alone_say_nothing_of_listeners(self) -> None:
        answer = judged(table([tcp("10.0.0.7:50000", 77, "10.0.0.9:80", "ESTABLISHED"), udp("0.0.0.0:500", 900)]) + TASKS)
        assert {entry["protocol"] for entry in answer["ports"] if entry["status"] == "unknown"} == {"tcp"}


class TestGoodFiles:
    WANTED: t.ClassVar = {"1761/tcp": "conflict", "1762/udp": "agent"}

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp850", "cp1252"])
    @pytest.mark.parametrize("language", [LANGUAGES[0], LANGUAGES[1]], ids=lambda language: language.name)
    def test_in_any_encoding(self, language: Language, encoding: str) -> None:
        answer = judged((table(ROWS, language) + TASKS).encode(encoding))
        assert statuses(answer) == self.WANTED
        (conflict,) = answer["conflicts"]
        assert (conflict["process"], conflict["services"], conflict["path"]) == ("backupd.exe", ["BackupAgent"], None)

    @pytest.mark.parametrize("parts", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
    def test_in_any_order(self, parts: tuple[int, ...]) -> None:
        texts = ["\r\nMicrosoft Windows [Version 6.1.7601]\r\n", table(ROWS), TASKS, RESERVED]
        answer = judged("".join(texts[part] for part in parts))
        assert statuses(answer) == {**self.WANTED, "1764/tcp": "reserved"}
        assert answer["host"]["os_version"] == "6.1.7601"
        assert answer["host"]["dynamic_port_ranges"] == {key: {"start": 49152, "end": 65535} for key in ("tcp", "udp")}
        assert (answer["host"]["source"], answer["host"]["owner_source"]) == ("capture", "tasklist")

    def test_without_a_task_list_a_process_id_names_nobody(self) -> None:
        answer = judged(table(ROWS))
        assert (answer["verdict"], answer["conflicts"]) == ("inconclusive", [])
        assert statuses(answer) == {"1761/tcp": "unknown", "1762/udp": "unknown"}
        assert answer["host"]["owner_source"] == "none"

    def test_but_with_b_netstat_names_them_itself(self) -> None:
        text = (
            "  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       564\r\n  RpcSs\r\n [svchost.exe]\r\n"
            "  TCP    0.0.0.0:1761           0.0.0.0:0              LISTENING       2316\r\n [backupd.exe]\r\n"
            "  UDP    0.0.0.0:1762           *:*                                    1200\r\n [Wuser32.exe]\r\n"
            "  UDP    0.0.0.0:1763           *:*                                    900\r\n  Dnscache\r\n [svchost.exe]\r\n"
        )
        answer = judged(text)
        assert statuses(answer) == {"1761/tcp": "conflict", "1762/udp": "agent", "1763/udp": "conflict"}
        assert [(each["process"], each["services"]) for each in answer["conflicts"]] == [("backupd.exe", []), ("svchost.exe", ["Dnscache"])]

    def test_a_clean_machine(self) -> None:
        answer = judged(table([tcp("0.0.0.0:135", 564), udp("0.0.0.0:500", 900)]))
        assert (answer["verdict"], answer["warnings"]) == ("clear", [])

    def test_it_was_saved_on_windows_10_without_the_ranges(self) -> None:
        """Nobody is told off for not having saved what the documentation does not demand."""
        answer = judged("Microsoft Windows [Version 10.0.19045.3803]\r\n" + table([tcp("0.0.0.0:135", 564), udp("0.0.0.0:500", 900)]))
        assert answer["verdict"] == "clear"


class TestOldWindows:
    ROWS: t.ClassVar = [tcp("0.0.0.0:135"), tcp("0.0.0.0:139"), udp("0.0.0.0:137"), udp("0.0.0.0:1762")]

    def test_the_agent_may_be_the_holder(self) -> None:
        answer = judged("Microsoft Windows 2000 [Version 5.00.2195]\r\n" + old(*self.ROWS))
        assert (answer["verdict"], statuses(answer)) == ("inconclusive", {"1762/udp": "unknown"})
        assert answer["host"]["netstat_has_pids"] is False

    def test_the_agent_was_stopped_before(self) -> None:
        answer = judged("Microsoft Windows 2000 [Version 5.00.2195]\r\n" + old(*self.ROWS), frozenset())
        assert statuses(answer) == {"1762/udp": "conflict"}
        assert answer["conflicts"][0]["dynamic_range"] is True
        assert answer["host"]["dynamic_port_ranges"]["udp"] == {"start": 1025, "end": 5000}

    @pytest.mark.parametrize(("task", "status"), [("wuser32.exe", "unknown"), ("winlogon.exe", "conflict")])
    def test_a_task_list_tells_whether_it_runs(self, task: str, status: str) -> None:
        answer = judged(old(*self.ROWS) + f'"{task}","1200","N/A"\r\n')
        assert statuses(answer) == {"1762/udp": status}

    def test_nt_4_before_service_pack_3(self) -> None:
        rows = [tcp("10.0.0.7:1030", None, "10.0.0.9:139", "ESTABLISHED"), tcp("0.0.0.0:137"), udp("0.0.0.0:137"), udp("0.0.0.0:138")]
        answer = judged("Windows NT Version 4.0\r\n" + old(*rows), frozenset())
        assert answer["verdict"] == "inconclusive"
        assert {entry["protocol"] for entry in answer["ports"] if entry["status"] == "unknown"} == {"tcp"}

    def test_nt_4_since_service_pack_3(self) -> None:
        answer = judged("Windows NT Version 4.0\r\n" + old(*self.ROWS, tcp("0.0.0.0:1763")), frozenset())
        assert statuses(answer) == {"1762/udp": "conflict", "1763/tcp": "conflict"}

    def test_nt_4_shows_a_udp_socket_twice(self) -> None:
        answer = judged("Windows NT Version 4.0\r\n" + old(*self.ROWS, tcp("0.0.0.0:1762")), frozenset())
        assert statuses(answer) == {"1762/tcp": "unknown", "1762/udp": "conflict"}

    def test_names_instead_of_numbers(self) -> None:
        text = (
            "  TCP    PC07:135               PC07:0                 LISTENING\r\n"
            "  TCP    PC07:sms-rcinfo        PC07:0                 LISTENING\r\n"
            "  TCP    PC07:1044              SRV1:sms-chat          ESTABLISHED\r\n"
            "  UDP    PC07:nbname            *:*                    \r\n"
        )
        assert statuses(judged(text, frozenset(), "hotfix")) == {"2701/tcp": "conflict"}

    def test_a_name_nobody_knows(self) -> None:
        text = old(*self.ROWS[:3]) + "  UDP    PC07:backup-agent      *:*                    \r\n"
        answer = judged(text, frozenset())
        assert answer["verdict"] == "inconclusive"
        assert {entry["protocol"] for entry in answer["ports"] if entry["status"] == "unknown"} == {"udp"}
