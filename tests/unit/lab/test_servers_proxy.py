# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy: what it counts is what went through, and it cuts where it is told to."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import smbclient
from smbprotocol.exceptions import SMBException

from lab.servers import CuttingProxy, ServerError, ServerLab, samba
from lab.servers.proxy import COMMANDS, Message, commands

FILE = ("Logon.srv", "Cut.txt")
needs_samba = pytest.mark.skipif(not samba.installed(), reason="Debian's packages samba and smbclient are not installed")


def header(number: int, *, answer: bool = False, following: int = 0) -> bytes:
    """A header of SMB 2 as [MS-SMB2] 2.2.1.2 lays it out."""
    return struct.pack("<4sHHIHHIIQIIQ16s", b"\xfeSMB", 64, 1, 0, number, 1, int(answer), following, 7, 0, 1, 2, b"\0" * 16)


def test_commands_of_a_frame() -> None:
    assert list(commands(header(5))) == [("CREATE", False)]
    assert list(commands(header(9, answer=True) + b"body")) == [("WRITE", True)]
    compound = header(5, following=72) + b"12345678" + header(16, following=64) + header(6)
    assert list(commands(compound)) == [("CREATE", False), ("QUERY_INFO", False), ("CLOSE", False)]
    assert list(commands(b"\xfdSMB" + b"\0" * 60)) == [("encrypted", False)]
    assert list(commands(b"\xffSMB" + b"\0" * 60)) == [("SMB1", False)]
    assert list(commands(b"")) == [("other", False)]
    assert [COMMANDS.index(name) for name in ("SESSION_SETUP", "SET_INFO", "OPLOCK_BREAK")] == [1, 17, 18]


class Echo:
    """A server that answers each frame of four bytes of length and a header with an answer of the same command."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Echo:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _peer = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                while head := stream.read(4):
                    frame = stream.read(int.from_bytes(head, "big"))
                    self.frames.append(frame)
                    stream.write(head + frame[:16] + b"\x01" + frame[17:])
                    stream.flush()


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        yield server


def exchange(connection: socket.socket, number: int) -> bytes:
    """Send one request; the answer, or nothing if the connection is closed."""
    frame = header(number)
    try:
        connection.sendall(len(frame).to_bytes(4, "big") + frame)
        return connection.recv(68, socket.MSG_WAITALL)
    except ConnectionError:
        return b""


def test_bytes_and_messages_are_counted(echo: Echo) -> None:
    with CuttingProxy(echo.port) as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        for number in (0, 1, 1, 5):
            assert len(exchange(connection, number)) == 68
        assert (proxy.count.sent, proxy.count.received, proxy.count.connections) == (4 * 68, 4 * 68, 1)
        assert proxy.count.requests == proxy.count.answers == {"NEGOTIATE": 1, "SESSION_SETUP": 2, "CREATE": 1}
        assert proxy.messages[-2:] == [Message(4, "CREATE", False), Message(4, "CREATE", True)]


@pytest.mark.parametrize(("when", "delivered"), [("before", 2), ("after", 3)])
def test_cut_before_and_after(echo: Echo, when: str, delivered: int) -> None:
    with CuttingProxy(echo.port) as proxy:
        proxy.cut(3, when=when)
        with socket.create_connection(("127.0.0.1", proxy.port)) as connection:
            assert [len(exchange(connection, 5)) for _turn in range(3)] == [68, 68, 0]
        assert proxy.is_cut and len(echo.frames) == delivered
        with socket.create_connection(("127.0.0.1", proxy.port)) as connection:
            assert exchange(connection, 5) == b""
        proxy.heal()
        with socket.create_connection(("127.0.0.1", proxy.port)) as connection:
            assert [len(exchange(connection, 5)) for _turn in range(4)] == [68] * 4


def test_only_some_commands_are_counted(echo: Echo) -> None:
    with CuttingProxy(echo.port, only=["WRITE"]) as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        proxy.cut(2)
        assert [len(exchange(connection, number)) for number in (5, 9, 5, 5, 9)] == [68, 68, 68, 68, 0]


def test_a_watcher_comes_before_the_server(echo: Echo) -> None:
    seen: list[tuple[int, int]] = []
    with CuttingProxy(echo.port) as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        proxy.on_request(lambda message: seen.append((message.number, len(echo.frames))))
        exchange(connection, 5)
        exchange(connection, 6)
        assert seen == [(1, 0), (2, 1)]
        proxy.on_request(lambda _message: proxy.cut_now())
        assert exchange(connection, 6) == b""
    assert len(echo.frames) == 2


def test_wrong_moment() -> None:
    with pytest.raises(ValueError, match="neither before nor after"):
        CuttingProxy(1).cut(1, when="during")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerLab]:
    with ServerLab(
        tmp_path_factory.mktemp("servers"), {"servers": [{"name": "siteserver"}], "maintenance_manager": {"running": False}}
    ) as lab:
        yield lab


@needs_samba
def test_samba_through_the_proxy(servers: ServerLab, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 300_000)
    with servers.proxy() as proxy:
        servers.smbclient("siteserver", "SMS_SHRD", f"put {tmp_path}/file {FILE[0]}\\{FILE[1]}", port=proxy.port)
        assert 300_000 < proxy.count.sent < 310_000
        assert proxy.count.requests["WRITE"] and proxy.count.requests["CREATE"] == proxy.count.answers["CREATE"]
    assert servers.path("siteserver", "SMS_SHRD", *FILE).stat().st_size == 300_000


@needs_samba
def test_every_message_of_samba_can_be_cut(servers: ServerLab) -> None:
    """Whatever is cut, the client notices, and Samba lets go of what the client had open."""
    name, path = servers.unc("siteserver", "SMS_SHRD", *FILE), servers.path("siteserver", "SMS_SHRD", *FILE)

    def write(port: int) -> None:
        cache: dict[str, object] = {}
        options = {"port": port, "username": "smsadmin", "password": "Pa55word!", "connection_cache": cache, "connection_timeout": 5}
        try:
            with smbclient.open_file(name, mode="wb", share_access="r", **options) as file:
                file.write(b"content")
        finally:
            smbclient.reset_connection_cache(fail_on_error=False, connection_cache=cache)

    with servers.proxy() as proxy:
        write(proxy.port)
        total = proxy.messages[-1].number
        # What comes after the file was closed is only good manners: whether it arrives makes no difference.
        closed = max(message.number for message in proxy.messages if message.command == "CLOSE")
        assert 5 < closed < total
        for when in ("before", "after"):
            for at in range(1, total + 1):
                proxy.heal()
                proxy.cut(at, when=when)
                path.unlink(missing_ok=True)
                try:
                    write(proxy.port)
                except (SMBException, OSError, ValueError):
                    assert proxy.is_cut
                else:
                    assert at > closed
                servers.wait_idle()
                write(servers.port)
                assert path.read_bytes() == b"content"


@needs_samba
def test_no_server_no_connection(servers: ServerLab) -> None:
    with servers.proxy() as proxy:
        servers.stop_smbd()
        try:
            with pytest.raises(ServerError, match="NT_STATUS"):
                servers.smbclient("siteserver", "SMS_SHRD", "ls", port=proxy.port)
        finally:
            servers.start_smbd()
        assert "Logs" in servers.smbclient("siteserver", "SMS_SHRD", "ls", port=proxy.port)
