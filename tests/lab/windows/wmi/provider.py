# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a WMI class is to the model: names in the recorded order, each with a function of the host and the item it describes."""

from __future__ import annotations

import dataclasses
import typing as t

if t.TYPE_CHECKING:
    from ..host import WindowsHost

Property = t.Callable[["WindowsHost", t.Any], t.Any]


@dataclasses.dataclass(frozen=True)
class Provider:
    """One class.

    :ivar properties: every property of the class on that host's version, in the order of the class.
    :ivar items: what there is an instance of.
    """

    class_name: str
    properties: t.Callable[[WindowsHost], dict[str, Property]]
    items: t.Callable[[WindowsHost], t.Iterable[t.Any]]


def fixed(value: t.Any) -> Property:
    """A property that never differs."""
    return lambda _host, _item: value


def computer(host: WindowsHost, _item: t.Any) -> str:
    """The computer's name."""
    return host.computer_name


def system_name(host: WindowsHost, _item: t.Any = None) -> str:
    """Win32_OperatingSystem.Name: the caption, the directory and the partition."""
    partition = r"\Device\Harddisk0\Partition1" if host.version.release < (6, 2) else r"\Device\Harddisk0\Partition2"
    return f"{host.version.caption}|{host.version.windows}|{partition}"
