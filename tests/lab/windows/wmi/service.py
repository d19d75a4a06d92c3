# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Win32_Service, with the 25 properties of the recordings and, since Windows 10, DelayedAutoStart."""

from __future__ import annotations

import typing as t

from ..state import RUNNING, STOPPED
from .provider import Property, Provider, computer, fixed

if t.TYPE_CHECKING:
    from ..host import WindowsHost

_STATES = {1: "Stopped", 2: "Start Pending", 3: "Stop Pending", 4: "Running", 7: "Paused"}
_STARTS = {"auto": "Auto", "manual": "Manual", "disabled": "Disabled", "boot": "Boot", "system": "System"}

_PROPERTIES: dict[str, Property] = {
    "AcceptPause": fixed(False),
    "AcceptStop": lambda _host, service: service.state == RUNNING and service.stoppable,
    "Caption": lambda _host, service: service.display_name,
    "CheckPoint": lambda _host, service: 0 if service.ready_at is None else 1,
    "CreationClassName": fixed("Win32_Service"),
    "DelayedAutoStart": lambda _host, service: service.delayed,
    "Description": lambda _host, service: service.description or None,
    "DesktopInteract": lambda _host, service: service.interactive,
    "DisplayName": lambda _host, service: service.display_name,
    "ErrorControl": fixed("Normal"),
    "ExitCode": lambda _host, service: service.exit_code,
    "InstallDate": fixed(None),
    "Name": lambda _host, service: service.name,
    "PathName": lambda _host, service: service.path,
    "ProcessId": lambda _host, service: service.pid,
    "ServiceSpecificExitCode": fixed(0),
    "ServiceType": lambda _host, service: "Share Process" if service.shared else "Own Process",
    "Started": lambda _host, service: service.state != STOPPED,
    "StartMode": lambda _host, service: _STARTS[service.start],
    "StartName": lambda _host, service: service.account,
    "State": lambda _host, service: _STATES[service.state],
    "Status": fixed("OK"),
    "SystemCreationClassName": fixed("Win32_ComputerSystem"),
    "SystemName": computer,
    "TagId": fixed(0),
    "WaitHint": lambda _host, service: 0 if service.ready_at is None else 2000,
}
_RECORDED = {name: value for name, value in _PROPERTIES.items() if name != "DelayedAutoStart"}


def _properties(host: WindowsHost) -> dict[str, Property]:
    return _PROPERTIES if host.version.build >= 10240 else _RECORDED


SERVICE = Provider("Win32_Service", _properties, lambda host: sorted(host.state.services.values(), key=lambda found: found.name.lower()))
