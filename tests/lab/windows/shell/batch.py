# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Batch files: labels, goto, call, arguments."""

from __future__ import annotations

import typing as t

from .call import Call, Interrupted, Steps
from .expansion import expand
from .grammar import SyntaxProblem, parse
from .interpreter import Interpreter, syntax_message
from .tree import quiet, shown

_MOST_LINES = 100_000


class Jump(Exception):
    """goto: `label` without the colon, "eof" for the end."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label


class Leave(Exception):
    """exit /b."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def run_batch(outer: Interpreter, path: str, call: Call, label: str = "") -> Steps:
    """Run a batch file, or from `label` on; returns the error level it leaves."""
    file = call.host.state.files.get(path)
    lines = call.decode(file.content if file is not None and file.content else b"").split("\n")
    words = _words(call.arguments)
    interpreter = Interpreter(call.session, [call.name, *words])
    interpreter.batch = path
    session = call.session
    echo_before = session.echo
    at = _find(lines, label) if label else 0
    if at is None:
        yield call.err(f"The system cannot find the batch label specified - {label}\n")
        return 1
    count = 0
    try:
        while at < len(lines):
            count += 1
            if count > _MOST_LINES:
                raise Interrupted(1)
            try:
                node, at = _read(interpreter, lines, at)
            except SyntaxProblem as problem:
                yield call.err(syntax_message(problem))
                raise Interrupted(255) from None
            if node is None:
                continue
            if session.echo and not quiet(node):
                yield call.out(f"\n{session.directory}>{shown(node)}\n")
            try:
                yield from interpreter.run(node, call.stdin)
            except Jump as jump:
                target = len(lines) if jump.label.lower() == "eof" else _find(lines, jump.label)
                if target is None:
                    yield call.err(f"The system cannot find the batch label specified - {jump.label}\n")
                    session.errorlevel = 1
                    return 1
                at = target
    except Leave as leave:
        session.errorlevel = leave.code
    finally:
        if outer.batch is None:
            session.echo = echo_before
    return session.errorlevel


def _read(interpreter: Interpreter, lines: list[str], at: int) -> tuple[t.Any, int]:
    """The next command, over as many lines as its parentheses span."""
    text = ""
    while at < len(lines):
        line = lines[at].rstrip("\r")
        at += 1
        if not text and line.lstrip().startswith(":"):
            return None, at
        while line.endswith("^") and not line.endswith("^^") and at < len(lines):
            line = line[:-1] + lines[at].rstrip("\r")
            at += 1
        session = interpreter.session
        text += ("\n" if text else "") + expand(line, session.get, interpreter.arguments, session.path)
        try:
            return parse(text), at
        except SyntaxProblem as problem:
            if problem.token or at >= len(lines):
                raise
    return None, at


def _find(lines: list[str], label: str) -> int | None:
    wanted = label.lstrip(":").strip().lower()
    for number, line in enumerate(lines):
        if line.lstrip().startswith(":") and line.lstrip()[1:].split(" ")[0].strip().lower() == wanted:
            return number + 1
    return None


def _words(text: str) -> list[str]:
    found, current, quoted = [], "", False
    for char in text:
        if char == '"':
            quoted = not quoted
        if char in " \t,;=" and not quoted:
            if current:
                found.append(current)
            current = ""
        else:
            current += char
    return [*found, current] if current else found
