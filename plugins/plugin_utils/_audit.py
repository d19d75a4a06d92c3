# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything detection asks of one client, and the answer. Private to the collection; knows nothing of Ansible.

A task for each host and an audit of a whole fleet drive this same code: `audit` with a live session, `audit_capture`
with what somebody saved on a machine without WinRM.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from . import _netsh, _netstat, _tasklist
from ._conflicts import SYSTEM_PID, Evidence, Owner, dynamic_range, judge, relevant
from ._errors import BadInput, CommandTimeout, QueryRefused
from ._ports import PROTOCOLS, Requirement, from_list, from_set
from ._text import decode

# `ver` in all languages: the number stands in brackets, except on Windows NT and Wine. Addresses and programs may stand in
# brackets too ([::ffff:10.0.0.5], [python3.11.exe]), so the name of the system has to come first.
_VERSION = re.compile(
    r"Microsoft Windows[^\[\r\n]{0,20}\[[^\]\d]{0,40}(\d{1,3}(?:\.\d{1,6}){1,3})[^\]]{0,20}\]"
    r"|Windows NT\D{0,20}(\d\.\d{1,2})|Microsoft Windows (\d{1,3}(?:\.\d{1,6}){1,3})"
)

# The echoed lines tell netsh's tables apart even where a translated title does not name the protocol.
_EXCLUDED = [
    f"echo excludedportrange {protocol} & netsh interface ipv4 show excludedportrange protocol={protocol}" for protocol in PROTOCOLS
]
_DYNAMIC = [f"echo dynamicport {protocol} & netsh interface ipv4 show dynamicport {protocol}" for protocol in PROTOCOLS]
_WITHOUT_PIDS = "netstat -an"
# Between the output of the commands for the ports and that of others.
_REST = "sms.helpdesk.rest"
_TASKLIST = "tasklist /svc /fo csv /nh"


@dataclasses.dataclass(frozen=True)
class Question:
    """What is asked of every machine.

    :param wanted: the ports, in the order of the answer.
    :param expected: lower-case image names whose sockets are no conflict.
    :param reserved_ranges: whether excluded port ranges count.
    """

    wanted: tuple[Requirement, ...]
    expected: frozenset[str]
    reserved_ranges: bool = True

    @property
    def command(self) -> str:
        """The one command line that is run on a client; plain ``&``, so that a failing part does not stop the rest."""
        return " & ".join(["ver", "netstat -ano", *(_EXCLUDED if self.reserved_ranges else []), *_DYNAMIC])


def question_of(arguments: t.Mapping[str, t.Any], host: str) -> Question:
    """The question from the arguments of a task.

    :raises BadInput: the ports cannot be worked with.
    """
    try:
        wanted = from_set(arguments["port_set"]) if arguments["ports"] is None else from_list(arguments["ports"])
    except ValueError as error:
        raise BadInput(host, "the argument ports", str(error), "list each port once, from 1 to 65535", "bad-argument") from None
    expected = frozenset(name.strip().lower() for name in arguments["expected_processes"])
    return Question(tuple(wanted), expected, arguments["reserved_ranges"])


class SessionLike(t.Protocol):
    """What an audit needs of a session; `_winrm.Session` has it."""

    def run(self, command: str, deadline: float = ...) -> t.Any:
        """Run a command line; the result has `stdout`, `stderr` (bytes) and `exit_code`."""

    def query(self, wql: str, namespace: str = ...) -> list[dict[str, str | None]]:
        """Run a WQL query."""


@dataclasses.dataclass
class _Seen:
    """One machine's output, parsed."""

    os_version: str | None
    listing: _netstat.Listing
    ranges: _netsh.PortRanges
    tasks: dict[int, _tasklist.Task]


def _see(text: str) -> _Seen:
    version = _VERSION.search(text)
    return _Seen(
        None if version is None else version[version.lastindex or 0],
        _netstat.parse(text),
        _netsh.parse(text),
        _tasklist.parse(text),
    )


class Observation(t.NamedTuple):
    """What a client printed: `seen` of it is about ports, `rest` is what the commands after those printed."""

    seen: _Seen
    rest: bytes
    warnings: list[str]


