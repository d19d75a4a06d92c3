# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of SMS 1.2: what Upgrade.bat, a restart and a logon do to it.

Upgrade.bat only flags Sms.ini (Q125978, Q166771). When somebody logs on, Smsrun32 copies what differs on the logon server, unless a
program of SMS runs (Q168463) or a file is missing there (Q168598). The agent is in use, so its new file waits beside it until the restart
(Q186412). Where the programs for chat and file transfer lie on a client no article says; here it is the Windows directory. Synthetic.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
import typing as t

from .files import File, FileStore
from .reading import Reader
from .shares import Share, show
from .sockets import Socket

if t.TYPE_CHECKING:
    from .host import WindowsHost

ORIGINAL_PORTS = (1761, 1762, 1763, 1764)
HOTFIX_PORTS = (2701, 2702, 2703, 2704)
_SWAP = "$sms00$"
_COPIED = ("Wchat32.exe", "Wslave32.exe", "Wuser32.exe")
_BIN = "\\ms\\sms\\bin\\"
# Between the last build before the hotfix and the hotfix's (Q233545, Q229097).
_HOTFIX_SINCE = datetime.datetime(2000, 3, 1, tzinfo=datetime.timezone.utc)


@dataclasses.dataclass(frozen=True)
class SmsDescription:
    """The key `sms` of a host.

    :ivar logon_server: what Sms.ini names.
    :ivar autologon: who is logged on after each start of Windows.
    :ivar stuck: it stays flagged for ever.
    """

    logon_server: str = ""
    autologon: str = ""
    stuck: bool = False


def read_sms(read: Reader) -> SmsDescription:
    """The key `sms`."""
    inner = Reader(read.mapping("sms"), f"{read.where}, sms")
    found = SmsDescription(inner.text("logon_server", ""), inner.text("autologon", ""), inner.flag("stuck", False))
    inner.done()
    return found


def agent_path(host: WindowsHost) -> str:
    """Where the agent lies."""
    return rf"{host.version.windows}\Wuser32.exe"


def sockets_of(host: WindowsHost) -> tuple[Socket, ...]:
    """What the agent binds when it starts: the ports of the build that lies on the disk, and none unless it speaks IP."""
    described = next((service.sockets or () for service in host.description.services if service.name.lower() == "wuser32"), ())
    registry = host.state.registry
    for software in (r"HKLM\SOFTWARE\Wow6432Node", r"HKLM\SOFTWARE"):
        value = registry.value(rf"{software}\Microsoft\SMS\Client Services\Remote Control\Parameters", "CommandLine")
        if value is not None:
            if not re.search(r"-(ip|tcp)\b", value.text(), re.IGNORECASE):
                return ()
            break
    file = host.state.files.get(agent_path(host))
    if file is None:
        return described
    old, new = (ORIGINAL_PORTS, HOTFIX_PORTS) if file.modified >= _HOTFIX_SINCE else (HOTFIX_PORTS, ORIGINAL_PORTS)
    moved = dict(zip(old, new, strict=True))
    return tuple(dataclasses.replace(socket, port=moved.get(socket.port, socket.port)) for socket in described)


# Sms.ini ------------------------------------------------------------------------------------------------------------------------


def _ini_path(host: WindowsHost) -> str | None:
    return next((path for path in (r"C:\Sms.ini", rf"{host.version.windows}\Sms.ini") if host.state.files.get(path)), None)


def _ini(host: WindowsHost) -> list[str]:
    path = _ini_path(host)
    file = host.state.files.get(path) if path else None
    return (file.content or b"").decode("latin-1").splitlines() if file else []


def _value(lines: list[str], key: str) -> str:
    return next((line.partition("=")[2].strip() for line in lines if line.partition("=")[0].strip().lower() == key.lower()), "")


