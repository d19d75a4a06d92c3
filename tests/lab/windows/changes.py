# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The true state of a host, for tests: to be looked at, and to be changed from outside."""

from __future__ import annotations

import typing as t

from . import boot, sms
from .description import TOOL_STATES, WMI_STATES, read_process, read_sockets
from .files import File
from .reading import FleetError, Reader, choice
from .registry import full_path
from .service_manager import START_NUMBERS
from .sockets import parse_sockets
from .state import RUNNING, STOPPED, PortRange

if t.TYPE_CHECKING:
    from .host import WindowsHost

STATE_NAMES = {1: "Stopped", 2: "Start Pending", 3: "Stop Pending", 4: "Running", 7: "Paused"}
START_NAMES = {"auto": "Auto", "manual": "Manual", "disabled": "Disabled", "boot": "Boot", "system": "System"}
"""As WMI spells them."""


def snapshot(host: WindowsHost) -> dict[str, t.Any]:
    """Everything about the host that can be written as JSON."""
    state, power = host.state, host.power
    return {
        "name": host.name,
        "computer_name": host.computer_name,
        "address": host.address,
        "version": host.version.key,
        "language": host.description.language.code,
        "agent": host.description.agent,
        "accepting": power.on,
        "power": power.phase,
        "boot_time": host.boot_time.isoformat(),
        "boot_count": host.boot_count,
        "logged_on": host.logged_on,
        "pending_restart": None
        if power.pending is None
        else {"kind": power.pending.kind, "delay": power.pending.delay, "message": power.pending.message},
        "settings": dict(host.settings),
        "processes": [
            {
                "pid": process.pid,
                "name": process.name,
                "path": process.path,
                "command_line": process.command_line,
                "parent": process.parent,
                "visible": process.visible,
                "sockets": [str(socket) for socket in process.sockets],
                "services": [service.name for service in state.services_of(process.pid)],
            }
            for process in state.processes.values()
        ],
        "services": {
            service.name: {
                "display_name": service.display_name,
                "start_mode": START_NAMES[service.start],
                "state": STATE_NAMES[service.state],
                "pid": service.pid,
                "path": service.path,
                "exit_code": service.exit_code,
            }
            for service in state.services.values()
        },
        "reservations": {
            protocol: [{"start": span.start, "end": span.end, "administered": span.administered} for span in spans]
            for protocol, spans in state.excluded.items()
        },
        "dynamic_ports": {protocol: {"start": start, "count": count} for protocol, (start, count) in state.dynamic.items()},
        "registry": state.registry.dump(),
        "files": state.files.dump(),
        "drives": dict(state.files.drives),
    }


def change(host: WindowsHost, patch: t.Any) -> None:
    """Apply `patch`, whole or not at all as far as its form can be checked beforehand."""
    read = Reader(patch, f"host '{host.name}', change")
    start = [_process(entry, host, read) for entry in read.mappings("start_processes")]
    kill = [_pid_of(host, read, entry) for entry in read.items("kill_processes")]
    add = [_socket_change(host, read, entry, "add_sockets") for entry in read.mappings("add_sockets")]
    remove = [socket for text in read.texts("remove_sockets") for socket in _sockets(read, "remove_sockets", text)]
    reserve = [_range(read, "add_reservations", text) for text in read.texts("add_reservations")]
    release = [_range(read, "remove_reservations", text) for text in read.texts("remove_reservations")]
    services = [_service_change(host, read, str(name), wanted) for name, wanted in read.mapping("services").items()]
    values = _registry_change(read)
    files = read.mapping("files")
    settings = _settings(read)
    power = choice(read, "power", ("on", "off", "restart"), "")
    logged_on = read.raw("logged_on", None)
    read.done()
    state = host.own()
    for process in start:
        boot.add_process(host, process, host.uptime(), process.pid)
    for pid in kill:
        state.processes.pop(pid, None)
        host.services.process_ended(pid, 1067)
    for pid, sockets in add:
        state.put_process(pid, sockets=state.processes[pid].sockets + sockets)
    if remove:
        for process in list(state.processes.values()):
            state.put_process(process.pid, sockets=tuple(socket for socket in process.sockets if socket not in remove))
    for protocol, span in reserve:
        state.excluded[protocol] = tuple(sorted({*state.excluded[protocol], span}, key=lambda found: (found.start, found.end)))
    for protocol, span in release:
        state.excluded[protocol] = tuple(found for found in state.excluded[protocol] if (found.start, found.end) != (span.start, span.end))
    for name, wanted in services:
        _apply_service(host, name, wanted)
    for path, name, value in values:
        if value is None:
            state.registry.delete_value(path, name)
        else:
            state.registry.set(path, name, "REG_DWORD" if isinstance(value, int) else "REG_SZ", value)
    for path, content in files.items():
        if content is None:
            state.files.remove(str(path))
        else:
            state.files.make_directories(str(path).rpartition("\\")[0], host.clock.now())
            state.files.put(File(str(path), host.clock.now(), content=str(content).encode()))
    host.settings.update(settings)
    if logged_on is not None:
        host.logged_on = str(logged_on)
        sms.logged_on(host)
    if power == "off":
        host.power.switch_off()
    elif power == "on":
        host.power.switch_on()
    elif power == "restart":
        host.power.request("restart", 0, "")


