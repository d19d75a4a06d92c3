# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts for the tests of the model, with a clock the test turns."""

from __future__ import annotations

import dataclasses
import datetime
import math
from typing import Any

from lab.windows.description import RestartDescription, read_host
from lab.windows.events import Exit, Output, Pause
from lab.windows.host import WindowsHost
from lab.windows.state import Clock

USER = "helpdesk"


class TurnedClock(Clock):
    """Time passes when the test says so."""

    def __init__(self, speed: float = 1.0) -> None:
        super().__init__(speed)
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime.datetime:
        return datetime.datetime(2024, 5, 1, 8, 0, tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=self.seconds)


@dataclasses.dataclass
class Result:
    """What a command did; the streams as bytes, `waited` in seconds."""

    stdout: bytes
    stderr: bytes
    code: int
    waited: float

    @property
    def text(self) -> str:
        return self.stdout.decode("utf-8").replace("\r\n", "\n")

    @property
    def error(self) -> str:
        return self.stderr.decode("utf-8").replace("\r\n", "\n")


def make(version: str = "10", clock: Clock | None = None, **keys: Any) -> WindowsHost:
    """A host as a fleet file with these keys describes it."""
    description = read_host({"name": "pc1", "version": version, **keys}, "host number 1", RestartDescription(True, True, 1.0, 5.0))
    return WindowsHost(description, clock or TurnedClock())


def run(host: WindowsHost, command_line: str, *, code_page: int = 65001, user: str = USER, **keys: Any) -> Result:
    """Run a command to its end. One that waits for ever has the exit code -1."""
    written = {"stdout": b"", "stderr": b""}
    waited = 0.0
    events = host.execute(command_line, code_page=code_page, user=user, **keys)
    for event in events:
        if isinstance(event, Output):
            written[event.stream] += event.data
        elif isinstance(event, Pause):
            waited += event.seconds
            if event.seconds == math.inf:
                events.close()
                return Result(written["stdout"], written["stderr"], -1, waited)
            if isinstance(host.clock, TurnedClock):
                host.clock.seconds += event.seconds
        elif isinstance(event, Exit):
            return Result(written["stdout"], written["stderr"], event.code, waited)
    raise AssertionError("the command ended without Exit")


def pass_time(host: WindowsHost, seconds: float) -> None:
    """Let time pass and the host notice."""
    assert isinstance(host.clock, TurnedClock)
    host.clock.seconds += seconds
    host.tick()


def pid_of(host: WindowsHost, name: str) -> int:
    """Process id of the only process of that name."""
    (pid,) = [process.pid for process in host.state.processes.values() if process.name.lower() == name.lower()]
    return pid


def rows(text: str) -> list[list[str]]:
    """The rows of a netstat table, as words."""
    return [line.split() for line in text.splitlines() if line.split()[:1] in (["TCP"], ["UDP"])]
