# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line of the lab."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import urllib.error
import urllib.request
from pathlib import Path

from . import daemon


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description="A fleet of Windows clients on loopback.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("start", "start in the background"), ("serve", "serve in the foreground")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--fleet", required=True, type=Path, help="fleet file (YAML)")
        command.add_argument("--directory", required=True, type=Path, help="directory for state, log, certificates and inventory")
        command.add_argument("--post-delay-ms", type=float, default=0.0, help="milliseconds added to every post")
        command.add_argument("--http-port", type=int, default=0, help="0 picks a free one")
        command.add_argument("--https-port", type=int, default=0, help="0 picks a free one")
        command.add_argument("--control-port", type=int, default=0, help="0 picks a free one")
    for name, text in (("stop", "stop it"), ("status", "say whether it runs"), ("show", "show one host")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--directory", required=True, type=Path)
        if name == "show":
            command.add_argument("host")
    return parser


def _serve(arguments: argparse.Namespace) -> int:
    from . import fleet

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    loaded = fleet.load(arguments.fleet)
    ports = (arguments.http_port, arguments.https_port, arguments.control_port)
    directory = arguments.directory.resolve()
    asyncio.run(daemon.serve(loaded, directory, fleet_path=str(arguments.fleet), ports=ports, post_delay=arguments.post_delay_ms / 1000))
    return 0


def _start(arguments: argparse.Namespace) -> int:
    options = ["--post-delay-ms", str(arguments.post_delay_ms), "--http-port", str(arguments.http_port)]
    options += ["--https-port", str(arguments.https_port), "--control-port", str(arguments.control_port)]
    state = daemon.start(arguments.fleet, arguments.directory, options)
    print(f"{state['hosts']} hosts on ports {state['http_port']} (http) and {state['https_port']} (https)")
    print(f"inventory: {state['inventory']}")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    state = daemon.read_state(arguments.directory)
    if not daemon.is_running(state):
        print("not running")
        return 3
    print(json.dumps(state, indent=1))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    state = daemon.read_state(arguments.directory)
    if state is None or not daemon.is_running(state):
        raise daemon.LabError(f"no lab runs in {arguments.directory}")
    try:
        with urllib.request.urlopen(f"{state['control']}/hosts/{arguments.host}", timeout=30) as answer:
            sys.stdout.write(answer.read().decode("utf-8"))
    except urllib.error.HTTPError as error:
        raise daemon.LabError(json.loads(error.read())["error"]) from error
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Exit codes: 0 done, 1 it could not be done, 3 not running (``status``)."""
    parsed = _parser().parse_args(arguments)
    try:
        if parsed.command == "serve":
            return _serve(parsed)
        if parsed.command == "start":
            return _start(parsed)
        if parsed.command == "status":
            return _status(parsed)
        if parsed.command == "show":
            return _show(parsed)
        print("stopped" if daemon.stop(parsed.directory) else "not running")
        return 0
    except (daemon.LabError, OSError, ValueError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
