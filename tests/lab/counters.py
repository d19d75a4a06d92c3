# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What went over the wire, per host and in total."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable


@dataclasses.dataclass(slots=True)
class Counters:
    """Counts since the start or the last reset; bytes include HTTP heads, and exclude TLS framing.

    :ivar posts: POST requests, authentication legs included.
    :ivar shells_open: a level, not a count: a reset leaves it alone.
    """

    posts: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    connections: int = 0
    shells_open: int = 0
    shells_created: int = 0
    commands: int = 0
    receives: int = 0
    enumerates: int = 0
    pulls: int = 0
    faults_sent: int = 0

    def reset(self) -> None:
        for field in dataclasses.fields(self):
            if field.name != "shells_open":
                setattr(self, field.name, 0)

    def as_dict(self) -> dict[str, int]:
        return dataclasses.asdict(self)


def total(counters: Iterable[Counters]) -> dict[str, int]:
    """The sum over all hosts."""
    result = Counters().as_dict()
    for one in counters:
        for name in result:
            result[name] += getattr(one, name)
    return result
