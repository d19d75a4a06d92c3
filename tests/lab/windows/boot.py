# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Building a host's disk and registry, and starting Windows on it."""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from . import sms, standard
from .description import HostDescription, ProcessDescription, ServiceDescription
from .files import File, FileStore
from .registry import Registry
from .service_manager import new_service, read_service_keys, write_service_key
from .state import RUNNING, START_PENDING, HostState, Process, Service

if t.TYPE_CHECKING:
    from .host import WindowsHost

INSTALLED = datetime.datetime(2024, 3, 9, 3, 6, 25, tzinfo=datetime.timezone.utc)
# Sizes and dates of the agent: before the fix as in Q192788, with it as in Q229097; the version resource is synthetic.
_AGENT_FILES = {
    "original": datetime.datetime(1998, 10, 5, 18, 13, tzinfo=datetime.timezone.utc),
    "hotfix": datetime.datetime(2000, 4, 3, 23, 41, tzinfo=datetime.timezone.utc),
}
_PROGRAMS = (
    "cmd.exe", "chcp.com", "find.exe", "findstr.exe", "hostname.exe", "ipconfig.exe", "more.com", "net.exe", "net1.exe", "ping.exe",
    "reg.exe", "sc.exe", "shutdown.exe", "sort.exe", "svchost.exe", "services.exe", "lsass.exe", "xcopy.exe",
)  # fmt: skip
_SINCE = {"tasklist.exe": (5, 1), "taskkill.exe": (5, 1), "netsh.exe": (5, 0), "whoami.exe": (5, 2), "timeout.exe": (5, 2)}
_LATER_THAN_2000 = {"reg.exe": (5, 1), "sc.exe": (5, 1), "shutdown.exe": (5, 1), "findstr.exe": (4, 0)}


def build_disk(description: HostDescription) -> HostState:
    """A host with Windows installed, switched off."""
    registry, files = Registry(), FileStore()
    services = {service.name.lower(): service for service in standard.services(description.version)}
    for wanted in description.services:
        services[wanted.name.lower()] = _merge(services.get(wanted.name.lower()), wanted)
    # The agent starts last: on a machine in conflict the others have taken its ports by then.
    agent = services.pop("wuser32", None)
    if agent is not None:
        services["wuser32"] = agent
    for service in services.values():
        write_service_key(registry, service, description.version.windows)
    _fill_registry(registry, description)
    _fill_files(files, description)
    return HostState({}, services, registry, files, dict(description.excluded), dict(description.dynamic))


def _merge(service: Service | None, wanted: ServiceDescription) -> Service:
    if service is None:
        path = wanted.path or rf"C:\Program Files\{wanted.name}\{wanted.name}.exe"
        service = dataclasses.replace(new_service(wanted.name, wanted.name, "auto", path), start_seconds=0.0)
    names = {field.name for field in dataclasses.fields(Service)}
    changes = {
        field.name: getattr(wanted, field.name)
        for field in dataclasses.fields(wanted)
        if field.name in names and field.name not in ("name", "pid") and getattr(wanted, field.name) is not None
    }
    return dataclasses.replace(service, **changes)


def start_windows(host: WindowsHost, first: bool) -> None:
    """Start the system processes, the host's own ones and the automatic services; process ids are new each time.

    :param first: the state the fleet file describes: process ids as given there, manual processes and services as said.
    """
    description, state = host.description, host.own()
    state.processes.clear()
    state.files.drives.clear()
    if not first:
        sms.restarted(host)
    state.services = read_service_keys(state.registry, state.services, description.version.windows)
    host.forget_pids([process.pid for process in description.processes] + [s.pid for s in description.services] if first else [])
    for number, program in enumerate(standard.programs(description.version, description.winrm.http, description.winrm.https)):
        _start_program(host, program, 0.4 * number)
    if description.system_sockets:
        state.put_process(4, sockets=state.processes[4].sockets + description.system_sockets)
    if first and description.closing_sockets:
        state.put_process(0, sockets=description.closing_sockets)
    for number, process in enumerate(description.processes):
        if first or process.at_boot:
            add_process(host, process, 8.0 + 0.1 * number, process.pid if first else 0)
    wanted = {service.name.lower(): service for service in description.services}
    for service in list(state.services.values()):
        override = wanted[service.name.lower()].running if first and service.name.lower() in wanted else None
        if service.start == "disabled" and not (override and first):
            continue
        if standard.runs_without_asking(service) if override is None else override:
            _start_service(host, service, wanted.get(service.name.lower()), first)
    host.services.settle()
    if not first:
        sms.autologon(host)


def add_process(host: WindowsHost, wanted: ProcessDescription, born: float, pid: int = 0) -> int:
    """Start a process that is no service."""
    state = host.own()
    parent = next((process.pid for process in state.processes.values() if process.name.lower() in ("explorer.exe", "services.exe")), 4)
    pid = pid or host.new_pid("")
    state.processes[pid] = Process(
        pid=pid,
        name=wanted.name,
        path=wanted.path,
        command_line=wanted.command_line,
        parent=parent,
        session=wanted.session,
        account=wanted.account,
        sockets=wanted.sockets,
        born=born,
        memory=wanted.memory,
        at_boot=wanted.at_boot,
        visible=wanted.visible,
    )
    return pid


