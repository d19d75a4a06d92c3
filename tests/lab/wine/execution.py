# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One command line in Wine's cmd.exe, as the events the lab's shells understand."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import typing as t
from pathlib import Path

from ..windows.events import Exit, Output, Pause
from . import prefix as wine

_POLL_SECONDS = 0.02
_PIECE = 65536


def run(prefix: Path, command_line: str, environment: t.Mapping[str, str]) -> t.Generator[Output | Pause | Exit, None, None]:
    """Run a command line.

    Output goes through files: programs that outlive their interpreter, such as Wine's own services, would keep a pipe open for ever.

    :param environment: variables the client added to its shell.
    """
    with tempfile.TemporaryDirectory(prefix="wine-") as directory:
        place = Path(directory)
        streams = {name: place / name for name in ("stdout", "stderr")}
        code = place / "code"
        variables = {
            **wine.environment(prefix),
            **environment,
            "SHELL_COMMAND": command_line,
            "SHELL_EXIT_FILE": "Z:" + str(code).replace("/", "\\"),
        }
        with streams["stdout"].open("wb") as stdout, streams["stderr"].open("wb") as stderr:
            process = subprocess.Popen(
                [wine.LOADER, str(wine.launcher(prefix))],
                env=variables,
                cwd=wine.on_disk(prefix, "C:\\"),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        with streams["stdout"].open("rb") as out, streams["stderr"].open("rb") as err:
            try:
                ended = False
                while True:
                    silent = True
                    for name, stream in (("stdout", out), ("stderr", err)):
                        if data := stream.read(_PIECE):
                            silent = False
                            yield Output(name, data)
                    if ended and silent:
                        break
                    ended = process.poll() is not None
                    if silent and not ended:
                        yield Pause(_POLL_SECONDS)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        yield Exit(int(code.read_text(encoding="ascii")))
