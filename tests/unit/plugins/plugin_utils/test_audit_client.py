# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a live client, in which order, and what is made of its answers."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._audit import Question, audit
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import CommandTimeout, QueryRefused, Unreachable
from ansible_collections.sms.helpdesk.plugins.plugin_utils._ports import from_set
from ansible_collections.sms.helpdesk.plugins.plugin_utils._winrm import CommandResult
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.netstat_tables import LANGUAGES, Language, Row, table, tcp, udp
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.sessions import Script

USUAL = [tcp("0.0.0.0:135", 564), tcp("0.0.0.0:445", 4), udp("0.0.0.0:500", 900)]
AGENT = frozenset({"wuser32.exe"})
QUESTION = Question(tuple(from_set("original")), AGENT)

LOOK = "run: "
WITHOUT_PIDS = "run: netstat -an"
TASKLIST = "run: tasklist /svc /fo csv /nh"
PROCESSES = "query: SELECT ProcessId, Name, ExecutablePath FROM Win32_Process WHERE "
ALL_PROCESSES = "query: SELECT Name FROM Win32_Process"
SERVICES = "query: SELECT Name, ProcessId FROM Win32_Service WHERE "

REFUSED = QueryRefused("pc07", "the WMI query for Win32_Process", "access was denied", "use an administrator", "access-denied", 0x80070005)
OVERDUE = CommandTimeout("pc07", "the command in the client's shell", "it did not end in time", "look at its load", "command-timeout")
LOST = Unreachable("pc07", "WinRM at http://10.0.0.7:5985/wsman", "the connection was cut", "run again", "reset")
USAGE = "\r\nDisplays protocol statistics.\r\n\r\nNETSTAT [-a] [-e] [-n] [-s] [-p proto] [-r] [interval]\r\n"
MISSING = "'netstat' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n"


def excluded(protocol: str, *rows: str) -> str:
    title = f"\r\nProtocol {protocol} Port Exclusion Ranges\r\n\r\nStart Port    End Port      \r\n----------    --------      \r\n"
    return title + "".join(f"{row}\r\n" for row in rows) + "\r\n* - Administered port exclusions.\r\n"


def dynamic(protocol: str, start: int = 49152, count: int = 16384) -> str:
    rule = "---------------------------------"
    return f"\r\nProtocol {protocol} Dynamic Port Range\r\n{rule}\r\nStart Port      : {start}\r\nNumber of Ports : {count}\r\n"


def windows(
    *rows: Row,
    listing: str | None = None,
    version: str = "Microsoft Windows [Version 10.0.19045.3803]",
    reserved: tuple[str, ...] = (),
    language: Language = LANGUAGES[0],
) -> str:
    """What one command line prints on Windows 10 with these sockets beside the usual ones."""
    parts = [f"\r\n{version}\r\n", table([*USUAL, *rows], language) if listing is None else listing]
    return "".join([*parts, excluded("tcp", *reserved), excluded("udp"), dynamic("tcp"), dynamic("udp")])


def process(pid: int, name: str, path: str | None = None) -> dict[str, str | None]:
    return {"ProcessId": str(pid), "Name": name, "ExecutablePath": path}


def service(name: str, pid: int) -> dict[str, str | None]:
    return {"Name": name, "ProcessId": str(pid)}


def asked(*steps: tuple[str, t.Any], question: Question = QUESTION) -> dict[str, t.Any]:
    """The answer of an audit that asks exactly this."""
    script = Script(*steps)
    answer = audit(script, question)
    script.assert_used_up()
    return answer


def statuses(answer: dict[str, t.Any]) -> dict[str, str]:
    return {f"{entry['port']}/{entry['protocol']}": entry["status"] for entry in answer["ports"] if entry["status"] != "free"}


class TestTheCommandLine:
    def test_everything_that_is_needed_in_one_go(self) -> None:
        script = Script((LOOK, windows()))
        audit(script, QUESTION)
        (line,) = script.asked
        for part in (
            "ver",
            "netstat -ano",
            "excludedportrange protocol=tcp",
            "excludedportrange protocol=udp",
            "dynamicport tcp",
            "dynamicport udp",
        ):
            assert part in line
        # && would stop behind the first part that fails; a line longer than 8191 characters cmd.exe does not take.
        assert "&&" not in line
        assert len(line) < 8191

    def test_without_excluded_ranges(self) -> None:
        question = Question(QUESTION.wanted, AGENT, False)
        assert "excludedportrange" not in question.command
        assert "dynamicport" in question.command


