# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What servers there are, from a YAML file or a mapping. README.md documents the format."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from packages import builds

ROLES = {"site_server": "sms_site_servers", "logon_server": "sms_logon_servers", "admin_console": "sms_admin_consoles"}
SHARES = {
    "site_server": {"SMS_SHRD": "SMS", "SMS_SHR": "SMS/Logon.srv"},
    "logon_server": {"SMS_SHR": "SMS/Logon.srv"},
    "admin_console": {"C$": "", "SMSADMIN": "SMSADMIN"},
}
PLATFORMS = ("x86", "alpha", "mips")
PROTOCOLS = ("SMB2_02", "SMB2_10", "SMB3_00", "SMB3_02", "SMB3_11")
USERS = {"smsadmin": "Pa55word!"}
_FIRST_ADDRESS = "127.0.200.1"


class ServerError(Exception):
    """Something is wrong with the servers, in one sentence."""


@dataclasses.dataclass(frozen=True)
class User:
    """Who may log on.

    :ivar writes: whether the shares are open for writing.
    """

    name: str
    password: str
    writes: bool = True


@dataclasses.dataclass(frozen=True)
class Server:
    """One server.

    :ivar site: name of the site server a logon server belongs to.
    :ivar upper: whether the names of platform directories and files are in upper case.
    :ivar build: which build of the four files it has, or None for none of them.
    :ivar shares: name of each share, and the directory of the server's drive it stands for.
    :ivar groups: further groups of the inventory it is in.
    """

    name: str
    role: str
    address: str
    site: str | None
    platforms: tuple[str, ...]
    upper: bool
    build: str | None
    shares: Mapping[str, str]
    groups: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Replication:
    """How Maintenance Manager goes about it.

    :ivar running: whether it runs from the start.
    :ivar cycle_seconds: pause between two work cycles.
    :ivar server_seconds: pause before each logon server within a cycle.
    """

    running: bool = True
    cycle_seconds: float = 1.0
    server_seconds: float = 0.0


@dataclasses.dataclass(frozen=True)
class Specification:
    """All servers of a laboratory.

    :ivar protocol: the newest dialect they speak, one of :data:`PROTOCOLS`. The first two know no encryption.
    """

    servers: Mapping[str, Server]
    users: Mapping[str, User]
    replication: Replication
    protocol: str = PROTOCOLS[-1]

    def logon_servers(self, site: str) -> list[Server]:
        """The logon servers that a site server serves, in order."""
        return [server for server in self.servers.values() if server.site == site]


# What a laboratory has of which nothing is said.
STANDARD: dict[str, Any] = {
    "servers": [
        {"name": "siteserver", "role": "site_server", "platforms": ["x86", "alpha"]},
        {"name": "logon-01", "role": "logon_server", "site": "siteserver"},
        {"name": "logon-02", "role": "logon_server", "site": "siteserver", "upper": True},
        {"name": "console-01", "role": "admin_console", "platforms": ["x86"], "upper": True},
        {"name": "mipsserver", "role": "site_server", "platforms": ["mips"]},
    ],
}


def read(source: str | Path | Mapping[str, Any] | None) -> Specification:
    """A specification from a file, from its content, or the standard one.

    :raises ServerError: it cannot be read or is wrong; the text says where.
    """
    if source is None:
        source = STANDARD
    if not isinstance(source, Mapping):
        try:
            source = yaml.safe_load(Path(source).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ServerError(f"{source}: {error}") from error
        if not isinstance(source, Mapping):
            raise ServerError("the file of servers holds no mapping")
    _known(source, {"servers", "users", "maintenance_manager", "first_address", "protocol"}, "the file of servers")
    users = {name: _user(name, entry) for name, entry in (source.get("users") or USERS).items()}
    replication = dict(source.get("maintenance_manager") or {})
    _known(replication, {field.name for field in dataclasses.fields(Replication)}, "maintenance_manager")
    protocol = source.get("protocol", PROTOCOLS[-1])
    if protocol not in PROTOCOLS:
        raise ServerError(f"protocol: '{protocol}' is none of {', '.join(PROTOCOLS)}")
    address = ipaddress.IPv4Address(source.get("first_address", _FIRST_ADDRESS))
    servers: dict[str, Server] = {}
    for entry in source.get("servers") or []:
        server = _server(entry, str(address + len(servers)), servers)
        if server.name in servers:
            raise ServerError(f"server '{server.name}': there are two of them")
        servers[server.name] = server
    if not servers:
        raise ServerError("the file of servers names no server")
    return Specification(servers, users, Replication(**replication), protocol)


def _known(data: Mapping[str, Any], keys: set[str], where: str) -> None:
    unknown = sorted(set(data) - keys)
    if unknown:
        raise ServerError(f"{where}: unknown: {', '.join(map(str, unknown))}; known: {', '.join(sorted(keys))}")


def _user(name: str, entry: Any) -> User:
    if isinstance(entry, str):
        return User(name, entry)
    if not isinstance(entry, Mapping) or "password" not in entry:
        raise ServerError(f"user '{name}': a password, or a mapping of password and writes, is wanted")
    _known(entry, {"password", "writes"}, f"user '{name}'")
    return User(name, entry["password"], bool(entry.get("writes", True)))


def _server(entry: Mapping[str, Any], address: str, others: Mapping[str, Server]) -> Server:
    name = entry.get("name")
    if not name:
        raise ServerError("a server has no name")
    where = f"server '{name}'"
    _known(entry, {"name", "role", "site", "platforms", "upper", "build", "shares", "address", "groups"}, where)
    role = entry.get("role", "site_server")
    if role not in ROLES:
        raise ServerError(f"{where}: role '{role}' is none of {', '.join(ROLES)}")
    site = entry.get("site")
    if (role == "logon_server") != (site is not None):
        raise ServerError(f"{where}: a logon server, and nothing else, belongs to a site")
    if site is not None and (site not in others or others[site].role != "site_server"):
        raise ServerError(f"{where}: site '{site}' is no site server named before it")
    platforms = tuple(others[site].platforms if site is not None else entry.get("platforms", builds.PLATFORMS))
    if wrong := [platform for platform in platforms if platform not in PLATFORMS]:
        raise ServerError(f"{where}: platform '{wrong[0]}' is none of {', '.join(PLATFORMS)}")
    build = entry.get("build", "older")
    if build not in (*builds.BUILDS, None):
        raise ServerError(f"{where}: build '{build}' is none of {', '.join(builds.BUILDS)}")
    shares = entry.get("shares", SHARES[role])
    return Server(
        name,
        role,
        entry.get("address", address),
        site,
        platforms,
        bool(entry.get("upper", False)),
        build,
        shares,
        tuple(entry.get("groups", ())),
    )
