# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes of Windows console tools to text, and text of strangers to something fit for a terminal. Private to the collection."""

from __future__ import annotations

import codecs
import unicodedata

# Control characters could move the cursor or forge lines, format characters (Cf) could reverse what is read:
# everything a client sends passes through printable() before a person sees it.
_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def decode(data: bytes) -> str:
    """Console output or a saved file as text; never fails.

    A byte order mark decides; else NUL bytes betray UTF-16 without a mark (PowerShell's ``>``); else UTF-8 if the
    bytes are valid UTF-8 (a shell with code page 65001), else code page 850, in which every byte has a meaning and
    the ASCII part, the only part the parsers rely on, is the same in every OEM code page.
    """
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    sample = data[:4096]
    if sample and sample.count(0) * 4 > len(sample):
        little = sum(1 for byte in sample[1::2] if byte == 0) >= sum(1 for byte in sample[0::2] if byte == 0)
        return data.decode("utf-16-le" if little else "utf-16-be", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp850")


def printable(text: str, limit: int = 400) -> str:
    """`text` on one line, without control or direction characters (shown as ``\\xNN``), at most `limit` characters."""
    if text.isascii() and text.isprintable():
        return text if len(text) <= limit else text[: limit - 1] + "…"
    shown = "".join(
        char if unicodedata.category(char) not in _HARMFUL else char.encode("unicode_escape", "backslashreplace").decode("ascii")
        for char in text
    )
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def amount(count: int) -> str:
    """A number of bytes for people, rounded down."""
    if count < 1024:
        return f"{count} bytes"
    return f"{count // 1024} KiB" if count < 1024 * 1024 else f"{count // 1024 // 1024} MiB"
