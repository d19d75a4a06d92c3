# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets of Windows hosts, from a YAML file. tests/lab/windows/README.md documents the format."""

from __future__ import annotations

import dataclasses
import ipaddress
import pathlib
import re
import typing as t

import yaml

from .windows.description import RestartDescription, read_host
from .windows.host import WindowsHost
from .windows.reading import FleetError, Reader
from .windows.state import Clock

__all__ = ["Fleet", "FleetError", "load"]

_FIRST_ADDRESS = "127.0.1.1"
_FIRST_LAN_ADDRESS = ipaddress.IPv4Address("192.168.80.10")
_NUMBER = re.compile(r"\{n(?::0(\d+))?\}")
_MOST_HOSTS = 100_000


@dataclasses.dataclass
class Fleet:
    """The hosts of one fleet file, by name in its order.

    :ivar name: what the fleet calls itself.
    :ivar clock: the time all its hosts share.
    """

    name: str
    hosts: dict[str, WindowsHost]
    clock: Clock

    @classmethod
    def from_data(cls, data: t.Any) -> Fleet:
        """The fleet that the content of a fleet file describes.

        :raises FleetError: one sentence naming the host and the key that is wrong.
        """
        read = Reader(data, "the fleet file")
        settings = Reader(read.mapping("fleet"), "fleet")
        name = settings.text("name", "fleet")
        first = _address(settings, "first_address", _FIRST_ADDRESS)
        speed = settings.decimal("speed", 1.0)
        if not speed:
            raise settings.wrong("speed", "must be above 0")
        restart = RestartDescription(
            shutdown_seconds=settings.decimal("shutdown_seconds", 0.3), boot_seconds=settings.decimal("boot_seconds", 0.5)
        )
        settings.done()
        clock = Clock(speed)
        defaults = read.mapping("defaults")
        entries = read.mappings("hosts")
        read.done()
        if not entries:
            raise read.wrong("hosts", "there are none")
        hosts: dict[str, WindowsHost] = {}
        addresses = _Addresses(first)
        for number, entry in enumerate(entries, 1):
            description = read_host(_below(defaults, entry), f"host number {number}", restart)
            if len(hosts) + description.count > _MOST_HOSTS:
                raise FleetError(f"host '{description.name}': count: the fleet would have more than {_MOST_HOSTS} hosts")
            _add(hosts, addresses, WindowsHost(description, clock))
        return cls(name, hosts, clock)


def load(path: str | pathlib.Path) -> Fleet:
    """The fleet in a file.

    :raises FleetError: the file cannot be read or is wrong; the text names the file.
    """
    try:
        data = yaml.safe_load(pathlib.Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FleetError(f"{path}: {' '.join(str(error).split())}") from None
    try:
        return Fleet.from_data(data)
    except FleetError as error:
        raise FleetError(f"{path}: {error}") from None


class _Addresses:
    """Loopback addresses one after another, leaving out those that were given by hand."""

    def __init__(self, first: str) -> None:
        self._next = int(ipaddress.IPv4Address(first))
        self.taken: dict[str, str] = {}

    def take(self, name: str, wanted: str) -> str:
        """The address `wanted`, or the next free one.

        :raises FleetError: it is no loopback address or has been given twice.
        """
        if wanted:
            if wanted in self.taken:
                raise FleetError(f"host '{name}': address: {wanted} is also the address of host '{self.taken[wanted]}'")
            self.taken[wanted] = name
            return wanted
        while True:
            address = ipaddress.IPv4Address(self._next)
            self._next += 1
            if int(address) & 0xFF in (0, 255) or str(address) in self.taken:
                continue
            self.taken[str(address)] = name
            return str(address)


def _add(hosts: dict[str, WindowsHost], addresses: _Addresses, model: WindowsHost) -> None:
    description = model.description
    name = description.name
    if description.address:
        _loopback(description.address, f"host '{name}': address")
    counted = description.count > 1 or _NUMBER.search(name)
    if not counted:
        _register(hosts, model, name, addresses.take(name, description.address), description.computer_name)
        return
    if not _NUMBER.search(name):
        name += "-{n:0" + str(len(str(description.count))) + "}"
    first = int(ipaddress.IPv4Address(description.address)) if description.address else 0
    for number in range(1, description.count + 1):
        own = _NUMBER.sub(lambda found, n=number: f"{n:0{found[1] or 1}}", name)  # type: ignore[misc]
        address = addresses.take(own, str(ipaddress.IPv4Address(first + number - 1)) if first else "")
        _register(hosts, model.twin(own, address, ""), own, address, own.split(".")[0].upper().replace("_", "-")[:15])


def _register(hosts: dict[str, WindowsHost], host: WindowsHost, name: str, address: str, computer_name: str) -> None:
    if name in hosts:
        raise FleetError(f"host '{name}': name: there is another host of that name")
    host.name, host.address, host.computer_name = name, address, computer_name
    host.lan_address = str(_FIRST_LAN_ADDRESS + len(hosts))
    hosts[name] = host


def _address(read: Reader, key: str, default: str) -> str:
    return _loopback(read.text(key, default), f"{read.where}: {key}")


def _loopback(text: str, where: str) -> str:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        raise FleetError(f"{where}: '{text}' is no IPv4 address") from None
    if not address.is_loopback:
        raise FleetError(f"{where}: {text} is not in 127.0.0.0/8, and the lab listens nowhere else")
    return text


def _below(defaults: dict[str, t.Any], entry: dict[str, t.Any]) -> dict[str, t.Any]:
    """An entry with the defaults below it: mappings are merged, anything else is replaced."""
    merged = dict(defaults)
    for key, value in entry.items():
        under = merged.get(key)
        merged[key] = _below(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged
