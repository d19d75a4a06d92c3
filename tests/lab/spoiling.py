# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that go wrong on their way: cut, slow, broken or mixed up."""

from __future__ import annotations

import asyncio
import re

from aiohttp import web

from .connection import Broken, Connection
from .injection import Fault

SPOILING = ("drop-mid-body", "truncate", "trickle", "malformed-xml", "wrong-relates-to")
HTML_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Sign in to continue</h1>"
    b'<form action="/login"><input name="user"><br>&nbsp;</form></body></html>\n'
)
_RELATES_TO = re.compile(r"(<a:RelatesTo>)[^<]*(</a:RelatesTo>)")


def is_http(fault: Fault) -> bool:
    """Whether a fault spoils the HTTP answer (and not the envelope in it)."""
    return fault.kind in ("drop-mid-body", "trickle") or (fault.kind == "truncate" and fault.parameters["what"] == "http")


def spoil_text(fault: Fault, text: str) -> str:
    """Spoil an envelope before it is encrypted."""
    if fault.kind == "truncate" and fault.parameters["what"] == "xml":
        return text[: len(text) * 2 // 3]
    if fault.kind == "malformed-xml":
        return text.replace("</s:Body>", "</s:Bodi>", 1)
    if fault.kind == "wrong-relates-to":
        return _RELATES_TO.sub(r"\1uuid:00000000-0000-0000-0000-000000000000\2", text, count=1)
    return text


def _raw(response: web.Response) -> tuple[bytes, bytes]:
    """(head, body) of an answer as it would have gone out."""
    body = bytes(response.body) if isinstance(response.body, (bytes, bytearray)) else b""
    lines = [f"HTTP/1.1 {response.status} {response.reason}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items() if name.lower() != "content-length"]
    lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), body


async def spoil_http(fault: Fault, connection: Connection, response: web.Response) -> web.StreamResponse:
    """Write the answer by hand, spoilt. ``drop-mid-body`` and ``truncate`` end the connection."""
    transport = connection.counting
    head, body = _raw(response)
    if fault.kind == "trickle":
        whole, size = head + body, max(fault.parameters["bytes"], 1)
        for start in range(0, len(whole), size):
            if transport.is_closing():
                break
            transport.write(whole[start : start + size])
            await asyncio.sleep(fault.parameters["seconds"])
        transport.close()
        return Broken()
    transport.write(head + body[: max(len(body) * 2 // 3, 1)])
    if fault.kind == "drop-mid-body":
        # The bytes must leave before the reset throws away what is still queued.
        await asyncio.sleep(0.05)
        transport.reset()
    else:
        transport.close()
    return Broken()
