# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of a fleet to the lines a person reads at the end of a run. Private to the collection; pure."""

from __future__ import annotations

import collections
import typing as t

from ._text import printable

STATES = ("conflict", "inconclusive", "clear", "unreachable", "failed", "not audited")
_NAMES_SHOWN = 20
_KIND_RANK = {"listener": 0, "bound": 1, "reserved": 2, "connection": 3}


def state_of(result: t.Mapping[str, t.Any] | None, states: t.Sequence[str] = STATES) -> str:
    """The state of one host, one of `states`, from the result of its audit (None: it was never asked), or as its record has it."""
    if not isinstance(result, t.Mapping):
        return "not audited"
    if states is not STATES:
        return str(result["state"])
    if result.get("unreachable"):
        return "unreachable"
    if result.get("failed"):
        return "failed"
    verdict = result.get("verdict")
    return verdict if verdict in STATES else "not audited"


def summarise(
    results: t.Mapping[str, t.Mapping[str, t.Any] | None], states: t.Sequence[str] = STATES, title: str = "Port conflicts"
) -> dict[str, t.Any]:
    """Count the fleet and put its trouble in order.

    :param results: host name -> the result of its audit, None if there is none; or its record of a report.
    :param states: what a host can be in; those of `_records` if records are given.
    :returns: ``counts`` (state -> hosts), ``hosts`` (state -> names), ``lines`` (what to print, without colours).
    """
    by_state: dict[str, list[str]] = {state: [] for state in states}
    for host in sorted(results):
        by_state[state_of(results[host], states)].append(host)
    counts = {state: len(hosts) for state, hosts in by_state.items()}
    return {
        "counts": counts,
        "hosts": by_state,
        "lines": [
            *_head(title, counts, len(results)),
            *_conflict_lines(results, by_state["conflict"]),
            *_pending_lines(results, by_state.get("pending", [])),
            *_other_lines(results, by_state),
        ],
    }


def _head(title: str, counts: dict[str, int], total: int) -> list[str]:
    parts = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in counts.items() if count)
    return ["", f"{title}: {total} client{'' if total == 1 else 's'}" + (f": {parts}" if parts else "")]


def _conflict_lines(results: t.Mapping[str, t.Mapping[str, t.Any] | None], hosts: list[str]) -> list[str]:
    """One line a conflict: hosts with the worst and the most first."""
    if not hosts:
        return []

    def weight(host: str) -> tuple[int, int, str]:
        conflicts = (results[host] or {})["conflicts"]
        return min(_KIND_RANK[each["kind"]] for each in conflicts), -len(conflicts), host

    lines = ["", "Conflicts, worst first:"]
    next_steps: dict[str, None] = {}
    for host in sorted(hosts, key=weight):
        for each in sorted((results[host] or {})["conflicts"], key=lambda entry: _KIND_RANK[entry["kind"]]):
            # A message is what is the case and, behind the first semicolon, what to do; the latter repeats itself.
            fact, _semicolon, next_step = printable(str(each["message"]), 1000).partition("; ")
            lines.append(f"  {printable(host, 80)}: {fact}")
            next_steps.setdefault(f"  - {next_step}")
    return [*lines, "", "Next steps:", *next_steps]


def _pending_lines(results: t.Mapping[str, t.Mapping[str, t.Any] | None], hosts: list[str]) -> list[str]:
    """One line for everything clients may wait for, because it is the same for many."""
    waiting: dict[str, list[str]] = {}
    for host in hosts:
        waiting.setdefault(", ".join((results[host] or {})["pending"]), []).append(printable(host, 80))
    lines = ["", "Pending, by what is still to come:"] if waiting else []
    for what, names in sorted(waiting.items()):
        more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
        lines.append(f"  {what}: {', '.join(names[:_NAMES_SHOWN])}{more}")
    return lines


def lost(by_state: t.Mapping[str, list[str]]) -> list[str]:
    """The hosts nothing is known about, because they were not reached or something failed."""
    return [*by_state.get("unreachable", []), *by_state.get("failed", [])]


def _other_lines(results: t.Mapping[str, t.Mapping[str, t.Any] | None], by_state: dict[str, list[str]]) -> list[str]:
    lines: list[str] = []
    for state, title in (
        ("inconclusive", "Inconclusive, these may have a conflict that could not be seen:"),
        ("unknown", "Unknown, these may have a conflict that could not be seen:"),
        ("unreachable", "Not reached:"),
        ("failed", "Failed:"),
        ("not audited", "Not audited:"),
        ("skipped", "Skipped:"),
    ):
        if not by_state.get(state):
            continue
        lines += ["", title]
        if state in ("not audited", "skipped"):
            lines.append("  " + ", ".join(printable(host, 80) for host in by_state[state]))
            continue
        for host in by_state[state]:
            result = results[host] or {}
            said = result.get("warnings") or () if state in ("inconclusive", "unknown") else (result.get("msg", result.get("message", "")),)
            why = "; ".join(str(each).removeprefix(f"{host}: ") for each in said)
            lines.append(f"  {printable(host, 80)}: {printable(why, 600)}")
    return lines


def fleet_records(result: t.Any) -> dict[str, t.Any]:
    """Host -> its record, if this is what `fleet_audit` returned over all of them."""
    records = result.get("records") if isinstance(result, t.Mapping) else None
    if not isinstance(records, (list, tuple)):
        return {}
    return {str(each["inventory_hostname"]): each for each in records if isinstance(each, t.Mapping) and "inventory_hostname" in each}


def reasons(results: t.Mapping[str, t.Mapping[str, t.Any] | None]) -> dict[str, int]:
    """How often each class of trouble kept a host from being audited."""
    return dict(collections.Counter(str(r.get("reason")) for r in results.values() if r and r.get("reason")))
