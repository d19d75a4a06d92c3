# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the remote control agent of SMS 1.2 is told to speak, and how to tell it something else. Private to the collection; pure.

`CommandLine` chooses the protocol: -IP, -L<n> for NetBIOS over LANA n, -IPX (Q170440, Q173120). It may hold other
switches, which stay where they are. `Override Site CommandLine`, one key above it, keeps an upgrade from writing the
site's choice over it. The articles name no types of either value: one that exists keeps its type.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ._registry import Value

COMMAND_LINE = "CommandLine"
OVERRIDE = "Override Site CommandLine"

TEXTS = ("REG_SZ", "REG_EXPAND_SZ", "REG_MULTI_SZ")
"""The types `CommandLine` can be worked with in."""
_NUMBERS = ("REG_DWORD", "REG_QWORD")
FLAGS = (*_NUMBERS, "REG_BINARY", "REG_SZ", "REG_EXPAND_SZ")
"""The types an override can be worked with in."""

HIGHEST_LANA = 254

# reg.exe separates the lines of a REG_MULTI_SZ with \0. -TCP belongs to SMS 2.0 (Q198727) and chooses a protocol as well.
_SEPARATED = r"(?:(?<=\s)|(?<=\\0)|^)"
_SWITCH = re.compile(_SEPARATED + r"[-/](?:(IPX)|(IP)|(TCP)|L(\d{1,3}))(?=\s|\\0|$)", re.IGNORECASE)


class Protocol(t.NamedTuple):
    """`name`: ip, netbios, ipx, or unknown for what this version does not speak or says twice; `lana` only with netbios."""

    name: str
    lana: int | None = None

    @property
    def switch(self) -> str:
        """What `CommandLine` says for it."""
        return {"ip": "-IP", "ipx": "-IPX"}.get(self.name) or f"-L{self.lana}"

    def __str__(self) -> str:
        return f"NetBIOS over LANA {self.lana}" if self.name == "netbios" else {"ip": "IP", "ipx": "IPX"}.get(self.name, self.name)


IP = Protocol("ip")


@dataclasses.dataclass(frozen=True)
class Settings:
    """The two values, None where there is none.

    :ivar parameters: whether the key that holds the first of them exists.
    :ivar bare: whether that key holds nothing else.
    """

    command_line: Value | None
    override: Value | None
    parameters: bool = True
    bare: bool = False

    @property
    def protocol(self) -> Protocol:
        """What the agent speaks from its next start on."""
        return spoken(None if self.command_line is None else self.command_line.data)

    def shown(self) -> dict[str, t.Any]:
        """For results and diffs."""
        return {
            "name": self.protocol.name,
            "lana": self.protocol.lana,
            "command_line": None if self.command_line is None else self.command_line.data,
            "command_line_type": None if self.command_line is None else self.command_line.kind,
            "override_site_command_line": flag(self.override),
            "override_type": None if self.override is None else self.override.kind,
        }


@dataclasses.dataclass(frozen=True)
class Note:
    """What is kept on the client while its protocol is not its own.

    :ivar original: the settings before this collection first changed them; None if that is not known.
    :ivar restart_owed: the service ran when the settings were changed and has not been restarted since.
    """

    original: Settings | None = None
    restart_owed: bool = False


@dataclasses.dataclass(frozen=True)
class Wish:
    """What is asked for. `override`: whether upgrades shall be kept from changing it; the types are for values that do not exist."""

    protocol: Protocol
    override: bool = True
    command_line_type: str = "REG_SZ"
    override_type: str = "REG_DWORD"


@dataclasses.dataclass(frozen=True)
class Plan:
    """How to get there.

    :ivar target: the settings as they shall be.
    :ivar remember: settings to keep on the client first; None if none.
    :ivar write: whether the target differs from what is there.
    :ivar restart: whether the agent has to be restarted, if it runs.
    :ivar forget: whether the note is removed at the end.
    """

    target: Settings
    remember: Settings | None = None
    write: bool = False
    restart: bool = False
    forget: bool = False

    @property
    def changes(self) -> bool:
        """Whether anything at all is to be done."""
        return self.write or self.restart or self.forget or self.remember is not None


