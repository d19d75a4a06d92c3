# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was on a server before a hotfix was staged: a small JSON file beside the backups. Private to the collection; pure.

It is written before a file is replaced, so a target that holds something of ours always has its entry.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ._windows_names import fault_of_path

FORMAT = 1
_HASH = re.compile(r"[0-9a-f]{64}")


class JournalError(ValueError):
    """The file is not a journal this release can work with; the message is a clause."""


@dataclasses.dataclass(frozen=True)
class Version:
    """One content of a file, with the time and attributes it had. The fields are those of `_shares.Entry`."""

    size: int
    modified_ns: int
    attributes: int
    sha256: str
    created_ns: int | None = None


@dataclasses.dataclass(frozen=True)
class Record:
    """What is known of one target.

    :ivar path: the target, relative to the root, in its spelling.
    :ivar before: what was there before we first replaced it, None for nothing.
    :ivar staged: hashes of everything we ever put there.
    :ivar earlier: what else was there once and has a backup.
    """

    path: str
    before: Version | None
    staged: tuple[str, ...] = ()
    earlier: tuple[Version, ...] = ()

    @property
    def versions(self) -> list[Version]:
        """Everything that has a backup."""
        return [version for version in (self.before, *self.earlier) if version is not None]


@dataclasses.dataclass(frozen=True)
class Journal:
    """The records of one hotfix by target path in lower case. `root`: the server's root, where backups lie apart from it."""

    hotfix: str
    root: str | None = None
    records: t.Mapping[str, Record] = dataclasses.field(default_factory=dict)

    def record(self, path: str) -> Record | None:
        return self.records.get(path.lower())

    def with_records(self, records: t.Iterable[Record]) -> Journal:
        return dataclasses.replace(self, records={**self.records, **{record.path.lower(): record for record in records}})


def dump(journal: Journal) -> bytes:
    """The journal as a file; the same journal always gives the same bytes."""
    data = {
        "format": FORMAT,
        "hotfix": journal.hotfix,
        "root": journal.root,
        "files": [_entry(journal.records[key]) for key in sorted(journal.records)],
    }
    return (json.dumps(data, indent=1, ensure_ascii=True) + "\n").encode("ascii")


def backup_name(path: str, version: Version) -> str:
    """Where the backup of a version of a target lies, relative to the journal; no two contents share a name."""
    return f"{path}.{version.sha256[:16]}"


def _entry(record: Record) -> dict[str, t.Any]:
    entry = dataclasses.asdict(record)
    for value, version in zip([entry["before"], *entry["earlier"]], [record.before, *record.earlier], strict=True):
        if version is not None:
            value["backup"] = backup_name(record.path, version)  # for people; it is not read
    return entry


def load(data: bytes) -> Journal:
    """A journal from its file.

    :raises JournalError: it is none. The server could have been tampered with, so every path in it is checked.
    """
    try:
        top = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise JournalError("it is no JSON") from None
    if not isinstance(top, dict) or top.get("format") != FORMAT:
        raise JournalError(f"it does not have the format {FORMAT} this release reads")
    try:
        records = [_record(entry) for entry in top["files"]]
        root = top["root"]
        if not isinstance(top["hotfix"], str) or not (root is None or isinstance(root, str)):
            raise JournalError("it names no hotfix or root")
        return Journal(top["hotfix"], root, {record.path.lower(): record for record in records})
    except (KeyError, TypeError, AttributeError):
        raise JournalError("parts of it are missing or are not what they should be") from None


def _record(entry: t.Any) -> Record:
    path = _path(entry["path"])
    before = None if entry["before"] is None else _version(entry["before"])
    if not isinstance(entry["staged"], list) or not isinstance(entry["earlier"], list):
        raise JournalError(f"the entry of {path} is broken")
    return Record(path, before, tuple(_hash(value) for value in entry["staged"]), tuple(_version(value) for value in entry["earlier"]))


def _version(value: t.Any) -> Version:
    created = value["created_ns"]
    numbers = [*(value[name] for name in ("size", "modified_ns", "attributes")), *([] if created is None else [created])]
    if any(isinstance(number, bool) or not isinstance(number, int) for number in numbers) or value["size"] < 0 or value["attributes"] < 0:
        raise JournalError("a size, time or attribute in it is no number")
    return Version(value["size"], value["modified_ns"], value["attributes"], _hash(value["sha256"]), created)


def _hash(value: t.Any) -> str:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise JournalError("a sha256 in it is none")
    return value


def _path(value: t.Any) -> str:
    if not isinstance(value, str):
        raise JournalError("a path in it is no text")
    if fault := fault_of_path(value):
        raise JournalError(f"the path {value!r} in it {fault}")
    return value.replace("/", "\\")
