# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running what the grammar has read: operators, groups, redirection, if, for, batch files."""

from __future__ import annotations

import contextlib
import ntpath
import typing as t

from ..events import Output, Pause
from ..files import File
from ..tools import PROGRAMS, SERVER_PROGRAMS
from .builtins import BUILTINS
from .call import Call, Interrupted, Steps
from .expansion import expand, expand_delayed
from .grammar import DELIMITERS, SyntaxProblem, parse
from .loops import iterate
from .tree import For, Group, If, Joined, Node, Redirection, Simple, quiet, shown

if t.TYPE_CHECKING:
    from .session import Session

_SYNTAX_ERROR = "The syntax of the command is incorrect.\n"
_NO_PATH = "The system cannot find the path specified.\n"
_NOT_RECOGNIZED = 9009


class Interpreter:
    """Runs lines in one session.

    :ivar arguments: %0 and on inside a batch file, None outside.
    """

    def __init__(self, session: Session, arguments: list[str] | None = None) -> None:
        self.session = session
        self.arguments = arguments
        self.batch: t.Any = None

    def run_line(self, line: str, stdin: bytes | None = None) -> Steps:
        """One line as `cmd /c` runs it; returns the exit code of the process."""
        try:
            node = parse(expand(line, self.session.get, self.arguments, self.session.path))
        except SyntaxProblem as problem:
            yield Call(self.session, "cmd", "", None).err(syntax_message(problem))
            self.session.errorlevel = 1 if self.arguments is None else 255
            return self.session.errorlevel
        if node is None:
            return 0
        code = yield from self.run(node, stdin)
        # cmd /c reports an unknown command as 1 although %errorlevel% is 9009.
        return 1 if code == _NOT_RECOGNIZED and self.arguments is None else code

    def run(self, node: Node, stdin: bytes | None) -> Steps:
        """Run a tree; returns what ``&&`` and ``||`` look at."""
        if isinstance(node, Simple):
            return (yield from self.redirected(self.simple(node.text), node.redirections, stdin))
        if isinstance(node, Group):
            body = node.body
            inner = (lambda data: self.run(body, data)) if body is not None else _nothing
            return (yield from self.redirected(inner, node.redirections, stdin))
        if isinstance(node, Joined):
            return (yield from self.joined(node, stdin))
        if isinstance(node, If):
            chosen = node.then if self.holds(node) else node.otherwise
            return (yield from self.run(chosen, stdin)) if chosen is not None else 0
        return (yield from self.loop(node, stdin))

    def joined(self, node: Joined, stdin: bytes | None) -> Steps:
        if node.operator == "|":
            written = bytearray()
            for event in self.run(node.left, stdin):
                if isinstance(event, Output) and event.stream == "stdout":
                    written += event.data
                else:
                    yield event
            return (yield from self.run(node.right, bytes(written)))
        code = yield from self.run(node.left, stdin)
        if (node.operator == "&&" and code) or (node.operator == "||" and not code):
            return code
        return (yield from self.run(node.right, stdin))

    def redirected(self, run: t.Callable[[bytes | None], Steps], redirections: t.Sequence[Redirection], stdin: bytes | None) -> Steps:
        if not redirections:
            return (yield from run(stdin))
        targets: dict[int, t.Any] = {1: "stdout", 2: "stderr"}
        opened: list[tuple[str, bytearray]] = []
        for redirection in redirections:
            if redirection.target.startswith("&"):
                targets[redirection.fd] = targets.get(int(redirection.target[1:]))
            elif redirection.operation == "<":
                if redirection.target.lower().rstrip(":") == "nul":
                    stdin = b""
                    continue
                found = self.session.host.state.files.get(self.session.path(redirection.target))
                if found is None or found.directory:
                    return (yield from self.fail("The system cannot find the file specified.\n"))
                stdin = found.content or b""
            elif redirection.target.lower().rstrip(":") == "nul":
                targets[redirection.fd] = None
            else:
                buffer = self.open(redirection)
                if buffer is None:
                    return (yield from self.fail(_NO_PATH))
                targets[redirection.fd] = buffer
                opened.append((self.session.path(redirection.target), buffer))
        steps = run(stdin)
        code = 0
        try:
            while True:
                try:
                    event = next(steps)
                except StopIteration as stop:
                    code = stop.value
                    break
                if isinstance(event, Pause):
                    yield event
                    continue
                target = targets[1 if event.stream == "stdout" else 2]
                if isinstance(target, bytearray):
                    target += event.data
                elif target is not None:
                    yield event if target == event.stream else Output(target, event.data)
        finally:
            steps.close()
            for path, buffer in opened:
                self.write(path, bytes(buffer))
        return code

    def open(self, redirection: Redirection) -> bytearray | None:
        """The buffer for a file, with what it holds where it is appended to."""
        path = self.session.path(redirection.target)
        files = self.session.host.state.files
        if not files.is_directory(ntpath.dirname(path)) or files.is_directory(path):
            return None
        found = files.get(path)
        buffer = bytearray(found.content or b"") if found is not None and redirection.operation == ">>" else bytearray()
        self.write(path, bytes(buffer))
        return buffer

    def write(self, path: str, data: bytes) -> None:
        files = self.session.host.own().files
        found = files.get(path)
        files.put(File(found.path if found else path, self.session.host.clock.now(), content=data))

    def fail(self, message: str, code: int = 1) -> Steps:
        """Complain and set the error level."""
        yield Call(self.session, "cmd", "", None).err(message)
        self.session.errorlevel = code
        return code

    def simple(self, text: str) -> t.Callable[[bytes | None], Steps]:
        return lambda stdin: self.command(text, stdin)

    def command(self, text: str, stdin: bytes | None) -> Steps:
        """One command without operators and redirections."""
        self.session.host.tick()
        text = text.lstrip(DELIMITERS)
        if self.session.delayed_expansion:
            text = expand_delayed(text, self.session.get)
        name, rest = split_command(text)
        if not name:
            return 0
        builtin = name.lower()
        if builtin.startswith(":"):
            return 0
        if builtin not in BUILTINS and '"' not in name:
            shorter = _builtin_in_front(name)
            if shorter and self.session.program(name) is None:
                rest, builtin = name[len(shorter) :] + rest, shorter.lower()
        if builtin in BUILTINS:
            return (yield from BUILTINS[builtin](self, Call(self.session, name, rest, stdin)))
        if "/" in name and '"' not in name:
            name, _slash, switch = name.partition("/")
            rest = f"/{switch}{rest}"
        if len(name) == 2 and name[1] == ":" and name[0].isalpha():
            return (yield from self.change_drive(name.upper()))
        program = self.session.program(name)
        if program is None:
            language = self.session.host.description.language
            return (yield from self.fail(language.not_recognized.format(command=name.strip('"')), _NOT_RECOGNIZED))
        return (yield from self.run_program(program, Call(self.session, name, rest, stdin)))

    def change_drive(self, drive: str) -> Steps:
        """``X:``; every drive remembers its directory, as far as one command line goes."""
        session = self.session
        if drive == session.directory[:2].upper():
            return 0
        if not session.host.state.files.is_directory(drive + "\\"):
            return (yield from self.fail("The system cannot find the drive specified.\n"))
        session.directories[session.directory[:2].upper()] = session.directory
        session.directory = session.directories.get(drive, drive + "\\")
        session.errorlevel = 0
        return 0

    def run_program(self, program: str, call: Call) -> Steps:
        """A program or batch file that exists."""
        if program.lower().endswith((".bat", ".cmd")):
            from .batch import run_batch  # a batch file needs an interpreter, and an interpreter batch files

            code = yield from run_batch(self, program, call)
            if self.arguments is not None:
                # Without `call` the batch file does not come back.
                raise Interrupted(code)
            return code
        stem = ntpath.splitext(ntpath.basename(program))[0].lower()
        if stem == "cmd":
            return (yield from self.nested(call))
        run = PROGRAMS.get(stem)
        if stem in SERVER_PROGRAMS and not program.lower().startswith("c:"):
            self.session.errorlevel = yield from SERVER_PROGRAMS[stem](call, ntpath.dirname(program))
            return self.session.errorlevel
        if run is None or not program.lower().startswith(self.session.host.version.system32.lower()):
            # A file is there that the model cannot run; a damaged program says the same.
            return (yield from self.fail("The system cannot execute the specified program.\n", _NOT_RECOGNIZED))
        seconds = self.session.host.description.tool_seconds.get(stem, 0.0)
        if seconds:
            yield Pause(seconds)
        state = self.session.host.settings.get(stem, "ok")
        if state == "hanging":
            yield Pause(float("inf"))
        self.session.errorlevel = yield from run(call)
        return self.session.errorlevel

    def nested(self, call: Call) -> Steps:
        """`cmd /c line`: variables and directory of the inner one do not come back."""
        from .session import Session, unquoted  # the session runs an interpreter

        words = call.arguments.lstrip()
        delayed = False
        while words.startswith("/"):
            switch = words[1:2].lower()
            if switch in "ck":
                line = unquoted(self.session, words[2:].lstrip())
                inner = Session(call.host, self.session.code_page, {}, self.session.directory, self.session.user)
                inner.environment = dict(self.session.environment)
                inner.delayed_expansion = delayed
                try:
                    self.session.errorlevel = yield from Interpreter(inner).run_line(line, call.stdin)
                except Interrupted as interrupted:
                    self.session.errorlevel = interrupted.code
                return self.session.errorlevel
            delayed = delayed or words[1:].lower().startswith("v:on")
            words = words.partition(" ")[2].lstrip()
        yield from call.read_stdin()
        return 0

    def holds(self, node: If) -> bool:
        """Whether the condition is true."""
        session = self.session
        if node.kind == "exist":
            path = session.path(node.left)
            files = session.host.state.files
            if any(char in path for char in "*?"):
                found = bool(files.matching(path))
            else:
                found = files.get(path) is not None or (path.lower().endswith("\\nul") and files.is_directory(path[:-4]))
        elif node.kind == "defined":
            found = session.get(node.left) is not None
        elif node.kind == "errorlevel":
            found = session.errorlevel >= int(node.left) if node.left.lstrip("-").isdigit() else False
        elif node.kind == "cmdextversion":
            found = node.left.isdigit() and int(node.left) <= 2
        else:
            left, right = node.left, node.right
            if session.delayed_expansion:
                left, right = expand_delayed(left, session.get), expand_delayed(right, session.get)
            found = _compare(node.kind, left, right, node.ignore_case)
        return found != node.negated

    def loop(self, node: For, stdin: bytes | None) -> Steps:
        code = 0
        rounds = yield from iterate(self, node)
        for values in rounds:
            body = _substituted(node.body, values)
            if self.session.echo and not quiet(body):
                # Without @ or echo off every round is shown before it runs, on a command line too.
                yield Call(self.session, "for", "", None).out(f"\n{self.session.directory}>{shown(body)}\n")
            code = yield from self.run(body, stdin)
        return code


