# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The protocol of the remote control agent: what to write to reach one, and what to put back. Pure. Private to the collection.

CommandLine says the protocol; one key above it, Override Site CommandLine keeps the site's setting from coming back (Q170440,
Q173120). What both were is kept in the client's registry before they are changed. A restart of the service that is owed is noted there
too, so that a run that is interrupted between the registry and the service goes on.
"""

from __future__ import annotations

import re
import typing as t

from . import _registry
from ._client_facts import COMMAND_LINE, OVERRIDE, PARAMETERS, REMOTE_CONTROL, SOFTWARE, parse_command_line
from ._errors import ActionRefused
from ._registry import Keys, Unsafe, Value

MEMORY_KEY = r"HKLM\SOFTWARE\sms.helpdesk.protocol"
# Q129603, Q134824: names of 15 characters fail, 14 work.
_LONGEST_NAME = 14
_KEPT, _RESTART = "Kept", "Restart"
_WORDS = {"ip": "-IP", "ipx": "-IPX"}
_YES = Value("REG_SZ", "yes")
_COMPUTER = "sms.helpdesk.computer"


class Settings(t.NamedTuple):
    """What is set on a client; None for a value that is not there.

    :ivar key: the key Remote Control that counts; None if the client has none.
    """

    key: str | None
    command_line: Value | None
    override: Value | None

    def shown(self) -> dict[str, t.Any]:
        """For results and diffs."""
        text = "" if self.command_line is None else self.command_line.shown()
        protocol, lana = parse_command_line(text)
        return {
            "command_line": None if self.command_line is None else text,
            "override": None if self.override is None else self.override.shown(),
            "protocol": protocol,
            "lana": lana,
        }


class Memory(t.NamedTuple):
    """What is kept on a client.

    :ivar before: what was set before this collection first changed it; None if nothing is kept.
    :ivar restart: the service still has to be restarted.
    """

    before: Settings | None
    restart: bool


class Wanted(t.NamedTuple):
    """What is asked for; the kinds are for values that are not there yet, about which no article says anything."""

    protocol: str
    lana: int
    override: bool
    command_line_kind: str
    override_kind: str


class Plan(t.NamedTuple):
    """What to do.

    :ivar after: what will be set.
    :ivar remember: command lines that keep what is set now.
    :ivar write: command lines that set `after`, in their order.
    :ivar restart: the service has to be restarted for it, if it runs.
    :ivar forget: what is kept is no longer needed afterwards.
    """

    after: Settings
    remember: list[str]
    write: list[str]
    restart: bool
    forget: bool

    @property
    def changes(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.write or self.restart or self.forget)


def command() -> str:
    """What is run on a client to read all of it."""
    keys = [software + REMOTE_CONTROL for software in SOFTWARE]
    asked = [f"{_registry.query(key, recursive=True)} 2>nul" for key in keys]
    return " & ".join([*asked, f"{_registry.query(MEMORY_KEY)} 2>nul", f"echo {_COMPUTER} %COMPUTERNAME%"])


def read(text: str) -> tuple[Settings, Memory, str]:
    """(what is set, what is kept, name of the computer) from what `command` printed."""
    keys = _registry.parse(text)
    name = re.search(rf"^{re.escape(_COMPUTER)} +(\S+)", text, re.MULTILINE)
    return _settings(keys), _memory(keys), name[1] if name and "%" not in name[1] else ""


def _settings(keys: Keys) -> Settings:
    for software in SOFTWARE:
        key, below = software + REMOTE_CONTROL, software + PARAMETERS
        if key.lower() in keys or below.lower() in keys:
            return Settings(key, _registry.get(keys, below, COMMAND_LINE), _registry.get(keys, key, OVERRIDE))
    return Settings(None, None, None)


def _memory(keys: Keys) -> Memory:
    kept = _registry.get(keys, MEMORY_KEY, _KEPT)
    before = None
    if kept is not None:
        before = Settings(None, _registry.get(keys, MEMORY_KEY, COMMAND_LINE), _registry.get(keys, MEMORY_KEY, OVERRIDE))
    return Memory(before, _registry.get(keys, MEMORY_KEY, _RESTART) is not None)


def plan(host: str, wanted: Wanted, now: Settings, memory: Memory) -> Plan:
    """How to get from `now` to what is wanted.

    :raises ActionRefused: the client has no SMS 1.2 agent to set, or a value that cannot be kept and written back.
    """
    if now.key is None:
        if wanted.protocol == "ip":
            return Plan(now, [], [], False, memory != Memory(None, False))
        raise ActionRefused(
            host,
            "the registry key of the remote control agent",
            "there is none below Microsoft\\SMS\\Client Services, so this is no client of SMS 1.2",
            "leave this client out; sms.helpdesk.client_status_info tells which clients these are",
            "not-sms-1.2",
        )
    after = _restored(wanted, now, memory.before) if wanted.protocol == "ip" else _set(wanted, now)
    try:
        write = _writes(now.key, now, after)
        # What an earlier run kept stays what it was: the state before the collection came.
        remember = _remembers(now) if write and memory.before is None and wanted.protocol != "ip" else []
    except Unsafe as error:
        raise ActionRefused(
            host,
            "the registry values of the remote control agent",
            f"{error}, so it could not be put back",
            "change the value by hand, then run again",
            "unsafe-value",
        ) from None
    return Plan(after, remember, write, bool(write) or memory.restart, wanted.protocol == "ip" and memory != Memory(None, False))


def _set(wanted: Wanted, now: Settings) -> Settings:
    word = _WORDS.get(wanted.protocol, f"-L{wanted.lana}")
    override = now.override
    if wanted.override and not _is_one(now.override):
        override = _with_data(now.override, wanted.override_kind, 1)
    if parse_command_line("" if now.command_line is None else now.command_line.shown()) == parse_command_line(word):
        return now._replace(override=override)
    return now._replace(command_line=_replaced(now.command_line, wanted.command_line_kind, word), override=override)


def _restored(wanted: Wanted, now: Settings, before: Settings | None) -> Settings:
    command_line = now.command_line if before is None else before.command_line
    override = now.override if before is None else before.override
    # What is restored need not be IP: an agent may have been set to another protocol by hand.
    if parse_command_line("" if command_line is None else command_line.shown())[0] not in (None, "ip"):
        command_line = _replaced(now.command_line, wanted.command_line_kind, _WORDS["ip"])
    return now._replace(command_line=command_line, override=override)


def _replaced(value: Value | None, kind: str, word: str) -> Value:
    """The command line with its protocol exchanged; whatever else stands there stays."""
    if value is None:
        return Value(kind, [word] if kind == "REG_MULTI_SZ" else word)
    words = value.shown().split()
    place = next((number for number, each in enumerate(words) if parse_command_line(each)[0] is not None), None)
    kept = [*words, word] if place is None else [*words[:place], word, *words[place + 1 :]]
    return value._replace(data=kept if isinstance(value.data, list) else " ".join(kept))


def _with_data(value: Value | None, kind: str, number: int) -> Value:
    kind = kind if value is None else value.kind
    return Value(kind, number if kind in ("REG_DWORD", "REG_QWORD") else [str(number)] if kind == "REG_MULTI_SZ" else str(number))


def _is_one(value: Value | None) -> bool:
    return value is not None and value.shown().strip() == "1"


def _writes(key: str, now: Settings, after: Settings) -> list[str]:
    """The override stands before CommandLine both ways: it keeps the site away while the other is set, and it goes first (Q170440)."""
    parameters = key.removesuffix(REMOTE_CONTROL) + PARAMETERS
    changes = [(key, OVERRIDE, now.override, after.override), (parameters, COMMAND_LINE, now.command_line, after.command_line)]
    lines = []
    for where, name, old, new in changes:
        if old != new:
            lines.append(_registry.delete(where, name) if new is None else _registry.add(where, name, new))
    return lines


def _remembers(now: Settings) -> list[str]:
    """The last line makes the others count."""
    kept = [(COMMAND_LINE, now.command_line), (OVERRIDE, now.override)]
    lines = [_registry.add(MEMORY_KEY, name, value) for name, value in kept if value is not None]
    return [*lines, _registry.add(MEMORY_KEY, _KEPT, _YES)]


OWE_RESTART = _registry.add(MEMORY_KEY, _RESTART, _YES)
RESTART_DONE = _registry.delete(MEMORY_KEY, _RESTART)
FORGET = _registry.delete(MEMORY_KEY)


def remarks(wanted: Wanted, computer: str) -> list[str]:
    """What to know about NetBIOS names and LANAs before a client is reached that way."""
    if wanted.protocol != "netbios":
        return []
    found = []
    if len(computer) > _LONGEST_NAME:
        found.append(f"its name {computer} has {len(computer)} characters; remote control over NetBIOS fails for names over 14 (Q134824)")
    if computer != computer.upper():
        found.append(f"its name {computer} is kept in lower case; remote control over NetBIOS fails for such names (Q149495)")
    place = "in the NetBIOS Interface of the client and of the Administrator's computer, usually bound to NetBT"
    return [*found, f"LANA {wanted.lana} has to exist {place} (Q170440)"]
