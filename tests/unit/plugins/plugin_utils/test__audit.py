# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a machine prints to the verdict: `_audit` and `_conflicts`, with a strict stand-in for the session."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _audit
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import CommandTimeout, QueryRefused
from ansible_collections.sms.helpdesk.plugins.plugin_utils._ports import from_list, from_set

VERSION = "\r\nMicrosoft Windows [Version 10.0.19045.3803]\r\n\r\n"
BASE = (
    "  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       900\r\n"
    "  TCP    0.0.0.0:5985           0.0.0.0:0              LISTENING       4\r\n"
    "  UDP    0.0.0.0:500            *:*                                    77\r\n"
)
NO_RANGES = "".join(
    f"excludedportrange {p} \r\nProtocol {p} Port Exclusion Ranges\r\n\r\nStart Port    End Port\r\n----------    --------\r\n\r\n"
    for p in ("tcp", "udp")
)
ALL = _audit.Question(tuple(from_set("all")), frozenset({"wuser32.exe"}))
NOBODY = _audit.Question(tuple(from_set("all")), frozenset())


class Session:
    """Answers an ordered list of calls; an unexpected or a missing call fails."""

    host = "pc"

    def __init__(self, *expected: tuple[str, str, t.Any]) -> None:
        self._expected = list(expected)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: object, *_rest: object) -> None:
        assert kind is not None or not self._expected, f"not asked: {self._expected}"

    def _next(self, kind: str, text: str) -> t.Any:
        assert self._expected, f"unexpected {kind}: {text}"
        wanted_kind, words, answer = self._expected.pop(0)
        assert (wanted_kind, words in text) == (kind, True), f"{kind} {text!r} instead of {wanted_kind} {words!r}"
        if isinstance(answer, Exception):
            raise answer
        return answer

    def run(self, command: str, deadline: float = 0) -> t.Any:
        """A command and what it printed."""

        class Result:
            stdout = self._next("run", command).encode()

        return Result

    def query(self, wql: str, namespace: str = "") -> list[dict[str, str | None]]:
        """A query and its rows."""
        return self._next("query", wql)


REFUSED = QueryRefused("pc", "the WMI query", "access was denied", "use an administrator", "access-denied", 5)


def audit(text: str, *more: tuple[str, str, t.Any], question: _audit.Question = ALL) -> dict[str, t.Any]:
    """Audit a client that prints `text`, and then `more`."""
    with Session(("run", "netstat -ano", text), *more) as session:
        return _audit.audit(session, question)


def status(result: dict[str, t.Any], port: int, protocol: str) -> str:
    """The status of one port."""
    return next(e["status"] for e in result["ports"] if (e["port"], e["protocol"]) == (port, protocol))


def process(pid: int, name: str, path: str | None = None) -> dict[str, str | None]:
    """A row of Win32_Process."""
    return {"ProcessId": str(pid), "Name": name, "ExecutablePath": path}


@pytest.mark.parametrize(
    "printed", ["", "'netstat' is not recognized as an internal or external command,\r\n", "Active Connections\r\n\r\n  Proto\r\n"]
)
def test_without_a_row_nothing_is_known(printed: str) -> None:
    result = audit(VERSION + printed + NO_RANGES, ("run", "netstat -an", printed))
    assert result["verdict"] == "inconclusive"
    assert {e["status"] for e in result["ports"]} == {"unknown"}
    assert any("no row" in warning for warning in result["warnings"])


def test_a_command_that_does_not_end_is_inconclusive() -> None:
    timeout = CommandTimeout("pc", "the command", "it did not end in time", "look", "command-timeout")
    with Session(("run", "netstat", timeout)) as session:
        result = _audit.audit(session, ALL)
    assert result["verdict"] == "inconclusive"
    assert "did not end in time" in result["warnings"][0]


def test_a_clean_machine() -> None:
    result = audit(VERSION + BASE + NO_RANGES)
    assert (result["verdict"], result["conflicts"], result["warnings"]) == ("clear", [], [])
    assert {e["status"] for e in result["ports"]} == {"free"}
    assert result["host"]["os_version"] == "10.0.19045.3803"