def _nothing(_stdin: bytes | None) -> Steps:
    return 0
    yield


def split_command(text: str) -> tuple[str, str]:
    """The name and what follows it, quotation marks kept."""
    at, quoted = 0, False
    while at < len(text):
        char = text[at]
        if char == '"':
            quoted = not quoted
        elif not quoted and char in DELIMITERS:
            break
        at += 1
    return text[:at], text[at:]


def _builtin_in_front(name: str) -> str:
    """``cd`` of ``cd\\temp``, ``echo`` of ``echo.``."""
    for at, char in enumerate(name):
        if char in "./\\:+[](),":
            return name[:at] if name[:at].lower() in BUILTINS else ""
    return ""


def _compare(kind: str, left: str, right: str, ignore_case: bool) -> bool:
    if ignore_case:
        left, right = left.lower(), right.lower()
    if kind == "==":
        return left == right
    first: t.Any = left
    second: t.Any = right
    with contextlib.suppress(ValueError):
        first, second = int(left, 0), int(right, 0)
    return {
        "EQU": first == second,
        "NEQ": first != second,
        "LSS": first < second,
        "LEQ": first <= second,
        "GTR": first > second,
        "GEQ": first >= second,
    }[kind]


def _substituted(node: Node, values: dict[str, str]) -> Node:
    """The body of a for with its variables put in."""

    def put(text: str) -> str:
        for name, value in values.items():
            text = text.replace(f"%~{name}", value.strip('"')).replace(f"%{name}", value)
        return text

    def redirections(found: t.Sequence[Redirection]) -> tuple[Redirection, ...]:
        return tuple(Redirection(each.fd, each.operation, put(each.target)) for each in found)

    if isinstance(node, Simple):
        return Simple(put(node.text), redirections(node.redirections), node.quiet)
    if isinstance(node, Joined):
        return Joined(node.operator, _substituted(node.left, values), _substituted(node.right, values))
    if isinstance(node, Group):
        return Group(_substituted(node.body, values) if node.body else None, redirections(node.redirections), node.quiet)
    if isinstance(node, If):
        otherwise = _substituted(node.otherwise, values) if node.otherwise else None
        return If(node.kind, put(node.left), put(node.right), node.negated, node.ignore_case, _substituted(node.then, values), otherwise)
    return For(node.mode, node.options, node.variable, put(node.items), _substituted(node.body, values))


def syntax_message(problem: SyntaxProblem) -> str:
    """What cmd.exe prints for a line it cannot read."""
    return f"{problem.token} was unexpected at this time.\n" if problem.token else _SYNTAX_ERROR
