# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service control manager: starting, stopping and configuring services, and the processes they live in.

Return values are Windows error codes (0 for success), as the functions of the same names return them.
"""

from __future__ import annotations

import dataclasses
import math
import ntpath
import typing as t

from . import sms
from .sockets import Socket
from .state import RUNNING, START_PENDING, STOP_PENDING, STOPPED, Process, Service

if t.TYPE_CHECKING:
    from .host import WindowsHost

SERVICES_KEY = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services"
START_NUMBERS = {"boot": 0, "system": 1, "auto": 2, "manual": 3, "disabled": 4}

ACCESS_DENIED = 5
DEPENDENT_RUNNING, INVALID_CONTROL, ALREADY_RUNNING, DISABLED = 1051, 1052, 1056, 1058
NO_SUCH_SERVICE, CANNOT_ACCEPT, NOT_ACTIVE, PROCESS_ABORTED, DEPENDENCY_FAILED = 1060, 1061, 1062, 1067, 1068
MARKED_FOR_DELETE, SERVICE_EXISTS, DEPENDENCY_MISSING, NEVER_STARTED = 1072, 1073, 1075, 1077


def image_name(command_line: str) -> str:
    """The program's file name in a service's command line."""
    return ntpath.basename(image_path(command_line))


def image_path(command_line: str) -> str:
    """The program's path in a service's command line, as CreateProcess finds it."""
    if command_line.startswith('"'):
        return command_line[1:].partition('"')[0]
    lower = command_line.lower()
    at = lower.find(".exe")
    return command_line[: at + 4] if at >= 0 else command_line.partition(" ")[0]


class ServiceManager:
    """The services of one host."""

    def __init__(self, host: WindowsHost) -> None:
        self._host = host

    def find(self, name: str) -> Service | None:
        """A service by its key name, else by its display name."""
        services = self._host.state.services
        found = services.get(name.lower())
        return found or next((service for service in services.values() if service.display_name.lower() == name.lower()), None)

    def start(self, name: str) -> int:
        """Start a service and what it depends on."""
        service = self._host.state.services.get(name.lower())
        if service is None:
            return NO_SUCH_SERVICE
        if service.deleted:
            return MARKED_FOR_DELETE
        if service.start == "disabled":
            return DISABLED
        if service.state != STOPPED:
            return ALREADY_RUNNING
        for needed in service.depends:
            below = self._host.state.services.get(needed.lower())
            if below is None:
                return DEPENDENCY_MISSING
            if below.state == STOPPED and self.start(needed):
                return DEPENDENCY_FAILED
        state = self._host.own()
        if service.start_fails:
            state.put_service(name, exit_code=service.start_fails)
            return service.start_fails
        if name.lower() == "wuser32" and self._host.has_started:
            service = state.put_service(name, sockets=sms.sockets_of(self._host))
        free, taken = self._what_is_free(service)
        if taken and service.on_conflict == "crash":
            state.put_service(name, exit_code=PROCESS_ABORTED)
            return 0
        pid = self._enter_process(service, free)
        seconds = math.inf if taken and service.on_conflict == "hang" else self._host.clock.real(service.start_seconds)
        state.put_service(name, state=START_PENDING, pid=pid, exit_code=0, ready_at=self._deadline(seconds))
        return 0

    def stop(self, name: str) -> int:
        """Ask a service to stop."""
        service = self._host.state.services.get(name.lower())
        if service is None:
            return NO_SUCH_SERVICE
        if service.state == STOPPED:
            return NOT_ACTIVE
        if service.state != RUNNING:
            return CANNOT_ACCEPT
        if not service.stoppable:
            return INVALID_CONTROL
        if any(name.lower() in map(str.lower, other.depends) for other in self._host.state.services.values() if other.state != STOPPED):
            return DEPENDENT_RUNNING
        seconds = math.inf if service.stop_hangs else self._host.clock.real(service.stop_seconds)
        self._host.own().put_service(name, state=STOP_PENDING, ready_at=self._deadline(seconds))
        return 0

    def settle(self) -> None:
        """Finish every pending start and stop whose time has come."""
        now = self._host.clock.monotonic()
        for service in list(self._host.state.services.values()):
            if service.ready_at is None or service.ready_at > now:
                continue
            if service.state == START_PENDING:
                self._host.own().put_service(service.name, state=RUNNING, ready_at=None)
            elif service.state == STOP_PENDING:
                self._stopped(service, 0)
        self._host.pending_at = min((s.ready_at for s in self._host.state.services.values() if s.ready_at is not None), default=math.inf)

    def process_ended(self, pid: int, exit_code: int) -> None:
        """The process is gone; the services in it go with it."""
        for service in self._host.state.services_of(pid):
            self._stopped(service, exit_code)

    def configure(self, name: str, **changes: t.Any) -> int:
        """Change start, path, display_name, account, delayed or depends; the registry follows."""
        service = self._host.state.services.get(name.lower())
        if service is None:
            return NO_SUCH_SERVICE
        if service.deleted:
            return MARKED_FOR_DELETE
        state = self._host.own()
        if "path" in changes:
            changes.update(process_line=changes["path"], image="")
        service = state.put_service(name, **changes)
        write_service_key(state.registry, service, self._host.version.windows)
        return 0

    def create(self, service: Service) -> int:
        """Install a service."""
        found = self._host.state.services.get(service.name.lower())
        if found is not None:
            return MARKED_FOR_DELETE if found.deleted else SERVICE_EXISTS
        state = self._host.own()
        state.services[service.name.lower()] = service
        write_service_key(state.registry, service, self._host.version.windows)
        return 0

    def delete(self, name: str) -> int:
        """Remove a service, at once or when it has stopped."""
        service = self._host.state.services.get(name.lower())
        if service is None:
            return NO_SUCH_SERVICE
        if service.deleted:
            return MARKED_FOR_DELETE
        state = self._host.own()
        state.registry.delete_key(rf"{SERVICES_KEY}\{service.name}")
        if service.state == STOPPED:
            del state.services[name.lower()]
        else:
            state.put_service(name, deleted=True)
        return 0

    def _deadline(self, seconds: float) -> float:
        at = self._host.clock.monotonic() + seconds
        self._host.pending_at = min(self._host.pending_at, at)
        return at

    def _what_is_free(self, service: Service) -> tuple[tuple[Socket, ...], bool]:
        state = self._host.state
        free = tuple(socket for socket in service.sockets if state.bound(socket) is None and not self._is_excluded(socket))
        return free, len(free) < len(service.sockets)

    def _is_excluded(self, socket: Socket) -> bool:
        """A reserved block keeps everybody out; an administered one lets in whoever asks for that very port."""
        spans = self._host.state.excluded[socket.protocol.lower()]
        return any(span.start <= socket.port <= span.end and not span.administered for span in spans)

    def _enter_process(self, service: Service, sockets: tuple[Socket, ...]) -> int:
        state = self._host.own()
        for process in state.processes.values():
            if service.shared and process.command_line == service.process_line and process.visible:
                state.put_process(process.pid, sockets=process.sockets + sockets)
                return process.pid
        parent = next((process.pid for process in state.processes.values() if process.name.lower() == "services.exe"), 4)
        account = {"localsystem": r"NT AUTHORITY\SYSTEM"}.get(service.account.lower(), service.account)
        process = Process(
            pid=self._host.new_pid(service.process_line),
            name=ntpath.basename(service.image or image_path(service.path)),
            path=service.image or image_path(service.path),
            command_line=service.process_line,
            parent=parent,
            session=0,
            account=account.replace("LocalService", "LOCAL SERVICE").replace("NetworkService", "NETWORK SERVICE"),
            sockets=sockets,
            born=self._host.uptime(),
            memory=6000 + sum(map(ord, service.name)) % 9000,
        )
        state.processes[process.pid] = process
        return process.pid

    def _stopped(self, service: Service, exit_code: int) -> None:
        state = self._host.own()
        if service.deleted:
            del state.services[service.name.lower()]
        else:
            state.put_service(service.name, state=STOPPED, pid=0, exit_code=exit_code, ready_at=None)
        process = state.processes.get(service.pid)
        if process is None:
            return
        if not any(other.pid == service.pid for other in state.services.values()) and image_name(service.path).lower() not in _CORE:
            del state.processes[service.pid]
        else:
            state.put_process(service.pid, sockets=tuple(socket for socket in process.sockets if socket not in service.sockets))


_CORE = ("lsass.exe", "services.exe")


def write_service_key(registry: t.Any, service: Service, windows: str) -> None:
    """Keep the registry as the service control manager does."""
    key = rf"{SERVICES_KEY}\{service.name}"
    path = service.path
    if path.lower().startswith(windows.lower() + "\\system32"):
        path = "%SystemRoot%" + path[len(windows) :]
    registry.set(key, "Type", "REG_DWORD", type_number(service))
    registry.set(key, "Start", "REG_DWORD", START_NUMBERS[service.start])
    registry.set(key, "ErrorControl", "REG_DWORD", 1)
    registry.set(key, "ImagePath", "REG_EXPAND_SZ", path)
    registry.set(key, "DisplayName", "REG_SZ", service.display_name)
    if service.depends:
        registry.set(key, "DependOnService", "REG_MULTI_SZ", service.depends)
    registry.set(key, "ObjectName", "REG_SZ", service.account)
    if service.delayed:
        registry.set(key, "DelayedAutostart", "REG_DWORD", 1)


def read_service_keys(registry: t.Any, known: dict[str, Service], windows: str) -> dict[str, Service]:
    """The services as the next start of Windows finds them: start types and paths from the registry, all stopped."""
    found: dict[str, Service] = {}
    starts = {number: word for word, number in START_NUMBERS.items()}
    for key in registry.subkeys(SERVICES_KEY):
        name = key.path.rpartition("\\")[2]
        values = {value.name.lower(): value.data for value in key.values}
        if "imagepath" not in values or not int(values.get("type", 0)) & 0x30:
            continue
        path = str(values["imagepath"])
        if path.lower().startswith("%systemroot%"):
            path = windows + path[len("%systemroot%") :]
        start = starts.get(values.get("start", 3), "manual")
        service = known.get(name.lower())
        if service is None:
            shared = bool(int(values.get("type", 0)) & 0x20)
            service = new_service(name, str(values.get("displayname", name)), start, path, shared=shared)
        if path.lower() != service.path.lower():
            service = dataclasses.replace(service, path=path, process_line=path, image="")
        found[name.lower()] = dataclasses.replace(
            service, start=start, delayed=values.get("delayedautostart") == 1, state=STOPPED, pid=0, exit_code=NEVER_STARTED, ready_at=None
        )
    # Listed as before, new ones last, so that the order of starting stays.
    order = {name: place for place, name in enumerate(known)}
    return dict(sorted(found.items(), key=lambda item: order.get(item[0], len(order))))


def new_service(name: str, display_name: str, start: str, path: str, account: str = "LocalSystem", shared: bool = False) -> Service:
    """A service nothing more is known about."""
    return Service(
        name=name, display_name=display_name, description="", start=start, path=path, process_line=path, account=account, shared=shared
    )


def type_number(service: Service) -> int:
    """The Type value: own or shared process, interactive or not."""
    return (0x20 if service.shared else 0x10) | (0x100 if service.interactive else 0)
