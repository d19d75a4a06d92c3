# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One kept connection to one client, over plain HTTP/1.1 (RFC 9112). Private to the collection; knows nothing of WinRM.

Answers with a Content-Length, which is what HTTP.SYS sends, are read here; all others are left to `http.client`.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import select
import socket
import typing as t

from . import _libraries as lib
from ._trouble import AnswerTooLarge

_LONGEST_LINE = 65536
_MOST_HEADERS = 100
_PIECE = 65536


class Sockets(t.Protocol):
    """Whoever wants to know the sockets, to end them from another thread."""

    connect_timeout: float

    def add(self, opened: t.Any) -> None:
        """A socket that has just been opened."""


class Reply(t.NamedTuple):
    """An answer, all of it."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes


class PlainConnection:
    """Opened when first needed, and again when the other side has closed it.

    :param netloc: host and port as the URL has them.
    :param largest: bytes an answer may have.

    Its methods raise `OSError`, `http.client.HTTPException`, `UnicodeError` for a name that cannot be one, and `AnswerTooLarge`.
    """

    def __init__(self, host: str, port: int, netloc: str, sockets: Sockets, largest: int) -> None:
        self._host, self._port, self._netloc = host, port, netloc
        self._sockets = sockets
        self._largest = largest
        self._socket: socket.socket | None = None
        self._file: t.Any = None

    def post(self, method: str, path: str, headers: t.Mapping[str, str], body: bytes | str | None, timeout: float) -> Reply:
        """Send a request and read its answer.

        :param timeout: seconds for each piece that is sent or received.
        """
        content = body.encode() if isinstance(body, str) else body or b""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._netloc}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        opened = self._open(timeout)
        try:
            opened.sendall("\r\n".join(lines).encode("latin-1") + content)
            reply, kept = self._read()
        except BaseException:
            self.close()
            raise
        if not kept:
            self.close()
        return reply

    def close(self) -> None:
        """Close the socket, if there is one."""
        opened, self._socket, file, self._file = self._socket, None, self._file, None
        for each in (file, opened):
            if each is not None:
                with contextlib.suppress(OSError):
                    each.close()

    def _open(self, timeout: float) -> socket.socket:
        # What can be read before anything was asked is the end of the stream.
        if self._socket is not None and _readable(self._socket):
            self.close()
        if self._socket is None:
            self._host.encode("idna")
            self._socket = socket.create_connection((self._host, self._port), min(timeout, self._sockets.connect_timeout))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.settimeout(timeout)
            self._file = self._socket.makefile("rb", _PIECE)
            self._sockets.add(self._socket)
        return self._socket

    def _read(self) -> tuple[Reply, bool]:
        status, reason, headers, seen = self._head()
        while status // 100 == 1:
            status, reason, headers, seen = self._head()
        length = headers.get("content-length", "")
        if "transfer-encoding" in headers or "content-encoding" in headers or not length.isdecimal():
            return self._read_otherwise(seen, headers)
        size = int(length)
        if size > self._largest:
            raise AnswerTooLarge(self._largest)
        body = self._file.read(size) if size else b""
        if len(body) < size:
            raise http.client.IncompleteRead(body, size - len(body))
        kept = headers.get("connection", "").lower() != "close" and not seen.startswith(b"HTTP/1.0")
        return Reply(status, reason, headers, body), kept

    def _head(self) -> tuple[int, str, dict[str, str], bytes]:
        """Status, reason, headers by their lower-case names, and the bytes of it all."""
        line = self._line()
        if not line:
            raise http.client.RemoteDisconnected("Remote end closed connection without response")
        version, _space, rest = line.partition(b" ")
        number, _space, reason = rest.strip().partition(b" ")
        if not version.startswith(b"HTTP/1.") or len(number) != 3 or not number.isdigit():
            raise http.client.BadStatusLine(repr(line[:100]))
        headers: dict[str, str] = {}
        seen = [line]
        while True:
            line = self._line()
            seen.append(line)
            if not line:
                raise http.client.IncompleteRead(b"".join(seen))
            if line in (b"\r\n", b"\n"):
                return int(number), reason.decode("latin-1"), headers, b"".join(seen)
            if len(seen) > _MOST_HEADERS:
                raise http.client.HTTPException(f"got more than {_MOST_HEADERS} headers")
            name, _colon, value = line.decode("latin-1").partition(":")
            name, value = name.strip().lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value

    def _line(self) -> bytes:
        line: bytes = self._file.readline(_LONGEST_LINE + 1)
        if len(line) > _LONGEST_LINE:
            raise http.client.LineTooLong("header line")
        return line

    def _read_otherwise(self, seen: bytes, headers: dict[str, str]) -> tuple[Reply, bool]:
        """Chunks, compression, or everything up to the end of the stream."""
        answer = http.client.HTTPResponse(_Replayed(seen, self._file))  # type: ignore[arg-type]
        answer.begin()
        pieces, size = [], 0
        while piece := answer.read(_PIECE):
            size += len(piece)
            if size > self._largest:
                raise AnswerTooLarge(self._largest)
            pieces.append(piece)
        body = b"".join(pieces)
        if "content-encoding" in headers:
            body = lib.urllib3.HTTPResponse(body=io.BytesIO(body), headers=dict(headers), status=answer.status).data
        return Reply(answer.status, answer.reason, headers, body), not answer.will_close


def _readable(opened: socket.socket) -> bool:
    """Now; unlike `select.select` also above the 1024th descriptor."""
    poll = select.poll()
    poll.register(opened, select.POLLIN)
    return bool(poll.poll(0))


class _Replayed(io.RawIOBase):
    """A stream of which the beginning has been read already, in place of the socket that `http.client` expects."""

    def __init__(self, seen: bytes, rest: t.Any) -> None:
        self._seen, self._rest = seen, rest

    def makefile(self, _mode: str) -> t.Any:
        """What a socket has."""
        return io.BufferedReader(self, 1)

    def readable(self) -> bool:
        """As a stream says it."""
        return True

    def readinto(self, buffer: t.Any) -> int:
        """As a stream does it."""
        data = self._seen[: len(buffer)] or self._rest.read1(len(buffer))
        self._seen = self._seen[len(data) :] if self._seen else b""
        buffer[: len(data)] = data
        return len(data)
