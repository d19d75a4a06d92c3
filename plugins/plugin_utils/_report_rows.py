# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records as the compact data of the page: each text once, everything else numbers. Private to the collection; pure.

The page's script, report/page.js, knows the order of the fields.
"""

from __future__ import annotations

import typing as t

from ._records import Record
from ._report import holder
from ._text import printable

_LETTER = {"free": "f", "agent": "a", "conflict": "c", "reserved": "r", "unknown": "u"}
_ENDPOINTS = 12


class _Texts:
    """Numbers for texts; the same text has the same number."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {"": 0}

    def __call__(self, text: t.Any, limit: int = 400) -> int:
        shown = printable(str(text), limit) if text is not None else ""
        return self.numbers.setdefault(shown, len(self.numbers))


def rows(records: t.Sequence[Record], brief: bool) -> dict[str, t.Any]:
    """The data.

    :param brief: leave out the evidence that no conflict needs, and cut texts.
    """
    texts, sets = _Texts(), dict[tuple[tuple[t.Any, ...], ...], int]()
    limit = 120 if brief else 700
    made = [_row(each, texts, sets, brief, limit) for each in records]
    return {
        "brief": brief,
        "texts": list(texts.numbers),
        "sets": [[list(port) for port in ports] for ports in sets],
        "rows": made,
    }


def _row(record: Record, texts: _Texts, sets: dict[tuple[tuple[t.Any, ...], ...], int], brief: bool, limit: int) -> list[t.Any]:
    ports = tuple((port.get("port"), str(port.get("protocol")), printable(str(port.get("purpose") or ""), 80)) for port in record["ports"])
    host = record["host"]
    message = record["message"].removeprefix(f"{host}: ").removeprefix(f"{host} ")
    return [
        printable(host, 300),
        texts(record["kind"]),
        texts(record["state"]),
        texts(record["reason"], 80),
        texts(message, limit),
        texts(record["time"], 40),
        texts(record["os_version"], 80),
        texts(record["agent_build"], 40),
        [texts(each, 40) for each in record["pending"]],
        sets.setdefault(ports, len(sets)) if ports else -1,
        "".join(_LETTER.get(str(port.get("status")), "u") for port in record["ports"]),
        [_conflict(each, texts, limit) for each in record["conflicts"]],
        [texts(each.removeprefix(f"{host}: "), limit) for each in record["warnings"][: 1 if brief else None]],
        [
            [texts(each.get(key), limit) for key in ("name", "platform", "state", "message")]
            for each in record["files"][: 0 if brief else None]
        ],
        [] if brief else _agent_endpoints(record, texts),
        [] if brief else _facts(record, texts),
    ]


def _conflict(each: t.Mapping[str, t.Any], texts: _Texts, limit: int) -> list[t.Any]:
    # A message is what is the case, which the fields beside it say too, and behind the first semicolon what to do.
    fact, _semicolon, next_step = str(each.get("message", "")).partition("; ")
    endpoints = each.get("endpoints") or []
    shown = [_place(endpoint) for endpoint in endpoints[:_ENDPOINTS] if isinstance(endpoint, dict)] or [_place(each)]
    if each.get("kind") == "reserved":
        # Which range, only the sentence says.
        shown = [fact.partition(" lies in ")[2] or fact]
    if len(endpoints) > _ENDPOINTS:
        shown.append(f"and {len(endpoints) - _ENDPOINTS} more")
    services = each.get("services")
    return [
        texts(each.get("port")),
        texts(each.get("protocol")),
        texts(each.get("purpose"), 80),
        texts(each.get("kind")),
        texts(", ".join(shown)),
        texts(holder(each), 120),
        texts(each.get("pid")),
        texts(each.get("path")),
        texts(", ".join(map(str, services)) if isinstance(services, list) else services),
        1 if each.get("dynamic_range") else 0,
        texts(next_step, limit),
    ]


def _place(endpoint: t.Mapping[str, t.Any]) -> str:
    remote = endpoint.get("remote")
    return f"{endpoint.get('address') or '–'}{f' → {remote}' if remote else ''}"  # noqa: RUF001


def _agent_endpoints(record: Record, texts: _Texts) -> list[list[int]]:
    """The agent's own sockets: evidence that the ports are in the right hands."""
    found = []
    for port in record["ports"]:
        if port.get("status") == "agent":
            for each in (port.get("endpoints") or [])[:4]:
                found.append(
                    [texts(f"{str(port.get('protocol')).upper()} {port.get('port')}"), texts(_place(each)), texts(_owner(each), 120)]
                )
    return found


def _owner(endpoint: t.Mapping[str, t.Any]) -> str:
    name, pid = endpoint.get("process") or "unknown process", endpoint.get("pid")
    return str(name) if pid is None else f"{name} (PID {pid})"


def _facts(record: Record, texts: _Texts) -> list[list[int]]:
    """Label and value of what else is known of a host."""
    found = []
    for group, values in record["details"].items():
        for name, value in values.items() if isinstance(values, dict) else [("", values)]:
            if value in (None, "", [], {}):
                continue
            said = _said(value)
            found.append([texts(f"{group}: {name}".replace("_", " ").removesuffix(": ")), texts(said, 200)])
    return found


def _said(value: t.Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_said(each) for each in value)
    if isinstance(value, dict):
        return "; ".join(f"{name} {_said(each)}" for name, each in value.items() if each not in (None, "", [], {}))
    return str(value)
