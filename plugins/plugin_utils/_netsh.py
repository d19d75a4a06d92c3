# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`netsh interface ipv4 show excludedportrange` and `show dynamicport` to port ranges. Private to the collection; pure.

Titles are localised; what is not: the word tcp or udp in the title, the dashed rule below it, and the numbers.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

_PROTOCOL = re.compile(r"(?<![a-z])(tcp|udp)(?![a-z])", re.IGNORECASE)
_SOCKET = re.compile(r"[ \t>]*(?:TCP|UDP)\S*[ \t]+\S+:\S+[ \t]")
_RULE = re.compile(r"\s*-{4,}(\s+-{4,})?\s*")
_RANGE = re.compile(r"\s*(\d{1,5})\s+(\d{1,5})\s*(\*)?\s*")
_LABELLED = re.compile(r"[^\d:\uff1a]+[:\uff1a]\s*(\d{1,5})\s*")


class PortRange(t.NamedTuple):
    """Ports `start` to `end`, both included; `administered` marks a range an administrator set (printed with ``*``)."""

    start: int
    end: int
    administered: bool = False

    def __contains__(self, port: object) -> bool:
        return isinstance(port, int) and self.start <= port <= self.end


@dataclasses.dataclass
class PortRanges:
    """What the tables say. A protocol that is missing in a mapping was not answered; an empty list was an empty table."""

    excluded: dict[str, list[PortRange]] = dataclasses.field(default_factory=dict)
    dynamic: dict[str, PortRange] = dataclasses.field(default_factory=dict)


def parse(text: str) -> PortRanges:
    """All such tables in `text`, in any order and language, among any other output.

    A table whose protocol cannot be told, or whose numbers are no ports, is left out rather than guessed.
    """
    found = PortRanges()
    protocol: str | None = None
    excluded: list[PortRange] | None = None
    labelled: list[int] | None = None
    for line in text.splitlines():
        if _SOCKET.match(line):
            continue
        rule = _RULE.fullmatch(line)
        if rule:
            two_columns = rule.group(1) is not None
            excluded = labelled = None
            if protocol and two_columns:
                excluded = found.excluded.setdefault(protocol, [])
            elif protocol:
                labelled = []
            continue
        pair = _RANGE.fullmatch(line)
        if pair:
            start, end = int(pair.group(1)), int(pair.group(2))
            if excluded is not None and start <= end <= 65535:
                excluded.append(PortRange(start, end, pair.group(3) is not None))
            continue
        number = _LABELLED.fullmatch(line)
        if number and labelled is not None and protocol:
            labelled.append(int(number.group(1)))
            if len(labelled) == 2:
                start, count = labelled
                if count and start + count - 1 <= 65535:
                    found.dynamic[protocol] = PortRange(start, start + count - 1)
                labelled = None
            continue
        if not line.strip():
            continue
        named = _PROTOCOL.findall(line)
        if named:
            protocol = named[-1].lower() if len({word.lower() for word in named}) == 1 else None
            excluded = labelled = None
    return found
