# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence from one machine and the ports somebody needs, to a verdict. Private to the collection; pure.

Judged per port and protocol. What cannot be known is `unknown`, never `free`; the sentences that say why are the
warnings of the judgement.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ._netsh import PortRange, PortRanges
from ._netstat import Endpoint
from ._ports import PORT_SETS, Requirement
from ._text import printable

SYSTEM_PID = 4
_KIND_RANK = {"listener": 0, "bound": 1, "connection": 2}
# Q194952, Q149532: NT 4 and 2000 hand out 1025-5000; Vista and later what IANA calls dynamic (Q174904).
_LEGACY_DYNAMIC = PortRange(1025, 5000)
_MODERN_DYNAMIC = PortRange(49152, 65535)


class Owner(t.NamedTuple):
    """Who holds a socket. `state` is `known`, `exited` (the process id is gone) or `unknown` (it could not be asked)."""

    pid: int | None
    state: str
    process: str | None = None
    path: str | None = None
    services: tuple[str, ...] = ()


@dataclasses.dataclass
class Evidence:
    """Everything that was read on one machine.

    :param endpoints: the rows of netstat; None if there is no usable listing at all.
    :param owners: process id -> owner, for the process ids that hold a port in question.
    :param os_version: for example ``(10, 0, 19045)``; None if not known.
    :param agent_running: whether an expected process runs; only looked at where netstat gives no process ids.
    :param ranges_asked: whether the excluded port ranges were to be read.
    :param unreadable: rows of netstat that look like sockets and could not be read.
    :param partial: the listing may have been filtered by whoever saved it (a capture).
    """

    endpoints: list[Endpoint] | None
    owners: dict[int, Owner] = dataclasses.field(default_factory=dict)
    ranges: PortRanges = dataclasses.field(default_factory=PortRanges)
    os_version: tuple[int, ...] | None = None
    agent_running: bool | None = None
    ranges_asked: bool = True
    partial: bool = False
    unreadable: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Judgement:
    """What `port_conflict_info` returns, minus what only the caller knows."""

    verdict: str
    conflicts: list[dict[str, t.Any]]
    ports: list[dict[str, t.Any]]
    warnings: list[str]


def relevant(endpoints: t.Iterable[Endpoint], wanted: t.Iterable[Requirement]) -> list[Endpoint]:
    """The endpoints whose local port may be one of `wanted` and that some program still holds."""
    keys = {(need.protocol, need.port) for need in wanted}
    return [
        endpoint
        for endpoint in endpoints
        if any((endpoint.protocol, port) in keys for port in endpoint.ports) and endpoint.kind is not None
    ]


def dynamic_range(evidence: Evidence, protocol: str) -> PortRange | None:
    """The range ephemeral ports come from: as read, else the default of the Windows version, None if that is unknown."""
    read = evidence.ranges.dynamic.get(protocol)
    if read is not None or evidence.os_version is None:
        return read
    return _LEGACY_DYNAMIC if evidence.os_version < (6,) else _MODERN_DYNAMIC


def judge(wanted: t.Sequence[Requirement], evidence: Evidence, expected: t.AbstractSet[str]) -> Judgement:
    """The verdict on every requirement.

    :param expected: lower-case image names of the agent; its own sockets are no conflicts. Empty: nothing is expected.
    """
    court = _Court(evidence, expected)
    by_port: dict[tuple[str, int], list[Endpoint]] = {}
    for endpoint in relevant(evidence.endpoints or (), wanted):
        for port in endpoint.ports:
            by_port.setdefault((endpoint.protocol, port), []).append(endpoint)
    ports = [court.decide(need, by_port) for need in wanted]
    if court.conflicts:
        verdict = "conflict"
    elif any(entry["status"] == "unknown" for entry in ports):
        verdict = "inconclusive"
    else:
        verdict = "clear"
    return Judgement(verdict, court.conflicts, ports, list(court.warnings))


