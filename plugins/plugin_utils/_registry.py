# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and values of a client's registry: command lines of `reg`, and what they print. Pure. Private to the collection.

`reg` exists since Windows XP and prints types and names untranslated; only its errors are translated, so a key that is missing is one
that does not appear.
"""

from __future__ import annotations

import re
import typing as t

MACHINE = "HKLM"
_HIVES = {
    "HKEY_LOCAL_MACHINE": "HKLM",
    "HKEY_CURRENT_USER": "HKCU",
    "HKEY_USERS": "HKU",
    "HKEY_CLASSES_ROOT": "HKCR",
    "HKEY_CURRENT_CONFIG": "HKCC",
}
_KINDS = "REG_SZ|REG_EXPAND_SZ|REG_MULTI_SZ|REG_DWORD|REG_QWORD|REG_BINARY|REG_NONE|REG_DWORD_BIG_ENDIAN|REG_LINK"
# Since Windows Vista four blanks, before it a tabulator. The name may contain blanks and even a kind, so the first kind that fits decides.
_VALUE = re.compile(rf"^ {{4}}(?P<name>.*?)(?: {{4}}|\t)(?P<kind>{_KINDS})(?:(?: {{4}}|\t)(?P<data>.*))?$")
_NUMBERS = ("REG_DWORD", "REG_QWORD")
# What cmd.exe or reg.exe would take for something else, or what ends the line.
_UNSAFE = re.compile(r'["%\x00-\x1f\x7f]')


class Value(t.NamedTuple):
    """A value of a key.

    :ivar kind: such as ``REG_SZ``.
    :ivar data: a number of REG_DWORD and REG_QWORD, the texts of REG_MULTI_SZ, else the text as `reg` prints it.
    """

    kind: str
    data: str | int | list[str]

    def shown(self) -> str:
        """The data as one text, for results and diffs."""
        return " ".join(self.data) if isinstance(self.data, list) else str(self.data)


Keys = dict[str, dict[str, Value]]
"""Lower-case key, its hive abbreviated (``hklm\\software\\...``) -> lower-case name (empty for the default value) -> value."""


class Unsafe(ValueError):
    """A text that cannot stand in a command line as it is."""


def parse(text: str) -> Keys:
    """Every key `reg query` printed, with its values; whatever else stands in the text is passed over."""
    found: Keys = {}
    values: dict[str, Value] | None = None
    for line in text.splitlines():
        row = _VALUE.match(line)
        if row is not None:
            if values is not None:
                values[_plain_name(row["name"])] = _value(row["kind"], row["data"] or "")
            continue
        hive, backslash, rest = line.strip().partition("\\")
        if backslash and line[:1] == "H" and hive in _HIVES:
            values = found.setdefault(f"{_HIVES[hive]}\\{rest}".lower(), {})
        elif line.strip():
            values = None
    return found


def _plain_name(name: str) -> str:
    # The default value is shown in brackets, translated: "(Default)", "(Standard)", "<NO NAME>".
    return "" if re.fullmatch(r"\([^()]*\)|<[^<>]*>", name) else name.lower()


def _value(kind: str, data: str) -> Value:
    if kind in _NUMBERS:
        try:
            return Value(kind, int(data.strip(), 0))
        except ValueError:
            return Value(kind, data)
    if kind == "REG_MULTI_SZ":
        return Value(kind, [part for part in data.split("\\0") if part])
    return Value(kind, data)


def get(keys: Keys, key: str, name: str) -> Value | None:
    """A value, without case; None if the key or the value is not there."""
    return keys.get(key.lower(), {}).get(name.lower())


def query(key: str, recursive: bool = False) -> str:
    """The command line that prints a key with its values, and with `recursive` everything below it."""
    return f'reg query "{_safe(key)}"{" /s" if recursive else ""}'


def add(key: str, name: str, value: Value) -> str:
    """The command line that sets a value and makes its key if need be.

    :raises Unsafe: a part of it cannot stand in a command line.
    """
    which = f'/v "{_safe(name)}"' if name else "/ve"
    data = "\\0".join(value.data) if isinstance(value.data, list) else str(value.data)
    return f'reg add "{_safe(key)}" {which} /t {_safe(value.kind)} /d "{_safe_data(data)}" /f'


def delete(key: str, name: str | None = None) -> str:
    """The command line that removes a value, or with None the key and everything below it."""
    which = "" if name is None else f' /v "{_safe(name)}"' if name else " /ve"
    return f'reg delete "{_safe(key)}"{which} /f'


def _safe(text: str) -> str:
    if _UNSAFE.search(text):
        raise Unsafe(f"'{text}' has a character that a command line cannot carry")
    return text


def _safe_data(text: str) -> str:
    # A backslash in front of the closing quotation mark would escape it (parsing of arguments in the C runtime).
    return _safe(text) + ("\\" if text.endswith("\\") else "")
