# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Message encryption over plain HTTP, [MS-WSMV] 2.2.9.1: ``multipart/encrypted`` bodies."""

from __future__ import annotations

import re
import struct
from typing import Any

from spnego.exceptions import SpnegoError

SPNEGO = "application/HTTP-SPNEGO-session-encrypted"
CONTENT_TYPE = f'multipart/encrypted;protocol="{SPNEGO}";boundary="Encrypted Boundary"'
_BOUNDARY = re.compile(r"boundary=\"?([^\";]+)\"?", re.IGNORECASE)
_LENGTH = re.compile(rb"Length=(\d+)", re.IGNORECASE)
_OCTETS = re.compile(rb"^\s*Content-Type:\s*application/octet-stream\r\n", re.IGNORECASE)
_HEAD = (
    b"--Encrypted Boundary\r\n\tContent-Type: " + SPNEGO.encode() + b"\r\n"
    b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n"
    b"--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
)
_TAIL = b"--Encrypted Boundary--\r\n"


class InvalidMessage(ValueError):
    """A body that is no encrypted message, or does not decrypt."""


def is_encrypted(content_type: str) -> bool:
    return content_type.lower().startswith("multipart/encrypted")


def unwrap(context: Any, content_type: str, body: bytes) -> bytes:
    """The clear text of an encrypted body. Raises :class:`InvalidMessage`."""
    match = _BOUNDARY.search(content_type)
    if match is None or SPNEGO.lower() not in content_type.lower():
        raise InvalidMessage("no boundary, or another protocol")
    boundary = b"--" + match.group(1).encode("latin-1")
    # The payload is binary and may contain anything, so only the first two boundaries and the last one count.
    head = body.split(boundary + b"\r\n", 2)
    if len(head) != 3 or head[0].strip():
        raise InvalidMessage("parts missing")
    length = _LENGTH.search(head[1])
    octets = _OCTETS.match(head[2])
    end = head[2].rfind(boundary + b"--")
    if length is None or octets is None or end < 0:
        raise InvalidMessage("part heads missing")
    payload = head[2][octets.end() : end]
    if len(payload) < 4:
        raise InvalidMessage("no signature")
    (size,) = struct.unpack("<I", payload[:4])
    try:
        clear = context.unwrap_winrm(payload[4 : 4 + size], payload[4 + size :])
    except (SpnegoError, ValueError) as error:
        raise InvalidMessage(str(error)) from error
    if len(clear) != int(length.group(1)):
        raise InvalidMessage("length differs")
    return clear


def wrap(context: Any, clear: bytes) -> bytes:
    """An encrypted body."""
    sealed = context.wrap_winrm(clear)
    signature = struct.pack("<I", len(sealed.header)) + sealed.header
    return b"".join((_HEAD % (len(clear) + sealed.padding_length), signature, sealed.data, _TAIL))