@pytest.mark.parametrize("name", ["Wuser32.exe", "WUSER32.EXE", "wuser32.exe"])
def test_the_agent_in_any_spelling(name: str) -> None:
    rows = "  UDP    0.0.0.0:1761           *:*                                    4321\r\n"
    result = audit(VERSION + BASE + rows + NO_RANGES, ("query", "Win32_Process", [process(4321, name)]))
    assert (result["verdict"], status(result, 1761, "udp"), status(result, 1761, "tcp")) == ("clear", "agent", "free")


def test_agent_and_stranger_on_one_port() -> None:
    rows = "  UDP    0.0.0.0:1761   *:*   4321\r\n  UDP    10.0.0.5:1761   *:*   55\r\n"
    result = audit(
        VERSION + BASE + rows + NO_RANGES,
        ("query", "Win32_Process", [process(4321, "wuser32.exe"), process(55, "x.exe", "C:\\x.exe")]),
        ("query", "Win32_Service", []),
    )
    assert (result["verdict"], status(result, 1761, "udp")) == ("conflict", "conflict")
    assert [(c["pid"], c["path"]) for c in result["conflicts"]] == [(55, "C:\\x.exe")]


def test_the_services_of_a_shared_process() -> None:
    rows = "  TCP    0.0.0.0:2702   0.0.0.0:0   LISTENING   1044\r\n  TCP    [::]:2702   [::]:0   LISTENING   1044\r\n"
    services: list[dict[str, str | None]] = [{"Name": "RpcSs", "ProcessId": "1044"}, {"Name": "Dhcp", "ProcessId": "1044"}]
    result = audit(
        VERSION + BASE + rows + NO_RANGES, ("query", "Win32_Process", [process(1044, "svchost.exe")]), ("query", "Win32_Service", services)
    )
    (conflict,) = result["conflicts"]
    assert (conflict["services"], len(conflict["endpoints"]), conflict["kind"]) == (["Dhcp", "RpcSs"], 2, "listener")
    assert "Dhcp, RpcSs" in conflict["message"]


def test_services_refused_are_asked_of_tasklist() -> None:
    rows = "  TCP    0.0.0.0:2702   0.0.0.0:0   LISTENING   1044\r\n"
    result = audit(
        VERSION + BASE + rows + NO_RANGES,
        ("query", "Win32_Process", [process(1044, "svchost.exe")]),
        ("query", "Win32_Service", REFUSED),
        ("run", "tasklist", '"svchost.exe","1044","RpcSs"\r\n'),
    )
    assert result["conflicts"][0]["services"] == ["RpcSs"]


def test_wmi_and_tasklist_both_fail() -> None:
    rows = "  TCP    0.0.0.0:2702   0.0.0.0:0   LISTENING   1044\r\n"
    result = audit(VERSION + BASE + rows + NO_RANGES, ("query", "Win32_Process", REFUSED), ("run", "tasklist", "ERROR: Access denied\r\n"))
    assert (result["verdict"], status(result, 2702, "tcp"), result["conflicts"]) == ("inconclusive", "unknown", [])
    entry = next(e for e in result["ports"] if e["status"] == "unknown")
    assert entry["endpoints"][0]["pid"] == 1044
    assert any("2702" in warning for warning in result["warnings"])


def test_nobody_expected_makes_an_unnamed_holder_a_conflict() -> None:
    rows = "  TCP    0.0.0.0:2702   0.0.0.0:0   LISTENING   1044\r\n"
    answers = (("query", "Win32_Process", REFUSED), ("run", "tasklist", ""))
    assert audit(VERSION + BASE + rows + NO_RANGES, *answers, question=NOBODY)["verdict"] == "conflict"


def test_a_process_that_has_gone() -> None:
    rows = "  TCP    0.0.0.0:2702   0.0.0.0:0   LISTENING   1044\r\n"
    (conflict,) = audit(VERSION + BASE + rows + NO_RANGES, ("query", "Win32_Process", []))["conflicts"]
    assert (conflict["process"], "exited" in conflict["message"]) == (None, True)


def test_the_kernel_needs_no_query() -> None:
    (conflict,) = audit(VERSION + BASE + "  TCP    0.0.0.0:1761   0.0.0.0:0   LISTENING   4\r\n" + NO_RANGES)["conflicts"]
    assert (conflict["process"], conflict["pid"]) == ("System", 4)


