# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site-wide update of Q166771: when System.map is touched, and what is remembered of it. Pure. Private to the collection.

A newer time on System.map makes Maintenance Manager regenerate the copy lists with a new CopyListVersion, and every client of the site,
whatever its operating system, then looks at all its files. What was touched is remembered on the site server, before it is done: an
entry whose time the map does not have is of a run that broke off.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import typing as t

FORMAT = 1
KEPT = 20
"""So many touches are remembered; only the last one decides."""
_VERSION = re.compile(r"^[ \t]*CopyListVersion[ \t]*=[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)
_LIST = re.compile(r"cl_[^\\/]*\.txt", re.IGNORECASE)
_SECOND = 1_000_000_000


class MemoryBroken(ValueError):
    """The file is not what this release wrote; the message is a clause."""


@dataclasses.dataclass(frozen=True)
class Touch:
    """One touch of System.map.

    :ivar build: what was staged, see `build_of`.
    :ivar before_ns: the time of the map before, `after_ns` the one it was to get; nanoseconds since 1970.
    :ivar versions: CopyListVersion of each list on the site server before, by name in lower case.
    """

    build: str
    sha256: str
    before_ns: int
    after_ns: int
    versions: t.Mapping[str, str]


def build_of(files: t.Iterable[tuple[str, str, str]]) -> str:
    """One name for everything that is staged: the sha256 over (platform, file, sha256) of each file."""
    lines = sorted(f"{platform}/{file}\t{sha256}\n".lower() for platform, file, sha256 in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def done(touches: t.Sequence[Touch], build: str, modified_ns: int) -> Touch | None:
    """The touch this build has had; None if there was none, or it was only announced and the map still has its old time."""
    last = touches[-1] if touches else None
    return last if last is not None and last.build == build and modified_ns > last.before_ns else None


def new_time(before_ns: int, now_ns: int) -> int:
    """What the map gets: now, or a second more than it has where that lies in the future. Whole seconds, which every server keeps."""
    now = now_ns - now_ns % _SECOND
    return now if now > before_ns else before_ns - before_ns % _SECOND + 2 * _SECOND


def is_list(name: str) -> bool:
    """Whether a file is a copy list: Cl_nt.txt, Cl_win95.txt, Cl_dos.txt and so on."""
    return _LIST.fullmatch(name) is not None


def version_of(data: bytes) -> str | None:
    """CopyListVersion of a copy list."""
    found = _VERSION.search(data.decode("latin-1"))
    return found[1] if found else None


def dump(touches: t.Sequence[Touch]) -> bytes:
    """The memory as a file."""
    data = {"format": FORMAT, "touches": [dataclasses.asdict(each) for each in touches[-KEPT:]]}
    return (json.dumps(data, indent=1, ensure_ascii=True, sort_keys=True) + "\n").encode("ascii")


def load(data: bytes) -> list[Touch]:
    """The memory from its file.

    :raises MemoryBroken: it is none.
    """
    try:
        top = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise MemoryBroken("it is no JSON") from None
    if not isinstance(top, dict) or top.get("format") != FORMAT or not isinstance(top.get("touches"), list):
        raise MemoryBroken(f"it does not have the format {FORMAT} this release reads")
    touches = []
    for entry in top["touches"]:
        try:
            touch = Touch(**entry)
        except TypeError:
            raise MemoryBroken("parts of it are missing or are not what they should be") from None
        texts = [touch.build, touch.sha256, *(touch.versions.values() if isinstance(touch.versions, dict) else [None])]
        numbers = [touch.before_ns, touch.after_ns]
        whole = all(isinstance(number, int) and not isinstance(number, bool) for number in numbers)
        if not whole or not all(isinstance(text, str) for text in texts):
            raise MemoryBroken("parts of it are missing or are not what they should be")
        touches.append(touch)
    return touches
