# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""WQL, as far as queries for data go: SELECT columns FROM class [WHERE condition] (Microsoft's "SQL for WMI" reference)."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import re
import typing as t

from ..events import INVALID_QUERY, WmiError

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?(?:0x[0-9a-f]+|\d+(?:\.\d+)?))(?![\w])|(?P<name>[A-Za-z_]\w*)|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<sign><>|!=|<=|>=|[=<>(),*.]))",
    re.IGNORECASE | re.DOTALL,
)

Literal = str | int | float | bool | None
Row = t.Mapping[str, t.Any]
"""Property values by lower-case name."""


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One test; `operator` is one of = <> < > <= >= like, is, isnot."""

    column: str
    operator: str
    value: Literal


@dataclasses.dataclass(frozen=True)
class Logic:
    """`operator` is and, or, not."""

    operator: str
    parts: tuple[Condition, ...]


Condition = Comparison | Logic


@dataclasses.dataclass(frozen=True)
class Query:
    """`columns` is empty for ``*``."""

    columns: tuple[str, ...]
    class_name: str
    where: Condition | None

    def names(self) -> t.Iterator[str]:
        """Every column mentioned."""
        yield from self.columns
        yield from _names(self.where)


def _names(condition: Condition | None) -> t.Iterator[str]:
    if isinstance(condition, Comparison):
        yield condition.column
    elif condition is not None:
        for part in condition.parts:
            yield from _names(part)


@functools.lru_cache(maxsize=1024)
def parse(text: str) -> Query:
    """The query.

    :raises WmiError: 0x80041017, it is none.
    """
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        text = text.strip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if not found:
                raise WmiError(INVALID_QUERY)
            self.tokens.append((t.cast(str, found.lastgroup), found[t.cast(str, found.lastgroup)]))
            at = found.end()
        self.at = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.at += 1
        return token

    def word(self, *words: str) -> bool:
        """Take one of these key words if it is next."""
        kind, text = self.peek()
        if kind in ("name", "sign") and text.lower() in words:
            self.at += 1
            return True
        return False

    def need(self, *words: str) -> None:
        if not self.word(*words):
            raise WmiError(INVALID_QUERY)

    def name(self) -> str:
        kind, text = self.take()
        if kind != "name":
            raise WmiError(INVALID_QUERY)
        return text

    def query(self) -> Query:
        self.need("select")
        columns: list[str] = []
        if not self.word("*"):
            columns.append(self.column())
            while self.word(","):
                columns.append(self.column())
        self.need("from")
        class_name = self.name()
        where = None
        if self.word("where"):
            where = self.either()
        if self.at < len(self.tokens):
            raise WmiError(INVALID_QUERY)
        return Query(tuple(columns), class_name, where)

    def column(self) -> str:
        name = self.name()
        # The class may stand in front: Win32_Service.Name.
        return self.name() if self.word(".") else name

    def either(self) -> Condition:
        parts = [self.both()]
        while self.word("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Logic("or", tuple(parts))

    def both(self) -> Condition:
        parts = [self.unary()]
        while self.word("and"):
            parts.append(self.unary())
        return parts[0] if len(parts) == 1 else Logic("and", tuple(parts))

    def unary(self) -> Condition:
        if self.word("not"):
            return Logic("not", (self.unary(),))
        if self.word("("):
            inner = self.either()
            self.need(")")
            return inner
        return self.comparison()

    def comparison(self) -> Condition:
        kind, _text = self.peek()
        if kind in ("number", "text") or self.peek()[1].lower() in ("true", "false", "null"):
            value = self.literal()
            operator = self.operator()
            turned = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(operator, operator)
            if operator == "like":
                raise WmiError(INVALID_QUERY)
            return Comparison(self.column(), turned, value)
        column = self.column()
        if self.word("is"):
            negated = self.word("not")
            self.need("null")
            return Comparison(column, "isnot" if negated else "is", None)
        if self.word("not"):
            self.need("like")
            return Logic("not", (Comparison(column, "like", self.pattern()),))
        operator = self.operator()
        return Comparison(column, operator, self.pattern() if operator == "like" else self.literal())

    def operator(self) -> str:
        kind, text = self.take()
        text = {"!=": "<>"}.get(text, text.lower())
        if (kind == "sign" and text in ("=", "<>", "<", ">", "<=", ">=")) or text == "like":
            return text
        raise WmiError(INVALID_QUERY)

    def pattern(self) -> str:
        value = self.literal()
        if not isinstance(value, str):
            raise WmiError(INVALID_QUERY)
        return value

    def literal(self) -> Literal:
        kind, text = self.take()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
        if kind == "number":
            return float(text) if "." in text else int(text, 16 if "x" in text.lower() else 10)
        word = text.lower()
        if kind == "name" and word in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[word]
        raise WmiError(INVALID_QUERY)


def holds(condition: Condition | None, row: Row) -> bool:
    """Whether a row satisfies the condition; what is compared with NULL never does, except by IS."""
    if condition is None:
        return True
    if isinstance(condition, Logic):
        if condition.operator == "not":
            return not holds(condition.parts[0], row)
        test = all if condition.operator == "and" else any
        return test(holds(part, row) for part in condition.parts)
    value = row[condition.column.lower()]
    if condition.operator == "is" or (condition.operator == "=" and condition.value is None):
        return value is None
    if condition.operator == "isnot" or (condition.operator == "<>" and condition.value is None):
        return value is not None
    if value is None:
        return False
    if condition.operator == "like":
        return bool(_like(t.cast(str, condition.value)).fullmatch(str(value)))
    return _compared(value, condition.operator, condition.value)


@functools.lru_cache(maxsize=256)
def _like(pattern: str) -> re.Pattern[str]:
    """``%`` any text, ``_`` any character, ``[a-f]`` and ``[^a-f]`` sets."""
    parts, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        end = pattern.find("]", at + 1)
        if char == "[" and end > 0:
            inner = pattern[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            parts.append(f"[{inner.replace('=', '-')}]")
            at = end
        else:
            parts.append({"%": ".*", "_": "."}.get(char, re.escape(char)))
        at += 1
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _compared(value: t.Any, operator: str, wanted: t.Any) -> bool:
    if isinstance(value, bool):
        if isinstance(wanted, str):
            if wanted.lower() not in ("true", "false"):
                raise WmiError(INVALID_QUERY)
            wanted = wanted.lower() == "true"
        value, wanted = int(value), int(wanted)
    elif isinstance(value, int):
        if isinstance(wanted, str):
            # WMI turns a text into a number where the property is one.
            if not re.fullmatch(r"[-+]?\d+", wanted.strip()):
                raise WmiError(INVALID_QUERY)
            wanted = int(wanted)
    elif isinstance(value, datetime.datetime):
        value, wanted = cim_datetime(value), str(wanted)
    else:
        value, wanted = str(value).lower(), str(wanted).lower()
        # Sizes and times of 64 bits are texts in WMI and still compare as numbers.
        if value.isdigit() and wanted.lstrip("-").isdigit():
            value, wanted = int(value), int(wanted)
    if operator == "=":
        return bool(value == wanted)
    if operator == "<>":
        return bool(value != wanted)
    if operator == "<":
        return bool(value < wanted)
    if operator == ">":
        return bool(value > wanted)
    return bool(value <= wanted if operator == "<=" else value >= wanted)


def cim_datetime(value: datetime.datetime) -> str:
    """``20130415202756.905393+000``."""
    offset = int((value.utcoffset() or datetime.timedelta()).total_seconds() // 60)
    return f"{value:%Y%m%d%H%M%S}.{value.microsecond:06}{'-' if offset < 0 else '+'}{abs(offset):03}"
