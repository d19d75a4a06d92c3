# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names and relative paths can safely become files on a Windows server. Private to the collection; pure."""

from __future__ import annotations

import re

_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f\x7f]')
# Windows opens the device whatever extension follows, and with blanks before it; the superscript digits count as digits.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])[ ]*(\..*)?", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\\/]")
_LONGEST_NAME = 255


def fault_of_name(name: str) -> str | None:
    """Why one component of a path must not be used, as a clause; None if it may be."""
    if not name:
        return "has an empty part"
    if name in (".", ".."):
        return f"has the part '{name}'"
    if ":" in name:
        return f"has a colon in '{name}', which names a drive or an alternate data stream"
    if _FORBIDDEN.search(name):
        return f"has a character in {name!r} that no Windows file name can have"
    if _SEPARATORS.search(name):
        return f"has a separator in '{name}'"
    if name[-1] in ". " or name[0] == " ":
        return f"has a dot or blank at the end of '{name}' or a blank before it, which Windows would drop"
    if _DEVICE.fullmatch(name):
        return f"has the part '{name}', which is a device of Windows"
    if len(name) > _LONGEST_NAME:
        return f"has a part of {len(name)} characters"
    return None


def fault_of_path(path: str) -> str | None:
    """Why a relative path (with ``\\`` or ``/``) must not be used, as a clause; None if it may be."""
    if not path:
        return "is empty"
    if path[0] in "\\/":
        return "is absolute"
    if re.match(r"[A-Za-z]:", path):
        return "names a drive"
    return next((fault for fault in map(fault_of_name, _SEPARATORS.split(path)) if fault), None)


def parts(path: str) -> tuple[str, ...]:
    """The components of a relative path that has no fault."""
    return tuple(_SEPARATORS.split(path))
