# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""sc: layout and error codes as Microsoft's documentation and countless logs show them. Not localised, as in Windows."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..service_manager import ACCESS_DENIED, NO_SUCH_SERVICE, new_service, type_number
from ..state import RUNNING, START_PENDING, STOPPED, Service
from .messages import message

if t.TYPE_CHECKING:
    from ..shell.call import Call, Steps

_STATES = {1: "STOPPED", 2: "START_PENDING", 3: "STOP_PENDING", 4: "RUNNING", 7: "PAUSED"}
_TYPES = {0x10: "WIN32_OWN_PROCESS", 0x20: "WIN32_SHARE_PROCESS"}
_STARTS = {"boot": "BOOT_START", "system": "SYSTEM_START", "auto": "AUTO_START", "manual": "DEMAND_START", "disabled": "DISABLED"}
_START_WORDS = {"boot": "boot", "system": "system", "auto": "auto", "demand": "manual", "disabled": "disabled", "delayed-auto": "auto"}
_START_NUMBERS = {"boot": 0, "system": 1, "auto": 2, "manual": 3, "disabled": 4}
_INVALID_COMMAND_LINE = 1639
_USAGE = (
    "DESCRIPTION:\n        SC is a command line program used for communicating with the\n        Service Control Manager and services.\n"
    "USAGE:\n        sc <server> [command] [service name] <option1> <option2>...\n"
)


def run(call: Call) -> Steps:
    """The program."""
    words = call.argv
    if words and words[0].startswith("\\\\"):
        if words[0][2:].lower() not in (call.host.computer_name.lower(), "localhost", "."):
            yield call.out(f"[SC] OpenSCManager FAILED 1722:\n\n{message(1722)}\n\n")
            return 1722
        words = words[1:]
    if not words:
        yield call.out(_USAGE)
        return 0
    command, rest = words[0].lower(), words[1:]
    run_command = _COMMANDS.get(command)
    if run_command is None:
        yield call.out(f"*** Unrecognized Command ***\n{_USAGE}")
        return _INVALID_COMMAND_LINE
    return (yield from run_command(call, command, rest))


def _failed(call: Call, function: str, code: int) -> Steps:
    yield call.out(f"[SC] {function} FAILED {code}:\n\n{message(code)}\n\n")
    return code


def status(service: Service, pid: bool = False, display: bool = False) -> str:
    """The status block of one service."""
    number = type_number(service)
    kind = _TYPES[number & 0x30] + ("  (interactive)" if number & 0x100 else "  ")
    lines = [f"SERVICE_NAME: {service.name} "]
    if display:
        lines = [f"SERVICE_NAME: {service.name}", f"DISPLAY_NAME: {service.display_name}"]
    lines.append(f"        TYPE               : {number:x}  {kind}")
    lines.append(f"        STATE              : {service.state}  {_STATES[service.state]} ")
    if service.state != STOPPED:
        stop = service.stoppable and service.state == RUNNING
        stopping = "STOPPABLE" if stop else "NOT_STOPPABLE"
        lines.append(f"                                ({stopping}, NOT_PAUSABLE, {'ACCEPTS_SHUTDOWN' if stop else 'IGNORES_SHUTDOWN'})")
    hint = "0x7d0" if service.ready_at is not None else "0x0"
    lines += [
        f"        WIN32_EXIT_CODE    : {service.exit_code}  (0x{service.exit_code:x})",
        "        SERVICE_EXIT_CODE  : 0  (0x0)",
        f"        CHECKPOINT         : {'0x1' if service.ready_at is not None else '0x0'}",
        f"        WAIT_HINT          : {hint}",
    ]
    if pid:
        lines += [f"        PID                : {service.pid}", "        FLAGS              : "]
    return "\n" + "\n".join(lines) + "\n"