def spoken(command_line: str | None) -> Protocol:
    """The protocol a command line chooses. Without a switch the agent uses IP sockets (Q170440)."""
    found = {_protocol(match) for match in _SWITCH.finditer(command_line or "")}
    if not found:
        return IP
    return found.pop() if len(found) == 1 else Protocol("unknown")


def _protocol(match: re.Match[str]) -> Protocol:
    ipx, ip, tcp, lana = match.groups()
    if lana is not None:
        return Protocol("netbios", int(lana))
    return Protocol("ipx") if ipx else IP if ip else Protocol("unknown") if tcp else IP


def chosen(command_line: Value | None, protocol: Protocol, kind: str) -> Value:
    """`command_line` with the switch of `protocol`: in the place of the one it has, else in front; everything else stays.

    :param kind: the type of a value that does not exist yet.
    """
    if command_line is None:
        return Value(kind, protocol.switch)
    if spoken(command_line.data) == protocol and _SWITCH.search(command_line.data):
        return command_line
    placed = False

    def replace(_match: re.Match[str]) -> str:
        nonlocal placed
        text, placed = "" if placed else protocol.switch, True
        return text

    text = _SWITCH.sub(replace, command_line.data)
    if not placed:
        separator = "\\0" if command_line.kind == "REG_MULTI_SZ" else " "
        return Value(command_line.kind, protocol.switch + (separator + text if text.strip() else ""))
    # Where a second switch stood, two separators are left.
    text = re.sub(r"(?:\\0){2,}", r"\\0", text).removesuffix("\\0") if command_line.kind == "REG_MULTI_SZ" else text.rstrip()
    return Value(command_line.kind, text)


def flag(value: Value | None) -> bool | None:
    """Whether an override is on; None if there is none. A text that is no number is off."""
    if value is None:
        return None
    text = value.data.strip()
    try:
        if value.kind == "REG_BINARY":
            return any(bytes.fromhex(text))
        return int(text, 0) != 0
    except ValueError:
        return False


def switched(value: Value | None, kind: str) -> Value:
    """An override that is on, in the type it has, else in `kind`."""
    if value is None:
        return Value(kind, "0x1" if kind in _NUMBERS else "1")
    if flag(value):
        return value
    if value.kind == "REG_BINARY":
        return Value(value.kind, "01".ljust(max(len(value.data.strip()), 2), "0"))
    return Value(value.kind, "0x1" if value.kind in _NUMBERS else "1")


def plan(now: Settings, note: Note, wish: Wish) -> Plan:
    """How to get from `now` to what is wished for; the same plan comes out wherever an earlier run of it broke off."""
    original = note.original
    if wish.protocol == IP:
        return _back(now, note, wish)
    before = original or now
    # What this collection has not set is left to its owner; what it has set goes back if it is no longer wanted.
    override = switched(now.override, wish.override_type) if wish.override else now.override if original is None else before.override
    target = Settings(chosen(now.command_line, wish.protocol, wish.command_line_type), override)
    write = _differ(target, now)
    return Plan(target, now if write and original is None else None, write, write or note.restart_owed)


def _back(now: Settings, note: Note, wish: Wish) -> Plan:
    """To IP sockets: to exactly what was there before if that was IP, else to -IP and without an override."""
    original = note.original
    if original is not None and original.protocol == IP:
        target = original
    elif original is None and now.protocol == IP:
        target = now
    else:
        base = now if original is None else original
        target = Settings(chosen(base.command_line, IP, wish.command_line_type), None)
    write = _differ(target, now)
    return Plan(target, None, write, write or note.restart_owed, write or note != Note())


def _differ(target: Settings, now: Settings) -> bool:
    return (target.command_line, target.override) != (now.command_line, now.override) or removes_key(target, now)


def removes_key(target: Settings, now: Settings) -> bool:
    """Whether the key of the first value goes with it: it was not there before and holds nothing else."""
    return now.parameters and now.bare and not target.parameters
