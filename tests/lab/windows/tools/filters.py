# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""find, findstr, more and sort: text in, text out."""

from __future__ import annotations

import re
import typing as t

if t.TYPE_CHECKING:
    from ..shell.call import Call, Steps

Sources = list[tuple[str, list[str]]]


def _lines(call: Call, data: bytes) -> list[str]:
    found = call.decode(data).split("\n")
    return found[:-1] if found and not found[-1] else found


def _read(call: Call, paths: list[str], missing: t.Callable[[str], str]) -> t.Generator[t.Any, None, Sources]:
    """Lines by file name; standard input has the name ""."""
    if not paths:
        return [("", _lines(call, (yield from call.read_stdin())))]
    found: Sources = []
    for path in paths:
        absolute = call.session.path(path)
        files = call.host.state.files
        matches = files.matching(absolute) if any(char in path for char in "*?") else [file for file in (files.get(absolute),) if file]
        if not matches:
            yield call.err(missing(path))
        found += [(path if len(matches) == 1 and "*" not in path else file.name, _lines(call, file.content or b"")) for file in matches]
    return found


def find(call: Call) -> Steps:
    """find [/v] [/c] [/n] [/i] "text" [files]: the text must stand in quotation marks."""
    found = re.search(r'"((?:[^"]|"")*)"', call.arguments)
    before = call.arguments[: found.start()] if found else call.arguments
    after = call.arguments[found.end() :] if found else ""
    switches = {word.lower() for word in (before + " " + after).split() if word.startswith("/")}
    if found is None or switches - {"/v", "/c", "/n", "/i", "/off", "/offline"}:
        yield call.err("FIND: Parameter format not correct\n")
        return 2
    text = found[1].replace('""', '"')
    paths = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', after) if not word.startswith("/")]
    hit = False
    for name, lines in (yield from _read(call, paths, lambda path: f"File not found - {path.upper()}\n")):
        matching = [
            (number, line)
            for number, line in enumerate(lines, 1)
            if ((text.lower() in line.lower() if "/i" in switches else text in line) and bool(text)) != ("/v" in switches)
        ]
        hit = hit or bool(matching)
        if "/c" in switches:
            yield call.out(f"\n---------- {name.upper()}: {len(matching)}\n" if name else f"{len(matching)}\n")
            continue
        shown = "".join(f"[{number}]{line}\n" if "/n" in switches else f"{line}\n" for number, line in matching)
        yield call.out((f"\n---------- {name.upper()}\n" if name else "") + shown)
    return 0 if hit else 1


def findstr(call: Call) -> Steps:
    """findstr with /i /v /n /x /b /e /l /r /m /c:text and the classic expressions ``. * ^ $ [] \\< \\>``."""
    switches: set[str] = set()
    patterns: list[tuple[str, bool]] = []
    paths: list[str] = []
    words = call.argv
    for word in words:
        if word.startswith("/") and not paths and len(word) > 1:
            if word.lower().startswith("/c:"):
                patterns.append((word[3:], False))
            elif set(word[1:].lower().replace("/", "")) <= set("ivnxbelrmsop"):
                switches |= set(word[1:].lower().replace("/", ""))
            else:
                yield call.err(f"FINDSTR: {word} ignored\n" if len(word) == 2 else "FINDSTR: Bad command line\n")
                if len(word) != 2:
                    return 2
        elif not patterns:
            # Words between blanks are alternatives, and expressions unless /l says otherwise.
            patterns += [(part, True) for part in word.split(" ") if part]
        else:
            paths.append(word)
    if not patterns:
        yield call.err("FINDSTR: Bad command line\n")
        return 2
    expressions = [_expression(text, (regular or "r" in switches) and "l" not in switches, switches) for text, regular in patterns]
    hit = False
    sources = yield from _read(call, paths, lambda path: f"FINDSTR: Cannot open {path}\n")
    for name, lines in sources:
        prefix = f"{name}:" if len(sources) > 1 else ""
        written = []
        for number, line in enumerate(lines, 1):
            if any(expression.search(line) for expression in expressions) != ("v" in switches):
                hit = True
                written.append(f"{prefix}{f'{number}:' if 'n' in switches else ''}{line}\n")
        if "m" in switches:
            yield call.out(f"{name}\n" if written else "")
        elif written:
            yield call.out("".join(written))
    return 0 if hit else 1


def _expression(text: str, regular: bool, switches: set[str]) -> re.Pattern[str]:
    if not regular:
        body = re.escape(re.sub(r'\\(["\\])', r"\1", text))
    else:
        parts, at = [], 0
        while at < len(text):
            char = text[at]
            if char == "\\" and at + 1 < len(text):
                parts.append({"<": r"\b", ">": r"\b"}.get(text[at + 1], re.escape(text[at + 1])))
                at += 2
                continue
            if char == "[" and "]" in text[at + 2 :]:
                end = text.index("]", at + 2)
                inner = text[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
                parts.append(f"[{inner}]")
                at = end + 1
                continue
            special = char == "." or (char == "*" and parts) or (char == "^" and at == 0) or (char == "$" and at == len(text) - 1)
            parts.append(char if special else re.escape(char))
            at += 1
        body = "".join(parts)
    if "x" in switches or "b" in switches:
        body = f"^(?:{body})"
    if "x" in switches or "e" in switches:
        body = f"(?:{body})$"
    return re.compile(body, re.IGNORECASE if "i" in switches else 0)


def more(call: Call) -> Steps:
    """more without a screen passes everything on."""
    paths = [word for word in call.argv if not word.startswith("/")]
    for _name, lines in (yield from _read(call, paths, lambda path: f"Cannot access file {call.session.path(path)}\n")):
        yield call.out("".join(f"{line}\n" for line in lines))
    return 0


def sort(call: Call) -> Steps:
    """sort [/r] [file]."""
    switches = {word.lower() for word in call.argv if word.startswith("/")}
    if switches - {"/r", "/reverse"}:
        yield call.err("Invalid switch.\n")
        return 1
    paths = [word for word in call.argv if not word.startswith("/")]
    sources = yield from _read(call, paths, lambda path: f"{path}The system cannot find the file specified.\n")
    lines = [line for _name, found in sources for line in found]
    yield call.out("".join(f"{line}\n" for line in sorted(lines, key=str.lower, reverse=bool(switches))))
    return 0
