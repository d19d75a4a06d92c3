# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host as a fleet file describes it, checked and turned into plain data. README.md documents the keys."""

from __future__ import annotations

import dataclasses
import typing as t

from .languages import CODECS, LANGUAGES, Language
from .reading import FleetError, Reader, choice
from .registry import TYPES, InvalidData, full_path, parse_data
from .shares import Share, read_shares
from .sms import HOTFIX_PORTS, ORIGINAL_PORTS, SmsDescription, read_sms
from .sockets import Socket, make, parse_sockets
from .state import PortRange
from .versions import VERSIONS, Version
from .winrm_settings import WinrmSettings, read_winrm

TOOL_STATES = ("ok", "missing", "failing", "empty", "usage", "hanging")
WMI_STATES = ("ok", "denied", "broken", "missing-class")
"""Q229097: the ports of the agent before and after the fix. An idle agent holds the first two, UDP only (Q178748)."""


@dataclasses.dataclass(frozen=True)
class ProcessDescription:
    """A process that is no service. `pid` 0 lets Windows choose."""

    name: str
    pid: int
    path: str
    command_line: str
    account: str
    session: int
    memory: int
    sockets: tuple[Socket, ...]
    at_boot: bool
    visible: bool


@dataclasses.dataclass(frozen=True)
class ServiceDescription:
    """A service beside the standard ones, or what is different about one of them; None leaves the standard."""

    name: str
    display_name: str | None = None
    start: str | None = None
    path: str | None = None
    process_line: str | None = None
    image: str | None = None
    account: str | None = None
    shared: bool | None = None
    interactive: bool | None = None
    depends: tuple[str, ...] | None = None
    sockets: tuple[Socket, ...] | None = None
    on_conflict: str | None = None
    start_seconds: float | None = None
    stop_seconds: float | None = None
    start_fails: int | None = None
    stop_hangs: bool | None = None
    running: bool | None = None
    pid: int = 0


@dataclasses.dataclass(frozen=True)
class RestartDescription:
    """What a restart does to the host; seconds are real ones."""

    goes_down: bool = True
    comes_back: bool = True
    shutdown_seconds: float = 0.3
    boot_seconds: float = 0.5


@dataclasses.dataclass(frozen=True)
class HostDescription:
    """Everything about one host, or about each of `count` hosts."""

    name: str
    computer_name: str
    address: str
    count: int
    version: Version
    language: Language
    code_page: int
    groups: tuple[str, ...]
    agent: str
    processes: tuple[ProcessDescription, ...]
    services: tuple[ServiceDescription, ...]
    system_sockets: tuple[Socket, ...]
    closing_sockets: tuple[Socket, ...]
    registry: tuple[tuple[str, str, str, t.Any], ...]
    files: tuple[tuple[str, dict[str, t.Any]], ...]
    excluded: dict[str, tuple[PortRange, ...]]
    dynamic: dict[str, tuple[int, int]]
    winrm: WinrmSettings
    faults: tuple[dict[str, t.Any], ...]
    wmi: str
    tools: dict[str, str]
    tool_seconds: dict[str, float]
    restart: RestartDescription
    logged_on: str
    administrators: frozenset[str] | None
    uptime_days: float
    wine_prefix: str
    shares: dict[str, Share]
    sms: SmsDescription


