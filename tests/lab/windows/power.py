# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Going down and coming back."""

from __future__ import annotations

import dataclasses
import math
import typing as t

if t.TYPE_CHECKING:
    from .host import WindowsHost

NO_SHUTDOWN_IN_PROGRESS, SHUTDOWN_IN_PROGRESS, SHUTDOWN_IS_SCHEDULED = 1116, 1115, 1190


@dataclasses.dataclass(frozen=True)
class Pending:
    """A shutdown that was asked for. `at` is monotonic time; `delay` and `message` as in the request."""

    kind: str
    at: float
    delay: int
    message: str


class Power:
    """On, off, and on the way from one to the other.

    :ivar phase: "on", "closing" (shutting down, deaf), "off" or "booting".
    """

    def __init__(self, host: WindowsHost) -> None:
        self._host = host
        self.phase = "on"
        self.pending: Pending | None = None
        self._until = math.inf

    @property
    def on(self) -> bool:
        return self.phase == "on"

    def request(self, kind: str, delay: int, message: str) -> int:
        """Schedule a "restart" or a "shutdown" in `delay` of the host's seconds; returns a Windows error code."""
        if self.pending is not None:
            return SHUTDOWN_IN_PROGRESS if self.pending.at <= self._host.clock.monotonic() else SHUTDOWN_IS_SCHEDULED
        self.pending = Pending(kind, self._host.clock.monotonic() + self._host.clock.real(delay), delay, message)
        return 0

    def abort(self) -> int:
        """Take the request back while it still waits."""
        if self.pending is None or self.pending.at <= self._host.clock.monotonic():
            return NO_SHUTDOWN_IN_PROGRESS
        self.pending = None
        return 0

    def switch_off(self) -> None:
        """At once, as by pulling the plug; it stays off."""
        self.pending = None
        self._power_off()

    def switch_on(self) -> None:
        """Begin to boot."""
        if self.phase == "off":
            self.phase = "booting"
            self._until = self._host.clock.monotonic() + self._host.description.restart.boot_seconds

    def tick(self) -> None:
        """Go on to the next phase when its time has come."""
        if self.pending is None and self.phase == "on":
            return
        now, plan = self._host.clock.monotonic(), self._host.description.restart
        # Services are ended one after another: whoever asked for the restart still gets the answer to that.
        if self.phase == "on" and self.pending is not None and plan.goes_down and now >= self.pending.at + plan.shutdown_seconds / 2:
            self.phase, self._until = "closing", self.pending.at + plan.shutdown_seconds
        if self.phase == "closing" and now >= self._until:
            again = self.pending is not None and self.pending.kind == "restart" and plan.comes_back
            self.pending = None
            since = self._until
            self._power_off()
            if again:
                self.phase, self._until = "booting", since + plan.boot_seconds
        if self.phase == "booting" and now >= self._until:
            self.phase, self._until = "on", math.inf
            self._host.restarted()

    def _power_off(self) -> None:
        self.phase, self._until = "off", math.inf
        state = self._host.own()
        state.processes.clear()
        for name in state.services:
            state.put_service(name, state=1, pid=0, ready_at=None)
        self._host.pending_at = math.inf
