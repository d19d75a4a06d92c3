# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry: keys and values, spelled as written, found without regard to case."""

from __future__ import annotations

import dataclasses
import re
import typing as t

HIVES = {
    "HKLM": "HKEY_LOCAL_MACHINE",
    "HKCU": "HKEY_CURRENT_USER",
    "HKU": "HKEY_USERS",
    "HKCR": "HKEY_CLASSES_ROOT",
    "HKCC": "HKEY_CURRENT_CONFIG",
}
TYPES = ("REG_SZ", "REG_EXPAND_SZ", "REG_MULTI_SZ", "REG_DWORD", "REG_QWORD", "REG_BINARY", "REG_NONE")

Data = str | int | bytes | tuple
"""str for the two string types, int for the numbers, bytes for binary, a tuple of str for REG_MULTI_SZ."""


@dataclasses.dataclass(frozen=True, slots=True)
class Value:
    """One value; `name` is empty for the default one."""

    name: str
    kind: str
    data: Data

    def text(self) -> str:
        """The data as `reg query` prints it."""
        if self.kind in ("REG_DWORD", "REG_QWORD"):
            return f"0x{t.cast(int, self.data):x}"
        if self.kind == "REG_MULTI_SZ":
            return "\\0".join(t.cast(tuple, self.data))
        return self.data.hex().upper() if isinstance(self.data, bytes) else t.cast(str, self.data)


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """One key: its full path as it was spelled when made, and its values in order."""

    path: str
    values: tuple[Value, ...] = ()


class InvalidData(ValueError):
    """The text cannot be data of that type."""


def parse_data(kind: str, text: str, separator: str = "\\0") -> Data:
    """What `reg add /t kind /d text` stores.

    :raises InvalidData: the type is unknown or the text does not fit it.
    """
    try:
        if kind in ("REG_DWORD", "REG_QWORD"):
            number = int(text, 0) if re.fullmatch(r"0[xX][0-9A-Fa-f]+", text) else int(text, 10)
            if not 0 <= number < (1 << (32 if kind == "REG_DWORD" else 64)):
                raise InvalidData(text)
            return number
        if kind in ("REG_BINARY", "REG_NONE"):
            return bytes.fromhex(text if len(text) % 2 == 0 else "0" + text)
    except ValueError as error:
        raise InvalidData(text) from error
    if kind == "REG_MULTI_SZ":
        return tuple(text.split(separator)) if text else ()
    if kind in ("REG_SZ", "REG_EXPAND_SZ"):
        return text
    raise InvalidData(kind)


def full_path(path: str) -> str | None:
    """`path` with the hive's long name, without trailing separators; None for an unknown hive."""
    hive, _separator, rest = path.strip().rstrip("\\").partition("\\")
    long = HIVES.get(hive.upper()) or next((name for name in HIVES.values() if name == hive.upper()), None)
    if long is None:
        return None
    return f"{long}\\{rest}" if rest else long


class Registry:
    """Keys by lower-case full path."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {name.lower(): Key(name) for name in HIVES.values()}
        self._shared = False

    def fork(self) -> Registry:
        """A copy that costs nothing until it is changed."""
        copy = Registry.__new__(Registry)
        copy._keys = self._keys
        copy._shared = self._shared = True
        return copy

    def _writable(self) -> dict[str, Key]:
        if self._shared:
            self._keys, self._shared = dict(self._keys), False
        return self._keys

    def key(self, path: str) -> Key | None:
        """The key at a full path."""
        return self._keys.get(path.lower())

    def value(self, path: str, name: str) -> Value | None:
        """The value `name` of the key at `path`."""
        key = self.key(full_path(path) or path)
        return next((value for value in key.values if value.name.lower() == name.lower()), None) if key else None

    def subkeys(self, path: str) -> list[Key]:
        """The keys directly below, in alphabetical order."""
        prefix = path.lower() + "\\"
        return sorted(
            (key for lower, key in self._keys.items() if lower.startswith(prefix) and "\\" not in lower[len(prefix) :]),
            key=lambda key: key.path.lower(),
        )

    def create(self, path: str) -> Key:
        """Make the key and what is missing above it."""
        path = full_path(path) or path
        found = self.key(path)
        if found is not None:
            return found
        parent = path.rpartition("\\")[0]
        above = self.create(parent)
        key = Key(above.path + path[len(parent) :])
        self._writable()[path.lower()] = key
        return key

    def set(self, path: str, name: str, kind: str, data: Data) -> None:
        """Write a value, making the key."""
        key = self.create(path)
        value = Value(name, kind, data)
        values = list(key.values)
        for index, old in enumerate(values):
            if old.name.lower() == name.lower():
                values[index] = dataclasses.replace(value, name=old.name)
                break
        else:
            values.append(value)
        self._writable()[key.path.lower()] = Key(key.path, tuple(values))

    def delete_value(self, path: str, name: str) -> bool:
        """Whether there was one."""
        key = self.key(full_path(path) or path)
        if key is None or not any(value.name.lower() == name.lower() for value in key.values):
            return False
        self._writable()[key.path.lower()] = Key(key.path, tuple(v for v in key.values if v.name.lower() != name.lower()))
        return True

    def delete_values(self, path: str) -> None:
        """Remove all values of a key."""
        key = self.key(full_path(path) or path)
        if key is not None:
            self._writable()[key.path.lower()] = Key(key.path)

    def delete_key(self, path: str) -> bool:
        """Remove a key with everything below; whether there was one."""
        lower = (full_path(path) or path).lower()
        if lower not in self._keys:
            return False
        keys = self._writable()
        for name in [name for name in keys if name == lower or name.startswith(lower + "\\")]:
            del keys[name]
        return True

    def dump(self) -> dict[str, dict[str, dict[str, t.Any]]]:
        """JSON-able: full path -> value name -> {type, data}."""
        return {
            key.path: {
                value.name: {"type": value.kind, "data": value.text() if isinstance(value.data, bytes) else value.data}
                for value in key.values
            }
            for key in self._keys.values()
        }