def read_host(data: t.Any, where: str, restart: RestartDescription) -> HostDescription:
    """The host that `data`, with the fleet's defaults already below it, describes.

    :param where: names the host in errors.
    :raises FleetError: something is wrong with it.
    """
    read = Reader(data, where)
    name = read.text("name")
    read.where = f"host '{name}'"
    version = VERSIONS[choice(read, "version", tuple(VERSIONS), "10")]
    language = LANGUAGES[choice(read, "language", tuple(LANGUAGES), "en")]
    code_page = read.number("code_page", language.oem, 1, 65001)
    if code_page not in CODECS:
        raise read.wrong("code_page", f"{code_page} is no code page the lab knows")
    processes, services = _processes(read, version)
    services += _services(read, version)
    agent = _agent(read, version)
    if agent:
        services.append(agent)
    computer = read.text("computer_name", name.partition(".")[0].upper().replace("_", "-")[:15])
    description = HostDescription(
        name=name,
        computer_name=computer,
        address=read.text("address", ""),
        count=read.number("count", 1, 1, 100_000),
        version=version,
        language=language,
        code_page=code_page,
        groups=tuple(read.texts("groups")),
        agent=_agent_build(read),
        processes=tuple(processes),
        services=tuple(services),
        system_sockets=read_sockets(read, "system_sockets"),
        closing_sockets=read_sockets(read, "closing_sockets"),
        registry=_registry(read),
        files=_files(read),
        excluded=_excluded(read),
        dynamic=_dynamic(read, version),
        winrm=read_winrm(read, version, language),
        faults=tuple(dict(fault) for fault in read.mappings("faults")),
        wmi=choice(read, "wmi", WMI_STATES, "ok"),
        tools={tool: choice(read, tool, TOOL_STATES, "ok") for tool in ("netstat", "netsh", "tasklist")},
        tool_seconds=read.numbers("tool_seconds"),
        restart=_restart(read, restart),
        logged_on=read.text("logged_on", ""),
        administrators=frozenset(user.lower() for user in read.texts("administrators")) if "administrators" in data else None,
        uptime_days=read.decimal("uptime_days", 3.2),
        wine_prefix=read.text("wine_prefix", ""),
        shares=read_shares(read),
        sms=read_sms(read),
    )
    read.done()
    return description


def read_sockets(read: Reader, key: str) -> tuple[Socket, ...]:
    """A list of socket texts, or mappings ``{socket: text, count: n}`` that count the local port up from there."""
    found: list[Socket] = []
    for entry in read.items(key):
        count = 1
        if isinstance(entry, dict):
            inner = Reader(entry, f"{read.where}, {key}")
            text, count = inner.text("socket"), inner.number("count", 1, 1, 1_000_000)
            inner.done()
        else:
            text = entry
        if not isinstance(text, str):
            raise read.wrong(key, f"'{text}' is no text such as 'udp 0.0.0.0:1762'")
        try:
            parsed = parse_sockets(text)
        except ValueError as error:
            raise read.wrong(key, str(error)) from None
        # Ports run out long before 20,000 connections do: the remote end tells the rest apart, as on a busy server.
        found += [
            make(s.protocol, s.address, 1024 + (s.port - 1024 + i) % 64512 if count > 1 else s.port, s.remote, s.remote_port, s.state)
            for i in range(count)
            for s in parsed
        ]
    return tuple(found)


def read_process(read: Reader, version: Version) -> ProcessDescription:
    """A process of a fleet file, or of a change while the fleet runs."""
    name = read.text("name")
    path = read.text("path", rf"{version.system32}\{name}")
    return ProcessDescription(
        name=name,
        pid=read.number("pid", 0, 0, 4_194_304),
        path=path,
        command_line=read.text("command_line", f'"{path}"' if " " in path else path),
        account=read.text("account", r"NT AUTHORITY\SYSTEM"),
        session=read.number("session", 0, 0, 65535),
        memory=read.number("memory", 8000, 0, 1 << 31),
        sockets=read_sockets(read, "sockets"),
        at_boot=read.flag("at_boot", True),
        visible=not read.flag("vanished", False),
    )


