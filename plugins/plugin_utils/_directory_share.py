# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory mounted on the controller as a share. Private to the collection."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import typing as t

from . import _share_trouble as trouble
from ._shares import CHUNK, Entry, Share

_WRITE_BITS = 0o200


class DirectoryShare(Share):
    """Files below a directory of the controller, most likely a mounted share. Links are told and never followed."""

    def __init__(self, host: str, root: str) -> None:
        super().__init__(host, root)
        with self._told("opening", ""):
            if not stat.S_ISDIR(os.stat(root).st_mode):
                raise NotADirectoryError(errno.ENOTDIR, "")

    def full(self, path: str) -> str:
        return os.path.join(self.root, *path.split("\\")) if path else self.root

    @contextlib.contextmanager
    def _told(self, doing: str, path: str) -> t.Iterator[None]:
        try:
            yield
        except OSError as error:
            raise trouble.error(self.host, f"{doing} {self.full(path)}", trouble.of_errno(error.errno)) from None

    def stat(self, path: str) -> Entry | None:
        with self._told("looking at", path):
            try:
                return _entry(os.lstat(self.full(path)))
            except FileNotFoundError:
                return None

    def names(self, directory: str) -> dict[str, str]:
        with self._told("listing", directory), os.scandir(self.full(directory)) as entries:
            return {entry.name: _kind(entry) for entry in entries}

    def read(self, path: str) -> t.Iterator[bytes]:
        with self._told("reading", path), open(os.open(self.full(path), os.O_RDONLY | os.O_NOFOLLOW), "rb", buffering=0) as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def write_new(self, path: str, chunks: t.Iterable[bytes]) -> None:
        with self._told("writing", path):
            descriptor = os.open(self.full(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with open(descriptor, "wb", buffering=0) as file:
            for chunk in chunks:
                with self._told("writing", path):
                    left = memoryview(chunk)
                    while left:
                        left = left[file.write(left) :]
            with self._told("writing", path):
                os.fsync(file.fileno())

    def copy(self, source: str, target: str) -> bool:
        self.write_new(target, self.read(source))
        return False

    def set_metadata(self, path: str, modified_ns: int | None, attributes: int | None, _created_ns: int | None = None) -> Entry:
        with self._told("setting time and attributes of", path):
            if modified_ns is not None:
                accessed = os.stat(self.full(path)).st_atime_ns
                os.utime(self.full(path), ns=(accessed, modified_ns))
            if attributes is not None:
                os.chmod(self.full(path), attributes)
            return _entry(os.lstat(self.full(path)))

    def replace(self, source: str, target: str) -> None:
        with self._told("replacing", target):
            os.replace(self.full(source), self.full(target))
            self._sync_directory(target)

    def check_replaceable(self, path: str) -> None:
        pass

    def delete(self, path: str) -> None:
        with self._told("removing", path):
            os.unlink(self.full(path))
            self._sync_directory(path)

    def _sync_directory(self, path: str) -> None:
        # The new name has to survive a power cut; file systems that cannot do this keep names in order anyway.
        descriptor = os.open(os.path.dirname(self.full(path)), os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES):
                raise
        finally:
            os.close(descriptor)

    def make_directory(self, path: str) -> None:
        with self._told("creating", path):
            os.mkdir(self.full(path))

    def remove_directory(self, path: str) -> None:
        with self._told("removing", path):
            os.rmdir(self.full(path))

    def writable(self, attributes: int) -> int:
        return attributes | _WRITE_BITS

    @contextlib.contextmanager
    def lock(self, path: str) -> t.Iterator[None]:
        with self._told("locking", path):
            descriptor = os.open(self.full(path), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise trouble.other_run(self.host, self.full(path)) from None
            except OSError as error:
                # Some network file systems cannot lock; the lock is a courtesy between runs and not what keeps files whole.
                if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL):
                    raise trouble.error(self.host, f"locking {self.full(path)}", trouble.of_errno(error.errno)) from None
            with self._told("locking", path):
                if not os.path.samestat(os.fstat(descriptor), os.lstat(self.full(path))):
                    raise FileNotFoundError(errno.ENOENT, "")  # whoever held it has removed it since it was opened
            try:
                yield
            finally:
                with contextlib.suppress(OSError):
                    os.unlink(self.full(path))
        finally:
            os.close(descriptor)

    def close(self) -> None:
        pass


def _entry(status: os.stat_result) -> Entry:
    kind = "file" if stat.S_ISREG(status.st_mode) else "directory" if stat.S_ISDIR(status.st_mode) else "other"
    return Entry(kind, status.st_size, status.st_mtime_ns, stat.S_IMODE(status.st_mode))


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_file(follow_symlinks=False):
        return "file"
    return "directory" if entry.is_dir(follow_symlinks=False) else "other"
