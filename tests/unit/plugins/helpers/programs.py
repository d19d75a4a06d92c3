# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that are whole as far as their header says, and packages of the hotfix made of them."""

from __future__ import annotations

import datetime as dt
import os
import struct
from pathlib import Path

from ansible_collections.sms.helpdesk.plugins.plugin_utils._manifest import Catalogue, Row
from ansible_collections.sms.helpdesk.plugins.plugin_utils._package import load_catalogue

X86, ALPHA = 0x014C, 0x0184
_OPTIONAL = 224  # bytes of the optional header of PE32 with sixteen directories


def program(size: int = 1536, machine: int = X86, fill: bytes = b"\x90") -> bytes:
    """A PE file of one section that reaches to its end. [PE format] 3.3 and 3.4."""
    offset = 0x80
    start = 512
    dos = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", offset)
    header = b"PE\0\0" + struct.pack("<HHIIIHH", machine, 1, 0, 0, 0, _OPTIONAL, 0x0102)
    optional = struct.pack("<H", 0x10B).ljust(28, b"\0") + struct.pack("<III", 0x400000, 4096, 512)
    optional = optional.ljust(92, b"\0") + struct.pack("<I", 16)
    section = b".text\0\0\0" + struct.pack("<IIIIIIHHI", size - start, 4096, size - start, start, 0, 0, 0, 0, 0x60000020)
    head = dos.ljust(offset, b"\0") + header + optional.ljust(_OPTIONAL, b"\0") + section
    return head.ljust(start, b"\0") + fill * (size - start)


def q229097() -> Catalogue:
    return load_catalogue("localhost", "Q229097")


def seconds(time: dt.datetime) -> float:
    """The time of a row as a time of a file."""
    return time.replace(tzinfo=dt.timezone.utc).timestamp()


def put(path: Path, content: bytes, modified: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (modified, modified))
    return path


def put_row(path: Path, row: Row, machine: int, fill: bytes = b"\x90") -> Path:
    """A file of the size and time of a row."""
    return put(path, program(row.size.bytes, machine, fill), seconds(row.time))


def package(directory: Path, language: str = "en", folders: tuple[tuple[str, str], ...] = (("x86", "x86"), ("alpha", "alpha"))) -> Path:
    """A package that is right, as pairs of platform and folder."""
    catalogue = q229097()
    for platform, folder in folders:
        for row in catalogue.rows(language, [platform], list(catalogue.components)):
            put_row(directory / folder / row.file, row, catalogue.platforms[platform].machine)
    return directory