@pytest.mark.parametrize(
    "row",
    [
        "  TCP    10.0.0.5:1761          10.0.0.9:443           TIME_WAIT       0",
        "  TCP    10.0.0.5:50000         10.0.0.9:1762          ESTABLISHED     12",
        "  TCP    0.0.0.0:17610          0.0.0.0:0              LISTENING       12",
        "  UDP    0.0.0.0:27010          *:*                                    12",
    ],
)
def test_what_is_nothing(row: str) -> None:
    assert audit(VERSION + BASE + row + "\r\n" + NO_RANGES)["verdict"] == "clear"


def test_a_live_connection_from_one_of_our_ports() -> None:
    row = "  TCP    10.0.0.5:1763          10.0.0.9:443           HERGESTELLT     12\r\n"
    (conflict,) = audit(
        VERSION + BASE + row + NO_RANGES, ("query", "Win32_Process", [process(12, "browser.exe")]), ("query", "Win32_Service", [])
    )["conflicts"]
    assert (conflict["kind"], conflict["remote"]) == ("connection", "10.0.0.9:443")


def test_reserved_ranges_count_unless_they_are_not_asked_for() -> None:
    reserved = NO_RANGES.replace("--------\r\n", "--------\r\n      1761        1860\r\n", 1)
    result = audit(VERSION + BASE + reserved)
    assert [(c["kind"], c["port"], c["protocol"]) for c in result["conflicts"]] == [("reserved", port, "tcp") for port in range(1761, 1765)]
    assert {e["status"] for e in result["ports"] if e["protocol"] == "udp"} == {"free"}
    ignoring = _audit.Question(ALL.wanted, ALL.expected, reserved_ranges=False)
    assert "excludedportrange" not in ignoring.command
    assert audit(VERSION + BASE, question=ignoring)["verdict"] == "clear"


def test_the_agent_inside_a_range_reserved_for_it() -> None:
    reserved = NO_RANGES.replace("--------\r\n", "--------\r\n      1761        1764     *\r\n", 2)
    rows = "  UDP    0.0.0.0:1761           *:*                                    4321\r\n"
    result = audit(VERSION + BASE + rows + reserved, ("query", "Win32_Process", [process(4321, "wuser32.exe")]))
    assert (status(result, 1761, "udp"), status(result, 1761, "tcp")) == ("agent", "reserved")
    assert "administrator" in result["conflicts"][0]["message"]


def test_ranges_that_cannot_be_read_are_unknown_where_they_exist() -> None:
    assert audit(VERSION + BASE)["verdict"] == "inconclusive"
    assert audit("Microsoft Windows [Version 6.1.7601]\r\n" + BASE)["verdict"] == "clear"


@pytest.mark.parametrize(
    ("version", "port", "flagged"),
    [("Microsoft Windows [Version 5.2.3790]", 1761, True), ("Microsoft Windows [Version 6.1.7601]", 1761, False), ("", 1761, False)],
)
def test_dynamic_ranges_by_default(version: str, port: int, flagged: bool) -> None:
    assert audit(f"{version}\r\n{BASE}")["ports"][0]["dynamic_range"] is flagged


def test_no_process_ids_and_the_agent_runs() -> None:
    listing = "Microsoft Windows [Version 5.1.2600]\r\nTCP 0.0.0.0:135 0.0.0.0:0 LISTENING\r\nUDP 0.0.0.0:1762 *:*\r\n"
    running = audit(listing, ("query", "Win32_Process", [{"Name": "Wuser32.exe"}]))
    assert (running["verdict"], status(running, 1762, "udp"), status(running, 1761, "udp")) == ("inconclusive", "unknown", "free")
    stopped = audit(listing, ("query", "Win32_Process", [{"Name": "explorer.exe"}]))
    assert (stopped["verdict"], stopped["conflicts"][0]["pid"], stopped["conflicts"][0]["process"]) == ("conflict", None, None)
    unasked = audit(listing, ("query", "Win32_Process", REFUSED), ("run", "tasklist", ""))
    assert unasked["verdict"] == "inconclusive"


def capture(text: str, question: _audit.Question = ALL) -> dict[str, t.Any]:
    """Judge a saved listing."""
    return _audit.audit_capture(text.encode("cp850", "replace"), question)


def test_windows_nt_before_sp3_hides_tcp_listeners() -> None:
    text = "Windows NT Version 4.0\r\n\r\n  TCP    pc:1026  server:nbsession  ESTABLISHED\r\n  UDP    pc:nbname  *:*\r\n"
    result = capture(text, NOBODY)
    assert result["verdict"] == "inconclusive"
    assert {e["status"] for e in result["ports"] if e["protocol"] == "tcp"} == {"unknown"}
    assert {e["status"] for e in result["ports"] if e["protocol"] == "udp"} == {"free"}


