# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session on a client whose commands Wine runs, without WinRM between."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from lab.windows.events import Exit, Output, Pause
from lab.wine import execution, prefix

HOST = "wine"
SECONDS = 60.0


@dataclasses.dataclass(frozen=True)
class Result:
    """What a command left, as a session of the collection returns it."""

    stdout: bytes
    stderr: bytes
    exit_code: int


class RealShell:
    """Runs command lines in the prefix, as `_winrm.Session.run` does on a client."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def run(self, command: str, deadline: float = SECONDS) -> Result:
        """Run a command line to its end."""
        written = {"stdout": b"", "stderr": b""}
        until = time.monotonic() + deadline
        for event in execution.run(self.place, command, {}):
            if isinstance(event, Output):
                written[event.stream] += event.data
            elif isinstance(event, Pause):
                assert time.monotonic() < until, f"still running: {command}"
                time.sleep(event.seconds)
            elif isinstance(event, Exit):
                return Result(written["stdout"], written["stderr"], event.code)
        raise AssertionError("a command without an end")

    def path(self, windows: str) -> Path:
        """Where a file of this client lies."""
        return prefix.on_disk(self.place, windows)
