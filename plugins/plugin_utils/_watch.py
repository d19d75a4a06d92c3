# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends a conversation from another thread. Private to the collection.

A time-out of a socket starts again with every byte, so a client that answers slowly for ever never meets one. A watch
knows the sockets of one session and shuts them down when its time is over; the reader then sees the end of the stream.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import typing as t

from ._watched_http import prepare


class Watch:
    """What one session may still do.

    :param connect_timeout: seconds a connection may take to be set up.
    :ivar reason: why the session must end, a key of the table in `_trouble`; None while it may go on.
    """

    def __init__(self, connect_timeout: float) -> None:
        self.connect_timeout = connect_timeout
        self.reason: str | None = None
        self.closing = False
        self.cut = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def end(self, reason: str) -> None:
        """Let the post that is on its way come back, then nothing but the Delete of the shell."""
        if self.reason is None:
            self.reason = reason
        self._ended.set()

    def hang_up(self) -> None:
        """Shut the sockets down, now."""
        self.cut = True
        with self._lock:
            sockets, self._sockets = self._sockets, []
        for each in sockets:
            # An SSL socket's own method takes the session from under the reader.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)

    def pause(self, seconds: float) -> None:
        """Sleep, but not beyond the end."""
        self._ended.wait(seconds)

    def attach(self, transport: t.Any) -> None:
        """Know every socket that pywinrm's transport opens; it has one thread at a time."""
        send = transport._send_message_request

        def guarded(session: t.Any, request: t.Any) -> t.Any:
            # pywinrm posts once while it builds its session, to have a context of security: later would be too late.
            prepare(session, self, request.url.startswith("https:"))
            return send(session, request)

        transport._send_message_request = guarded

    def add(self, opened: t.Any) -> None:
        """A socket of this session."""
        with self._lock:
            self._sockets = [each for each in self._sockets if each.fileno() >= 0]
            self._sockets.append(opened)
