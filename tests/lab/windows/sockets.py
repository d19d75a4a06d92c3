# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets of a process, and the short texts that stand for them in a fleet file."""

from __future__ import annotations

import dataclasses
import re

OWN = "own"
"""Stands for the host's own IPv4 address until it is printed, so that hosts can share what they have in common."""

STATES = (
    "LISTENING", "ESTABLISHED", "TIME_WAIT", "CLOSE_WAIT", "FIN_WAIT_1", "FIN_WAIT_2", "SYN_SENT", "SYN_RECEIVED", "LAST_ACK",
    "CLOSING", "BOUND",
)  # fmt: skip

_TEXT = re.compile(
    r"(?P<protocol>tcp|udp)\s+(?P<local>\S+?):(?P<port>\d+)"
    r"(?:\s*->\s*(?P<remote>\S+?):(?P<remote_port>\d+))?(?:\s+(?P<state>[A-Z_0-9]+))?",
    re.IGNORECASE,
)
_V4 = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_V6 = re.compile(r"\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%\d+)?\]")


@dataclasses.dataclass(frozen=True)
class Socket:
    """One row of netstat.

    :ivar protocol: "TCP" or "UDP".
    :ivar address: dotted, or in brackets for IPv6 (with its zone), or `OWN`.
    :ivar remote: the other end's address, "" for none.
    :ivar state: TCP only.
    """

    __slots__ = ("address", "port", "protocol", "remote", "remote_port", "state")
    protocol: str
    address: str
    port: int
    remote: str
    remote_port: int
    state: str

    @property
    def v6(self) -> bool:
        return self.address.startswith("[")

    @property
    def binds(self) -> bool:
        """It takes the port: what TIME_WAIT or an outgoing connection leaves behind can be bound past."""
        return self.protocol == "UDP" or self.state in ("LISTENING", "BOUND")

    def __str__(self) -> str:
        text = f"{self.protocol.lower()} {self.address}:{self.port}"
        if self.remote:
            text += f" -> {self.remote}:{self.remote_port}"
        return f"{text} {self.state}" if self.state and self.state != "LISTENING" else text

    def collides(self, other: Socket) -> bool:
        """Both cannot be bound at once: same protocol, port and family, and addresses that overlap."""
        return (
            self.protocol == other.protocol
            and self.port == other.port
            and self.v6 == other.v6
            and (self.address == other.address or _ANY & {self.address, other.address} != set())
        )


_ANY = {"0.0.0.0", "[::]"}


def parse_sockets(text: str) -> tuple[Socket, ...]:
    """`text` (see README.md) as sockets; ``*`` as an address gives the IPv4 and the IPv6 socket.

    :raises ValueError: with a sentence that says what is wrong.
    """
    found = _TEXT.fullmatch(text.strip())
    if not found:
        raise ValueError(f"'{text}' is not 'tcp|udp ADDRESS:PORT [-> ADDRESS:PORT] [STATE]'")
    protocol = found["protocol"].upper()
    local, remote = found["local"], found["remote"] or ""
    port, remote_port = int(found["port"]), int(found["remote_port"] or 0)
    state = (found["state"] or "").upper()
    for number, name in ((port, "port"), (remote_port, "remote port")):
        if number > 65535:
            raise ValueError(f"{name} {number} in '{text}' is above 65535")
    if protocol == "UDP" and state:
        raise ValueError(f"'{text}' gives a state to a UDP socket")
    if protocol == "TCP":
        state = state or ("ESTABLISHED" if remote else "LISTENING")
        if state not in STATES:
            raise ValueError(f"'{state}' in '{text}' is none of {', '.join(STATES)}")
        if bool(remote) == (state in ("LISTENING", "BOUND")):
            raise ValueError(f"'{text}': a TCP socket has a remote end exactly if it is not LISTENING or BOUND")
    if local == "*":
        if remote:
            raise ValueError(f"'{text}': a socket with a remote end needs one local address")
        return (make(protocol, "0.0.0.0", port, state=state), make(protocol, "[::]", port, state=state))
    for address in (local, remote):
        if address not in ("", OWN) and not _V4.fullmatch(address) and not _V6.fullmatch(address):
            raise ValueError(f"'{address}' in '{text}' is no address ('own', '*', 10.0.0.1 or [fe80::1%4])")
    return (make(protocol, local, port, remote, remote_port, state),)


def make(protocol: str, address: str, port: int, remote: str = "", remote_port: int = 0, state: str = "") -> Socket:
    """A socket; a TCP one without a state listens."""
    if protocol == "TCP" and not state:
        state = "LISTENING"
    return Socket(protocol, address, port, remote, remote_port, state)