class _Court:
    """The state of one judgement: conflicts and warnings gather while the ports are gone through."""

    def __init__(self, evidence: Evidence, expected: t.AbstractSet[str]) -> None:
        self.evidence = evidence
        self.expected = expected
        self.conflicts: list[dict[str, t.Any]] = []
        self.warnings: dict[str, None] = {}
        endpoints = evidence.endpoints or []
        self.udp_ports = {e.ports for e in endpoints if e.protocol == "udp"}
        self.blind = {protocol: self._blindness(protocol, endpoints) for protocol in ("tcp", "udp")}
        self.nameless = {
            protocol: [e for e in endpoints if e.protocol == protocol and not e.ports and e.kind is not None] for protocol in ("tcp", "udp")
        }

    def _blindness(self, protocol: str, endpoints: list[Endpoint]) -> str | None:
        """Why an unlisted port of this protocol may be held all the same, None if the listing can be trusted."""
        if self.evidence.endpoints is None or not endpoints:
            return "netstat gave no row that can be read, so nothing is known of any port"
        lost = [row for row in self.evidence.unreadable if row.lstrip("> ").lower().startswith(protocol)]
        if lost:
            return f"{len(lost)} {protocol.upper()} row(s) of netstat cannot be read, the first is '{printable(lost[0], 120)}'"
        if protocol == "udp":
            if self.evidence.partial and not any(e.protocol == "udp" for e in endpoints):
                return "the capture has no UDP row at all (made with -p tcp or filtered?), so nothing is known of UDP ports"
            return None
        if not any(e.kind == "listener" and not self._phantom(e) for e in endpoints):
            return (
                "no listening TCP port is listed at all; Windows NT before 4.0 SP3 hides them (Q134404, Q175952), "
                "and so does a filtered listing, so nothing is known of TCP ports"
            )
        return None

    def _phantom(self, endpoint: Endpoint) -> bool:
        """NT 4, or what may be it, can print a TCP line for a socket that is bound for UDP only [Q194171]."""
        version = self.evidence.os_version
        if endpoint.pid is not None or endpoint.protocol != "tcp" or (version is not None and version >= (5,)):
            return False
        return endpoint.ports in self.udp_ports

    def _owner(self, endpoint: Endpoint) -> Owner:
        if endpoint.program is not None:
            return Owner(endpoint.pid, "known", endpoint.program, None, (endpoint.component,) if endpoint.component else ())
        if endpoint.pid == SYSTEM_PID:
            return Owner(SYSTEM_PID, "known", "System")
        known = self.evidence.owners.get(endpoint.pid) if endpoint.pid else None
        if known is not None and known.state != "unknown":
            return known
        if endpoint.component is not None:
            return Owner(endpoint.pid, "known", None, None, (endpoint.component,))
        return known or Owner(endpoint.pid, "unknown")

    def _side(self, owner: Owner) -> str:
        """`agent`, `foreign`, or `unknown` when the holder may be the agent as well as anybody else."""
        if owner.process is not None and owner.process.lower() in self.expected:
            return "agent"
        if owner.state != "unknown":
            return "foreign"
        if not self.expected or (not owner.pid and self.evidence.agent_running is False):
            return "foreign"
        return "unknown"

    def decide(self, need: Requirement, by_port: dict[tuple[str, int], list[Endpoint]]) -> dict[str, t.Any]:
        """One entry of `ports`; adds to the conflicts and warnings."""
        held = by_port.get((need.protocol, need.port), [])
        sides: dict[str, list[tuple[Endpoint, Owner]]] = {"agent": [], "foreign": [], "unknown": [], "ambiguous": []}
        for endpoint in held:
            owner = self._owner(endpoint)
            side = self._side(owner)
            if len(endpoint.ports) > 1:
                self._warn_ambiguous(endpoint)
                side = side if endpoint.ports[0] == need.port else "ambiguous"
            elif side == "foreign" and self.evidence.os_version is not None and self._phantom(endpoint):
                self._warn(f"{need.label} is listed, but NT 4 may show a TCP line for a UDP-only socket (Q194171)")
                side = "ambiguous"
            sides[side].append((endpoint, owner))
        flagged = (span := dynamic_range(self.evidence, need.protocol)) is not None and need.port in span
        self._add_holders(need, sides["foreign"], flagged)
        status = self._status(need, sides, flagged)
        return {
            "port": need.port,
            "protocol": need.protocol,
            "purpose": need.purpose,
            "status": status,
            "dynamic_range": flagged,
            "endpoints": [_endpoint_entry(endpoint, self._owner(endpoint)) for endpoint in held],
        }

    def _status(self, need: Requirement, sides: dict[str, list[tuple[Endpoint, Owner]]], flagged: bool) -> str:
        if sides["foreign"]:
            return "conflict"
        if sides["unknown"]:
            for endpoint, owner in sides["unknown"]:
                self._warn_unknown(need, endpoint, owner)
            return "unknown"
        if sides["agent"]:
            return "agent"
        if sides["ambiguous"]:
            return "unknown"
        reserved = next((span for span in self.evidence.ranges.excluded.get(need.protocol, ()) if need.port in span), None)
        if reserved is not None and self.evidence.ranges_asked:
            self.conflicts.append(_reserved_conflict(need, reserved, flagged))
            return "reserved"
        blind = self.blind[need.protocol]
        if blind:
            self._warn(blind)
            return "unknown"
        if self.nameless[need.protocol]:
            names = ", ".join(sorted({printable(e.local, 80) for e in self.nameless[need.protocol]})[:5])
            self._warn(
                f"{need.protocol.upper()} sockets have names no table resolves ({names}), any port may be theirs; list with netstat -an"
            )
            return "unknown"
        return self._unreserved(need)

    def _unreserved(self, need: Requirement) -> str:
        # Windows 8 and 2012 brought Hyper-V's reservations to clients; older versions cannot be asked and do not have them.
        version = self.evidence.os_version
        asked = self.evidence.ranges_asked and not self.evidence.partial
        if asked and version is not None and version >= (6, 2) and need.protocol not in self.evidence.ranges.excluded:
            self._warn(
                f"netsh did not list the excluded {need.protocol.upper()} port ranges, so a port nobody holds may still be reserved; "
                "set reserved_ranges to false to judge by sockets alone"
            )
            return "unknown"
        return "free"

    def _add_holders(self, need: Requirement, held: list[tuple[Endpoint, Owner]], flagged: bool) -> None:
        """One conflict for each process that holds the port, however many sockets it has on it."""
        groups: dict[t.Any, list[tuple[Endpoint, Owner]]] = {}
        for endpoint, owner in held:
            groups.setdefault((owner.pid, owner.process if owner.pid is None else None), []).append((endpoint, owner))
        for members in groups.values():
            members.sort(key=lambda pair: _KIND_RANK[pair[0].kind or "connection"])
            self.conflicts.append(_holder_conflict(need, members, flagged))

    def _warn(self, sentence: str) -> None:
        self.warnings.setdefault(sentence)

    def _warn_ambiguous(self, endpoint: Endpoint) -> None:
        choices = " or ".join(str(port) for port in endpoint.ports)
        self._warn(f"the name in {printable(endpoint.local, 80)} stands for {choices} (Q229097 and IANA disagree); list with netstat -an")

    def _warn_unknown(self, need: Requirement, endpoint: Endpoint, owner: Owner) -> None:
        if owner.pid:
            self._warn(
                f"{need.label} is held by process {owner.pid}, whose name could not be read, so it may be the agent or another program"
            )
        elif endpoint.pid == 0:
            self._warn(f"{need.label} is held, but netstat names no process for it, so it may be the agent or another program")
        else:
            self._warn(
                f"{need.label} is held, but this listing has no process ids and the agent may be the holder; "
                "stop the agent and list again with expected_processes empty, or use netstat -ano"
            )


