# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`tasklist /svc /fo csv /nh` output to processes. Private to the collection; pure."""

from __future__ import annotations

import csv
import typing as t

_IDLE, _SYSTEM = 0, 4


class Task(t.NamedTuple):
    """A process: its image name, and the short names of the services in it (empty if none or not listed)."""

    name: str
    services: tuple[str, ...]


def parse(text: str) -> dict[int, Task]:
    """Process id -> task, from every CSV row in `text`; other lines are passed over.

    The words for "not available" are localised; they are whatever stands where process 0 or 4, which can host no
    service, should have one. Rows of `tasklist /fo csv` without /svc (five columns) give names without services.
    """
    rows: list[tuple[int, str, str | None]] = []
    for line in text.splitlines():
        line = line.strip()
        if not line.startswith('"'):
            continue
        try:
            cells = next(csv.reader([line], strict=True))
        except (csv.Error, StopIteration):
            continue
        if len(cells) < 2 or not (cells[1].isascii() and cells[1].isdigit()) or len(cells[1]) > 10:
            continue
        rows.append((int(cells[1]), cells[0], cells[2] if len(cells) == 3 else None))
    nothing = {services for pid, _name, services in rows if pid in (_IDLE, _SYSTEM) and services is not None} | {"N/A", ""}
    return {
        pid: Task(
            name, () if services is None or services in nothing else tuple(part.strip() for part in services.split(",") if part.strip())
        )
        for pid, name, services in rows
    }