def observe(session: SessionLike, question: Question, also: str = "") -> Observation:
    """Run the one command line, and behind it another that belongs to another question.

    :raises Unreachable: there is no usable session; everything short of that is a warning.
    """
    warnings: list[str] = []
    rest = b""
    try:
        command = f"{question.command} & echo {_REST} & {also}" if also else question.command
        ports, _mark, rest = session.run(command).stdout.partition(_REST.encode())
        seen = _see(decode(ports))
        if not seen.listing.endpoints:
            # Windows 2000 and older do not know -o and print their usage instead.
            seen.listing = _netstat.parse(decode(session.run(_WITHOUT_PIDS).stdout))
    except CommandTimeout as error:
        warnings.append(f"the ports could not be listed: {error.cause}")
        seen = _see("")
        if also and not rest:
            rest = session.run(also).stdout
    return Observation(seen, rest, warnings)


def conclude(session: SessionLike, question: Question, observation: Observation) -> dict[str, t.Any]:
    """Ask who holds the ports, and judge.

    :returns: the result of `port_conflict_info`: verdict, conflicts, ports, host, warnings.
    """
    seen, warnings = observation.seen, list(observation.warnings)
    owners, source, agent_running = _live_owners(session, question, seen, warnings)
    return _conclude(question, seen, owners, source, agent_running, warnings, "client")


def audit(session: SessionLike, question: Question) -> dict[str, t.Any]:
    """Ask a live client; returns and raises what `conclude` and `observe` do."""
    return conclude(session, question, observe(session, question))


def result_of(host: str, answer: dict[str, t.Any]) -> dict[str, t.Any]:
    """An answer as the result of a task for this host; Ansible prints warnings without saying which host they are about."""
    return {"changed": False, **answer, "warnings": [f"{host}: {warning}" for warning in answer["warnings"]]}


def audit_capture(data: bytes, question: Question) -> dict[str, t.Any]:
    """Judge output that was saved on the machine: netstat, and whatever of ver, tasklist and netsh stands with it.

    :param data: the file's bytes, in UTF-8, UTF-16 or an OEM code page.
    :returns: as `audit`.
    """
    seen = _see(decode(data))
    owners = {pid: Owner(pid, "known", task.name, None, task.services) for pid, task in seen.tasks.items()}
    agent_running = any(task.name.lower() in question.expected for task in seen.tasks.values()) if seen.tasks else None
    if not question.expected:
        agent_running = False
    return _conclude(question, seen, owners, "tasklist" if owners else "none", agent_running, [], "capture")


def _conclude(
    question: Question,
    seen: _Seen,
    owners: dict[int, Owner],
    owner_source: str,
    agent_running: bool | None,
    warnings: list[str],
    source: str,
) -> dict[str, t.Any]:
    version = tuple(int(part) for part in seen.os_version.split(".")) if seen.os_version else None
    evidence = Evidence(
        endpoints=seen.listing.endpoints or None,
        owners=owners,
        ranges=seen.ranges,
        os_version=version,
        agent_running=agent_running,
        ranges_asked=question.reserved_ranges,
        partial=source == "capture",
        unreadable=seen.listing.unreadable,
    )
    judgement = judge(question.wanted, evidence, question.expected)
    return {
        "verdict": judgement.verdict,
        "conflicts": judgement.conflicts,
        "ports": judgement.ports,
        "host": {
            "os_version": seen.os_version,
            "source": source,
            "owner_source": owner_source,
            "netstat_rows": len(seen.listing.endpoints),
            "netstat_has_pids": seen.listing.has_pids,
            "excluded_port_ranges": {
                protocol: [{"start": span.start, "end": span.end, "administered": span.administered} for span in spans]
                for protocol, spans in sorted(seen.ranges.excluded.items())
            },
            "dynamic_port_ranges": {
                protocol: {"start": span.start, "end": span.end} for protocol in PROTOCOLS if (span := dynamic_range(evidence, protocol))
            },
        },
        "warnings": warnings + judgement.warnings,
    }


