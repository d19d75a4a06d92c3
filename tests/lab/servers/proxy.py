# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy between a client and Samba that counts SMB messages and cuts the connection where it is told to.

It knows of SMB 2 and 3 what it must to tell messages apart ([MS-SMB2] 2.1, 2.2.1, 2.2.41): the frame of Direct TCP, the command,
whether it is an answer, and the next command of a compound. Inside encryption nothing can be seen; such messages count as
"encrypted".
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator

COMMANDS = (
    "NEGOTIATE",
    "SESSION_SETUP",
    "LOGOFF",
    "TREE_CONNECT",
    "TREE_DISCONNECT",
    "CREATE",
    "CLOSE",
    "FLUSH",
    "READ",
    "WRITE",
    "LOCK",
    "IOCTL",
    "CANCEL",
    "ECHO",
    "QUERY_DIRECTORY",
    "CHANGE_NOTIFY",
    "QUERY_INFO",
    "SET_INFO",
    "OPLOCK_BREAK",
)
_FRAME = 4
_ANSWER = 0x1


@dataclasses.dataclass(frozen=True)
class Message:
    """One SMB message, of which a frame may hold several.

    :ivar number: counted from 1 over all requests of all connections; an answer has that of the request before it.
    :ivar command: one of :data:`COMMANDS`, or "encrypted", "SMB1" or "other".
    :ivar answer: whether it came from the server.
    """

    number: int
    command: str
    answer: bool


@dataclasses.dataclass
class Count:
    """What went through the proxy, TCP payload only.

    :ivar sent: bytes of clients, frames included, `received` those of servers.
    :ivar requests: number of each command, and `answers` likewise.
    """

    sent: int = 0
    received: int = 0
    connections: int = 0
    requests: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    answers: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)


def commands(frame: bytes) -> Iterator[tuple[str, bool]]:
    """The commands in one frame, without its length: name, and whether it is an answer."""
    offset = 0
    while True:
        header = frame[offset : offset + 64]
        if header[:4] == b"\xfdSMB":
            yield "encrypted", False
            return
        if header[:4] == b"\xffSMB":
            yield "SMB1", bool(header[9] & 0x80)
            return
        if header[:4] != b"\xfeSMB" or len(header) < 64:
            yield "other", False
            return
        number, flags, following = *struct.unpack_from("<H", header, 12), *struct.unpack_from("<II", header, 16)
        yield COMMANDS[number] if number < len(COMMANDS) else "other", bool(flags & _ANSWER)
        if not following:
            return
        offset += following


class CuttingProxy:
    """A proxy in front of Samba, on another port of the same addresses.

    ``at`` is the number of a request, counted from 1 over all commands that pass `only`:

    - ``cut(at, when="before")``: the request is not delivered;
    - ``cut(at, when="after")``: it is delivered and its answer, which may well come, is not;
    - ``on_request(function)``: is called with each request before it is delivered; what it does takes as long as it likes.

    Once cut, all connections are closed, and new ones are refused until :meth:`heal`.

    :param target_port: Samba's port.
    :param addresses: where to listen, and where to connect to.
    :param only: the commands that are counted, all of :data:`COMMANDS` by default.
    """

    def __init__(
        self, target_port: int, addresses: Iterable[str] = ("127.0.0.1",), *, port: int = 0, only: Iterable[str] | None = None
    ) -> None:
        self.target_port = target_port
        self.addresses = list(addresses)
        self.port = port
        self.count = Count()
        self.messages: list[Message] = []
        self._only = None if only is None else set(only)
        self._number = 0
        self._at: int | None = None
        self._when = "before"
        self._is_cut = threading.Event()
        self._watcher: Callable[[Message], None] | None = None
        self._lock = threading.RLock()
        self._listeners: list[socket.socket] = []
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> CuttingProxy:
        from .samba import free_port

        self.port = self.port or free_port(self.addresses)
        for address in self.addresses:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, self.port))
            listener.listen(64)
            self._listeners.append(listener)
            self._thread(self._accept, listener, address)
        return self

    def __exit__(self, *_exception: object) -> None:
        for listener in self._listeners:
            # Closing alone would not wake accept.
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self._close_all()
        for thread in self._threads:
            thread.join()

    # What to do -------------------------------------------------------------------------------------------------------------

    def cut(self, at: int | None, *, when: str = "before") -> None:
        """Cut the connection at a request; None: never."""
        if when not in ("before", "after"):
            raise ValueError(f"when: '{when}' is neither before nor after")
        with self._lock:
            self._at, self._when = at, when

    def on_request(self, function: Callable[[Message], None] | None) -> None:
        """Call a function with each request before it is delivered."""
        self._watcher = function

    @property
    def is_cut(self) -> bool:
        return self._is_cut.is_set()

    def cut_now(self) -> None:
        """Close all connections and refuse new ones until :meth:`heal`."""
        self._is_cut.set()
        self._close_all()

    def heal(self) -> None:
        """Let everything through again and start counting anew."""
        with self._lock:
            self._at = None
            self._is_cut.clear()
            self.reset()

    def reset(self) -> None:
        """Start counting anew."""
        with self._lock:
            self.count = Count()
            self.messages = []
            self._number = 0

    # How --------------------------------------------------------------------------------------------------------------------

    def _thread(self, function: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _close_all(self) -> None:
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket, address: str) -> None:
        while True:
            try:
                client, _peer = listener.accept()
            except OSError:
                return
            try:
                if self.is_cut:
                    raise ConnectionError
                server = socket.create_connection((address, self.target_port))
            except OSError:
                client.close()
                continue
            with self._lock:
                self.count.connections += 1
                self._open |= {client, server}
            for connection in (client, server):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ends = threading.Barrier(2)
            self._thread(self._carry, client, server, False, ends)
            self._thread(self._carry, server, client, True, ends)

    def _carry(self, source: socket.socket, target: socket.socket, answers: bool, ends: threading.Barrier) -> None:
        """Carry frames one way until either end has had enough; both ways are then closed."""
        try:
            while frame := _frame(source):
                if not self._may_pass(frame, answers):
                    self.cut_now()
                    break
                target.sendall(frame)
        except OSError:
            pass
        for connection in (source, target):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        ends.wait()
        with self._lock:
            self._open -= {source, target}
        source.close()

    def _may_pass(self, frame: bytes, answers: bool) -> bool:
        for command, answer in commands(frame[_FRAME:]):
            answer = answer or answers
            with self._lock:
                if self.is_cut:
                    return False
                counted = self._only is None or command in self._only
                self._number += counted and not answers
                message = Message(self._number, command, answer)
                self.messages.append(message)
                (self.count.answers if answers else self.count.requests)[command] += 1
                reached = self._at is not None and counted and self._number >= self._at
                if reached and answers == (self._when == "after"):
                    return False
            if self._watcher and counted and not answers:
                self._watcher(message)
                if self.is_cut:
                    return False
        with self._lock:
            if answers:
                self.count.received += len(frame)
            else:
                self.count.sent += len(frame)
        return True


def _frame(source: socket.socket) -> bytes:
    """One frame with its length, or nothing at the end of the stream. [MS-SMB2] 2.1: a zero and 3 bytes of length."""
    head = _exactly(source, _FRAME)
    return head + _exactly(source, int.from_bytes(head[1:], "big")) if len(head) == _FRAME else b""


def _exactly(source: socket.socket, size: int) -> bytes:
    """So many bytes, fewer only at the end of the stream."""
    parts = bytearray()
    while len(parts) < size:
        piece = source.recv(min(size - len(parts), 1 << 20))
        if not piece:
            break
        parts += piece
    return bytes(parts)
