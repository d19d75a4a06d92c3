# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One TCP connection of a host: counted bytes, its logon, and ways to break it."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from .authentication import Session
from .counters import Counters

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def reset_socket(sock: Any) -> None:
    """Make the next close of a socket a reset (RST) instead of an orderly end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)


class CountingTransport:
    """A transport that counts what is written to it."""

    __slots__ = ("_counters", "_transport")

    def __init__(self, transport: Any, counters: Counters) -> None:
        self._transport = transport
        self._counters = counters

    def write(self, data: Any) -> None:
        self._counters.bytes_out += len(data)
        self._transport.write(data)

    def writelines(self, chunks: Any) -> None:
        chunks = list(chunks)
        self._counters.bytes_out += sum(len(chunk) for chunk in chunks)
        self._transport.writelines(chunks)

    def reset(self) -> None:
        """Close with a reset; what was not sent yet is lost."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            reset_socket(sock)
        self._transport.abort()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Connection(RequestHandler):
    """aiohttp's connection, with the endpoint it belongs to and what its client has proved."""

    endpoint: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.session = Session()
        counting = CountingTransport(transport, self.endpoint.counters)
        self.counting = counting
        super().connection_made(counting)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        self.endpoint.counters.bytes_in += len(data)
        super().data_received(data)

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """What was received is no HTTP; aiohttp would log a traceback and show a page of its own."""
        reason = " ".join(str(exc or message or "").split())
        logging.getLogger("lab").info("%s: answered %d: %s", self.endpoint.host.name, status, reason[:200])
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        response = web.Response(status=status, headers={"Server": "Microsoft-HTTPAPI/2.0"})
        response.force_close()
        return response


class ConnectionServer(web.Server):
    """Makes connections for an endpoint; shared by all hosts."""

    def for_endpoint(self, endpoint: Any) -> Connection:
        connection = Connection(self, loop=self._loop, **self._kwargs)
        connection.endpoint = endpoint
        return connection


class Broken(web.Response):
    """Stands for an answer that has been dealt with on the transport itself."""

    async def prepare(self, request: Any) -> Any:
        # aiohttp ends the connection quietly when writing fails.
        raise ConnectionResetError
