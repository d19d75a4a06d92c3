# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shells and the commands that run in them.

The model's command is a plain generator; :class:`Command` drives it on the event loop, sleeps where it pauses, and
keeps what it wrote until a Receive fetches it.
"""

from __future__ import annotations

import asyncio
import collections
import math
import time
from collections.abc import Iterator
from typing import Any

from . import fault_catalogue
from .soap import InvalidDuration, parse_duration
from .windows.events import Output, Pause

IDLE_SECONDS = 7200.0
CONTROL_C_EXIT = 0xC000013A
# How much one read of the output pipe takes at most. The size is synthetic, and odd so that borders fall inside characters.
PIPE_READ = 8191
# A command that writes faster than it is read waits, as behind a full pipe.
PENDING_LIMIT = 4 * 1024 * 1024
# Steps of the generator before other connections get their turn.
STEPS_AT_ONCE = 5000


class Command:
    """One running or finished command.

    :ivar exit_code: None while it runs.
    :ivar reported: a Receive has answered Done.
    :ivar error: what the model raised while it ran: a mistake of the lab, for the next Receive to report.
    """

    def __init__(self, command_id: str, events: Iterator[Any]) -> None:
        self.command_id = command_id
        self.exit_code: int | None = None
        self.reported = False
        self.stopped = False
        self.error: Exception | None = None
        self.changed = asyncio.Event()
        self.chunks: collections.deque[tuple[str, bytes]] = collections.deque()
        self._events = events
        self._pending = 0
        self._first = True
        self._merge = False
        self._timer: asyncio.TimerHandle | None = None
        self._blocked = False

    def start(self) -> None:
        """Run up to the first pause. What the model raises at once (a missing program) comes out here."""
        self._advance()

    def _append(self, stream: str, data: bytes) -> None:
        if not data:
            return
        self._pending += len(data)
        self.changed.set()
        if self._first:
            # Recorded shells deliver the very first write alone, and what followed it without a pause in larger pieces.
            self._first = False
            self.chunks.append((stream, data[:PIPE_READ]))
            data = data[PIPE_READ:]
        elif self._merge and self.chunks and self.chunks[-1][0] == stream and len(self.chunks[-1][1]) < PIPE_READ:
            room = PIPE_READ - len(self.chunks[-1][1])
            self.chunks[-1] = (stream, self.chunks[-1][1] + data[:room])
            data = data[room:]
        for start in range(0, len(data), PIPE_READ):
            self._merge = True
            self.chunks.append((stream, data[start : start + PIPE_READ]))

    def _resume(self) -> None:
        try:
            self._advance()
        except Exception as error:
            self.error = error
            self.changed.set()

    def _advance(self) -> None:
        self._timer = None
        self._merge = False
        for _step in range(STEPS_AT_ONCE):
            if self._pending > PENDING_LIMIT:
                self._blocked = True
                return
            event = next(self._events, None)
            if event is None:
                self._finish(0)
                return
            if isinstance(event, Output):
                self._append(event.stream, event.data)
            elif isinstance(event, Pause):
                if math.isfinite(event.seconds):
                    self._timer = asyncio.get_running_loop().call_later(max(event.seconds, 0.0), self._resume)
                return
            else:
                self._finish(event.code)
                return
        self._timer = asyncio.get_running_loop().call_later(0, self._resume)

    def _finish(self, exit_code: int) -> None:
        self.exit_code = exit_code
        self._close()
        self.changed.set()

    def _close(self) -> None:
        close = getattr(self._events, "close", None)
        if close is not None:
            close()

    def take(self, characters: int, piece: int = 0, pieces: int = 0) -> list[tuple[str, bytes]]:
        """Remove and return output that fits an answer.

        :param characters: room for encoded output in the answer.
        :param piece: cut every chunk into pieces of that many bytes (0: leave as read).
        :param pieces: at most that many pieces (0: as many as fit).
        """
        taken: list[tuple[str, bytes]] = []
        while self.chunks and (not pieces or len(taken) < pieces):
            stream, data = self.chunks[0]
            part = data[:piece] if piece else data
            cost = (len(part) + 2) // 3 * 4 + 100
            if taken and cost > characters:
                break
            characters -= cost
            taken.append((stream, part))
            self._pending -= len(part)
            if len(part) < len(data):
                self.chunks[0] = (stream, data[len(part) :])
            else:
                self.chunks.popleft()
        if self._blocked and self._pending <= PENDING_LIMIT // 2:
            self._blocked = False
            self._timer = asyncio.get_running_loop().call_later(0, self._resume)
        return taken

    def interrupt(self) -> None:
        """Control-C or Control-Break: the program ends, its output stays to be read."""
        if self.exit_code is None:
            self._cancel_timer()
            self._finish(CONTROL_C_EXIT)

    def stop(self) -> None:
        """Terminate or end of the shell: whatever it started is ended, nothing is left to read."""
        self._cancel_timer()
        self.stopped = True
        self._close()
        self.changed.set()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Shell:
    """One cmd shell.

    :ivar operations: commands ever started in it. WinRM gives an operation back only with the shell, not at Signal.
    """

    def __init__(self, shell_id: str, user: str, options: dict[str, str], *, idle: str = "") -> None:
        self.shell_id = shell_id
        self.user = user
        self.code_page = self._number(options, "WINRS_CODEPAGE")
        self.no_profile = options.get("WINRS_NOPROFILE", "").upper() == "TRUE"
        self.environment: dict[str, str] = {}
        self.directory: str | None = None
        self.name = ""
        self.commands: dict[str, Command] = {}
        self.operations = 0
        try:
            self.idle = parse_duration(idle) if idle else IDLE_SECONDS
        except InvalidDuration as error:
            raise fault_catalogue.invalid_timeout(str(error)) from error
        self.touched = time.monotonic()

    @staticmethod
    def _number(options: dict[str, str], name: str) -> int | None:
        text = options.get(name, "")
        if not text:
            return None
        if not text.isdigit():
            raise fault_catalogue.invalid_option(name)
        return int(text)

    @property
    def expired(self) -> bool:
        return time.monotonic() - self.touched > self.idle

    def close(self) -> None:
        for command in self.commands.values():
            command.stop()
        self.commands.clear()


class Shells:
    """The shells of one host."""

    def __init__(self) -> None:
        self._shells: dict[str, Shell] = {}

    def __len__(self) -> int:
        return len(self._shells)

    def add(self, shell: Shell) -> None:
        self._shells[shell.shell_id.upper()] = shell

    def get(self, shell_id: str, user: str) -> Shell:
        """Raises the InvalidSelectors fault for a shell that is unknown, expired or another user's."""
        shell = self._shells.get(shell_id.upper())
        if shell is None or shell.user != user:
            raise fault_catalogue.unknown_shell()
        if shell.expired:
            self.remove(shell)
            raise fault_catalogue.unknown_shell()
        shell.touched = time.monotonic()
        return shell

    def remove(self, shell: Shell) -> None:
        self._shells.pop(shell.shell_id.upper(), None)
        shell.close()

    def clear(self) -> None:
        for shell in list(self._shells.values()):
            self.remove(shell)

    def of_user(self, user: str) -> list[Shell]:
        for shell in [shell for shell in self._shells.values() if shell.expired]:
            self.remove(shell)
        return [shell for shell in self._shells.values() if shell.user == user]
