# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program's header says: machine and fixed file version, and whether all of it is there. Private to the collection; pure."""

from __future__ import annotations

import typing as t

try:
    import pefile
except ImportError as _error:
    pefile = None
    MISSING: str | None = _error.name
else:
    MISSING = None

_VERSION_RESOURCE = 2  # IMAGE_DIRECTORY_ENTRY_RESOURCE
_TEXT = frozenset(b"\t\n\r\f\x1a") | frozenset(range(0x20, 0x7F))


class Program(t.NamedTuple):
    """`kind` is "program", or what it is instead: "empty", "text", "truncated", "no-program"; `detail` says more."""

    kind: str
    detail: str = ""
    machine: int | None = None
    file_version: str | None = None


def read(content: bytes) -> Program:
    """Look at a whole file. Never fails: what is no program is told by `kind`."""
    if not content:
        return Program("empty")
    if not content.startswith(b"MZ"):
        return _no_program(content)
    offset = int.from_bytes(content[0x3C:0x40], "little")
    if len(content) < 0x40 or offset + 24 > len(content):
        return Program("truncated", "the file ends before its header does")
    if content[offset : offset + 4] != b"PE\0\0":
        return Program("no-program", "a program for DOS or 16-bit Windows")
    try:
        image = pefile.PE(data=content, fast_load=True)
    except (pefile.PEFormatError, ValueError, IndexError, AttributeError):
        return Program("truncated", "the header is incomplete")
    try:
        end = max((s.PointerToRawData + s.SizeOfRawData for s in image.sections if s.SizeOfRawData), default=0)
        if len(image.sections) < image.FILE_HEADER.NumberOfSections:
            return Program("truncated", "the table of sections is incomplete")
        if end > len(content):
            return Program("truncated", f"{len(content):,} of at least {end:,} bytes are there")
        return Program("program", machine=image.FILE_HEADER.Machine, file_version=_version(image))
    finally:
        image.close()


def _version(image: t.Any) -> str | None:
    try:
        image.parse_data_directories(directories=[_VERSION_RESOURCE])
        fixed = image.VS_FIXEDFILEINFO[0]
    except Exception:
        return None
    return ".".join(str(part) for word in (fixed.FileVersionMS, fixed.FileVersionLS) for part in (word >> 16, word & 0xFFFF))


def _no_program(content: bytes) -> Program:
    sample = content[:4096]
    if not any(sample):
        return Program("no-program", "it begins with zeros")
    if sample.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")) or sum(byte in _TEXT for byte in sample) >= 0.9 * len(sample):
        return Program("text")
    return Program("no-program")
