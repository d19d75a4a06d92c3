# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of a few lines with the interface of the model, and a lab around it in a thread, for tests of the wire alone."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.daemon import LabServer
from lab.windows.events import Exit, Instance, Output, Pause, ProgramNotFound, WmiError


@dataclasses.dataclass
class StubSettings:
    stack: str = "3.0"
    authentication: frozenset[str] = frozenset({"basic", "ntlm", "negotiate"})
    allow_unencrypted: bool = True
    users: dict[str, str] = dataclasses.field(default_factory=lambda: {"helpdesk": "p\u00e4ss:word"})
    http: bool = True
    https: bool = True
    max_shells_per_user: int = 30
    max_operations_per_user: int = 1500
    max_envelope_kb: int = 500
    certificate: str = "valid"
    language: str = "en-US"


class StubHost:
    """Knows ``echo TEXT``, ``script NAME`` (a prepared list of events) and ``missing``; one WMI class of rows."""

    groups = ("stubs",)

    def __init__(self, name: str = "PC1", address: str = "127.77.0.1", **settings: Any) -> None:
        self.name = name
        self.address = address
        self.computer_name = name
        self.winrm = StubSettings(**settings)
        self.faults: list[dict[str, Any]] = []
        self.accepting = True
        self.boot_count = 1
        self.scripts: dict[str, list[Any]] = {}
        self.rows: list[dict[str, Any]] = [{"Handle": "0", "Name": "System Idle Process"}]
        self.class_name = "Win32_Process"
        self.refusal = 0
        self.ended: list[str] = []
        self.calls: list[dict[str, Any]] = []
        self.ticks = 0

    def tick(self) -> None:
        self.ticks += 1

    def snapshot(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def change(self, patch: dict[str, Any]) -> None:
        for name, value in patch.items():
            setattr(self, name, value)

    def execute(self, command_line: str, **details: Any) -> Iterator[Any]:
        self.calls.append({"command_line": command_line, **details})
        name, _space, rest = command_line.partition(" ")
        try:
            if name == "missing":
                raise ProgramNotFound(rest)
            if name == "script":
                yield from self.scripts[rest]
            else:
                yield Output("stdout", rest.encode() + b"\r\n")
                yield Exit(0)
        finally:
            self.ended.append(command_line)

    def query(self, namespace: str, wql: str, *, user: str) -> list[Instance]:
        if self.refusal:
            raise WmiError(self.refusal)
        if self.class_name.lower() not in wql.lower():
            raise WmiError(0x80041010)
        whole = "*" in wql.split(" from ")[0].split(" FROM ")[0]
        return [Instance(self.class_name, "root/cimv2", dict(row), whole) for row in self.rows]


class StubFleet:
    def __init__(self, *hosts: StubHost) -> None:
        self.hosts = {host.name: host for host in hosts}


@contextlib.contextmanager
def running(directory: Path, *hosts: StubHost, post_delay: float = 0.0) -> Iterator[LabServer]:
    """A lab of stub hosts on an event loop in a thread; the hosts stay reachable for the test."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def call(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(30)

    async def make() -> LabServer:
        server = LabServer(StubFleet(*hosts), directory, post_delay=post_delay)
        await server.open()
        return server

    server = call(make())
    try:
        yield server
    finally:
        call(server.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


__all__ = ["Exit", "Output", "Pause", "StubFleet", "StubHost", "running"]
