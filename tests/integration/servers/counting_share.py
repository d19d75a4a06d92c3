# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A share around another one that counts every operation, every piece of content included, and breaks at one of them."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.sms.helpdesk.plugins.plugin_utils import _share_trouble as trouble
from ansible_collections.sms.helpdesk.plugins.plugin_utils._shares import Entry, Share


class CountingShare(Share):
    """Counts operations from 1.

    :param at: the operation that breaks; None: none.
    :param after: whether it is still done and only its answer is lost.
    :param breaking: what happens then; by default the connection is cut, so that this and everything later fails.
    """

    def __init__(self, inner: Share, at: int | None = None, after: bool = False, breaking: t.Callable[[], None] | None = None) -> None:
        super().__init__(inner.host, inner.root)
        self.inner = inner
        self.count = 0
        self.operations: list[str] = []
        self._at = at
        self._after = after
        self._breaking = breaking

    @contextlib.contextmanager
    def _counted(self, name: str) -> t.Iterator[None]:
        self.count += 1
        self.operations.append(name)
        reached = self._at is not None and self.count >= self._at
        if reached and not (self._after and self.count == self._at):
            self._break()
        yield
        if reached:
            self._break()

    def _break(self) -> None:
        if self._breaking is not None:
            self._breaking()
        raise trouble.error(self.host, "doing something", trouble.CUT)

    def full(self, path: str) -> str:
        return self.inner.full(path)

    def stat(self, path: str) -> Entry | None:
        with self._counted("stat"):
            return self.inner.stat(path)

    def names(self, directory: str) -> dict[str, str]:
        with self._counted("names"):
            return self.inner.names(directory)

    def read(self, path: str) -> t.Iterator[bytes]:
        with self._counted("read"):
            pieces = iter(self.inner.read(path))
        while True:
            with self._counted("read a piece"):
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece

    def write_new(self, path: str, chunks: t.Iterable[bytes]) -> None:
        with self._counted("create and write"):
            self.inner.write_new(path, self._pieces(chunks))

    def _pieces(self, chunks: t.Iterable[bytes]) -> t.Iterator[bytes]:
        for chunk in chunks:
            # Half a piece is what a process that is killed may leave.
            middle = len(chunk) // 2
            for part in (chunk[:middle], chunk[middle:]):
                with self._counted("write a piece"):
                    yield part

    def copy(self, source: str, target: str) -> bool:
        with self._counted("copy"):
            self.inner.write_new(target, self._pieces(self.inner.read(source)))
        return False

    def set_metadata(self, path: str, modified_ns: int | None, attributes: int | None, created_ns: int | None = None) -> Entry:
        with self._counted("set the time"):
            self.inner.set_metadata(path, modified_ns, None, created_ns)
        with self._counted("set the attributes"):
            return self.inner.set_metadata(path, None, attributes)

    def replace(self, source: str, target: str) -> None:
        with self._counted("replace"):
            self.inner.replace(source, target)

    def check_replaceable(self, path: str) -> None:
        with self._counted("check"):
            self.inner.check_replaceable(path)

    def delete(self, path: str) -> None:
        with self._counted("delete"):
            self.inner.delete(path)

    def make_directory(self, path: str) -> None:
        with self._counted("make directory"):
            self.inner.make_directory(path)

    def remove_directory(self, path: str) -> None:
        with self._counted("remove directory"):
            self.inner.remove_directory(path)

    def writable(self, attributes: int) -> int:
        return self.inner.writable(attributes)

    @contextlib.contextmanager
    def lock(self, path: str) -> t.Iterator[None]:
        with self._counted("lock"):
            pass
        with self.inner.lock(path):
            yield
            with self._counted("unlock"):
                pass

    def close(self) -> None:
        self.inner.close()
