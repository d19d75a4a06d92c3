# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listening for ten thousand hosts in one process: each on its own loopback address, all on the same two ports."""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import socket
from collections.abc import Iterable
from typing import Any

from .certificates import Contexts
from .connection import ConnectionServer, reset_socket
from .http_server import HTTP_LIMIT, Endpoint, handle

BACKLOG = 256
ACCEPTS_AT_ONCE = 32
PORT_ATTEMPTS = 20
_LOG = logging.getLogger("lab")


class TooFewFiles(OSError):
    """The limit on open files does not allow that many hosts."""


def raise_file_limit(sockets: int) -> None:
    """Allow that many listening sockets and as many connections. Raises :class:`TooFewFiles`."""
    wanted = sockets * 2 + 512
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return
        except (ValueError, PermissionError):
            wanted = hard
    if wanted < sockets + 64:
        raise TooFewFiles(
            f"{sockets} listening sockets are too many for a hard limit of {hard} open files (ulimit -Hn); "
            "a host with https: false needs one instead of two"
        )
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _listen(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind((address, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def listen_all(addresses: list[str], port: int) -> tuple[int, list[socket.socket]]:
    """Listen on one port at every address; port 0 picks one that is free at all of them."""
    if not addresses:
        return port, []
    for _attempt in range(PORT_ATTEMPTS):
        sockets = [_listen(addresses[0], port)]
        chosen = sockets[0].getsockname()[1]
        try:
            sockets += [_listen(address, chosen) for address in addresses[1:]]
            return chosen, sockets
        except OSError as error:
            for sock in sockets:
                sock.close()
            if port or error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, "no port is free on all addresses")


class Listener:
    """One listening socket of one host, plain or TLS."""

    def __init__(self, network: Network, endpoint: Endpoint, sock: socket.socket, tls: bool) -> None:
        self._network = network
        self._endpoint = endpoint
        self._tls = tls
        self.address, self.port = sock.getsockname()
        self._socket: socket.socket | None = sock
        network.loop.add_reader(sock, self._accept)

    def close(self) -> None:
        if self._socket is not None:
            self._network.loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def set_open(self, is_open: bool) -> None:
        """Stop listening, so that a connection is refused, or start again."""
        if not is_open:
            self.close()
        elif self._socket is None:
            self._socket = _listen(self.address, self.port)
            self._network.loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        assert self._socket is not None
        for _count in range(ACCEPTS_AT_ONCE):
            try:
                sock, _peer = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                _LOG.error("%s: cannot accept: %s", self._endpoint.host.name, error)
                return
            self._connected(sock)

    def _connected(self, sock: socket.socket) -> None:
        endpoint = self._endpoint
        endpoint.counters.connections += 1
        endpoint.service.refresh()
        kind = endpoint.injector.for_connection()
        if kind == "tls-reset" and not self._tls:
            kind = None
        if kind in ("refuse", "tls-reset") or not endpoint.host.accepting:
            reset_socket(sock)
            sock.close()
        elif kind == "black-hole":
            self._network.swallow(sock)
        else:
            sock.setblocking(False)
            self._network.serve(endpoint, sock, self._tls)


class Network:
    """All listeners of the lab."""

    def __init__(self, loop: asyncio.AbstractEventLoop, contexts: Contexts) -> None:
        self.loop = loop
        self._contexts = contexts
        # A client that goes away cancels what it was waiting for.
        self._server = ConnectionServer(
            handle,
            access_log=None,
            keepalive_timeout=120,
            handler_cancellation=True,
            request_factory=self._request,
            max_field_size=65536,
        )
        self._listeners: dict[str, list[Listener]] = {}
        self._swallowed: list[socket.socket] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> Any:
        from aiohttp import web

        return web.BaseRequest(message, payload, protocol, writer, task, self.loop, client_max_size=HTTP_LIMIT)

    def open(self, endpoints: Iterable[Endpoint], http_port: int, https_port: int) -> tuple[int, int]:
        """Listen for every host. Returns the two ports."""
        endpoints = list(endpoints)
        plain = [endpoint for endpoint in endpoints if endpoint.host.winrm.http]
        secure = [endpoint for endpoint in endpoints if endpoint.host.winrm.https]
        raise_file_limit(len(plain) + len(secure))
        http_port, sockets = listen_all([endpoint.host.address for endpoint in plain], http_port)
        self._add(plain, sockets, False)
        https_port, sockets = listen_all([endpoint.host.address for endpoint in secure], https_port)
        self._add(secure, sockets, True)
        return http_port, https_port

    def _add(self, endpoints: list[Endpoint], sockets: list[socket.socket], tls: bool) -> None:
        for endpoint, sock in zip(endpoints, sockets, strict=True):
            self._listeners.setdefault(endpoint.host.name, []).append(Listener(self, endpoint, sock, tls))

    def update(self, endpoint: Endpoint) -> None:
        """Listen or refuse as the host's faults now say."""
        refusing = any(fault.kind == "refuse" and fault.nth == 1 and not fault.times for fault in endpoint.injector.faults)
        for listener in self._listeners.get(endpoint.host.name, ()):
            listener.set_open(not refusing)

    def serve(self, endpoint: Endpoint, sock: socket.socket, tls: bool) -> None:
        context = self._contexts.get(endpoint.host) if tls else None
        accepted = self.loop.connect_accepted_socket(lambda: self._server.for_endpoint(endpoint), sock, ssl=context)
        task = self.loop.create_task(self._accepted(accepted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    async def _accepted(accepted: Any) -> None:
        try:
            await accepted
        except OSError:
            # The client went away, or did not like the certificate.
            return

    def swallow(self, sock: socket.socket) -> None:
        """Keep a connection open and never look at it."""
        self._swallowed.append(sock)

    def release_swallowed(self) -> None:
        for sock in self._swallowed:
            sock.close()
        self._swallowed.clear()

    async def close(self) -> None:
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.close()
        self.release_swallowed()
        await self._server.shutdown(0.2)
