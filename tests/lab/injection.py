# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on request: which posts go wrong, and how. README.md has the vocabulary with a sample of each.

A fault is a mapping: ``kind``, ``on`` (an action, ``auth``, ``connect`` or ``any``), ``nth`` (the first matching post it
applies to, from 1), ``times`` (how many posts from there; 0 means until it is taken away) and what the kind needs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

ACTIONS = ("Create", "Command", "Send", "Receive", "Signal", "Delete", "Enumerate", "Pull", "Release", "Get", "Put", "Identify", "Unknown")
PLACES = (*ACTIONS, "auth", "any", "connect")

# kind: parameters with their defaults; the type of the default is the type asked for.
KINDS: dict[str, dict[str, Any]] = {
    # the connection
    "refuse": {},
    "black-hole": {},
    "tls-reset": {},
    # instead of carrying the request out
    "drop": {"executed": False},
    "hang": {"executed": False},
    "status": {"code": 503, "html": True},
    "html": {},
    "fault": {"code": 2150858755, "subcode": "w:InternalError", "text": "The lab was asked for this fault. ", "sender": False},
    "timed-out": {},
    "quota-shells": {},
    "quota-operations": {},
    "xml-bomb": {"variant": "entities", "status": 200},
    # the request is carried out, the answer is spoilt
    "drop-mid-body": {},
    "truncate": {"what": "http"},
    "trickle": {"bytes": 64, "seconds": 0.05},
    "malformed-xml": {},
    "wrong-relates-to": {},
    "split-output": {"bytes": 1, "pieces": 0},
    # before anything else
    "delay": {"seconds": 1.0},
}
CONNECTION_KINDS = ("refuse", "black-hole", "tls-reset")
CHOICES = {("xml-bomb", "variant"): ("entities", "quadratic", "external"), ("truncate", "what"): ("http", "xml")}


class InvalidFault(ValueError):
    """A fault description with an unknown kind, place or value; the message says which."""


@dataclasses.dataclass
class Fault:
    """One fault with its progress: ``seen`` matching posts so far, ``given`` of them spoilt."""

    kind: str
    on: str = "any"
    nth: int = 1
    times: int = 0
    parameters: dict[str, Any] = dataclasses.field(default_factory=dict)
    seen: int = 0
    given: int = 0

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Fault:
        """Check one mapping. Raises :class:`InvalidFault`."""
        if not isinstance(data, Mapping):
            raise InvalidFault(f"a fault is a mapping, not {data!r}")
        rest: dict[Any, Any] = dict(data)
        kind = rest.pop("kind", None)
        if kind not in KINDS:
            raise InvalidFault(f"fault kind {kind!r} is not one of {', '.join(KINDS)}")
        # YAML reads a bare "on" as true.
        on = rest.pop("on", rest.pop(True, "connect" if kind in CONNECTION_KINDS else "any"))
        if on not in PLACES:
            raise InvalidFault(f"fault {kind}: on={on!r} is not one of {', '.join(PLACES)}")
        if (on == "connect") != (kind in CONNECTION_KINDS):
            raise InvalidFault(f"fault {kind}: on={on!r} does not go with this kind")
        nth, times = rest.pop("nth", 1), rest.pop("times", 0)
        if not isinstance(nth, int) or nth < 1 or not isinstance(times, int) or times < 0:
            raise InvalidFault(f"fault {kind}: nth counts from 1 and times from 0, not {nth!r} and {times!r}")
        parameters = dict(KINDS[kind])
        for name, value in rest.items():
            if name not in parameters:
                raise InvalidFault(f"fault {kind} has no parameter {name!r}; it knows {', '.join(parameters) or 'none'}")
            wanted = type(parameters[name])
            if wanted is float and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
            if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
                raise InvalidFault(f"fault {kind}: {name} wants {wanted.__name__}, not {value!r}")
            choices = CHOICES.get((kind, name))
            if choices and value not in choices:
                raise InvalidFault(f"fault {kind}: {name} is not one of {', '.join(choices)}")
            parameters[name] = value
        return cls(kind, on, nth, times, parameters)

    def due(self) -> bool:
        """Count one matching post; whether this one is to go wrong."""
        self.seen += 1
        if self.seen < self.nth or (self.times and self.given >= self.times):
            return False
        self.given += 1
        return True

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


class Injector:
    """The faults of one host."""

    def __init__(self, faults: Iterable[Mapping[str, Any]] = ()) -> None:
        self.faults: list[Fault] = []
        self.replace(faults)

    def replace(self, faults: Iterable[Mapping[str, Any]]) -> None:
        """Put these faults in place of all others, from zero. Raises :class:`InvalidFault` and then changes nothing."""
        self.faults = [Fault.from_data(fault) for fault in faults]

    def clear(self) -> None:
        self.faults = []

    def add(self, fault: Mapping[str, Any]) -> None:
        self.faults.append(Fault.from_data(fault))

    def for_connection(self) -> str | None:
        """The kind of connection fault for a new connection, if any."""
        for fault in self.faults:
            if fault.on == "connect" and fault.due():
                return fault.kind
        return None

    def for_post(self, *places: str) -> list[Fault]:
        """The faults for one post that matches any of ``places`` (an action, ``auth``)."""
        if not self.faults:
            return []
        return [fault for fault in self.faults if (fault.on in places or fault.on == "any") and fault.due()]


def bomb(variant: str) -> bytes:
    """A document that hurts a parser which expands entities; harmless to one that refuses them."""
    head = b'<?xml version="1.0"?>\n'
    envelope = b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>%s</s:Body></s:Envelope>'
    if variant == "external":
        return head + b'<!DOCTYPE bomb [<!ENTITY file SYSTEM "file:///etc/hostname">]>' + envelope % b"&file;"
    if variant == "quadratic":
        return head + b'<!DOCTYPE bomb [<!ENTITY a "' + b"a" * 60000 + b'">]>' + envelope % (b"&a;" * 2000)
    entities = b'<!ENTITY e0 "lol">' + b"".join(b'<!ENTITY e%d "%s">' % (level, b"&e%d;" % (level - 1) * 10) for level in range(1, 10))
    return head + b"<!DOCTYPE bomb [" + entities + b"]>" + envelope % b"&e9;"
