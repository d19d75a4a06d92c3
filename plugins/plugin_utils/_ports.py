# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ports of the help desk and the question "which ports?". Private to the collection; pure.

Ports and purposes are the two tables of Q229097. That 2701-2704 take over the functions of 1761-1764 in this order is
derived (Q229097 never says so row by row; Q256884 supports it).
"""

from __future__ import annotations

import typing as t

PROTOCOLS = ("tcp", "udp")

PORT_SETS: dict[str, dict[int, str]] = {
    "original": {
        1761: "Verification of Rights, Remote Reboot, Remote Execute",
        1762: "Remote Control",
        1763: "Remote Chat",
        1764: "File Transfer",
    },
    "hotfix": {
        2701: "Verification of Rights, Remote Reboot, Remote Execute (sms-rcinfo, SMS RCINFO)",
        2702: "Remote Control (sms-remctrl, SMS REMCTRL)",
        2703: "Remote Chat (sms-chat, SMS CHAT)",
        2704: "File Transfer (sms-xfer, SMS XFER)",
    },
}
"""Name of the set -> port -> purpose."""


class Requirement(t.NamedTuple):
    """One port in one protocol that somebody needs, and what for."""

    port: int
    protocol: str
    purpose: str

    @property
    def label(self) -> str:
        """For sentences: ``UDP 1762``."""
        return f"{self.protocol.upper()} {self.port}"


def from_set(name: str) -> list[Requirement]:
    """The requirements of `original`, `hotfix` or `all`, port by port, tcp before udp."""
    names = list(PORT_SETS) if name == "all" else [name]
    return [Requirement(port, protocol, purpose) for each in names for port, purpose in PORT_SETS[each].items() for protocol in PROTOCOLS]


def from_list(entries: t.Sequence[t.Mapping[str, t.Any]]) -> list[Requirement]:
    """The requirements of the user's own list of ``{port, protocol, purpose}``, in its order.

    :raises ValueError: an empty list, a port outside 1-65535, or the same port and protocol twice; the text names it.
    """
    if not entries:
        raise ValueError("ports is an empty list")
    wanted: list[Requirement] = []
    seen: set[tuple[int, str]] = set()
    for entry in entries:
        port = entry["port"]
        if not 1 <= port <= 65535:
            raise ValueError(f"ports has port {port}, which is not between 1 and 65535")
        for protocol in PROTOCOLS if entry["protocol"] == "both" else (entry["protocol"],):
            if (port, protocol) in seen:
                raise ValueError(f"ports names port {port}/{protocol} twice")
            seen.add((port, protocol))
            wanted.append(Requirement(port, protocol, entry.get("purpose") or ""))
    return wanted
