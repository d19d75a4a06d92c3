# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The serving process and its life: state directory, start in the background, clean end."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from aiohttp import web

from . import inventory
from .certificates import Authority, Contexts
from .control import Control
from .http_server import Endpoint
from .network import Network

STATE_FILE = "lab.json"
START_SECONDS = 180.0
STOP_SECONDS = 15.0
_LOG = logging.getLogger("lab")


class LabError(RuntimeError):
    """The lab cannot be started, stopped or asked; the message says why."""


def read_state(directory: Path) -> dict[str, Any] | None:
    """What ``lab.json`` says, or None where no lab was started."""
    try:
        return json.loads((directory / STATE_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def is_running(state: dict[str, Any] | None) -> bool:
    """Whether the process of a state file is alive, and is the one that wrote it."""
    if not state:
        return False
    try:
        return _start_ticks(state["pid"]) == state["start_ticks"]
    except (OSError, KeyError, IndexError, ValueError):
        return False


def _start_ticks(pid: int) -> int:
    """Start time of a process in clock ticks since boot: with the pid it names one process for ever (proc(5), field 22)."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    fields = stat.rpartition(")")[2].split()
    if fields[0] == "Z":
        raise ProcessLookupError(pid)
    return int(fields[19])


class LabServer:
    """Everything one lab serves, on the running event loop.

    :ivar state: what ``lab.json`` holds while it serves.
    """

    def __init__(self, fleet: Any, directory: Path, *, fleet_path: str = "", post_delay: float = 0.0) -> None:
        self.directory = directory
        self.endpoints = {name: Endpoint(host, directory, post_delay) for name, host in fleet.hosts.items()}
        self.state: dict[str, Any] = {"fleet": fleet_path}
        self.stopping = asyncio.Event()
        self._network: Network | None = None
        self._control: web.AppRunner | None = None

    async def open(self, http_port: int = 0, https_port: int = 0, control_port: int = 0) -> None:
        """Listen, then say so in ``lab.json`` and ``inventory.yml``."""
        self.directory.mkdir(parents=True, exist_ok=True)
        authority = Authority(self.directory)
        network = self._network = Network(asyncio.get_running_loop(), Contexts(authority, self.directory / "certificates"))
        http_port, https_port = network.open(self.endpoints.values(), http_port, https_port)
        for endpoint in self.endpoints.values():
            if endpoint.injector.faults:
                network.update(endpoint)
        self._control = web.AppRunner(Control(self.endpoints, network, self.stopping.set).application(), access_log=None)
        await self._control.setup()
        control_socket = socket.create_server(("127.0.0.1", control_port))
        await web.SockSite(self._control, control_socket).start()
        hosts = [endpoint.host for endpoint in self.endpoints.values()]
        inventory_path = self.directory / "inventory.yml"
        inventory.write(inventory_path, inventory.inventory(hosts, http_port, https_port, authority.path))
        self.state.update(
            pid=os.getpid(),
            start_ticks=_start_ticks(os.getpid()),
            http_port=http_port,
            https_port=https_port,
            control=f"http://127.0.0.1:{control_socket.getsockname()[1]}",
            hosts=len(hosts),
            inventory=str(inventory_path),
            ca=str(authority.path),
        )
        temporary = self.directory / (STATE_FILE + ".new")
        temporary.write_text(json.dumps(self.state, indent=1) + "\n", encoding="utf-8")
        temporary.replace(self.directory / STATE_FILE)
        _LOG.info("serving %d hosts on ports %d (http) and %d (https)", len(hosts), http_port, https_port)

    async def close(self) -> None:
        (self.directory / STATE_FILE).unlink(missing_ok=True)
        for endpoint in self.endpoints.values():
            endpoint.service.forget()
        if self._network is not None:
            await self._network.close()
        if self._control is not None:
            await self._control.cleanup()
        _LOG.info("stopped")


async def serve(
    fleet: Any, directory: Path, *, fleet_path: str = "", ports: tuple[int, int, int] = (0, 0, 0), post_delay: float = 0.0
) -> None:
    """Serve a fleet until SIGTERM, SIGINT or the control port says stop.

    :param ports: http, https and control port; 0 picks a free one.
    """
    server = LabServer(fleet, directory, fleet_path=fleet_path, post_delay=post_delay)
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, server.stopping.set)
    try:
        # The fleet stays for the whole life of the process; the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        await server.open(*ports)
        await server.stopping.wait()
    finally:
        await server.close()


def start(fleet_path: Path, directory: Path, options: list[str]) -> dict[str, Any]:
    """Start a lab in the background and wait until it serves. Returns its state.

    :raises LabError: it runs already, or did not come up.
    """
    directory = directory.resolve()
    if is_running(read_state(directory)):
        raise LabError(f"a lab runs in {directory} already; stop it first")
    directory.mkdir(parents=True, exist_ok=True)
    (directory / STATE_FILE).unlink(missing_ok=True)
    package = Path(__file__).resolve().parent
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(part for part in (str(package.parent), environment.get("PYTHONPATH")) if part)
    arguments = [sys.executable, "-m", package.name, "serve", "--fleet", str(fleet_path.resolve()), "--directory", str(directory), *options]
    log = directory / "lab.log"
    with log.open("ab") as output:
        # A session of its own and no descriptor of the caller: a pipe that reads the caller's output must see its end.
        process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, close_fds=True, env=environment
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        state = read_state(directory)
        if state and state["pid"] == process.pid:
            return state
        if process.poll() is not None:
            tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
            raise LabError(f"the lab ended with code {process.returncode} before it served: " + " / ".join(tail))
        time.sleep(0.02)
    process.terminate()
    raise LabError(f"the lab did not serve within {START_SECONDS:.0f} seconds; see {log}")


def stop(directory: Path) -> bool:
    """End the lab of a directory. False if none runs. Raises :class:`LabError` if it does not end."""
    state = read_state(directory)
    if state is None or not is_running(state):
        (directory / STATE_FILE).unlink(missing_ok=True)
        return False
    os.kill(state["pid"], signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if not is_running(state):
            return True
        time.sleep(0.02)
    os.kill(state["pid"], signal.SIGKILL)
    raise LabError(f"the lab (process {state['pid']}) had to be killed")
