# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Win32_Process, with the 45 properties of the recordings."""

from __future__ import annotations

import datetime
import typing as t

from ..state import Process
from .provider import Property, Provider, computer, fixed, system_name

if t.TYPE_CHECKING:
    from ..host import WindowsHost


def _created(host: WindowsHost, process: Process) -> datetime.datetime | None:
    return None if process.born is None else host.boot_time + datetime.timedelta(seconds=process.born)


def _visible_path(_host: WindowsHost, process: Process) -> str | None:
    """Protected processes show no path."""
    return process.path


def _work(factor: int) -> Property:
    """A number that grows with the size of the process; the system processes have none."""
    return lambda _host, process: 0 if process.pid == 0 else process.memory * factor // 10


def _set_size(number: int) -> Property:
    return lambda _host, process: None if process.pid in (0, 4) else number


_PROPERTIES: dict[str, Property] = {
    "Caption": lambda _host, process: process.name,
    "CommandLine": lambda _host, process: process.command_line,
    "CreationClassName": fixed("Win32_Process"),
    "CreationDate": _created,
    "CSCreationClassName": fixed("Win32_ComputerSystem"),
    "CSName": computer,
    "Description": lambda _host, process: process.name,
    "ExecutablePath": _visible_path,
    "ExecutionState": fixed(None),
    "Handle": lambda _host, process: str(process.pid),
    "HandleCount": lambda _host, process: 0 if process.pid == 0 else 40 + process.memory // 40,
    "InstallDate": fixed(None),
    "KernelModeTime": lambda _host, process: str(process.memory * 156),
    "MaximumWorkingSetSize": _set_size(1380),
    "MinimumWorkingSetSize": _set_size(200),
    "Name": lambda _host, process: process.name,
    "OSCreationClassName": fixed("Win32_OperatingSystem"),
    "OSName": system_name,
    "OtherOperationCount": lambda host, process: str(_work(3)(host, process)),
    "OtherTransferCount": lambda host, process: str(_work(40)(host, process)),
    "PageFaults": _work(5),
    "PageFileUsage": _work(7),
    "ParentProcessId": lambda _host, process: process.parent,
    "PeakPageFileUsage": _work(8),
    "PeakVirtualSize": lambda _host, process: str(65536 if process.pid == 0 else process.memory * 9000),
    "PeakWorkingSetSize": _work(11),
    "Priority": lambda _host, process: 0 if process.pid == 0 else 13 if process.name in ("csrss.exe", "winlogon.exe") else 8,
    "PrivatePageCount": lambda host, process: str(_work(6000)(host, process)),
    "ProcessId": lambda _host, process: process.pid,
    "QuotaNonPagedPoolUsage": lambda _host, process: process.memory // 700,
    "QuotaPagedPoolUsage": lambda _host, process: process.memory // 90,
    "QuotaPeakNonPagedPoolUsage": lambda _host, process: process.memory // 600,
    "QuotaPeakPagedPoolUsage": lambda _host, process: process.memory // 80,
    "ReadOperationCount": lambda host, process: str(_work(1)(host, process)),
    "ReadTransferCount": lambda host, process: str(_work(900)(host, process)),
    "SessionId": lambda _host, process: process.session,
    "Status": fixed(None),
    "TerminationDate": fixed(None),
    "ThreadCount": lambda _host, process: 1 if process.pid == 0 else 3 + process.memory // 2000,
    "UserModeTime": lambda _host, process: str(process.memory * 78),
    "VirtualSize": lambda _host, process: str(65536 if process.pid == 0 else process.memory * 8000),
    "WindowsVersion": lambda host, _process: host.version.number,
    "WorkingSetSize": lambda _host, process: str(process.memory * 1024),
    "WriteOperationCount": lambda host, process: str(_work(1)(host, process)),
    "WriteTransferCount": lambda host, process: str(_work(200)(host, process)),
}

PROCESS = Provider(
    "Win32_Process",
    lambda _host: _PROPERTIES,
    lambda host: [process for process in host.state.processes.values() if process.visible],
)
