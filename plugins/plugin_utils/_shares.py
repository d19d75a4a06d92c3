# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file interface over the shares of a server and over a directory mounted on the controller. Private to the collection.

Paths are relative to the root of the share, with ``\\`` between their parts; "" is the root itself. Every operation
is one step: it has happened as a whole or not at all, but for `write_new` and `copy`, which may leave a part of a file
behind. Whoever calls puts such files under names nobody else looks at, and uses `replace` to show them.
"""

from __future__ import annotations

import abc
import contextlib
import hashlib
import os
import re
import typing as t

from . import _share_trouble as trouble
from ._errors import BadInput
from ._windows_names import fault_of_name

CHUNK = 256 * 1024

_UNC = re.compile(r"[\\/]{2}(?P<server>[^\\/]+)[\\/]+(?P<share>[^\\/]+)(?P<path>(?:[\\/].*)?)")


class Entry(t.NamedTuple):
    """What is at a path.

    :ivar kind: "file", "directory", or "other" (a link, a device).
    :ivar size: bytes.
    :ivar modified_ns: nanoseconds since 1970; a server keeps multiples of 100.
    :ivar attributes: the attribute word of Windows over SMB, permission bits on a mounted directory.
    :ivar created_ns: as `modified_ns`; None on a mounted directory, where it cannot be set.
    """

    kind: str
    size: int
    modified_ns: int
    attributes: int
    created_ns: int | None = None


class Share(abc.ABC):
    """The files below one root. Every method raises `ShareTrouble` if the server does not do it."""

    def __init__(self, host: str, root: str) -> None:
        self.host = host
        self.root = root
        self._made: set[str] = set()

    @abc.abstractmethod
    def full(self, path: str) -> str:
        """The whole path, for people."""

    @abc.abstractmethod
    def stat(self, path: str) -> Entry | None:
        """What is there; None for nothing."""

    @abc.abstractmethod
    def names(self, directory: str) -> dict[str, str]:
        """The names in a directory, and the kind of each (see `Entry`)."""

    @abc.abstractmethod
    def read(self, path: str) -> t.Iterator[bytes]:
        """The content of a file in pieces."""

    @abc.abstractmethod
    def write_new(self, path: str, chunks: t.Iterable[bytes]) -> None:
        """Create a file that must not be there yet, and make its content durable."""

    @abc.abstractmethod
    def copy(self, source: str, target: str) -> bool:
        """Copy the content of a file to one that must not be there yet; whether the server did it without sending it to us."""

    @abc.abstractmethod
    def set_metadata(self, path: str, modified_ns: int | None, attributes: int | None, created_ns: int | None = None) -> Entry:
        """Set times and attributes of a file; None leaves one as it is. Returns what is there afterwards."""

    @abc.abstractmethod
    def replace(self, source: str, target: str) -> None:
        """Give a file the name of another, which is replaced in the same step if it is there."""

    @abc.abstractmethod
    def check_replaceable(self, path: str) -> None:
        """Raise what `replace` would raise because somebody has the file open, as far as that can be known beforehand."""

    @abc.abstractmethod
    def delete(self, path: str) -> None:
        """Remove a file, also a read-only one."""

    @abc.abstractmethod
    def make_directory(self, path: str) -> None:
        """Create a directory that must not be there yet."""

    @abc.abstractmethod
    def remove_directory(self, path: str) -> None:
        """Remove an empty directory."""

    @abc.abstractmethod
    def writable(self, attributes: int) -> int:
        """These attributes without what keeps a file from being replaced."""

    @abc.abstractmethod
    def lock(self, path: str) -> contextlib.AbstractContextManager[None]:
        """Hold a file nobody else can hold at the same time, and remove it in the end; a process that dies lets go of it."""

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of everything; never fails."""

    def __enter__(self) -> Share:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def digest(self, path: str) -> str:
        """The sha256 of a file's content."""
        digest = hashlib.sha256()
        for chunk in self.read(path):
            digest.update(chunk)
        return digest.hexdigest()

    def make_directories(self, path: str) -> None:
        """Create what is missing of a directory."""
        made = ""
        for part in split(path):
            made = join(made, part)
            if made not in self._made and self.stat(made) is None:
                self.make_directory(made)
            self._made.add(made)