def _process(entry: dict[str, t.Any], host: WindowsHost, read: Reader) -> t.Any:
    inner = Reader(entry, f"{read.where}, start_processes")
    process = read_process(inner, host.version)
    inner.done()
    if process.pid and process.pid in host.state.processes:
        raise inner.wrong("pid", f"process {process.pid} exists")
    return process


def _pid_of(host: WindowsHost, read: Reader, entry: t.Any) -> int:
    for process in host.state.processes.values():
        if process.pid == entry or process.name.lower() == str(entry).lower():
            return process.pid
    raise read.wrong("kill_processes", f"there is no process '{entry}'")


def _socket_change(host: WindowsHost, read: Reader, entry: dict[str, t.Any], key: str) -> tuple[int, tuple[t.Any, ...]]:
    inner = Reader(entry, f"{read.where}, {key}")
    pid = _pid_of(host, read, inner.raw("process", 4))
    sockets = read_sockets(inner, "sockets")
    inner.done()
    return pid, sockets


def _sockets(read: Reader, key: str, text: str) -> tuple[t.Any, ...]:
    try:
        return parse_sockets(text)
    except ValueError as error:
        raise read.wrong(key, str(error)) from None


def _range(read: Reader, key: str, text: str) -> tuple[str, PortRange]:
    words = text.split()
    try:
        start, _dash, end = words[1].partition("-")
        return {"tcp": "tcp", "udp": "udp"}[words[0].lower()], PortRange(int(start), int(end or start), words[2:] == ["administered"])
    except (IndexError, KeyError, ValueError):
        raise read.wrong(key, f"'{text}' is not 'tcp|udp START-END [administered]'") from None


def _service_change(host: WindowsHost, read: Reader, name: str, wanted: t.Any) -> tuple[str, dict[str, t.Any]]:
    inner = Reader(wanted, f"{read.where}, service '{name}'")
    if name.lower() not in host.state.services:
        raise inner.wrong("services", f"there is no service '{name}'")
    known = {STATE_NAMES[STOPPED]: STOPPED, STATE_NAMES[RUNNING]: RUNNING}
    found: dict[str, t.Any] = {
        "state": known.get(choice(inner, "state", tuple(known), "")),
        "start": {word: key for key, word in START_NAMES.items()}.get(choice(inner, "start_mode", tuple(START_NAMES.values()), "")),
    }
    for key in ("stop_hangs",):
        if key in wanted:
            found[key] = inner.flag(key, False)
    for key in ("start_fails",):
        if key in wanted:
            found[key] = inner.number(key, 0, 0, 65535)
    for key in ("start_seconds", "stop_seconds"):
        if key in wanted:
            found[key] = inner.decimal(key, 0.0)
    inner.done()
    return name, found


def _apply_service(host: WindowsHost, name: str, wanted: dict[str, t.Any]) -> None:
    state = host.own()
    behaviour = {key: value for key, value in wanted.items() if key not in ("state", "start")}
    if behaviour:
        state.put_service(name, **behaviour)
    if wanted["start"] in START_NUMBERS:
        host.services.configure(name, start=wanted["start"])
    if wanted["state"] == RUNNING:
        host.services.start(name)
    elif wanted["state"] == STOPPED:
        host.services.stop(name)
    host.services.settle()


def _registry_change(read: Reader) -> list[tuple[str, str, t.Any]]:
    found = []
    for path, values in read.mapping("registry").items():
        if full_path(str(path)) is None or not isinstance(values, dict):
            raise read.wrong("registry", f"'{path}' is not HIVE\\KEY with a mapping of values")
        for name, value in values.items():
            if value is not None and (isinstance(value, bool) or not isinstance(value, (int, str))):
                raise read.wrong("registry", f"the value '{name}' of '{path}' is no text and no number")
            found.append((str(path), str(name), value))
    return found


def _settings(read: Reader) -> dict[str, str]:
    inner = Reader(read.mapping("settings"), f"{read.where}, settings")
    found = {}
    for key in ("wmi", "netstat", "netsh", "tasklist"):
        value = choice(inner, key, WMI_STATES if key == "wmi" else TOOL_STATES, "")
        if value:
            found[key] = value
    inner.done()
    return found


__all__ = ["FleetError", "change", "snapshot"]
