# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kept connection over plain HTTP: answers of every shape, whole, cut or without end."""

from __future__ import annotations

import gzip
import http.client
import socket
import threading
import time
import typing as t

import pytest
import requests
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _watched_http
from ansible_collections.sms.helpdesk.plugins.plugin_utils._plain_http import PlainConnection
from ansible_collections.sms.helpdesk.plugins.plugin_utils._trouble import AnswerTooLarge, Trouble

LARGEST = 1000


class Sockets:
    """Knows what was opened."""

    connect_timeout = 5.0

    def __init__(self) -> None:
        self.opened: list[socket.socket] = []

    def add(self, opened: socket.socket) -> None:
        """One more."""
        self.opened.append(opened)


class Server:
    """Answers each request of each connection with the next of its answers; `None` closes the connection.

    :ivar requests: what was received.
    """

    def __init__(self, *answers: bytes | None) -> None:
        self._answers = list(answers)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.requests: list[bytes] = []
        self.connections = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while self._answers:
            accepted, _address = self._listening.accept()
            self.connections += 1
            with accepted:
                while self._answers:
                    received = b""
                    while not received.endswith(b"ask"):
                        piece = accepted.recv(65536)
                        if not piece:
                            break
                        received += piece
                    if not received:
                        break
                    self.requests.append(received)
                    answer = self._answers.pop(0)
                    if answer is None:
                        break
                    accepted.sendall(answer)
        self._listening.close()

    def connection(self) -> tuple[PlainConnection, Sockets]:
        """A client."""
        sockets = Sockets()
        return PlainConnection("127.0.0.1", self.port, f"127.0.0.1:{self.port}", sockets, LARGEST), sockets


def ask(connection: PlainConnection) -> t.Any:
    return connection.post("POST", "/wsman", {"Content-Length": "3"}, b"ask", 5)


def whole(body: bytes, head: str = "HTTP/1.1 200 OK\r\nContent-Type: text/xml", length: int | None = None) -> bytes:
    return f"{head}\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"


class TestBroken:
    """What is no answer, in the classes that the table of trouble knows."""

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (None, "reset"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", "not-winrm"),
            (b"HTTP/2 200\r\n\r\n", "not-winrm"),
            (b"HTTP/1.1 abc\r\n\r\n", "not-winrm"),
            (b"HTTP/1.1 200 " + b"x" * 70000, "not-winrm"),
            (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200, "not-winrm"),
            (whole(b"x" * (LARGEST + 1)), "not-winrm"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"400\r\n" + b"x" * 1024 + b"\r\n0\r\n\r\n", "not-winrm"),
        ],
    )
    def test_classes(self, answer: bytes | None, reason: str) -> None:
        connection, _sockets = Server(answer).connection()
        with pytest.raises((OSError, http.client.HTTPException, AnswerTooLarge)) as caught:
            ask(connection)
        assert Trouble.of_exception(requests.ConnectionError(caught.value)).reason == reason

    @pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\n", whole(b"abc", length=5)])
    def test_the_end_in_the_middle(self, answer: bytes) -> None:
        server = Server(answer)
        connection, _sockets = server.connection()
        with pytest.raises(http.client.IncompleteRead):
            ask(connection)

    def test_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        with pytest.raises(ConnectionRefusedError):
            ask(PlainConnection("127.0.0.1", port, "host", Sockets(), LARGEST))

    @pytest.mark.parametrize("name", ["x" * 64, "a..b", ""])
    def test_what_cannot_be_a_name(self, name: str) -> None:
        with pytest.raises((UnicodeError, OSError)):
            ask(PlainConnection(name, 1, name, Sockets(), LARGEST))


class TestShapes:
    """What is an answer."""

    def test_the_request_on_the_wire(self) -> None:
        server = Server(whole(b""))
        connection, sockets = server.connection()
        ask(connection)
        assert server.requests == [f"POST /wsman HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: 3\r\n\r\nask".encode()]
        assert len(sockets.opened) == 1

    def test_connections_are_kept_and_headers_joined(self) -> None:
        two = "HTTP/1.1 401 \r\nWWW-Authenticate: Negotiate\r\nwww-authenticate: NTLM"
        server = Server(b"HTTP/1.1 100 Continue\r\n\r\n" + whole(b"", two), whole(b"abc"), CHUNKED, whole(b"end"))
        connection, _sockets = server.connection()
        first = ask(connection)
        assert (first.status, first.headers["www-authenticate"], first.body) == (401, "Negotiate, NTLM", b"")
        assert [ask(connection).body for _turn in range(3)] == [b"abc", b"abcdefg", b"end"]
        assert server.connections == 1

    @pytest.mark.parametrize(
        "answer",
        [
            whole(b"abc", "HTTP/1.1 200 OK\r\nConnection: close"),
            whole(b"abc", "HTTP/1.0 200 OK"),
        ],
    )
    def test_a_closed_connection_is_opened_again(self, answer: bytes) -> None:
        server = Server(answer, None, whole(b"again"))
        connection, _sockets = server.connection()
        assert ask(connection).body == b"abc"
        with pytest.raises(http.client.RemoteDisconnected):
            ask(connection)
        assert ask(connection).body == b"again"

    def test_a_compressed_body(self) -> None:
        packed = gzip.compress(b"abc")
        server = Server(whole(packed, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip"))
        assert ask(server.connection()[0]).body == b"abc"

    def test_a_body_that_ends_with_the_connection(self) -> None:
        server = Server(b"HTTP/1.1 200 OK\r\n\r\nabc")
        assert ask(server.connection()[0]).body == b"abc"


def test_threads_that_begin_together_share_one_adapter_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two classes would make a session forget the connection it is logged on with."""
    meet = threading.Barrier(4)
    make = _watched_http._make_adapter_class

    def slowly() -> t.Any:
        time.sleep(0.05)
        return make()

    monkeypatch.setattr(_watched_http, "_CLASSES", {})
    monkeypatch.setattr(_watched_http, "_make_adapter_class", slowly)
    found: list[t.Any] = []

    def ask() -> None:
        meet.wait()
        found.append(_watched_http._adapter_class())

    threads = [threading.Thread(target=ask) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
