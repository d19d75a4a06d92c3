# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands inside cmd.exe that are not about files."""

from __future__ import annotations

import re
import typing as t

from .call import Call, Interrupted, Steps
from .expansion import expand
from .file_commands import FILE_COMMANDS
from .grammar import SyntaxProblem, parse

if t.TYPE_CHECKING:
    from .interpreter import Interpreter

Builtin = t.Callable[["Interpreter", Call], Steps]


def _echo(_interpreter: Interpreter, call: Call) -> Steps:
    text = call.arguments
    plain = text.strip().lower()
    if plain in ("on", "off") and text[:1] in " \t":
        call.session.echo = plain == "on"
        return 0
    if not plain and text[:1] in ("", " ", "\t"):
        yield call.out(f"ECHO is {'on' if getattr(call.session, 'echo', True) else 'off'}.\n")
        return 0
    yield call.out((text[1:] if text[:1] in " \t,;=.:/\\+[](" else text) + "\n")
    return 0


def _ver(_interpreter: Interpreter, call: Call) -> Steps:
    version, language = call.host.version, call.host.description.language
    word = language.version_word
    if version.key == "nt4":
        text = f"Windows NT Version {version.number.rpartition('.')[0]}  "
    elif version.release < (5, 2):
        # Windows 2000 printed 5.00, which is how its own ver still tells it.
        number = "5.00.2195" if version.key == "2000" else version.ver
        text = f"Microsoft Windows {'2000' if version.key == '2000' else 'XP'} [{word} {number}]"
    else:
        text = f"Microsoft Windows [{word} {version.ver}]"
    yield call.out(f"\n{text}\n")
    call.session.errorlevel = 0
    return 0


def _set(_interpreter: Interpreter, call: Call) -> Steps:
    text = call.arguments.lstrip()
    session = call.session
    if text[:2].lower() == "/p":
        yield call.out(text[2:].lstrip().partition("=")[2].strip('"'))
        data = yield from call.read_stdin()
        line = call.decode(data).partition("\n")[0]
        session.set(text[2:].lstrip().partition("=")[0], line)
        return 0
    if text[:2].lower() == "/a":
        name, _equals, formula = text[2:].strip().strip('"').partition("=")
        number = _calculate(formula or name, session.get)
        if number is None:
            yield call.err("Missing operand.\n")
            session.errorlevel = 1073750988
            return session.errorlevel
        if _equals:
            session.set(name.strip(), str(number))
        else:
            yield call.out(str(number))
        return 0
    if text.startswith('"') and text.rfind('"') > 0:
        text = text[1 : text.rfind('"')]
    name, equals, value = text.partition("=")
    if equals and not name:
        yield call.err("The syntax of the command is incorrect.\n")
        session.errorlevel = 1
        return 1
    if equals:
        session.set(name, value or None)
        return 0
    found = sorted((spelled, value) for key, (spelled, value) in session.environment.items() if key.startswith(name.strip().upper()))
    if not found:
        yield call.err(f"Environment variable {name.strip()} not defined\n")
        session.errorlevel = 1
        return 1
    yield call.out("".join(f"{spelled}={value}\n" for spelled, value in sorted(found, key=lambda each: each[0].upper())))
    return 0


def _calculate(formula: str, lookup: t.Callable[[str], str | None]) -> int | None:
    """set /a with + - * / % and parentheses; None where it cannot be read."""
    tokens = re.findall(r"\d+|[A-Za-z_]\w*|[-+*/%()]|\S", formula)
    try:
        value, rest = _sum(tokens, lookup)
    except (IndexError, ValueError, ZeroDivisionError):
        return None
    return value if not rest else None


def _sum(tokens: list[str], lookup: t.Callable[[str], str | None]) -> tuple[int, list[str]]:
    value, tokens = _product(tokens, lookup)
    while tokens and tokens[0] in "+-":
        operator = tokens[0]
        other, tokens = _product(tokens[1:], lookup)
        value = value + other if operator == "+" else value - other
    return value, tokens


def _product(tokens: list[str], lookup: t.Callable[[str], str | None]) -> tuple[int, list[str]]:
    value, tokens = _atom(tokens, lookup)
    while tokens and tokens[0] in "*/%":
        operator = tokens[0]
        other, tokens = _atom(tokens[1:], lookup)
        value = value * other if operator == "*" else int(value / other) if operator == "/" else value % other
    return value, tokens


