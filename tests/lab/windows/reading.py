# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading hand-written YAML: every mistake gives one sentence that names the place, the key and what is wrong."""

from __future__ import annotations

import difflib
import typing as t


class FleetError(ValueError):
    """A fleet file cannot be used; the text is one sentence for whoever wrote it."""


class Reader:
    """Takes keys out of one mapping and complains about what is left over.

    :ivar where: names the mapping in errors, for instance "host 'pc1', winrm".
    """

    def __init__(self, data: t.Any, where: str) -> None:
        self.where = where
        if not isinstance(data, dict):
            raise FleetError(f"{where}: expected a mapping, found {_shown(data)}")
        self._data: dict[t.Any, t.Any] = data
        self._known: list[str] = []

    def wrong(self, key: str, why: str) -> FleetError:
        """The error for `key`, to be raised."""
        return FleetError(f"{self.where}: {key}: {why}")

    def raw(self, key: str, default: t.Any) -> t.Any:
        """Whatever is there."""
        self._known.append(key)
        value = self._data.get(key)
        return default if value is None else value

    def text(self, key: str, default: str | None = None) -> str:
        """A text; numbers are accepted as YAML makes them of things like ``2003``."""
        value = self.raw(key, default)
        if value is None:
            raise self.wrong(key, "is missing")
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise self.wrong(key, f"expected a text, found {_shown(value)}")
        return str(value)

    def optional(self, key: str) -> str | None:
        """A text or None."""
        return self.text(key) if self._data.get(key) is not None else self.raw(key, None)

    def number(self, key: str, default: int, least: int, most: int) -> int:
        """A whole number between two bounds."""
        value = self.raw(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(key, f"expected a whole number, found {_shown(value)}")
        if not least <= value <= most:
            raise self.wrong(key, f"{value} is not between {least} and {most}")
        return value

    def decimal(self, key: str, default: float) -> float:
        """A number that is not negative."""
        value = self.raw(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
            raise self.wrong(key, f"expected a number not below 0, found {_shown(value)}")
        return float(value)

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.raw(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, f"expected true or false, found {_shown(value)}")
        return value

    def items(self, key: str) -> list[t.Any]:
        """A list of anything."""
        value = self.raw(key, [])
        if not isinstance(value, list):
            raise self.wrong(key, f"expected a list, found {_shown(value)}")
        return value

    def texts(self, key: str) -> list[str]:
        """A list of texts."""
        found = self.items(key)
        for entry in found:
            if not isinstance(entry, (str, int)) or isinstance(entry, bool):
                raise self.wrong(key, f"expected a list of texts, found {_shown(entry)} in it")
        return [str(entry) for entry in found]

    def mappings(self, key: str) -> list[dict[str, t.Any]]:
        """A list of mappings."""
        found = self.items(key)
        for entry in found:
            if not isinstance(entry, dict):
                raise self.wrong(key, f"expected a list of mappings, found {_shown(entry)} in it")
        return found

    def mapping(self, key: str) -> dict[str, t.Any]:
        """A mapping."""
        value = self.raw(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, f"expected a mapping, found {_shown(value)}")
        return value

    def numbers(self, key: str) -> dict[str, float]:
        """A mapping of texts to numbers that are not negative."""
        inner = Reader(self.mapping(key), f"{self.where}, {key}")
        return {name: inner.decimal(name, 0.0) for name in inner._data}

    def done(self) -> None:
        """Complain about the first key nobody asked for."""
        for key in self._data:
            if key not in self._known:
                near = difflib.get_close_matches(str(key), self._known, 1)
                hint = f"; did you mean '{near[0]}'?" if near else f"; the keys are {', '.join(sorted(set(self._known)))}"
                raise FleetError(f"{self.where}: '{key}' is no key here{hint}")


def choice(read: Reader, key: str, choices: tuple[str, ...], default: str) -> str:
    """One of some words."""
    value = read.text(key, default)
    if value not in choices and value != default:
        near = difflib.get_close_matches(value, choices, 1)
        raise read.wrong(key, f"'{value}' is none of {', '.join(choices)}" + (f"; did you mean '{near[0]}'?" if near else ""))
    return value


def _shown(value: t.Any) -> str:
    return f"'{value}'" if isinstance(value, (str, int, float, bool)) else "nothing" if value is None else f"a {type(value).__name__}"