class TestTrouble:
    @pytest.mark.parametrize("step", range(3))
    def test_a_lost_connection_ends_it_at_any_step(self, step: int) -> None:
        steps = [(LOOK, windows(udp("0.0.0.0:1762", 2316))), (PROCESSES, [process(2316, "backupd.exe")]), (SERVICES, [])]
        steps[step] = (steps[step][0], LOST)  # type: ignore[assignment]
        script = Script(*steps[: step + 1])
        with pytest.raises(Unreachable):
            audit(script, QUESTION)
        script.assert_used_up()

    def test_a_look_that_does_not_end_is_inconclusive(self) -> None:
        answer = asked((LOOK, OVERDUE))
        assert answer["verdict"] == "inconclusive"
        assert {entry["status"] for entry in answer["ports"]} == {"unknown"}
        assert "in time" in answer["warnings"][0]

    @pytest.mark.parametrize(
        "first", [USAGE, MISSING, "", "\r\nActive Connections\r\n\r\n  Proto  Local Address  Foreign Address  State  PID\r\n"]
    )
    @pytest.mark.parametrize("second", [MISSING, "", CommandResult(b"", b"Initialization failed: 10106\r\n", 1), OVERDUE])
    def test_netstat_does_not_answer_in_any_way(self, first: str, second: t.Any) -> None:
        answer = asked((LOOK, windows(listing=first)), (WITHOUT_PIDS, second))
        assert answer["verdict"] == "inconclusive"
        assert answer["host"]["netstat_rows"] == 0
        assert answer["conflicts"] == []
        assert {entry["status"] for entry in answer["ports"]} == {"unknown"}
        assert answer["warnings"]

    def test_every_word_of_a_client_is_wrong(self) -> None:
        garbage = bytes(range(256)) * 40
        answer = asked((LOOK, garbage), (WITHOUT_PIDS, garbage))
        assert answer["verdict"] == "inconclusive"


class TestClear:
    def test_one_command_and_no_query(self) -> None:
        answer = asked((LOOK, windows()))
        assert (answer["verdict"], answer["conflicts"], answer["warnings"], statuses(answer)) == ("clear", [], [], {})
        assert answer["host"] == {
            "os_version": "10.0.19045.3803",
            "source": "client",
            "owner_source": "none",
            "netstat_rows": 3,
            "netstat_has_pids": True,
            "excluded_port_ranges": {"tcp": [], "udp": []},
            "dynamic_port_ranges": {"tcp": {"start": 49152, "end": 65535}, "udp": {"start": 49152, "end": 65535}},
        }

    def test_the_agent_alone_needs_its_name_but_no_services(self) -> None:
        answer = asked((LOOK, windows(udp("0.0.0.0:1761", 1200), udp("0.0.0.0:1762", 1200))), (PROCESSES, [process(1200, "WUSER32.EXE")]))
        assert (answer["verdict"], statuses(answer)) == ("clear", {"1761/udp": "agent", "1762/udp": "agent"})
        assert answer["host"]["owner_source"] == "wmi"

    @pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
    def test_in_every_language(self, language: Language) -> None:
        rows = [tcp("10.0.0.7:1764", 0, "10.0.0.9:443", "TIME_WAIT"), tcp("10.0.0.7:50001", 77, "10.0.0.9:1763", "ESTABLISHED")]
        assert asked((LOOK, windows(*rows, language=language)))["verdict"] == "clear"

    def test_the_kernel_needs_no_name(self) -> None:
        answer = asked((LOOK, windows(tcp("0.0.0.0:1761", 4))))
        assert [each["process"] for each in answer["conflicts"]] == ["System"]


