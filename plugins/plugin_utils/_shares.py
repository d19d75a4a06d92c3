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
    """

    kind: str
    size: int
    modified_ns: int
    attributes: int


class Share(abc.ABC):
    """The files below one root. Every method raises `ShareTrouble` if the server does not do it."""

    def __init__(self, host: str, root: str) -> None:
        self.host = host
        self.root = root

    @abc.abstractmethod
    def full(self, path: str) -> str:
        """The whole path, for people."""

    @abc.abstractmethod
    def stat(self, path: str) -> Entry | None:
        """What is there; None for nothing."""

    @abc.abstractmethod
    def names(self, directory: str, name: str | None = None) -> dict[str, bool]:
        """The names in a directory (or only those equal to `name` without case), and whether each is a directory."""

    @abc.abstractmethod
    def read(self, path: str) -> t.Iterator[bytes]:
        """The content of a file in pieces."""

    @abc.abstractmethod
    def write_new(self, path: str, chunks: t.Iterable[bytes]) -> None:
        """Create a file that must not be there yet, and make its content durable."""

    @abc.abstractmethod
    def copy(self, source: str, target: str) -> None:
        """Copy the content of a file to one that must not be there yet, on the server itself if it can."""

    @abc.abstractmethod
    def set_metadata(self, path: str, modified_ns: int | None, attributes: int | None) -> None:
        """Set time and attributes of a file; None leaves one as it is."""

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

    def locate(self, path: str) -> str | None:
        """The existing spelling of a path given in any case; None if it is not there."""
        found: list[str] = []
        for part in split(path):
            spellings = self.names("\\".join(found), part)
            if not spellings:
                return None
            if len(spellings) > 1:
                raise trouble.ShareTrouble(
                    self.host,
                    self.full("\\".join([*found, part])),
                    f"it is there more than once, as {' and '.join(sorted(spellings))}",
                    "keep one of them",
                    "ambiguous-name",
                )
            found.append(next(iter(spellings)))
        return "\\".join(found)

    def digest(self, path: str) -> str:
        """The sha256 of a file's content."""
        digest = hashlib.sha256()
        for chunk in self.read(path):
            digest.update(chunk)
        return digest.hexdigest()

    def make_directories(self, path: str) -> str:
        """Create what is missing of a directory; existing parts keep their spelling, which is returned."""
        made: list[str] = []
        for part in split(path):
            spelling = self.locate("\\".join([*made, part]))
            if spelling is None:
                self.make_directory("\\".join([*made, part]))
                made.append(part)
            else:
                made = split(spelling)
        return "\\".join(made)


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


def open_share(host: str, address: Address, account: Account) -> Share:
    """Connect.

    :raises ShareUnreachable: there is no usable connection.
    :raises ShareTrouble: the directory is not there.
    :raises BadInput: a library is missing on the controller.
    """
    if address.server is None:
        from ._directory_share import DirectoryShare

        return DirectoryShare(host, address.path)
    from ._smb_share import SmbShare

    return SmbShare(host, address, account)