def _live_owners(session: SessionLike, question: Question, seen: _Seen, warnings: list[str]) -> tuple[dict[int, Owner], str, bool | None]:
    """Who holds the ports in question: (process id -> owner, which source answered, whether an expected process runs).

    The last one is only asked, and otherwise None, where netstat has no process ids and a port is held.
    """
    held = relevant(seen.listing.endpoints, question.wanted)
    pids = sorted({endpoint.pid for endpoint in held if endpoint.pid and endpoint.pid != SYSTEM_PID})
    if pids:
        owners, source = _owners_of(session, pids, question.expected, warnings)
        return owners, source, None
    if any(endpoint.pid is None for endpoint in held) and question.expected:
        return {}, "none", _is_running(session, question.expected, warnings)
    return {}, "none", None


def _owners_of(session: SessionLike, pids: list[int], expected: frozenset[str], warnings: list[str]) -> tuple[dict[int, Owner], str]:
    try:
        rows = session.query("SELECT ProcessId, Name, ExecutablePath FROM Win32_Process WHERE " + _any_of(pids))
    except QueryRefused as refused:
        return _owners_by_tasklist(session, pids, refused, warnings), "tasklist"
    owners = {pid: Owner(pid, "exited") for pid in pids}
    for row in rows:
        pid = _pid(row)
        if pid in owners and row.get("Name"):
            owners[pid] = Owner(pid, "known", row["Name"], row.get("ExecutablePath"))
    foreign = [pid for pid, owner in owners.items() if owner.process and owner.process.lower() not in expected]
    if foreign:
        for pid, services in _services_in(session, foreign, warnings).items():
            owners[pid] = owners[pid]._replace(services=services)
    return owners, "wmi"


def _services_in(session: SessionLike, pids: list[int], warnings: list[str]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    try:
        for row in session.query("SELECT Name, ProcessId FROM Win32_Service WHERE " + _any_of(pids)):
            pid = _pid(row)
            if pid in pids and row.get("Name"):
                found[pid] = (*found.get(pid, ()), str(row["Name"]))
    except QueryRefused as refused:
        try:
            tasks = _tasklist.parse(decode(session.run(_TASKLIST).stdout))
        except CommandTimeout:
            tasks = {}
        found = {pid: tasks[pid].services for pid in pids if pid in tasks}
        if not found:
            warnings.append(f"the services inside the processes could not be read: {refused.cause}")
    return {pid: tuple(sorted(names, key=str.lower)) for pid, names in found.items()}


def _owners_by_tasklist(session: SessionLike, pids: list[int], refused: QueryRefused, warnings: list[str]) -> dict[int, Owner]:
    try:
        tasks = _tasklist.parse(decode(session.run(_TASKLIST).stdout))
    except CommandTimeout:
        tasks = {}
    if not tasks:
        warnings.append(f"no names of processes could be read: {refused.cause}, and tasklist gave none either; {refused.next_step}")
        return {pid: Owner(pid, "unknown") for pid in pids}
    warnings.append(f"process names come from tasklist, without paths, because WMI could not be asked: {refused.cause}")
    return {pid: Owner(pid, "known", tasks[pid].name, None, tasks[pid].services) if pid in tasks else Owner(pid, "exited") for pid in pids}


def _is_running(session: SessionLike, expected: frozenset[str], warnings: list[str]) -> bool | None:
    try:
        rows = session.query("SELECT Name FROM Win32_Process")
        return any((row.get("Name") or "").lower() in expected for row in rows)
    except QueryRefused:
        pass
    try:
        tasks = _tasklist.parse(decode(session.run(_TASKLIST).stdout))
    except CommandTimeout:
        tasks = {}
    if tasks:
        return any(task.name.lower() in expected for task in tasks.values())
    warnings.append("netstat gives no process ids and neither WMI nor tasklist tells whether the agent runs")
    return None


def _any_of(pids: list[int]) -> str:
    return " OR ".join(f"ProcessId = {pid:d}" for pid in pids)


def _pid(row: dict[str, str | None]) -> int:
    text = row.get("ProcessId") or ""
    return int(text) if text.isascii() and text.isdigit() else -1
