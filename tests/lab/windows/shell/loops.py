# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rounds of a for: the values its variables take."""

from __future__ import annotations

import re
import typing as t

from ..events import Output
from .call import Call, split_arguments
from .tree import For

if t.TYPE_CHECKING:
    from .interpreter import Interpreter

Rounds = list[dict[str, str]]


def iterate(interpreter: Interpreter, node: For) -> t.Generator[t.Any, None, Rounds]:
    """Every round's variables; running the command of a ``for /f`` may take time."""
    if node.mode == "L":
        return _numbers(node)
    if node.mode == "F":
        return (yield from _lines(interpreter, node))
    if node.mode not in ("", "D"):
        yield Call(interpreter.session, "for", "", None).err("The syntax of the command is incorrect.\n")
        return []
    return _members(interpreter, node)


def _numbers(node: For) -> Rounds:
    numbers = [int(text) if re.fullmatch(r"-?\d+", text) else 0 for text in re.split(r"[\s,;]+", node.items.strip())]
    start, step, end = ([*numbers, 0, 0, 0])[:3]
    if step == 0:
        return []
    return [{node.variable: str(number)} for number in range(start, end + (1 if step > 0 else -1), step)]


def _members(interpreter: Interpreter, node: For) -> Rounds:
    found: Rounds = []
    files = interpreter.session.host.state.files
    for word in re.findall(r'"[^"]*"|[^\s,;=]+', node.items):
        if any(char in word for char in "*?"):
            pattern = word.strip('"')
            prefix = pattern[: pattern.rfind("\\") + 1]
            for file in files.matching(interpreter.session.path(pattern)):
                if file.directory == (node.mode == "D"):
                    found.append({node.variable: prefix + file.name})
        else:
            found.append({node.variable: word})
    return found


def _lines(interpreter: Interpreter, node: For) -> t.Generator[t.Any, None, Rounds]:
    options = {"delims": " \t", "tokens": "1", "skip": "0", "eol": ";", "usebackq": ""}
    for name, value in re.findall(r"(usebackq|delims|tokens|skip|eol)(?:=(\S* ?))?", node.options, re.IGNORECASE):
        options[name.lower()] = (value if name.lower() == "delims" and node.options.rstrip().endswith(value) else value.strip()) or ""
    back = "usebackq" in node.options.lower()
    items = node.items.strip()
    command, text = ("`", "'") if back else ("'", '"')
    if items.startswith(command) and items.endswith(command):
        written = bytearray()
        call = Call(interpreter.session, "for", "", None)
        from .interpreter import Interpreter as Inner  # a loop is a part of what it needs here

        for event in Inner(interpreter.session).run_line(items[1:-1]):
            if isinstance(event, Output) and event.stream == "stdout":
                written += event.data
            else:
                yield event
        lines = call.decode(bytes(written)).split("\n")
    elif items.startswith(text) and items.endswith(text) and len(items) > 1:
        lines = [items[1:-1]]
    else:
        lines = []
        for name in split_arguments(items):
            file = interpreter.session.host.state.files.get(interpreter.session.path(name))
            if file is None:
                yield Call(interpreter.session, "for", "", None).err(f"The system cannot find the file {name}.\n")
                return []
            lines += Call(interpreter.session, "for", "", None).decode(file.content or b"").split("\n")
    return [
        found for line in lines[int(options["skip"] or 0) :] if line.strip() and not (options["eol"] and line.startswith(options["eol"]))
        for found in [_tokens(line, node.variable, options["delims"], options["tokens"])] if found
    ]  # fmt: skip


def _tokens(line: str, variable: str, delimiters: str, wanted: str) -> dict[str, str]:
    words: list[tuple[int, str]] = []
    if delimiters:
        words = [(match.start(), match[0]) for match in re.finditer(f"[^{re.escape(delimiters)}]+", line)]
    elif line:
        words = [(0, line)]
    chosen: list[str] = []
    for part in wanted.split(","):
        if part.endswith("*"):
            if part[:-1]:
                part = part[:-1]
                number = int(part)
                chosen.append(words[number - 1][1] if number <= len(words) else "")
            else:
                number = 0
            chosen.append(line[words[number][0] :] if number < len(words) else "")
            continue
        first, _dash, last = part.partition("-")
        for number in range(int(first or 1), int(last or first or 1) + 1):
            chosen.append(words[number - 1][1] if number <= len(words) else "")
    if not chosen or not any(chosen):
        return {}
    return {chr(ord(variable) + place): value for place, value in enumerate(chosen)}
