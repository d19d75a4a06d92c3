# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simple file store: one drive letter and up, paths found without regard to case, times, sizes and file versions."""

from __future__ import annotations

import dataclasses
import datetime
import fnmatch
import ntpath
import re
import typing as t


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    """A file or directory.

    :ivar content: None for a program whose bytes nobody needs; `size` counts nevertheless.
    :ivar attributes: letters out of R, H, S, A.
    :ivar version: the version resource, None for none.
    """

    path: str
    modified: datetime.datetime
    directory: bool = False
    content: bytes | None = None
    size: int = 0
    attributes: str = "A"
    version: str | None = None

    @property
    def name(self) -> str:
        return ntpath.basename(self.path)


def normal(path: str, directory: str) -> str:
    """`path` as an absolute one: relative to `directory`, dots resolved, quotes and trailing separators gone."""
    path = path.replace('"', "").replace("/", "\\")
    if re.match(r"[A-Za-z]:(?!\\)", path):
        path = path[:2] + "\\" + path[2:] if path[0].upper() != directory[0].upper() else ntpath.join(directory, path[2:])
    elif path.startswith("\\") and not path.startswith("\\\\"):
        path = directory[:2] + path
    elif not re.match(r"[A-Za-z]:\\|\\\\", path):
        path = ntpath.join(directory, path)
    found = ntpath.normpath(path)
    return found[0].upper() + found[1:]


def has_wildcards(path: str) -> bool:
    """Whether the last component has ``*`` or ``?``."""
    return any(char in ntpath.basename(path) for char in "*?")


class FileStore:
    r"""Files by lower-case absolute path; directories are entries of their own.

    :ivar drives: mapped drives, such as ``z:`` -> ``\\logon01\sms_shr``; below that path their files are kept.
    """

    def __init__(self) -> None:
        self._files: dict[str, File] = {}
        self._shared = False
        self.drives: dict[str, str] = {}

    def fork(self) -> FileStore:
        """A copy that costs nothing until it is changed."""
        copy = FileStore.__new__(FileStore)
        copy._files = self._files
        copy._shared = self._shared = True
        copy.drives = dict(self.drives)
        return copy

    def _key(self, path: str) -> str:
        lower = path.lower()
        share = self.drives.get(lower[:2])
        return lower if share is None else (share + lower[2:]).rstrip("\\")

    def _writable(self) -> dict[str, File]:
        if self._shared:
            self._files, self._shared = dict(self._files), False
        return self._files

    def get(self, path: str) -> File | None:
        """What is at an absolute path."""
        key = self._key(path)
        return self._files.get(key.rstrip("\\") if len(key) > 3 else key)

    def is_directory(self, path: str) -> bool:
        found = self.get(path)
        return found is not None and found.directory

    def put(self, file: File) -> None:
        """Write a file over whatever is there; the directories above must exist, see `make_directories`."""
        self._writable()[self._key(file.path)] = file

    def make_directories(self, path: str, when: datetime.datetime) -> None:
        """Make `path` and what is missing above it."""
        while path and self.get(path) is None:
            self.put(File(path, when, directory=True, attributes=""))
            above = ntpath.dirname(path)
            if above == path:
                return
            path = above

    def remove(self, path: str) -> None:
        """Forget a file, or a directory with all in it."""
        lower = self._key(path)
        files = self._writable()
        for name in [name for name in files if name == lower or name.startswith(lower.rstrip("\\") + "\\")]:
            del files[name]

    def children(self, directory: str) -> list[File]:
        """What is directly in a directory, by name."""
        prefix = self._key(directory).rstrip("\\") + "\\"
        found = [
            file for lower, file in self._files.items() if lower.startswith(prefix) and lower != prefix and "\\" not in lower[len(prefix) :]
        ]
        return sorted(found, key=lambda file: file.name.lower())

    def matching(self, path: str) -> list[File]:
        """Files whose last component matches the pattern of `path`; `*.*` matches everything, as ever."""
        directory, pattern = ntpath.split(path)
        if pattern == "*.*":
            pattern = "*"
        expression = re.compile(fnmatch.translate(pattern.lower().replace("[", "[[]")))
        return [file for file in self.children(directory) if expression.match(file.name.lower())]

    def __iter__(self) -> t.Iterator[File]:
        return iter(self._files.values())

    def dump(self) -> dict[str, dict[str, t.Any]]:
        """JSON-able: files, not directories; content as text where it is UTF-8."""
        return {
            file.path: {
                "size": file.size if file.content is None else len(file.content),
                "modified": file.modified.isoformat(),
                "version": file.version,
                "content": None if file.content is None else file.content.decode("utf-8", "backslashreplace"),
            }
            for file in self._files.values()
            if not file.directory
        }
