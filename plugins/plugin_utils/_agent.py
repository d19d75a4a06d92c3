# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of the remote control agent's service and the way from one to another. Private to the collection; no Ansible.

Whatever stops or disables the agent first keeps what it was like, and `restored` puts exactly that back. The order
(remember, start type, stop) is what makes an interrupted run safe to run again: a service that is not disabled has
not been touched yet.
"""

from __future__ import annotations

import dataclasses

from ._errors import ActionRefused
from ._service import Memory, Service, ServiceControl


@dataclasses.dataclass(frozen=True)
class Plan:
    """What to do to reach a state: None and False mean "leave it".

    :ivar stale: what is kept is of another time and is removed before `remember`.
    :ivar delayed: `start_mode` is a delayed automatic start.
    :ivar restart: it runs, and is to run anew.
    """

    remember: bool = False
    start_mode: str | None = None
    run: bool | None = None
    forget: bool = False
    stale: bool = False
    delayed: bool = False
    restart: bool = False

    @property
    def changes(self) -> bool:
        """Whether anything at all is to be done."""
        return self != Plan()

    def outcome(self, service: Service) -> Service:
        """The service as it will be."""
        state = "Running" if self.restart or self.run else service.state if self.run is None else "Stopped"
        return dataclasses.replace(service, start_mode=self.start_mode or service.start_mode, state=state)


def plan(host: str, wanted: str, service: Service, memory: Memory | None) -> Plan:
    """How to get from `service` to `wanted` (``started``, ``restarted``, ``stopped``, ``disabled`` or ``restored``); pure.

    :raises ActionRefused: the agent is not installed and is to be started, or is disabled and nobody knows what it was.
    """
    running = service.state not in ("Stopped", "")
    if not service.exists:
        if wanted in ("started", "restarted"):
            raise ActionRefused(
                host, f"the service {service.name}", "it is not installed", "install the SMS client first", "service-missing"
            )
        return Plan(forget=memory is not None and wanted == "restored")
    if wanted == "disabled":
        if service.start_mode == "Disabled":
            return Plan(remember=running and memory is None, run=False if running else None)
        # What `stopped` left behind is not how the agent was: the older note stands.
        left_by_us = memory is not None and not running and memory.start_mode == service.start_mode
        return Plan(
            remember=not left_by_us,
            stale=memory is not None and not left_by_us,
            start_mode="Disabled",
            run=False if running else None,
        )
    if wanted == "stopped":
        return Plan(remember=memory is None, run=False) if running else Plan()
    if wanted == "restarted" and running and service.start_mode != "Disabled":
        return Plan(restart=True)
    if wanted in ("started", "restarted"):
        # Who wants it to run from now on does not want an older state back.
        if service.start_mode != "Disabled":
            return Plan(run=True if service.state != "Running" else None, forget=memory is not None)
        if memory is None or memory.start_mode == "Disabled":
            raise ActionRefused(
                host,
                f"the service {service.name}",
                "it is disabled, and not by this collection",
                "enable it with 'sc config' or let its owner do so, then run again",
                "service-disabled",
            )
        return Plan(
            start_mode=memory.start_mode,
            delayed=memory.delayed,
            run=True if service.state != "Running" else None,
            restart=wanted == "restarted" and running,
            forget=True,
        )
    if memory is None:
        return Plan()
    run = None
    # What was disabled and still ran cannot be started again (error 1058), nor would it have run after its next stop.
    if memory.state == "Running" and service.state != "Running" and memory.start_mode != "Disabled":
        run = True
    elif memory.state == "Stopped" and running:
        run = False
    if memory.start_mode == service.start_mode:
        return Plan(run=run, forget=True)
    return Plan(start_mode=memory.start_mode, delayed=memory.delayed, run=run, forget=True)


def carry_out(control: ServiceControl, todo: Plan, service: Service) -> Service:
    """Do what `todo` says and return the service as it is afterwards, read back."""
    if todo.stale:
        control.forget()
    if todo.remember:
        control.remember(service)
    # A disabled service cannot be started, and one to be disabled is stopped last: see the module's note on order.
    if todo.start_mode is not None:
        control.set_start_mode(todo.start_mode, todo.delayed)
    if todo.restart:
        control.restart(service)
    elif todo.run is True:
        control.start()
    elif todo.run is False:
        control.stop()
    after = control.read() if todo.changes else service
    if todo.forget:
        control.forget()
    return after