def test_phantom_tcp_rows_of_nt_4() -> None:
    rows = ["TCP 0.0.0.0:135 0.0.0.0:0 LISTENING", "TCP 0.0.0.0:1762 0.0.0.0:0 LISTENING", "UDP 0.0.0.0:1762 *:*"]
    text = "\r\n".join(["Windows NT Version 4.0", *rows])
    result = capture(text, NOBODY)
    assert (status(result, 1762, "tcp"), status(result, 1762, "udp")) == ("unknown", "conflict")


def test_a_capture_without_udp_rows_says_nothing_of_udp() -> None:
    result = capture("  TCP    0.0.0.0:135   0.0.0.0:0   LISTENING   900\r\n")
    assert {e["status"] for e in result["ports"] if e["protocol"] == "udp"} == {"unknown"}
    assert {e["status"] for e in result["ports"] if e["protocol"] == "tcp"} == {"free"}


def test_a_capture_with_tasklist_names_its_processes() -> None:
    row = "  UDP    0.0.0.0:1762           *:*                                    4321\r\n"
    assert capture(BASE + row)["verdict"] == "inconclusive"
    assert capture(BASE + row + '"Wuser32.exe","4321","Wuser32"\r\n')["verdict"] == "clear"
    assert capture(BASE + row + '"other.exe","4321","N/A"\r\n')["conflicts"][0]["process"] == "other.exe"


def test_a_capture_of_powershell_in_utf_16() -> None:
    text = BASE + "  TCP    0.0.0.0:1764   0.0.0.0:0   ABHÖREN   4\r\n"
    assert _audit.audit_capture(text.encode("utf-16"), ALL)["conflicts"][0]["process"] == "System"


def test_names_with_two_meanings_leave_both_ports_in_doubt() -> None:
    text = "  TCP    pc:epmap   pc:0   LISTENING\r\n  UDP    pc:ntp   *:*\r\n  TCP    pc:sms-xfer   pc:0   LISTENING\r\n"
    result = capture(text, NOBODY)
    assert (status(result, 2704, "tcp"), status(result, 2702, "tcp")) == ("conflict", "unknown")
    assert any("sms-xfer" in warning for warning in result["warnings"])


def test_a_name_nobody_knows_may_be_any_port() -> None:
    text = "  TCP    pc:epmap   pc:0   LISTENING\r\n  UDP    pc:vendor-thing   *:*\r\n"
    result = capture(text, NOBODY)
    assert {e["status"] for e in result["ports"] if e["protocol"] == "udp"} == {"unknown"}
    assert {e["status"] for e in result["ports"] if e["protocol"] == "tcp"} == {"free"}


def test_ports_of_the_users_own() -> None:
    question = _audit.Question(
        tuple(from_list([{"port": 135, "protocol": "tcp", "purpose": "endpoint mapper"}])), frozenset({"svchost.exe"})
    )
    result = capture(BASE + '"svchost.exe","900","RpcSs"\r\n', question)
    assert [(e["port"], e["purpose"], e["status"]) for e in result["ports"]] == [(135, "endpoint mapper", "agent")]


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("Microsoft Windows [Version 10.0.19045.3803]", "10.0.19045.3803"),
        ("Microsoft Windows [version 10.0.22631.2861]", "10.0.22631.2861"),
        ("Microsoft Windows 2000 [Version 5.00.2195]", "5.00.2195"),
        ("Microsoft Windows XP [Version 5.1.2600]", "5.1.2600"),
        ("Windows NT Version 4.0", "4.0"),
        ("Microsoft Windows [Версия 10.0.19045.1]", "10.0.19045.1"),
        ("", None),
    ],
)
def test_versions(printed: str, version: str | None) -> None:
    assert capture(f"\r\n{printed}\r\n")["host"]["os_version"] == version


def test_five_thousand_rows_are_all_looked_at() -> None:
    rows = "".join(f"  TCP    10.0.{i // 250}.{i % 250}:{3000 + i}   10.0.0.9:443   ESTABLISHED   {i + 5}\r\n" for i in range(5000))
    assert capture(BASE + rows)["host"]["netstat_rows"] == 5003
