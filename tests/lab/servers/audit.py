# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Samba saw: the log of vfs_full_audit, as records."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from .samba import SEPARATOR

# Such as: [2026/11/23 06:05:12.060398,  1] ../../source3/modules/vfs_full_audit.c:643(do_log)
_HEAD = re.compile(r"\[\d{4}/\d\d/\d\d ")
_OMITTED = "Thu Jan  1 00:00:01 1970"
_CREATING = {"create", "overwrite", "overwrite_if", "supersede", "open_if"}
_ALWAYS_CHANGES = {
    "fallocate",
    "fchmod",
    "fset_dos_attributes",
    "fsetxattr",
    "ftruncate",
    "linkat",
    "mkdirat",
    "pwrite",
    "pwrite_send",
    "renameat",
    "symlinkat",
    "unlinkat",
}


@dataclasses.dataclass(frozen=True)
class Event:
    """One operation on a file system.

    :ivar user: the name that was logged on with.
    :ivar address: of the server, as the client addressed it.
    :ivar operation: name in Samba's virtual file system, such as renameat.
    :ivar error: what went wrong, or an empty text.
    :ivar details: what is said beside the paths, such as an access mask.
    :ivar paths: what was worked on, absolute paths of the machine; two for renameat. A share's name for connect.
    """

    user: str
    address: str
    share: str
    operation: str
    error: str
    details: tuple[str, ...]
    paths: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.error

    @property
    def changes(self) -> bool:
        """Whether it changed anything on the server: content, names, times, attributes."""
        if self.error:
            return False
        if self.operation == "fntimes":
            # A time of one second after the epoch stands for "leave it".
            return not all(text.startswith(_OMITTED) for text in self.details)
        if self.operation == "create_file":
            # Creating shows in what follows it, but for a file that is made and left empty.
            return "file" in self.details and bool(_CREATING & set(self.details))
        return self.operation in _ALWAYS_CHANGES


def read(path: Path, offset: int = 0) -> list[Event]:
    """The events of a log, from a byte offset on."""
    if not path.exists():
        return []
    with path.open("rb") as log:
        log.seek(offset)
        text = log.read().decode("utf-8", "replace")
    return [event for line in text.splitlines() if not _HEAD.match(line) and (event := _event(line.strip()))]


def _event(line: str) -> Event | None:
    fields = line.split(SEPARATOR)
    if len(fields) < 5:
        return None
    user, address, share, operation, outcome, *rest = fields
    error = "" if outcome == "ok" else outcome.removeprefix("fail (").removesuffix(")")
    paths = tuple(text for text in rest if text.startswith("/") or operation in ("connect", "disconnect"))
    details = tuple(text for text in rest if text not in paths)
    return Event(user, address, share, operation, error, details, paths)