class TestOwners:
    def test_process_path_and_services(self) -> None:
        answer = asked(
            (LOOK, windows(udp("0.0.0.0:1762", 900), tcp("0.0.0.0:1763", 2316), tcp("[::]:1763", 2316, "[::]:0"))),
            (PROCESSES + "ProcessId = 900 OR ProcessId = 2316", [process(2316, "backupd.exe", "C:\\b.exe"), process(900, "svchost.exe")]),
            (SERVICES, [service("TapiSrv", 900), service("Dnscache", 900), service("Elsewhere", 4711)]),
        )
        assert [(c["port"], c["process"], c["path"], c["services"], len(c["endpoints"])) for c in answer["conflicts"]] == [
            (1762, "svchost.exe", None, ["Dnscache", "TapiSrv"], 1),
            (1763, "backupd.exe", "C:\\b.exe", [], 2),
        ]
        assert answer["verdict"] == "conflict"
        assert answer["warnings"] == []

    def test_services_are_asked_of_strangers_only(self) -> None:
        script = Script(
            (LOOK, windows(udp("0.0.0.0:1762", 1200), udp("10.0.0.7:1762", 2316))),
            (PROCESSES, [process(1200, "wuser32.exe"), process(2316, "backupd.exe")]),
            (SERVICES + "ProcessId = 2316", []),
        )
        audit(script, QUESTION)
        script.assert_used_up()
        assert "1200" not in script.asked[-1]

    def test_a_process_that_has_gone_meanwhile(self) -> None:
        answer = asked((LOOK, windows(udp("0.0.0.0:1762", 2316))), (PROCESSES, []))
        assert answer["verdict"] == "conflict"
        assert "exited" in answer["conflicts"][0]["message"]

    @pytest.mark.parametrize(
        "row",
        [
            {"ProcessId": "9999", "Name": "else.exe", "ExecutablePath": None},
            {"ProcessId": None, "Name": "else.exe", "ExecutablePath": None},
            {"ProcessId": "2316", "Name": None, "ExecutablePath": None},
            {"ProcessId": "x", "Name": "wuser32.exe", "ExecutablePath": None},
            {},
        ],
    )
    def test_rows_that_make_no_sense_name_nobody(self, row: dict[str, str | None]) -> None:
        answer = asked((LOOK, windows(udp("0.0.0.0:1762", 2316))), (PROCESSES, [row]))
        assert answer["verdict"] == "conflict"
        assert answer["conflicts"][0]["process"] is None


class TestWmiRefuses:
    TASKS = '"svchost.exe","2316","Dnscache,TapiSrv"\r\n"wuser32.exe","1200","N/A"\r\n"System","4","N/A"\r\n'
    ROWS: t.ClassVar = [udp("0.0.0.0:1761", 1200), udp("0.0.0.0:1762", 2316), udp("0.0.0.0:1763", 2400)]

    def test_tasklist_is_asked_instead(self) -> None:
        answer = asked((LOOK, windows(*self.ROWS)), (PROCESSES, REFUSED), (TASKLIST, self.TASKS))
        assert statuses(answer) == {"1761/udp": "agent", "1762/udp": "conflict", "1763/udp": "conflict"}
        first, second = answer["conflicts"]
        assert (first["process"], first["services"], first["path"]) == ("svchost.exe", ["Dnscache", "TapiSrv"], None)
        assert "exited" in second["message"]
        assert answer["host"]["owner_source"] == "tasklist"
        assert any("tasklist" in warning and "access was denied" in warning for warning in answer["warnings"])

    @pytest.mark.parametrize("tasks", [b"", b"ERROR: Access denied\r\n", CommandResult(b"", b"ERROR", 1), OVERDUE])
    def test_and_if_that_fails_too_it_could_be_the_agent(self, tasks: t.Any) -> None:
        answer = asked((LOOK, windows(*self.ROWS)), (PROCESSES, REFUSED), (TASKLIST, tasks))
        assert (answer["verdict"], answer["conflicts"]) == ("inconclusive", [])
        assert statuses(answer) == {"1761/udp": "unknown", "1762/udp": "unknown", "1763/udp": "unknown"}
        assert [entry["endpoints"][0]["pid"] for entry in answer["ports"] if entry["endpoints"]] == [1200, 2316, 2400]
        assert any("tasklist" in warning for warning in answer["warnings"])

    def test_unless_nothing_is_expected(self) -> None:
        question = Question(QUESTION.wanted, frozenset())
        answer = asked((LOOK, windows(*self.ROWS)), (PROCESSES, REFUSED), (TASKLIST, ""), question=question)
        assert answer["verdict"] == "conflict"
        assert [each["pid"] for each in answer["conflicts"]] == [1200, 2316, 2400]

    def test_the_services_alone_are_refused(self) -> None:
        answer = asked(
            (LOOK, windows(udp("0.0.0.0:1762", 2316))),
            (PROCESSES, [process(2316, "svchost.exe")]),
            (SERVICES, REFUSED),
            (TASKLIST, self.TASKS),
        )
        assert answer["conflicts"][0]["services"] == ["Dnscache", "TapiSrv"]

    @pytest.mark.parametrize("tasks", ["", OVERDUE])
    def test_the_services_cannot_be_had_at_all(self, tasks: t.Any) -> None:
        answer = asked(
            (LOOK, windows(udp("0.0.0.0:1762", 2316))), (PROCESSES, [process(2316, "svchost.exe")]), (SERVICES, REFUSED), (TASKLIST, tasks)
        )
        assert (answer["conflicts"][0]["process"], answer["conflicts"][0]["services"]) == ("svchost.exe", [])
        assert any("services" in warning for warning in answer["warnings"])


