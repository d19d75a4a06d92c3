# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""%variables%: all of a line at once, before it is read, which is why %errorlevel% on the same line is the old value."""

from __future__ import annotations

import re
import typing as t

_VARIABLE = re.compile(r"([^%:\n]+)(?::(~-?\d*(?:,-?\d*)?|\*?[^%=\n]+=[^%\n]*))?%")
_ARGUMENT = re.compile(r"~?([fdpnxsatz]*)([0-9*])", re.IGNORECASE)


def expand(
    line: str, lookup: t.Callable[[str], str | None], arguments: t.Sequence[str] | None = None, path_of: t.Callable[[str], str] = str
) -> str:
    """`line` with its variables replaced.

    :param lookup: the value of a variable, None for one that is not defined.
    :param arguments: %0, %1 and so on inside a batch file. None on a command line, where an unknown variable stays as it was typed.
    """
    parts: list[str] = []
    at = 0
    while True:
        start = line.find("%", at)
        if start < 0:
            parts.append(line[at:])
            return "".join(parts)
        parts.append(line[at:start])
        if arguments is not None:
            if line.startswith("%%", start):
                parts.append("%")
                at = start + 2
                continue
            found = _ARGUMENT.match(line, start + 1)
            if found:
                parts.append(_argument(found, line[start + 1] == "~", arguments, path_of))
                at = found.end()
                continue
        variable = _VARIABLE.match(line, start + 1)
        value = lookup(variable.group(1)) if variable else None
        if variable and value is not None:
            parts.append(_modified(value, variable.group(2)))
            at = variable.end()
        elif variable and arguments is not None:
            at = variable.end()
        elif arguments is not None:
            at = start + 1
        else:
            parts.append("%")
            at = start + 1


def expand_delayed(text: str, lookup: t.Callable[[str], str | None]) -> str:
    """!variables!, when they are switched on."""
    return re.sub(r"!([^!:\n]+)(?::([^!\n]+))?!", lambda found: _modified(lookup(found[1]) or "", found[2]), text)


def _argument(found: re.Match[str], tilde: bool, arguments: t.Sequence[str], path_of: t.Callable[[str], str]) -> str:
    letters, which = found.group(1), found.group(2)
    if which == "*":
        return " ".join(arguments[1:])
    value = arguments[int(which)] if int(which) < len(arguments) else ""
    if not tilde:
        return value
    value = value.strip('"')
    return parts_of(path_of(value), letters) if letters and value else value


def parts_of(path: str, letters: str) -> str:
    """What ``~dpnx`` and the like select from an absolute path."""
    letters = letters.lower()
    drive, rest = (path[:2], path[2:]) if path[1:2] == ":" else ("", path)
    directory, _slash, name = rest.rpartition("\\")
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    if "f" in letters or not set(letters) & set("dpnx"):
        return path
    chosen = drive if "d" in letters else ""
    chosen += directory + "\\" if "p" in letters else ""
    chosen += stem if "n" in letters else ""
    return chosen + (dot + extension if "x" in letters else "")


def _modified(value: str, modifier: str | None) -> str:
    if not modifier:
        return value
    if modifier.startswith("~"):
        first, comma, second = modifier[1:].partition(",")
        start = int(first or 0)
        start = max(0, len(value) + start) if start < 0 else start
        if not comma:
            return value[start:]
        length = int(second or 0)
        return value[start:length] if length < 0 else value[start : start + length]
    old, _equals, new = modifier.partition("=")
    if old.startswith("*") and len(old) > 1:
        at = value.lower().find(old[1:].lower())
        return value if at < 0 else new + value[at + len(old) - 1 :]
    return re.sub(re.escape(old), lambda _found: new, value, flags=re.IGNORECASE)