def _atom(tokens: list[str], lookup: t.Callable[[str], str | None]) -> tuple[int, list[str]]:
    first, rest = tokens[0], tokens[1:]
    if first == "-":
        value, rest = _atom(rest, lookup)
        return -value, rest
    if first == "(":
        value, rest = _sum(rest, lookup)
        if rest[0] != ")":
            raise ValueError(first)
        return value, rest[1:]
    if first.isdigit():
        return int(first), rest
    if re.fullmatch(r"[A-Za-z_]\w*", first):
        text = lookup(first) or "0"
        return int(text) if text.lstrip("-").isdigit() else 0, rest
    raise ValueError(first)


def _exit(interpreter: Interpreter, call: Call) -> Steps:
    yield from ()  # a generator like all other commands, though it prints nothing
    words = call.arguments.split()
    only_batch = bool(words) and words[0].lower() == "/b"
    number = words[1] if only_batch and len(words) > 1 else words[0] if words and not only_batch else ""
    code = int(number) if re.fullmatch(r"-?\d+", number) else call.session.errorlevel
    call.session.errorlevel = code & 0xFFFFFFFF
    if only_batch and interpreter.arguments is not None:
        from .batch import Leave  # batch runs an interpreter

        raise Leave(call.session.errorlevel)
    raise Interrupted(call.session.errorlevel)


def _call(interpreter: Interpreter, call: Call) -> Steps:
    from .batch import run_batch  # batch runs an interpreter

    text = call.arguments.strip()
    session = call.session
    if text.startswith(":"):
        label, _blank, rest = text[1:].partition(" ")
        if interpreter.batch is None:
            yield call.err("Invalid attempt to call batch label outside of batch script.\n")
            session.errorlevel = 1
            return 1
        return (yield from run_batch(interpreter, interpreter.batch, Call(session, ":" + label, rest, call.stdin), label))
    name, rest = _first(text)
    program = session.program(name) if name else None
    if program is not None and program.lower().endswith((".bat", ".cmd")):
        return (yield from run_batch(interpreter, program, Call(session, name, rest, call.stdin)))
    try:
        node = parse(expand(text, session.get, interpreter.arguments, session.path))
    except SyntaxProblem:
        session.errorlevel = 1
        return 1
    if node is None:
        return 0
    return (yield from interpreter.run(node, call.stdin))


def _first(text: str) -> tuple[str, str]:
    found = re.match(r'("[^"]*"|[^\s,;=])+', text)
    return (found[0], text[found.end() :]) if found else ("", "")


def _goto(interpreter: Interpreter, call: Call) -> Steps:
    from .batch import Jump  # batch runs an interpreter

    if interpreter.batch is not None:
        raise Jump(call.arguments.strip().lstrip(":").split(" ")[0])
    return 0
    yield


def _setlocal(_interpreter: Interpreter, call: Call) -> Steps:
    words = call.arguments.lower().split()
    if "enabledelayedexpansion" in words:
        call.session.delayed_expansion = True
    elif "disabledelayedexpansion" in words:
        call.session.delayed_expansion = False
    return 0
    yield


def _shift(interpreter: Interpreter, _call: Call) -> Steps:
    if interpreter.arguments and len(interpreter.arguments) > 1:
        del interpreter.arguments[1]
    return 0
    yield


def _nothing(_interpreter: Interpreter, _call: Call) -> Steps:
    return 0
    yield


def _pause(_interpreter: Interpreter, call: Call) -> Steps:
    yield call.out("Press any key to continue . . . ")
    yield from call.read_stdin()
    yield call.out("\n")
    return 0


def _date(_interpreter: Interpreter, call: Call) -> Steps:
    if call.arguments.strip().lower() == "/t":
        yield call.out(f"{call.host.clock.now():%a %m/%d/%Y} \n")
        return 0
    yield call.out(f"The current date is: {call.host.clock.now():%a %m/%d/%Y} \nEnter the new date: (mm-dd-yy) ")
    yield from call.read_stdin()
    return 1


def _time(_interpreter: Interpreter, call: Call) -> Steps:
    if call.arguments.strip().lower() == "/t":
        yield call.out(f"{call.host.clock.now():%I:%M %p}\n")
        return 0
    yield call.out(f"The current time is: {call.session.get('TIME')}\nEnter the new time: ")
    yield from call.read_stdin()
    return 1


BUILTINS: dict[str, Builtin] = {
    "echo": _echo,
    "ver": _ver,
    "set": _set,
    "exit": _exit,
    "call": _call,
    "goto": _goto,
    "setlocal": _setlocal,
    "endlocal": _nothing,
    "shift": _shift,
    "rem": _nothing,
    "title": _nothing,
    "color": _nothing,
    "cls": _nothing,
    "pause": _pause,
    "date": _date,
    "time": _time,
    **FILE_COMMANDS,
}
