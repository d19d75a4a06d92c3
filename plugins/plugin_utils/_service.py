# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Windows service: read it, remember how it was, change it, put it back. Private to the collection; no Ansible.

Read over WQL (not localised), by `sc` where WMI is refused; changed by `sc`, because the service control manager
does not notice a value written to the registry until the next start of the machine. What a service was like before
is kept in the client's registry: whoever continues an interrupted run, from whatever controller, finds it there.
"""

from __future__ import annotations

import dataclasses
import re
import time
import typing as t

from ._errors import ActionRefused, QueryRefused
from ._text import decode

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.$-]{0,79}")
"""Names of services that can be used in a command line and a query as they are."""

MEMORY_KEY = r"HKLM\SOFTWARE\sms.helpdesk."
"""What the name of the service is appended to: one key without parents of its own, so that forgetting leaves nothing behind."""

_SERVICES_KEY = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\"
_START_WORDS = {"Auto": "auto", "Manual": "demand", "Disabled": "disabled", "System": "system", "Boot": "boot"}
_SC_START = {"AUTO_START": "Auto", "DEMAND_START": "Manual", "DISABLED": "Disabled", "SYSTEM_START": "System", "BOOT_START": "Boot"}
_SC_STATE = {
    "STOPPED": "Stopped",
    "START_PENDING": "Start Pending",
    "STOP_PENDING": "Stop Pending",
    "RUNNING": "Running",
    "CONTINUE_PENDING": "Continue Pending",
    "PAUSE_PENDING": "Pause Pending",
    "PAUSED": "Paused",
}
_NO_SUCH_SERVICE, _ALREADY_RUNNING, _NOT_RUNNING, _ALREADY_STOPPING = 1060, 1056, 1062, 1061
_POLL_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class Service:
    """A service as it is. `start_mode` and `state` in WMI's words (Auto, Manual, Disabled; Running, Stopped, ...)."""

    name: str
    exists: bool
    start_mode: str = ""
    state: str = ""
    path: str = ""
    pid: int = 0

    def shown(self) -> dict[str, t.Any]:
        """For results and diffs."""
        return {"exists": self.exists, "start_mode": self.start_mode, "state": self.state} if self.exists else {"exists": False}


class Memory(t.NamedTuple):
    """What a service was like before this collection first changed it."""

    start_mode: str
    state: str  # Running or Stopped
    delayed: bool = False  # an automatic start some time after that of Windows