def _write(host: WindowsHost, changes: dict[tuple[str, str], str | None]) -> None:
    """Set, or with None remove, keys of Sms.ini; sections and keys are found without regard to case, and keep their spelling."""
    path = _ini_path(host)
    if path is None:
        return
    lines = _ini(host)
    for (section, key), value in changes.items():
        begin = next((at for at, line in enumerate(lines) if line.strip().lower() == f"[{section.lower()}]"), None)
        if begin is None:
            lines.append(f"[{section}]")
            begin = len(lines) - 1
        end = next((at for at in range(begin + 1, len(lines)) if lines[at].strip().startswith("[")), len(lines))
        place = next((at for at in range(begin + 1, end) if lines[at].partition("=")[0].strip().lower() == key.lower()), None)
        if place is not None and value is None:
            del lines[place]
        elif place is not None:
            lines[place] = f"{lines[place].partition('=')[0]}={value}"
        elif value is not None:
            lines.insert(end, f"{key}={value}")
    files = host.own().files
    found = files.get(path)
    content = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
    files.put(File(path, host.clock.now(), content=content, attributes=found.attributes if found else "HS"))


# What happens -------------------------------------------------------------------------------------------------------------------


def flag(host: WindowsHost, copy_list: str) -> bool:
    """Client Setup /U: Sms.ini gets the version of the copy list and is told to look at its files. Whether there is a client at all."""
    if _ini_path(host) is None:
        return False
    version = _value(copy_list.splitlines(), "CopyListVersion") or "1"
    _write(host, {("SMS", "CopyListVersion"): version, ("Local", "SetupPhase"): "verify_files"})
    return True


def logged_on(host: WindowsHost) -> None:
    """Somebody logs on: Smsrun32 does what Sms.ini says."""
    lines = _ini(host)
    if not host.logged_on or not _value(lines, "SetupPhase").lower().startswith("verif") or host.description.sms.stuck:
        return
    if any(_BIN in (process.path or "").lower() for process in host.state.processes.values()):
        _write(host, {("Local", "SetupPhase"): "verifying_files"})
        return
    share = _share(host, _value(lines, "CurrentLogonServer"))
    if share is None:
        return
    server = FileStore()
    show(server, share)
    sources = {name: server.get(rf"{share.unc}\x86.bin\{name}") for name in _COPIED}
    missing = [name for name, file in sources.items() if file is None]
    if missing:
        _write(host, {("WorkstationStatus", "FilesNotDownloaded"): missing[0]})
        return
    for name, source in sources.items():
        if source is not None:
            _fetch(host, name, source)
    _write(host, {("WorkstationStatus", "FilesNotDownloaded"): None, ("Local", "SetupPhase"): "installed"})


def _share(host: WindowsHost, server: str) -> Share | None:
    """SMS_SHR of a logon server. Who sits at the screen needs no second hop."""
    unc = rf"\\{server.lstrip(chr(92))}\SMS_SHR".lower()
    share = host.description.shares.get(unc)
    return share if share is not None and share.state in ("ok", "denied") else None


def _fetch(host: WindowsHost, name: str, source: File) -> None:
    files = host.own().files
    path = rf"{host.version.windows}\{name}"
    there = files.get(path)
    size = source.size if source.content is None else len(source.content)
    if there is not None and (there.size, there.modified) == (size, source.modified):
        return
    version = "1.20.786.0" if name == "Wuser32.exe" else None
    in_use = any((process.path or "").lower() == path.lower() for process in host.state.processes.values())
    target = path + _SWAP if in_use else path
    # The bytes themselves are of no use to the model; size and time are what tells builds apart.
    files.put(File(target, source.modified, size=size, version=version))


def restarted(host: WindowsHost) -> None:
    """Windows starts: files that waited for it become live."""
    files = host.own().files
    for file in [file for file in files if file.path.lower().endswith(_SWAP)]:
        files.remove(file.path)
        files.put(dataclasses.replace(file, path=file.path[: -len(_SWAP)]))


def autologon(host: WindowsHost) -> None:
    """After a start of Windows, if the host is set up so."""
    if host.description.sms.autologon:
        host.logged_on = host.description.sms.autologon
        logged_on(host)


def ini_text(description: SmsDescription) -> bytes:
    """Sms.ini of a client that is as it was installed; keys as in Q166771 and Q187335."""
    lines = ["[SMS]", "SiteCode=S01", "CopyListVersion=1", "OS=6", "[Local]", "SetupPhase=installed", "[Sight]", "Allow Takeover=YES"]
    if description.logon_server:
        lines += ["[Servers]", f"CurrentLogonServer={description.logon_server}"]
    return "".join(f"{line}\r\n" for line in lines).encode()
