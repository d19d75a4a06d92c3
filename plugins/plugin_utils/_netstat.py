# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`netstat` output to endpoints, by the shape of the rows and never by words. Private to the collection; pure.

Headers and state words are localised and may arrive in a wrong code page, so neither is needed: a row starts with TCP
or UDP, a TCP row whose foreign port is 0 listens, the first all-digit word behind the addresses is the process id.
"""

from __future__ import annotations

import re
import typing as t

from ._port_names import PORTS_BY_NAME

# Select-String marks its hits with '>'; Japanese rows are indented by five blanks, collapsed ones by none.
# Blanks follow where a column is empty; a row that was cut off may end anywhere.
_ROW = re.compile(r"[ \t>]*(TCP|UDP)(?:v[46])?[ \t]+(\S+)(?:[ \t]+(\S+)(?:[ \t]+(\S.*))?)?[ \t]*", re.IGNORECASE)
_PROGRAM = re.compile(r"\s*\[([^\[\]]{1,260})\]\s*")
_COMPONENT = re.compile(r"\s+([A-Za-z][\w.$-]{0,79})\s*")
# Only for output without process ids: with them TIME_WAIT shows process id 0 in every language.
_TIME_WAIT = frozenset({"TIME_WAIT", "TIMEWAIT", "WARTEND"})
_BOUND = frozenset({"BOUND"})


class Endpoint(t.NamedTuple):
    """One row of the table.

    `ports` are the numbers the local port may stand for, likeliest first: one number, except for a service name with
    two meanings; empty for a service name nobody knows. `remote_port` is None for ``*`` or an unknown name.
    `pid` is None where the listing has no such column. `program` and `component` come from -b.
    """

    protocol: str
    address: str
    ports: tuple[int, ...]
    local: str
    remote: str
    remote_port: int | None
    state: str
    pid: int | None
    program: str | None = None
    component: str | None = None

    @property
    def kind(self) -> str | None:
        """`listener`, `bound`, `connection`, or None for a socket no program holds any more (TIME_WAIT)."""
        if self.protocol == "udp":
            return "bound"
        if self.remote_port == 0:
            return "bound" if self.state.upper() in _BOUND else "listener"
        if self.pid == 0 or (self.pid is None and self.state.upper() in _TIME_WAIT):
            return None
        return "connection"


class Listing(t.NamedTuple):
    """A parsed table: the endpoints in printed order, and the rows that start like one but cannot be read."""

    endpoints: list[Endpoint]
    unreadable: list[str]

    @property
    def has_pids(self) -> bool:
        """Whether the listing has a process id column (Windows XP and later, with -o)."""
        return any(endpoint.pid is not None for endpoint in self.endpoints)


def _number(text: str) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= 5:
        value = int(text)
        return value if value <= 65535 else None
    return None


def _local_ports(text: str) -> tuple[int, ...] | None:
    """The numbers a local port may stand for; () for an unknown name; None if it can be neither number nor name."""
    value = _number(text)
    if value is not None:
        return (value,)
    if not text or text[0].isdigit() or text == "*":
        return None
    return PORTS_BY_NAME.get(text.lower(), ())


def _endpoint(match: re.Match[str]) -> Endpoint | None:
    protocol, local, remote, tail = match.groups()
    address, colon, port_text = local.rpartition(":")
    _remote_address, remote_colon, remote_port_text = (remote or "").rpartition(":")
    if not colon or not remote_colon or not address:
        return None
    ports = _local_ports(port_text)
    if ports is None:
        return None
    pid: int | None = None
    state = ""
    for word in (tail or "").split():
        if word.isascii() and word.isdigit():
            pid = int(word)
            break
        state = f"{state} {word}" if state else word
    return Endpoint(protocol.lower(), address, ports, local, remote, _number(remote_port_text), state, pid)


def parse(text: str) -> Listing:
    """Every row of any `netstat -a` output in `text`; lines that are no rows are passed over.

    Accepts -n or names, -o or not, -b (component and ``[program]`` lines below a row), Select-String marks, any
    language, any indentation, LF or CRLF. Linear in the size of the text.
    """
    endpoints: list[Endpoint] = []
    unreadable: list[str] = []
    component: str | None = None
    named = False
    for line in text.splitlines():
        match = _ROW.fullmatch(line)
        if match:
            endpoint = _endpoint(match)
            if endpoint is None:
                # A sentence may begin with the word TCP; only something with an address counts as a lost row.
                if ":" in match.group(2):
                    unreadable.append(line.strip())
                named = True
            else:
                endpoints.append(endpoint)
                named = False
            component = None
            continue
        if named or not endpoints or not line.strip():
            continue
        program = _PROGRAM.fullmatch(line)
        if program:
            endpoints[-1] = endpoints[-1]._replace(program=program.group(1), component=component)
            named = True
            continue
        word = _COMPONENT.fullmatch(line)
        if word and component is None:
            component = word.group(1)
            endpoints[-1] = endpoints[-1]._replace(component=component)
    return Listing(endpoints, unreadable)