def _remote(endpoint: Endpoint) -> str:
    return (
        ""
        if endpoint.kind == "listener" or (endpoint.remote_port in (0, None) and endpoint.remote.startswith("*"))
        else printable(endpoint.remote, 120)
    )


def _endpoint_entry(endpoint: Endpoint, owner: Owner) -> dict[str, t.Any]:
    return {
        "kind": endpoint.kind,
        "address": printable(endpoint.address, 120),
        "remote": _remote(endpoint),
        "pid": owner.pid,
        "process": None if owner.process is None else printable(owner.process, 260),
    }


def _next_step(need: Requirement, owner: Owner) -> str:
    if owner.pid == SYSTEM_PID:
        return (
            "find the driver or service the kernel acts for (netsh http show servicestate names those of HTTP.sys) and give it another port"
        )
    if need.port in PORT_SETS["original"]:
        return "stop that program or give it another port, or move the agent to 2701-2704 with the hotfix of Q229097"
    if need.port in PORT_SETS["hotfix"]:
        return "free the port before the agent is moved to it"
    return "stop that program or give it another port"


def _who(owner: Owner) -> str:
    if owner.pid == SYSTEM_PID:
        return "System (PID 4), the Windows kernel"
    services = " hosting the service" + ("s " if len(owner.services) > 1 else " ") + ", ".join(owner.services) if owner.services else ""
    if owner.state == "exited":
        return f"process {owner.pid}, which has exited since it was listed"
    if owner.process is None:
        return (f"process {owner.pid}" if owner.pid else "a program this listing does not name") + services
    details = ", ".join(part for part in (f"PID {owner.pid}" if owner.pid is not None else "", owner.path or "") if part)
    return f"{owner.process} ({details}){services}" if details else f"{owner.process}{services}"


