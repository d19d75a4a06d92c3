# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of one host. Everything in it is immutable or copied before the first change, so that counted hosts can share it."""

from __future__ import annotations

import dataclasses
import datetime
import time
import typing as t

from .files import FileStore
from .registry import Registry
from .sockets import Socket

STOPPED, START_PENDING, STOP_PENDING, RUNNING, PAUSED = 1, 2, 3, 4, 7
"""Service states as the service control manager numbers them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Process:
    """A running process.

    :ivar born: seconds after the start of Windows; None for the two that have no creation date.
    :ivar at_boot: it is started again by the next start of Windows, by a service or by itself.
    :ivar visible: False for one that has ended but whose sockets netstat still lists.
    :ivar memory: working set in KiB.
    """

    pid: int
    name: str
    path: str | None
    command_line: str | None
    parent: int
    session: int
    account: str
    sockets: tuple[Socket, ...]
    born: float | None
    memory: int
    at_boot: bool = True
    visible: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Service:
    """An installed service: its configuration, how it behaves, and what it does now.

    :ivar start: auto, manual, disabled, boot or system.
    :ivar process_line: command line of the process it lives in; services with the same one share a process.
    :ivar image: path of the program, where it is not what the path says.
    :ivar sockets: what it binds when it starts.
    :ivar on_conflict: what it does when one of its ports is taken: skip (goes on without), crash or hang.
    :ivar start_fails: the Windows error its start ends with; 0 for none.
    :ivar stop_hangs: it stays STOP_PENDING for ever.
    :ivar ready_at: monotonic time at which a pending state ends; None if none is pending, infinity if never.
    :ivar deleted: marked for deletion while it ran.
    """

    name: str
    display_name: str
    description: str
    start: str
    path: str
    process_line: str
    account: str
    shared: bool
    image: str = ""
    interactive: bool = False
    delayed: bool = False
    stoppable: bool = True
    depends: tuple[str, ...] = ()
    sockets: tuple[Socket, ...] = ()
    on_conflict: str = "skip"
    start_seconds: float = 0.0
    stop_seconds: float = 0.0
    start_fails: int = 0
    stop_hangs: bool = False
    state: int = STOPPED
    pid: int = 0
    exit_code: int = 1077
    ready_at: float | None = None
    deleted: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class PortRange:
    """Ports `start` to `end`, both included; `administered` ones are printed with an asterisk."""

    start: int
    end: int
    administered: bool = False


@dataclasses.dataclass
class HostState:
    """All of it. `fork` before changing one that is shared.

    :ivar processes: by process id, in the order they were started.
    :ivar services: by lower-case name, in the order they are listed.
    :ivar excluded: "tcp" and "udp" to port ranges, sorted.
    :ivar dynamic: "tcp" and "udp" to (first port, number of ports).
    """

    processes: dict[int, Process]
    services: dict[str, Service]
    registry: Registry
    files: FileStore
    excluded: dict[str, tuple[PortRange, ...]]
    dynamic: dict[str, tuple[int, int]]

    def fork(self) -> HostState:
        """A copy whose containers can be changed."""
        return HostState(
            dict(self.processes), dict(self.services), self.registry.fork(), self.files.fork(), dict(self.excluded), dict(self.dynamic)
        )

    def sockets(self) -> t.Iterator[tuple[int, Socket]]:
        """Every socket with the process id it belongs to."""
        for process in self.processes.values():
            for socket in process.sockets:
                yield process.pid, socket

    def bound(self, wanted: Socket) -> int | None:
        """The process that holds what `wanted` would bind."""
        for pid, socket in self.sockets():
            if socket.binds and socket.collides(wanted):
                return pid
        return None

    def services_of(self, pid: int) -> list[Service]:
        """Services that live in a process, in alphabetical order as tasklist lists them."""
        return sorted((service for service in self.services.values() if service.pid == pid and pid), key=lambda found: found.name.lower())

    def put_process(self, pid: int, **changes: t.Any) -> None:
        self.processes[pid] = dataclasses.replace(self.processes[pid], **changes)

    def put_service(self, name: str, **changes: t.Any) -> Service:
        changed = dataclasses.replace(self.services[name.lower()], **changes)
        self.services[name.lower()] = changed
        return changed


class Clock:
    """Time as the hosts of a fleet see it.

    :param speed: how many of their seconds one of ours lasts, for waits (a /t 30 takes 30 / speed seconds).
    """

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed

    def monotonic(self) -> float:
        """Seconds, ours."""
        return time.monotonic()

    def now(self) -> datetime.datetime:
        """The time of day, UTC."""
        return datetime.datetime.now(datetime.timezone.utc)

    def real(self, seconds: float) -> float:
        """Their seconds as ours."""
        return seconds / self.speed