def _processes(read: Reader, version: Version) -> tuple[list[ProcessDescription], list[ServiceDescription]]:
    processes: list[ProcessDescription] = []
    services: list[ServiceDescription] = []
    for entry in read.mappings("processes"):
        inner = Reader(entry, f"{read.where}, processes")
        names = inner.texts("services")
        count = inner.number("count", 1, 1, 100_000)
        process = read_process(inner, version)
        inner.done()
        if not names:
            processes += [process] * count
            continue
        for index, name in enumerate(names):
            services.append(
                ServiceDescription(
                    name=name,
                    start="auto" if process.at_boot else "manual",
                    running=True,
                    path=process.command_line,
                    process_line=process.command_line,
                    image=process.path,
                    account="LocalSystem" if process.account.upper().endswith("SYSTEM") else process.account,
                    shared=len(names) > 1,
                    sockets=process.sockets if index == 0 else (),
                    pid=process.pid,
                )
            )
    return processes, services


def _services(read: Reader, version: Version) -> list[ServiceDescription]:
    found = []
    for entry in read.mappings("services"):
        inner = Reader(entry, f"{read.where}, services")
        name = inner.text("name")
        path = inner.optional("path")
        state = choice(inner, "state", ("running", "stopped"), "")
        found.append(
            ServiceDescription(
                name=name,
                display_name=inner.optional("display_name"),
                start=choice(inner, "start", ("auto", "manual", "disabled"), "") or None,
                path=path,
                process_line=inner.optional("process_line") or path,
                account=inner.optional("account"),
                interactive=inner.flag("interactive", False) if "interactive" in entry else None,
                depends=tuple(inner.texts("depends")) if "depends" in entry else None,
                sockets=read_sockets(inner, "sockets") if "sockets" in entry else None,
                on_conflict=choice(inner, "on_conflict", ("skip", "crash", "hang"), "") or None,
                start_seconds=inner.decimal("start_seconds", 0.0) if "start_seconds" in entry else None,
                stop_seconds=inner.decimal("stop_seconds", 0.0) if "stop_seconds" in entry else None,
                start_fails=inner.number("start_fails", 0, 0, 65535) if "start_fails" in entry else None,
                stop_hangs=inner.flag("stop_hangs", False) if "stop_hangs" in entry else None,
                running={"running": True, "stopped": False}.get(state),
                pid=inner.number("pid", 0, 0, 4_194_304),
            )
        )
        inner.done()
    return found


def _agent_build(read: Reader) -> str:
    value = read.raw("agent", "none")
    return str(value.get("build", "original") if isinstance(value, dict) else value)


def _agent(read: Reader, version: Version) -> ServiceDescription | None:
    value = read.raw("agent", "none")
    inner = Reader(value if isinstance(value, dict) else {"build": value}, f"{read.where}, agent")
    build = choice(inner, "build", ("original", "hotfix", "none"), "original")
    ports = ORIGINAL_PORTS if build == "original" else HOTFIX_PORTS
    held = choice(inner, "ports", ("idle", "all", "none"), "idle")
    texts = {
        "idle": [f"udp 0.0.0.0:{port}" for port in ports[:2]],
        "all": [f"{protocol} 0.0.0.0:{port}" for port in ports for protocol in ("tcp", "udp")],
        "none": [],
    }[held]
    path = inner.text("path", rf"{version.windows}\Wuser32.exe")
    state = choice(inner, "state", ("running", "stopped"), "")
    found = ServiceDescription(
        name="Wuser32",
        display_name="SMS Remote Control Agent",
        start=choice(inner, "start", ("auto", "manual", "disabled"), "auto"),
        path=path,
        process_line=path,
        account="LocalSystem",
        shared=False,
        # It must keep "allow service to interact with desktop" (Q171289).
        interactive=True,
        sockets=tuple(socket for text in texts for socket in parse_sockets(text)),
        on_conflict=choice(inner, "on_conflict", ("skip", "crash", "hang"), "crash"),
        start_seconds=inner.decimal("start_seconds", 0.0),
        stop_seconds=inner.decimal("stop_seconds", 0.0),
        start_fails=inner.number("start_fails", 0, 0, 65535),
        stop_hangs=inner.flag("stop_hangs", False),
        running={"running": True, "stopped": False}.get(state),
        pid=inner.number("pid", 0, 0, 4_194_304),
    )
    inner.done()
    return None if build == "none" else found