_VERB = {
    "listener": "is listened on at {where} by",
    "bound": "is bound at {where} by",
    "connection": "is the local port of a live connection to {where} of",
}


def _holder_conflict(need: Requirement, members: list[tuple[Endpoint, Owner]], flagged: bool) -> dict[str, t.Any]:
    endpoint, owner = members[0]
    kind = endpoint.kind or "connection"
    where = ", ".join(dict.fromkeys(e.address for e, _owner in members[:4])) + (" and more" if len(members) > 4 else "")
    if kind == "connection":
        where = endpoint.remote
    purpose = f" ({need.purpose})" if need.purpose else ""
    message = f"{need.label}{purpose} {_VERB[kind].format(where=where)} {_who(owner)}; {_next_step(need, owner)}"
    if flagged and kind == "connection":
        message += "; the port lies in the dynamic port range, so this can happen again at any time"
    return {
        "port": need.port,
        "protocol": need.protocol,
        "purpose": need.purpose,
        "kind": kind,
        "address": printable(endpoint.address, 120),
        "remote": _remote(endpoint),
        "pid": owner.pid,
        "process": None if owner.process is None else printable(owner.process, 260),
        "path": None if owner.path is None else printable(owner.path),
        "services": [printable(name, 260) for name in owner.services],
        "dynamic_range": flagged,
        "endpoints": [_endpoint_entry(e, o) for e, o in members],
        "message": printable(message, 1000) + ".",
    }


def _reserved_conflict(need: Requirement, span: PortRange, flagged: bool) -> dict[str, t.Any]:
    purpose = f" ({need.purpose})" if need.purpose else ""
    why = (
        "an administrator set it: only a program that asks for exactly this port can have it, so check that it was set for the agent"
        if span.administered
        else "nothing listens there and yet nothing can bind it: find who reserved it (Hyper-V, WSL, WinNAT) or move the dynamic port range"
    )
    return {
        "port": need.port,
        "protocol": need.protocol,
        "purpose": need.purpose,
        "kind": "reserved",
        "address": "",
        "remote": "",
        "pid": None,
        "process": None,
        "path": None,
        "services": [],
        "dynamic_range": flagged,
        "endpoints": [],
        "message": f"{need.label}{purpose} lies in the excluded port range {span.start}-{span.end}; {why}.",
    }