def _query(call: Call, command: str, rest: list[str]) -> Steps:
    extended = command == "queryex"
    if rest and not re.match(r"(type|state|bufsize|ri|group)=", rest[0], re.IGNORECASE):
        service = call.host.state.services.get(rest[0].lower())
        if service is None:
            return (yield from _failed(call, "EnumQueryServicesStatus:OpenService", NO_SUCH_SERVICE))
        yield call.out(status(service, extended))
        return 0
    options = _options(call, rest)
    if options is None:
        yield call.out(_USAGE)
        return _INVALID_COMMAND_LINE
    which = options.get("state", "active").lower()
    if which not in ("active", "inactive", "all"):
        yield call.out(_USAGE)
        return _INVALID_COMMAND_LINE
    if options.get("type", "service").lower() == "driver":
        return 0
    for service in call.host.state.services.values():
        if which == "all" or (service.state != STOPPED) == (which == "active"):
            yield call.out(status(service, extended, True))
    return 0


def _options(call: Call, words: list[str]) -> dict[str, str] | None:
    """``name= value`` pairs. The blank is required; since Windows 10 sc also takes ``name=value``."""
    found: dict[str, str] = {}
    words = list(words)
    while words:
        name, equals, value = words.pop(0).partition("=")
        if not equals:
            return None
        if value and call.host.version.build < 10240:
            return None
        if not value:
            if not words:
                return None
            value = words.pop(0)
        found[name.lower()] = value
    return found


def _qc(call: Call, _command: str, rest: list[str]) -> Steps:
    service = call.host.state.services.get(rest[0].lower()) if rest else None
    if not rest:
        yield call.out(_USAGE)
        return _INVALID_COMMAND_LINE
    if service is None:
        return (yield from _failed(call, "OpenService", NO_SUCH_SERVICE))
    number = type_number(service)
    kind = _TYPES[number & 0x30] + (" (interactive)" if number & 0x100 else " ")
    start = f"{_START_NUMBERS[service.start]}   {_STARTS[service.start]}" + ("  (DELAYED)" if service.delayed else "")
    depends = service.depends or ("",)
    lines = [
        "[SC] QueryServiceConfig SUCCESS",
        "",
        f"SERVICE_NAME: {service.name}",
        f"        TYPE               : {number:x}  {kind}",
        f"        START_TYPE         : {start}",
        "        ERROR_CONTROL      : 1   NORMAL",
        f"        BINARY_PATH_NAME   : {service.path}",
        "        LOAD_ORDER_GROUP   : ",
        "        TAG                : 0",
        f"        DISPLAY_NAME       : {service.display_name}",
        f"        DEPENDENCIES       : {depends[0]}",
        *(f"                           : {name}" for name in depends[1:]),
        f"        SERVICE_START_NAME : {service.account}",
    ]
    yield call.out("\n".join(lines) + "\n")
    return 0


def _start(call: Call, _command: str, rest: list[str]) -> Steps:
    if not rest:
        yield call.out(_USAGE)
        return _INVALID_COMMAND_LINE
    service = call.host.state.services.get(rest[0].lower())
    if service is None:
        return (yield from _failed(call, "StartService: OpenService", NO_SUCH_SERVICE))
    if not call.elevated:
        return (yield from _failed(call, "StartService: OpenService", ACCESS_DENIED))
    code = call.host.services.start(service.name)
    if code:
        return (yield from _failed(call, "StartService", code))
    now = call.host.state.services[service.name.lower()]
    # What StartService returns is the state it has just set, whatever becomes of it in the next moment.
    yield call.out(status(_as_starting(now), True))
    return 0


def _as_starting(service: Service) -> Service:
    return dataclasses.replace(service, state=START_PENDING, exit_code=0, ready_at=0.0)