class ServiceControl:
    """The service `name` on one client.

    :param session: a `_winrm.Session`.
    :param name: the key name of the service; must match `NAME`.
    :param timeout: seconds a start or stop may take.
    """

    def __init__(self, session: t.Any, name: str, timeout: float) -> None:
        self._session = session
        self._name = name
        self._timeout = timeout

    def read(self) -> Service:
        """The service as it is now."""
        try:
            rows = self._session.query(f"SELECT Name, State, StartMode, PathName, ProcessId FROM Win32_Service WHERE Name = '{self._name}'")
        except QueryRefused:
            return self._read_by_sc()
        if not rows:
            return Service(self._name, False)
        row = rows[0]
        pid = row.get("ProcessId") or "0"
        return Service(
            self._name,
            True,
            row.get("StartMode") or "",
            row.get("State") or "",
            row.get("PathName") or "",
            int(pid) if pid.isdigit() else 0,
        )

    def _read_by_sc(self) -> Service:
        result = self._session.run(f"sc qc {self._name} & sc query {self._name}")
        words = re.findall(r":\s*[0-9]+\s+([A-Z_]+)", decode(result.stdout))
        start = next((_SC_START[word] for word in words if word in _SC_START), "")
        state = next((_SC_STATE[word] for word in words if word in _SC_STATE), "")
        if not start and not state:
            if result.exit_code == _NO_SUCH_SERVICE:
                return Service(self._name, False)
            raise self._refused("reading its configuration", result.exit_code)
        return Service(self._name, True, start, state)

    def remembered(self) -> Memory | None:
        """What was remembered, None if nothing was (or it is damaged, which is the same)."""
        result = self._session.run(f'reg query "{MEMORY_KEY}{self._name}"')
        values = dict(re.findall(r"^\s+(StartMode|State|Delayed)\s+REG_SZ\s+(\S.*?)\s*$", decode(result.stdout), re.MULTILINE))
        start_mode, state = values.get("StartMode", ""), values.get("State", "")
        if start_mode not in _START_WORDS or state not in _SC_STATE.values():
            return None
        return Memory(start_mode, state, start_mode == "Auto" and values.get("Delayed") == "yes")

    def remember(self, service: Service) -> None:
        """Keep what `service` is like on the client; nothing may be kept there yet. The state comes last and makes it count."""
        key = f"{MEMORY_KEY}{self._name}"
        # On its way up counts as up: it was meant to run.
        state = "Stopped" if service.state in ("Stopped", "Stop Pending") else "Running"
        delayed = [("Delayed", "yes")] if service.start_mode == "Auto" and self._is_delayed() else []
        for value, data in (*delayed, ("StartMode", service.start_mode), ("State", state)):
            result = self._session.run(f'reg add "{key}" /v {value} /t REG_SZ /d "{data}" /f')
            if result.exit_code:
                raise self._refused("remembering how it was in the registry", result.exit_code)

    def _is_delayed(self) -> bool:
        """Whether an automatic service starts delayed. WMI tells that from Windows 10 on only."""
        result = self._session.run(f'reg query "{_SERVICES_KEY}{self._name}" /v DelayedAutostart')
        return re.search(r"^\s+DelayedAutostart\s+REG_DWORD\s+0x0*1\s*$", decode(result.stdout), re.MULTILINE | re.IGNORECASE) is not None

    def forget(self) -> None:
        """Remove what was kept."""
        result = self._session.run(f'reg delete "{MEMORY_KEY}{self._name}" /f')
        if result.exit_code:
            raise self._refused("removing the note of how it was from the registry", result.exit_code)

    def set_start_mode(self, start_mode: str, delayed: bool = False) -> None:
        """Set the start type (WMI's word); `delayed` for an automatic one that is to start later than the others."""
        word = "delayed-auto" if delayed else _START_WORDS[start_mode]
        result = self._session.run(f"sc config {self._name} start= {word}")
        if result.exit_code:
            raise self._refused(f"setting its start type to {start_mode}", result.exit_code)

    def stop(self) -> None:
        """Stop it and wait until it has stopped. An agent may take minutes to stop (Q173594)."""
        result = self._session.run(f"sc stop {self._name}")
        if result.exit_code not in (0, _NOT_RUNNING, _ALREADY_STOPPING):
            raise self._refused("stopping it", result.exit_code)
        self._wait_for("Stopped")

    def start(self) -> None:
        """Start it and wait until it runs."""
        result = self._session.run(f"sc start {self._name}")
        if result.exit_code not in (0, _ALREADY_RUNNING):
            raise self._refused("starting it", result.exit_code)
        self._wait_for("Running")

    def restart(self, service: Service) -> None:
        """Stop it, if it is not stopped, and start it."""
        # On its way up it takes no orders (error 1061).
        if service.state in ("Start Pending", "Continue Pending"):
            self._wait_for("Running")
        if service.state != "Stopped":
            self.stop()
        self.start()

    def _wait_for(self, state: str) -> None:
        until = time.monotonic() + self._timeout
        while True:
            now = self.read()
            if now.state == state:
                return
            if time.monotonic() >= until:
                raise ActionRefused(
                    self._session.host,
                    f"the service {self._name}",
                    f"it is still '{now.state}' and not '{state}' after {self._timeout:g} seconds",
                    "look at the System event log of the client; a restart ends a service that hangs",
                    "service-timeout",
                )
            time.sleep(_POLL_SECONDS)

    def _refused(self, what: str, exit_code: int) -> ActionRefused:
        return ActionRefused(
            self._session.host,
            f"the service {self._name}",
            f"{what} ended with Windows error {exit_code}",
            f"run 'net helpmsg {exit_code}' for its meaning (5 is access denied: use an administrator)",
            "service-refused",
        )