def _registry(read: Reader) -> tuple[tuple[str, str, str, t.Any], ...]:
    found = []
    for path, values in read.mapping("registry").items():
        if full_path(str(path)) is None:
            raise read.wrong("registry", f"'{path}' does not begin with a hive such as HKLM")
        if not values:
            found.append((str(path), "", "", None))
        for name, value in (values or {}).items():
            kind, data = "REG_SZ", value
            if isinstance(value, int):
                kind = "REG_DWORD"
            elif isinstance(value, list):
                kind, data = "REG_MULTI_SZ", tuple(str(part) for part in value)
            if isinstance(value, dict):
                kind = str(value.get("type", "REG_SZ"))
                try:
                    data = parse_data(kind, str(value.get("data", "")))
                except InvalidData:
                    raise read.wrong("registry", f"'{value}' at {path} is no data; the types are {', '.join(TYPES)}") from None
            found.append((str(path), str(name), kind, data))
    return tuple(found)


def _files(read: Reader) -> tuple[tuple[str, dict[str, t.Any]], ...]:
    found = []
    for path, value in read.mapping("files").items():
        inner = Reader(value if isinstance(value, dict) else {"content": value or ""}, f"{read.where}, files '{path}'")
        found.append(
            (
                str(path),
                {
                    "content": inner.optional("content"),
                    "size": inner.number("size", 0, 0, 1 << 40),
                    "modified": inner.raw("modified", None),
                    "attributes": inner.text("attributes", "A"),
                    "version": inner.optional("version"),
                },
            )
        )
        inner.done()
    return tuple(found)


def _excluded(read: Reader) -> dict[str, tuple[PortRange, ...]]:
    found: dict[str, list[PortRange]] = {"tcp": [], "udp": []}
    for text in read.texts("reserved"):
        words = text.split()
        try:
            protocol = words[0].lower()
            start, _dash, end = words[1].partition("-")
            span = PortRange(int(start), int(end or start), words[2:] == ["administered"])
            if protocol not in found or words[2:] not in ([], ["administered"]) or not 1 <= span.start <= span.end <= 65535:
                raise ValueError(text)
        except (ValueError, IndexError):
            raise read.wrong("reserved", f"'{text}' is not 'tcp|udp START-END [administered]'") from None
        found[protocol].append(span)
    return {protocol: tuple(sorted(spans, key=lambda span: (span.start, span.end))) for protocol, spans in found.items()}


def _dynamic(read: Reader, version: Version) -> dict[str, tuple[int, int]]:
    found = {"tcp": version.dynamic_ports, "udp": version.dynamic_ports}
    for protocol, text in read.mapping("dynamic").items():
        start, _dash, end = str(text).partition("-")
        if protocol not in found or not (start.isdigit() and end.isdigit()) or not 1 <= int(start) <= int(end) <= 65535:
            raise read.wrong("dynamic", f"'{protocol}: {text}' is not 'tcp|udp: START-END'")
        found[protocol] = (int(start), int(end) - int(start) + 1)
    return found


def _restart(read: Reader, fleet: RestartDescription) -> RestartDescription:
    inner = Reader(read.mapping("restart"), f"{read.where}, restart")
    found = RestartDescription(
        goes_down=inner.flag("goes_down", True),
        comes_back=inner.flag("comes_back", True),
        shutdown_seconds=inner.decimal("shutdown_seconds", fleet.shutdown_seconds),
        boot_seconds=inner.decimal("boot_seconds", fleet.boot_seconds),
    )
    inner.done()
    return found


__all__ = ["FleetError", "HostDescription", "ProcessDescription", "RestartDescription", "ServiceDescription", "WinrmSettings", "read_host"]
