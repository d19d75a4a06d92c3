# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of a fleet to one report: counts, who takes the ports, how far the remedy is, what to do next. Private to the collection; pure.

What this returns is `report.json`; the other formats show it.
"""

from __future__ import annotations

import collections
import typing as t

from ._records import CLIENT_STATES, SERVER_STATES, STATES, Record
from ._summary import summarise
from ._text import printable

SCHEMA_VERSION = 1
SCHEMA = "https://github.com/sms-helpdesk/sms.helpdesk/blob/main/docs/compliance_report.schema.json"
DEFAULT_FAIL_ON = ("conflict", "vulnerable")
_STATUSES = ("free", "agent", "conflict", "reserved", "unknown")
_NAMED = 200

_STEPS = {
    "conflict": "Free the ports of {n}: the table of programs says who takes them. Stop that program or give it another port, or move the "
    "agent to 2701-2704 with the hotfix.",
    "vulnerable": "Bring the hotfix to {n} whose agent still needs 1761-1764.",
    "pending": "Restart {n} where the upgrade waits for it, and let somebody log on there.",
    "unknown": "Look at {n} again: a conflict could not be ruled out, and its warnings say why.",
    "unreachable": "Get at {n} that could not be reached: {reasons}.",
    "failed": "Look at {n} where the audit failed: {reasons}.",
    "skipped": "Ask {n} that this run left out.",
}
_SERVER_STEPS = {
    "not_staged": "Stage the hotfix for {n} that do not have it.",
    "stale": "Wait for Maintenance Manager, or see why it left out {n} with older files.",
    "unreachable": "Get at {n} that could not be looked at: {reasons}.",
    "failed": "See why {n} could not be looked at: {reasons}.",
}


def clients(records: t.Iterable[Record]) -> list[Record]:
    """The records of clients."""
    return [each for each in records if each["kind"] == "client"]


def servers(records: t.Iterable[Record]) -> list[Record]:
    """The records of site servers, consoles and logon servers."""
    return [each for each in records if each["kind"] not in ("client", "package")]


def terminal(records: t.Sequence[Record]) -> list[str]:
    """The lines for a terminal, those of `fleet_summary` over the records."""
    return t.cast(list[str], summarise({each["host"]: each for each in clients(records)}, CLIENT_STATES, "Compliance")["lines"])


def build(
    records: list[Record],
    created: str,
    title: str = "Help desk compliance",
    fail_on: t.Sequence[str] = DEFAULT_FAIL_ON,
    previous: t.Mapping[str, t.Any] | None = None,
) -> dict[str, t.Any]:
    """The report.

    :param records: merged, see `_records.merge`.
    :param created: when, ISO 8601 in UTC.
    :param fail_on: states of clients and servers that are not compliant by the user's policy.
    :param previous: the report that was there before, as it was read from `report.json`.
    """
    failing = sorted({each["host"] for each in records if each["state"] in fail_on})
    return {
        "$schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "title": title,
        "created": created,
        "policy": {"fail_on": list(fail_on), "passed": not failing, "failing": failing},
        "summary": {
            "clients": _count(clients(records), CLIENT_STATES),
            "servers": _count(servers(records), SERVER_STATES),
            "packages": _count([each for each in records if each["kind"] == "package"], STATES["package"]),
            "reasons": _reasons(records),
            "processes": _processes(clients(records)),
            "ports": _ports(clients(records)),
            "progress": _progress(records),
            "next_steps": _next_steps(records, fail_on),
        },
        "changes": None if previous is None else _changes(records, previous),
        "records": records,
    }


def _count(records: t.Sequence[Record], states: t.Sequence[str]) -> dict[str, int]:
    counted = collections.Counter(each["state"] for each in records)
    return {"total": len(records), **{state: counted[state] for state in states}}


def _reasons(records: t.Iterable[Record]) -> list[dict[str, t.Any]]:
    """The classes of what kept hosts from being looked at, the most frequent first."""
    lost = [each for each in records if each["state"] in ("unreachable", "failed")]
    counted = collections.Counter(str(each["reason"]) for each in lost)
    return [{"reason": reason, "hosts": count} for reason, count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))]


def holder(conflict: t.Mapping[str, t.Any]) -> str:
    """Who has a port: a process, or what stands for one."""
    if conflict.get("kind") == "reserved":
        return "reserved by Windows"
    if conflict.get("process"):
        return str(conflict["process"])
    return "Windows kernel (PID 4)" if conflict.get("pid") == 4 else "unknown process"


def _processes(records: t.Iterable[Record]) -> list[dict[str, t.Any]]:
    """Who takes the ports, the one on the most hosts first."""
    found: dict[str, dict[str, t.Any]] = {}
    for each in records:
        for conflict in each["conflicts"]:
            name = holder(conflict)
            entry = found.setdefault(name.casefold(), {"process": name, "hosts": set(), "ports": set()})
            entry["hosts"].add(each["host"])
            entry["ports"].add((int(conflict.get("port") or 0), str(conflict.get("protocol"))))
    ordered = sorted(found.values(), key=lambda entry: (-len(entry["hosts"]), entry["process"].casefold()))
    return [
        {
            "process": entry["process"],
            "hosts": len(entry["hosts"]),
            "ports": [{"port": port, "protocol": protocol} for port, protocol in sorted(entry["ports"])],
        }
        for entry in ordered[:_NAMED]
    ]


def _ports(records: t.Iterable[Record]) -> list[dict[str, t.Any]]:
    """How often each port has each status."""
    rows: dict[tuple[int, str], dict[str, t.Any]] = {}
    for each in records:
        for port in each["ports"]:
            key = (int(port.get("port") or 0), str(port.get("protocol")))
            row = rows.setdefault(
                key,
                {"port": key[0], "protocol": key[1], "purpose": str(port.get("purpose") or ""), **dict.fromkeys(_STATUSES, 0)},
            )
            status = port.get("status")
            row[status if status in _STATUSES else "unknown"] += 1
    return [rows[key] for key in sorted(rows)]


def _progress(records: t.Sequence[Record]) -> list[dict[str, t.Any]]:
    """The steps of the remedy with how many of all have done it; None where nothing in the report says."""

    def step(name: str, done: int, total: int) -> dict[str, t.Any]:
        return {"step": name, "done": done if total else None, "total": total}

    sites = [each for each in records if each["kind"] in ("site_server", "admin_console")]
    logon = [each for each in records if each["kind"] == "logon_server"]
    told = [each for each in clients(records) if each["agent_build"] not in (None, "absent") and each["state"] != "not_applicable"]
    waiting = [each for each in told if {"restart", "logon"} & set(each["pending"])]
    return [
        step("staged", sum(each["state"] in ("staged", "replicated") for each in sites), len(sites)),
        step("replicated", sum(each["state"] == "replicated" for each in logon), len(logon)),
        step("upgraded", sum(each["agent_build"] == "hotfix" for each in told), len(told)),
        step("pending_restart", len(waiting), len(told)),
        step("verified", sum(each["state"] == "compliant" for each in told), len(told)),
    ]


def _next_steps(records: t.Sequence[Record], fail_on: t.Sequence[str]) -> list[str]:
    steps = []
    for group, table, one in ((clients(records), _STEPS, "client"), (servers(records), _SERVER_STEPS, "server")):
        for state, text in table.items():
            these = [each for each in group if each["state"] == state]
            if not these:
                continue
            if state == "vulnerable" and state not in fail_on:
                text = "Leave {n} without a conflict as they are: the article advises to fix only the systems that are affected."
            reasons = ", ".join(f"{printable(each['reason'], 60)} ({each['hosts']})" for each in _reasons(these)[:6])
            steps.append(text.format(n=f"{len(these):,} {one}{'' if len(these) == 1 else 's'}", reasons=reasons))
    for each in records:
        if each["kind"] == "package" and each["state"] in ("unusable", "failed"):
            steps.append(f"Get the right files for the package: {printable(each['message'], 300)}")
    return steps or ["Nothing is left to do. Run this again after the next change of software on the clients."]


def _changes(records: t.Sequence[Record], previous: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What is otherwise than in the previous report: hosts whose state is another, that are new, or that are gone."""
    before = {(each["kind"], each["host"]): each["state"] for each in previous["records"]}
    after = {(each["kind"], each["host"]): each["state"] for each in records}
    changed = [
        {"host": host, "kind": kind, "before": before.get((kind, host)), "after": after.get((kind, host))}
        for kind, host in sorted(before.keys() | after.keys())
        if before.get((kind, host)) != after.get((kind, host))
    ]
    return {"since": str(previous["created"]), "hosts": changed}