def _start_service(host: WindowsHost, service: Service, wanted: ServiceDescription | None, first: bool) -> None:
    state = host.own()
    if wanted is not None and wanted.pid and first:
        host.pid_hints[service.process_line] = wanted.pid
    disabled = service.start == "disabled"
    if disabled:
        state.put_service(service.name, start="manual")
    host.services.start(service.name)
    found = state.services[service.name.lower()]
    changes: dict[str, t.Any] = {"start": "disabled"} if disabled else {}
    # What the fleet file describes has been running for days; after a restart a slow service takes its time.
    if found.state == START_PENDING and found.ready_at != float("inf") and (first or not found.start_seconds):
        changes.update(state=RUNNING, ready_at=None)
    if changes:
        state.put_service(service.name, **changes)


def _start_program(host: WindowsHost, program: standard.Program, born: float) -> None:
    state = host.own()
    pid = {"System Idle Process": 0, "System": 4}.get(program.name)
    parent = next((process.pid for process in state.processes.values() if process.name == program.parent), 0)
    account = rf"{host.computer_name}\{host.description.logged_on or 'user'}" if program.account == "user" else program.account
    pid = host.new_pid("") if pid is None else pid
    state.processes[pid] = Process(
        pid=pid,
        name=program.name,
        path=program.path,
        command_line=program.command_line,
        parent=parent,
        session=program.session,
        account=account,
        sockets=program.sockets,
        born=None if pid == 0 or (pid == 4 and host.version.release < (6, 0)) else born,
        memory=program.memory,
    )


def _fill_registry(registry: Registry, description: HostDescription) -> None:
    version = description.version
    current = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
    major, minor = version.release
    values: list[tuple[str, str, str, t.Any]] = [
        (current, "ProductName", "REG_SZ", version.caption.strip().removeprefix("Microsoft ")),
        (current, "CurrentVersion", "REG_SZ", "6.3" if major >= 10 else f"{major}.{minor}"),
        (current, "CurrentBuildNumber", "REG_SZ", str(version.build)),
        (current, "CurrentBuild", "REG_SZ", str(version.build)),
        (current, "SystemRoot", "REG_SZ", version.windows),
    ]
    if version.service_pack:
        values.append((current, "CSDVersion", "REG_SZ", version.service_pack))
    computer = r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName"
    values += [
        (computer, "ComputerName", "REG_SZ", description.computer_name),
        (r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters", "Hostname", "REG_SZ", description.computer_name.lower()),
        (r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment", "OS", "REG_SZ", "Windows_NT"),
    ]
    if description.agent != "none":
        remote = r"HKLM\SOFTWARE\Microsoft\SMS\Client Services\Remote Control\Parameters"
        values += [
            # -IP is the default of the agent (Q170440); the type of the value is documented nowhere.
            (remote, "CommandLine", "REG_SZ", "-IP"),
            (remote, "PermittedViewers", "REG_MULTI_SZ", ("Administrators",)),
        ]
    for path in (r"HKLM\SOFTWARE\Microsoft", r"HKLM\SYSTEM\CurrentControlSet\Control", r"HKCU\SOFTWARE", r"HKU\.DEFAULT", r"HKLM\HARDWARE"):
        registry.create(path)
    for path, name, kind, data in [*values, *description.registry]:
        if kind:
            registry.set(path, name, kind, data)
        else:
            registry.create(path)


def _fill_files(files: FileStore, description: HostDescription) -> None:
    version = description.version
    profile = rf"C:\Users\{_profile(description)}"
    for directory in (version.system32 + r"\drivers\etc", version.windows + r"\Temp", r"C:\Program Files", profile):
        files.make_directories(directory, INSTALLED)
    for name in programs_of(description):
        files.put(File(rf"{version.system32}\{name}", INSTALLED, size=40_960 + 97 * sum(map(ord, name)), version=version.number + ".0"))
    files.put(File(version.system32 + r"\drivers\etc\hosts", INSTALLED, content=b"127.0.0.1       localhost\r\n"))
    files.put(File(version.windows + r"\win.ini", INSTALLED, content=b"; for 16-bit app support\r\n"))
    if description.agent != "none":
        when = _AGENT_FILES[description.agent]
        files.put(File(rf"{version.windows}\Wuser32.exe", when, size=170_720, version="1.20.786.0"))
        # Hidden as in Q126644.
        files.put(File(r"C:\Sms.ini", INSTALLED, content=sms.ini_text(description.sms), attributes="HS"))
    for path, options in description.files:
        files.make_directories(path.rpartition("\\")[0], INSTALLED)
        content = options["content"]
        files.put(
            File(
                path,
                _moment(options["modified"]),
                content=content.replace("\n", "\r\n").encode() if content is not None else None,
                size=options["size"],
                attributes=options["attributes"],
                version=options["version"],
            )
        )


def _profile(description: HostDescription) -> str:
    return next(iter(description.winrm.users)).rpartition("\\")[2]


def _moment(value: t.Any) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        return value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
    if isinstance(value, str):
        return _moment(datetime.datetime.fromisoformat(value))
    return INSTALLED


def programs_of(description: HostDescription) -> list[str]:
    """The console programs that exist on this version, in system32."""
    release = description.version.release
    found = [name for name in _PROGRAMS if release >= _LATER_THAN_2000.get(name, (0, 0))]
    found += [name for name, since in _SINCE.items() if release >= since] + ["netstat.exe"]
    # An optional part of Windows since build 26100, and not installed.
    if release >= (5, 1) and description.version.build < 26000:
        found.append(r"wbem\wmic.exe")
    return [name for name in found if description.tools.get(name[:-4], "ok") != "missing"]