class TestWithoutProcessIds:
    """Where -o is unknown, netstat is asked without it, and whether the agent runs decides."""

    OLD = table([tcp("0.0.0.0:135"), tcp("0.0.0.0:1763"), udp("0.0.0.0:500")])

    @pytest.mark.parametrize(
        ("answers", "verdict"),
        [
            ([(ALL_PROCESSES, [{"Name": "System"}, {"Name": "WUSER32.EXE"}])], "inconclusive"),
            ([(ALL_PROCESSES, [{"Name": "System"}, {"Name": None}])], "conflict"),
            ([(ALL_PROCESSES, REFUSED), (TASKLIST, '"wuser32.exe","1200","N/A"\r\n')], "inconclusive"),
            ([(ALL_PROCESSES, REFUSED), (TASKLIST, '"svchost.exe","564","RpcSs"\r\n')], "conflict"),
            ([(ALL_PROCESSES, REFUSED), (TASKLIST, "")], "inconclusive"),
            ([(ALL_PROCESSES, REFUSED), (TASKLIST, OVERDUE)], "inconclusive"),
        ],
    )
    def test_a_held_port(self, answers: list[tuple[str, t.Any]], verdict: str) -> None:
        answer = asked((LOOK, windows(listing=USAGE)), (WITHOUT_PIDS, self.OLD), *answers)
        assert answer["verdict"] == verdict
        assert statuses(answer) == {"1763/tcp": "unknown" if verdict == "inconclusive" else "conflict"}
        assert answer["host"]["netstat_has_pids"] is False

    def test_nothing_expected_needs_no_question(self) -> None:
        question = Question(QUESTION.wanted, frozenset())
        answer = asked((LOOK, windows(listing=USAGE)), (WITHOUT_PIDS, self.OLD), question=question)
        assert statuses(answer) == {"1763/tcp": "conflict"}

    def test_nor_does_a_client_without_a_held_port(self) -> None:
        rows = [tcp("0.0.0.0:135"), udp("0.0.0.0:500")]
        assert asked((LOOK, windows(listing=USAGE)), (WITHOUT_PIDS, table(rows)))["verdict"] == "clear"


class TestWhatTheClientSays:
    def test_reserved_ranges(self) -> None:
        answer = asked((LOOK, windows(reserved=("      1761        1860      ", "     50000       50059     *"))))
        assert answer["verdict"] == "conflict"
        assert {each["kind"] for each in answer["conflicts"]} == {"reserved"}
        assert answer["host"]["excluded_port_ranges"] == {
            "tcp": [{"start": 1761, "end": 1860, "administered": False}, {"start": 50000, "end": 50059, "administered": True}],
            "udp": [],
        }

    @pytest.mark.parametrize(
        ("line", "version"),
        [
            ("Microsoft Windows XP [Version 5.1.2600]", "5.1.2600"),
            ("Microsoft Windows [Version 6.1.7601]", "6.1.7601"),
            ("Microsoft Windows [Version 10.0.26100.1742]", "10.0.26100.1742"),
            ("Microsoft Windows [version 10.0.19045.3803]", "10.0.19045.3803"),
            ("Microsoft Windows [versão 10.0.22631.4317]", "10.0.22631.4317"),
            ("Microsoft Windows [Версия 10.0.19045.4170]", "10.0.19045.4170"),
            ("Windows NT Version 4.0", "4.0"),
            ("Microsoft Windows 2000 [Version 5.00.2195]", "5.00.2195"),
            ("(nothing)", None),
        ],
    )
    def test_the_version_in_every_language(self, line: str, version: str | None) -> None:
        assert asked((LOOK, windows(version=line)))["host"]["os_version"] == version

    @pytest.mark.parametrize("row", ["  TCP    [::ffff:10.0.0.5]:8080    [::]:0    LISTENING    77", " [python3.11.exe]", "  [app 4.0]"])
    def test_nothing_else_is_taken_for_a_version(self, row: str) -> None:
        listing = table([*USUAL, tcp("0.0.0.0:8080", 77)]) + row + "\r\n"
        assert asked((LOOK, windows(version="(nothing)", listing=listing)))["host"]["os_version"] is None
