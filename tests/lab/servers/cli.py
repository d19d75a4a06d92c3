# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line of the servers."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import yaml

from . import audit, findings, layout
from .laboratory import BEFORE_FILE, STATE_FILE, ServerLab
from .maintenance import Behaviour, behave
from .specification import ServerError

MARKS_FILE = "marks.json"
_START_SECONDS = 90
_STOP_SECONDS = 30
_NOT_RUNNING = 3


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lab.servers", description="Site servers and logon servers, shared by Samba on loopback."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("start", "start in the background"), ("serve", "serve in the foreground")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--fleet", type=Path, help="file of servers (YAML); the standard ones by default")
        command.add_argument("--directory", required=True, type=Path, help="directory for drives, logs and inventory; made anew")
    for name, text in (("stop", "end it"), ("status", "say whether it runs, and where")):
        commands.add_parser(name, help=text).add_argument("--directory", required=True, type=Path)
    text = "print size, hash, times and attributes of every file"
    commands.add_parser("snapshot", help=text).add_argument("--directory", required=True, type=Path)
    command = commands.add_parser("hotfix", help="print how far a hotfix has got, by what is on the drives")
    command.add_argument("--directory", required=True, type=Path)
    command.add_argument("--package", required=True, type=Path)
    command = commands.add_parser("mark", help="note how many changes Samba has seen since the last mark, in marks.json")
    command.add_argument("--directory", required=True, type=Path)
    command.add_argument("name", help="what the changes came of")
    command = commands.add_parser("maintenance", help="change how Maintenance Manager behaves")
    command.add_argument("--directory", required=True, type=Path)
    command.add_argument("--site", help="site server, the first one by default")
    command.add_argument("changes", nargs="*", metavar="NAME=VALUE", help='value in YAML, such as running=false or skip="[logon-02]"')
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, 1 with one sentence if something is wrong, 3 if it does not run."""
    options = _parser().parse_args(arguments)
    try:
        return int(globals()[f"_{options.command}"](options))
    except ServerError as error:
        print(error, file=sys.stderr)
        return 1


def _read_state(directory: Path) -> dict[str, Any] | None:
    """State of a running laboratory; None if none runs."""
    try:
        state: dict[str, Any] = json.loads((directory / STATE_FILE).read_text(encoding="utf-8"))
        command = Path(f"/proc/{state['pid']}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    # The number may long be that of another process.
    return state if str(directory).encode() in command.split(b"\0") else None


def _serve(options: argparse.Namespace) -> int:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_arguments: stopping.set())
    with ServerLab(options.directory, options.fleet) as servers:
        servers.write_state(os.getpid())
        # In pieces: a signal is only handled between them.
        while not stopping.wait(1):
            pass
    (options.directory / STATE_FILE).unlink(missing_ok=True)
    return 0


def _start(options: argparse.Namespace) -> int:
    directory = options.directory.resolve()
    if _read_state(directory):
        raise ServerError(f"servers run in {directory} already; stop them first")
    directory.mkdir(parents=True, exist_ok=True)
    for name in (STATE_FILE, MARKS_FILE):
        (directory / name).unlink(missing_ok=True)
    command = [sys.executable, "-m", "lab.servers", "serve", "--directory", str(directory)]
    command += ["--fleet", str(options.fleet.resolve())] if options.fleet else []
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    log = directory / "servers.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, env=environment)
    deadline = time.monotonic() + _START_SECONDS
    while (state := _read_state(directory)) is None:
        if process.poll() is not None:
            tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise ServerError(tail[0] if tail else f"the servers ended with code {process.returncode} before they served")
        if time.monotonic() > deadline:
            process.terminate()
            raise ServerError(f"the servers were not there within {_START_SECONDS} seconds; see {log}")
        time.sleep(0.05)
    print(json.dumps(state, indent=1))
    return 0


def _stop(options: argparse.Namespace) -> int:
    directory = options.directory.resolve()
    state = _read_state(directory)
    if state is None:
        return 0
    os.kill(state["pid"], signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while _read_state(directory):
        if time.monotonic() > deadline:
            os.kill(state["pid"], signal.SIGKILL)
            raise ServerError(f"the servers (process {state['pid']}) had to be killed")
        time.sleep(0.05)
    return 0


def _status(options: argparse.Namespace) -> int:
    state = _read_state(options.directory.resolve())
    print(json.dumps(state, indent=1) if state else "not running")
    return 0 if state else _NOT_RUNNING


def _snapshot(options: argparse.Namespace) -> int:
    print(json.dumps(layout.snapshot(options.directory.resolve() / "drives"), indent=1))
    return 0


def _hotfix(options: argparse.Namespace) -> int:
    directory = options.directory.resolve()
    before = json.loads((directory / BEFORE_FILE).read_text(encoding="utf-8"))
    print(json.dumps(findings.hotfix(before, layout.snapshot(directory / "drives"), options.package), indent=1))
    return 0


def _mark(options: argparse.Namespace) -> int:
    directory = options.directory.resolve()
    path, log = directory / MARKS_FILE, directory / "audit.log"
    marks = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    events = audit.read(log, marks[-1]["position"] if marks else 0)
    position = log.stat().st_size if log.exists() else 0
    marks.append({"name": options.name, "changes": sum(event.changes for event in events), "position": position})
    path.write_text(json.dumps(marks, indent=1), encoding="utf-8")
    return 0


def _maintenance(options: argparse.Namespace) -> int:
    state = _read_state(options.directory.resolve())
    if state is None:
        print("not running", file=sys.stderr)
        return _NOT_RUNNING
    managers = state["maintenance_managers"]
    site = options.site or next(iter(managers))
    if site not in managers:
        raise ServerError(f"'{site}' is no site server; these are: {', '.join(managers)}")
    settings = Path(managers[site])
    try:
        changes = {name: yaml.safe_load(value) for name, _equals, value in (change.partition("=") for change in options.changes)}
        behave(settings, Behaviour(**json.loads(settings.read_text(encoding="utf-8"))), **changes)
    except (TypeError, yaml.YAMLError) as error:
        raise ServerError(f"maintenance: {error}") from error
    print(settings.read_text(encoding="utf-8"))
    return 0