def _stop(call: Call, _command: str, rest: list[str]) -> Steps:
    if not rest:
        yield call.out(_USAGE)
        return _INVALID_COMMAND_LINE
    service = call.host.state.services.get(rest[0].lower())
    if service is None or not call.elevated:
        return (yield from _failed(call, "OpenService", NO_SUCH_SERVICE if service is None else ACCESS_DENIED))
    code = call.host.services.stop(service.name)
    if code:
        return (yield from _failed(call, "ControlService", code))
    yield call.out(status(call.host.state.services[service.name.lower()]))
    return 0


def _config(call: Call, _command: str, rest: list[str]) -> Steps:
    options = _options(call, rest[1:]) if rest else None
    known = {"start", "binpath", "displayname", "obj", "depend", "type", "error", "group", "tag", "password"}
    if options is None or not set(options) <= known or options.get("start", "auto").lower() not in _START_WORDS:
        yield call.out(_USAGE)
        return _INVALID_COMMAND_LINE
    service = call.host.state.services.get(rest[0].lower())
    if service is None or not call.elevated:
        return (yield from _failed(call, "OpenService", NO_SUCH_SERVICE if service is None else ACCESS_DENIED))
    changes: dict[str, t.Any] = {}
    if "start" in options:
        changes.update(start=_START_WORDS[options["start"].lower()], delayed=options["start"].lower() == "delayed-auto")
    for option, field in (("binpath", "path"), ("displayname", "display_name"), ("obj", "account")):
        if option in options:
            changes[field] = options[option]
    if "depend" in options:
        changes["depends"] = tuple(name for name in options["depend"].split("/") if name)
    code = call.host.services.configure(service.name, **changes)
    if code:
        return (yield from _failed(call, "ChangeServiceConfig", code))
    yield call.out("[SC] ChangeServiceConfig SUCCESS\n")
    return 0


def _create(call: Call, _command: str, rest: list[str]) -> Steps:
    options = _options(call, rest[1:]) if rest else None
    if options is None or "binpath" not in options or options.get("start", "demand").lower() not in _START_WORDS:
        yield call.out(_USAGE)
        return _INVALID_COMMAND_LINE
    if not call.elevated:
        return (yield from _failed(call, "OpenSCManager", ACCESS_DENIED))
    start = _START_WORDS[options.get("start", "demand").lower()]
    service = new_service(
        rest[0],
        options.get("displayname", rest[0]),
        start,
        options["binpath"],
        options.get("obj", "LocalSystem"),
        options.get("type", "own").lower() == "share",
    )
    code = call.host.services.create(service)
    if code:
        return (yield from _failed(call, "CreateService", code))
    yield call.out("[SC] CreateService SUCCESS\n")
    return 0


def _delete(call: Call, _command: str, rest: list[str]) -> Steps:
    service = call.host.state.services.get(rest[0].lower()) if rest else None
    if service is None or not call.elevated:
        return (yield from _failed(call, "OpenService", NO_SUCH_SERVICE if service is None else ACCESS_DENIED))
    code = call.host.services.delete(service.name)
    if code:
        return (yield from _failed(call, "DeleteService", code))
    yield call.out("[SC] DeleteService SUCCESS\n")
    return 0


def _names(call: Call, command: str, rest: list[str]) -> Steps:
    service = call.host.services.find(" ".join(rest))
    if service is None:
        return (yield from _failed(call, "GetServiceKeyName" if command == "getkeyname" else "GetServiceDisplayName", NO_SUCH_SERVICE))
    if command == "getkeyname":
        yield call.out(f"[SC] GetServiceKeyName SUCCESS\nName = {service.name}\n")
    else:
        yield call.out(f"[SC] GetServiceDisplayName SUCCESS\nName = {service.display_name}\n")
    return 0


_COMMANDS: dict[str, t.Callable[[Call, str, list[str]], Steps]] = {
    "query": _query,
    "queryex": _query,
    "qc": _qc,
    "start": _start,
    "stop": _stop,
    "config": _config,
    "create": _create,
    "delete": _delete,
    "getkeyname": _names,
    "getdisplayname": _names,
}