class Survey:
    """What is on a share, each directory listed once: for looking around before anything is written."""

    def __init__(self, share: Share) -> None:
        self.share = share
        self._listings: dict[str, dict[str, list[tuple[str, str]]]] = {}

    def find(self, path: str) -> tuple[str, str] | None:
        """The existing spelling of a path given in any case, and the kind of what is there; None for nothing.

        :raises ShareTrouble: a part is there in two spellings, or is a link, which is not followed.
        """
        spelling, kind = "", "directory"
        for part in split(path):
            if kind == "other":
                raise self._no_directory(spelling)
            found = self._listing(spelling).get(part.lower(), []) if kind == "directory" else []
            if len(found) > 1:
                raise trouble.ShareTrouble(
                    self.share.host,
                    self.share.full(join(spelling, part)),
                    f"it is there more than once, as {' and '.join(sorted(name for name, _kind in found))}",
                    "keep one of them",
                    "ambiguous-name",
                )
            if not found:
                return None
            spelling, kind = join(spelling, found[0][0]), found[0][1]
        return spelling, kind

    def directory(self, path: str) -> str | None:
        """The existing spelling of a directory; None if there is none.

        :raises ShareTrouble: it is a link, which is not followed.
        """
        found = self.find(path)
        if found and found[1] == "other":
            raise self._no_directory(found[0])
        return found[0] if found and found[1] == "directory" else None

    def _no_directory(self, path: str) -> trouble.ShareTrouble:
        cause = "it is a link or another special file instead of a directory"
        return trouble.ShareTrouble(self.share.host, self.share.full(path), cause, "put the directory itself there", "not-a-directory")

    def spell(self, path: str) -> str:
        """A path with the existing spelling of as many of its first parts as are there."""
        parts = split(path)
        for count in range(len(parts), 0, -1):
            if found := self.find(join(*parts[:count])):
                return join(found[0], *parts[count:])
        return path

    def _listing(self, directory: str) -> dict[str, list[tuple[str, str]]]:
        if directory not in self._listings:
            listing: dict[str, list[tuple[str, str]]] = {}
            for name, kind in self.share.names(directory).items():
                listing.setdefault(name.lower(), []).append((name, kind))
            self._listings[directory] = listing
        return self._listings[directory]


def split(path: str) -> list[str]:
    """The parts of a relative path; none for the root."""
    return path.split("\\") if path else []


def join(*parts: str) -> str:
    """Parts, each a relative path or empty, to one path."""
    return "\\".join(part for part in parts if part)


class Address(t.NamedTuple):
    """Where a root is: a share and the path below it, or a directory on the controller (`server` is None)."""

    server: str | None
    share: str
    path: str


def parse_root(host: str, argument: str, root: str) -> Address:
    """A root as the user writes it: a UNC path with either slash, or an absolute directory.

    :raises BadInput: it is neither, or has a part no path should have.
    """
    thing = f"the argument {argument} ({root})"
    match = _UNC.fullmatch(root.strip())
    if match:
        parts = [part for part in re.split(r"[\\/]+", match["path"]) if part]
        fault = next((fault for fault in map(fault_of_name, [match["share"], *parts]) if fault), None)
        if fault or match["server"] in (".", "?"):
            raise BadInput(host, thing, f"it {fault or 'names no server'}", r"give \\server\share\directory", "bad-argument")
        return Address(match["server"], match["share"], "\\".join(parts))
    directory = os.path.expanduser(root.strip())
    if not os.path.isabs(directory) or "\0" in directory:
        raise BadInput(
            host, thing, "it is neither a share nor an absolute directory", r"give \\server\share\directory or /mount/point", "bad-argument"
        )
    return Address(None, "", os.path.normpath(directory))


class Account(t.NamedTuple):
    """Who connects and how. Its representation does not show the password."""

    username: str | None = None
    password: str | None = None
    port: int = 445
    timeout: float = 30.0

    def __repr__(self) -> str:
        return f"Account({self.username!r}, port={self.port})"
