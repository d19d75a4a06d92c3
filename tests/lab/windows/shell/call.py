# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a built-in command or a console program gets to work with."""

from __future__ import annotations

import dataclasses
import math
import typing as t

from ..events import Output, Pause
from ..languages import codec

if t.TYPE_CHECKING:
    from ..host import WindowsHost
    from .session import Session

Steps = t.Generator[Output | Pause, None, int]
"""A running command: yields what it writes and when it waits, returns its exit code."""


class Interrupted(Exception):
    """The command line ends here; `code` is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclasses.dataclass
class Call:
    """One command with its arguments.

    :ivar name: as it was typed.
    :ivar arguments: everything behind the name, as it was typed.
    :ivar stdin: what a pipe or a file gives it; None where nobody will ever type anything.
    """

    session: Session
    name: str
    arguments: str
    stdin: bytes | None

    @property
    def host(self) -> WindowsHost:
        return self.session.host

    @property
    def argv(self) -> list[str]:
        """The arguments as a C program gets them."""
        return split_arguments(self.arguments)

    @property
    def elevated(self) -> bool:
        return self.session.host.is_administrator(self.session.user)

    def out(self, text: str) -> Output:
        """Text for standard output; ``\\n`` becomes CR LF."""
        return Output("stdout", self.encode(text))

    def err(self, text: str) -> Output:
        """Text for standard error."""
        return Output("stderr", self.encode(text))

    def encode(self, text: str) -> bytes:
        return text.replace("\n", "\r\n").encode(codec(self.session.code_page), "replace")

    def decode(self, data: bytes) -> str:
        return data.decode(codec(self.session.code_page), "replace").replace("\r\n", "\n")

    def pause(self, seconds: float) -> Pause:
        """Wait `seconds` of the host's time."""
        return Pause(self.host.clock.real(seconds))

    def read_stdin(self) -> t.Generator[Pause, None, bytes]:
        """What comes from standard input. Without a pipe the shell keeps it open: the command waits for ever."""
        while self.stdin is None:
            yield Pause(math.inf)
        return self.stdin


def split_arguments(text: str) -> list[str]:
    """Words by the rules of the C runtime: blanks separate, quotation marks group, a backslash escapes a quotation mark."""
    found: list[str] = []
    current: list[str] = []
    quoted = started = False
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            end = at
            while end < len(text) and text[end] == "\\":
                end += 1
            count = end - at
            if text[end : end + 1] == '"':
                current.append("\\" * (count // 2))
                if count % 2:
                    current.append('"')
                    end += 1
            else:
                current.append("\\" * count)
            started = True
            at = end
            continue
        if char == '"':
            quoted = not quoted
            started = True
        elif char in " \t" and not quoted:
            if started:
                found.append("".join(current))
            current, started = [], False
        else:
            current.append(char)
            started = True
        at += 1
    if started:
        found.append("".join(current))
    return found
