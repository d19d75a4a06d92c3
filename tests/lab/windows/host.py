# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Windows host: what a server in front of it, and a test behind it, can ask of it."""

from __future__ import annotations

import copy
import datetime
import math
import typing as t
import zlib
from pathlib import Path

from ..wine import execution as wine_execution
from . import boot, changes
from .description import HostDescription, WinrmSettings
from .events import Exit, Instance, Output, Pause, ProgramNotFound, WmiError
from .power import Power
from .service_manager import ServiceManager
from .shell.session import Events, run_command
from .state import Clock, HostState
from .versions import Version
from .wmi.query import run_query

__all__ = ["Exit", "Instance", "Output", "Pause", "ProgramNotFound", "WindowsHost", "WinrmSettings", "WmiError"]


class WindowsHost:
    """A host that is described by a fleet file and then lives.

    Counted hosts share the state they were all made with; the first change to one of them gives it a state of its own.

    :ivar settings: what a test may switch while the fleet runs: "wmi", "netstat", "netsh", "tasklist".
    :ivar has_started: the state the fleet file describes has been made; from now on programs do what they find on the disk.
    :ivar pending_at: monotonic time at which the next pending service changes its state.
    """

    def __init__(self, description: HostDescription, clock: Clock | None = None) -> None:
        self.description = description
        self.clock = clock or Clock()
        self.name = description.name
        self.address = description.address
        self.lan_address = "192.168.80.10"
        self.computer_name: str = description.computer_name
        self.winrm: WinrmSettings = description.winrm
        self.faults: list[dict[str, t.Any]] = [dict(fault) for fault in description.faults]
        self.groups = description.groups
        self.settings: dict[str, str] = {"wmi": description.wmi, **description.tools}
        self.services = ServiceManager(self)
        self.power = Power(self)
        self.boot_count = 1
        self.boot_time = self.clock.now() - datetime.timedelta(days=description.uptime_days)
        self.logged_on: str = description.logged_on
        self.pending_at = math.inf
        self.pid_hints: dict[str, int] = {}
        self.has_started = False
        self._boot_offset: float | None = 4.0
        self._pid_seed = zlib.crc32(description.name.encode())
        self._last_pid = 0
        self._reserved_pids: frozenset[int] = frozenset()
        self._own: HostState | None = boot.build_disk(description)
        boot.start_windows(self, first=True)
        self.has_started = True
        self._boot_offset = None
        self._shared: HostState = self._own
        self._own = None

    def twin(self, name: str, address: str, computer_name: str) -> WindowsHost:
        """Another host that starts with the same state, at no cost until it changes."""
        other = copy.copy(self)
        other.name, other.address, other.computer_name = name, address, computer_name
        other.faults = [dict(fault) for fault in self.faults]
        other.settings = dict(self.settings)
        other.services = ServiceManager(other)
        other.power = Power(other)
        other._pid_seed = zlib.crc32(name.encode())
        other._own = None
        return other

    @property
    def version(self) -> Version:
        return self.description.version

    @property
    def state(self) -> HostState:
        """The present state, to be read only."""
        return self._own or self._shared

    def own(self) -> HostState:
        """The present state, to be changed."""
        if self._own is None:
            self._own = self._shared.fork()
        return self._own

    @property
    def accepting(self) -> bool:
        """Whether anything answers on the network; False while it is off, going down or booting."""
        self.tick()
        return self.power.on

    def tick(self) -> None:
        """Let what only waits for time happen."""
        self.power.tick()
        if self.pending_at <= self.clock.monotonic():
            self.services.settle()

    def uptime(self) -> float:
        """Seconds since the start of Windows; while it starts, a little later each time it is asked."""
        if self._boot_offset is not None:
            self._boot_offset += 0.2
            return self._boot_offset
        return (self.clock.now() - self.boot_time).total_seconds()

    def is_administrator(self, user: str) -> bool:
        """Whether `user` (with or without a domain) has an elevated token."""
        admins = self.description.administrators
        return admins is None or user.lower() in admins or user.rpartition("\\")[2].lower() in admins

    def restarted(self) -> None:
        """Windows starts again: everything that lives in memory is new."""
        self.boot_count += 1
        self.boot_time = self.clock.now()
        self.logged_on = ""
        self.pending_at = math.inf
        self._boot_offset = 4.0
        boot.start_windows(self, first=False)
        self._boot_offset = None

    def new_pid(self, process_line: str) -> int:
        """A process id that is free: a multiple of four, different from host to host and from start to start."""
        hint = self.pid_hints.pop(process_line, 0)
        if hint and hint not in self.state.processes:
            return hint
        while True:
            self._pid_seed = (self._pid_seed * 1103515245 + 12345 + self.boot_count) & 0x7FFFFFFF
            self._last_pid += 4 * (1 + (self._pid_seed >> 16) % 37)
            if self._last_pid > 30_000:
                self._last_pid = 400
            if self._last_pid > 300 and self._last_pid not in self.state.processes and self._last_pid not in self._reserved_pids:
                return self._last_pid

    def forget_pids(self, reserved: list[int]) -> None:
        """Number processes anew, leaving out `reserved`."""
        self._last_pid = 300
        self.pid_hints = {}
        self._reserved_pids = frozenset(reserved)

    def execute(
        self,
        command_line: str,
        *,
        code_page: int | None = None,
        environment: dict[str, str] | None = None,
        directory: str | None = None,
        skip_cmd: bool = False,
        user: str = "",
    ) -> Events:
        """Run a command line as WinRS does: through cmd.exe, or directly with `skip_cmd`.

        :param code_page: of the console; None is the host's own.
        :param environment: variables the client added.
        :raises ProgramNotFound: `skip_cmd`, and there is no such program.
        """
        if self.description.wine_prefix:
            return wine_execution.run(Path(self.description.wine_prefix), command_line, environment or {})
        return run_command(self, command_line, code_page or self.description.code_page, environment or {}, directory, skip_cmd, user)

    def query(self, namespace: str, wql: str, *, user: str = "") -> list[Instance]:
        """Run a WQL query.

        :raises WmiError: with the HRESULT WMI answers.
        """
        self.tick()
        return run_query(self, namespace, wql, user)

    def snapshot(self) -> dict[str, t.Any]:
        """The true state, JSON-able, whatever the host would admit."""
        self.tick()
        return changes.snapshot(self)

    def change(self, patch: dict[str, t.Any]) -> None:
        """Change the true state; README.md lists what a patch may say.

        :raises FleetError: the patch makes no sense; nothing has been changed.
        """
        self.tick()
        changes.change(self, patch)
