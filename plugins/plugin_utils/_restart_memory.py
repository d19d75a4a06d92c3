# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client was last restarted for, kept in its registry: nobody restarts it twice for one thing. Pure. Private to the collection."""

from __future__ import annotations

import datetime
import re
import typing as t

from . import _registry
from ._registry import Value
from ._restart import parse_time

KEY = r"HKLM\SOFTWARE\sms.helpdesk.restart"
PURPOSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,_:/-]{0,99}")
"""What a purpose may be: it stands in a command line."""
_FOR, _BOOT, _DONE = "For", "Boot", "Done"
_KIND = "REG_SZ"

QUERY = _registry.query(KEY)
FORGET = _registry.delete(KEY)
DONE = _registry.add(KEY, _DONE, Value(_KIND, "yes"))


class Mark(t.NamedTuple):
    """What is kept.

    :ivar purpose: what the restart was for.
    :ivar boot_time: when the client had been started when it was decided on, None if that cannot be read.
    :ivar done: the restart was seen.
    """

    purpose: str
    boot_time: datetime.datetime | None
    done: bool


def read(text: str) -> Mark | None:
    """What `QUERY` printed."""
    keys = _registry.parse(text)
    purpose, boot = (_registry.get(keys, KEY, name) for name in (_FOR, _BOOT))
    if purpose is None:
        return None
    return Mark(purpose.shown(), parse_time(boot.shown()) if boot else None, _registry.get(keys, KEY, _DONE) is not None)


def remember(purpose: str, boot_time: datetime.datetime) -> str:
    """The command line that keeps it; its last part is the one that makes the others count."""
    lines = [f"{FORGET} >nul 2>nul", _registry.add(KEY, _BOOT, Value(_KIND, boot_time.isoformat()))]
    return " & ".join([*lines, _registry.add(KEY, _FOR, Value(_KIND, purpose))])
