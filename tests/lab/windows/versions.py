# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of Windows the model knows and what each can do.

Build numbers and captions are public facts. What a generation's tools can do follows the Microsoft articles named at the fields.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Version:
    """One version of Windows.

    :ivar number: what WMI calls Version, for instance "6.1.7601".
    :ivar revision: what `ver` prints after the build ("" where it prints none).
    :ivar stack: the WinRM stack it has ("" for none in the box, "1.1", "2.0", "3.0").
    :ivar netstat_pids: `netstat -o` exists, since Windows XP (Q261194).
    :ivar netstat_names_local: without -n the local column holds names too, as before Windows Vista.
    :ivar netstat_bound: `netstat -q` exists.
    :ivar udp_remotes: netstat prints the remote end of a connected UDP socket instead of ``*:*``.
    :ivar dynamic_port_command: `netsh int ipv4 show dynamicport` exists (KB929851: since Windows Vista).
    :ivar excluded_port_command: `show excludedportrange` exists (KB2665809 brought it to Windows 7 and 2008 R2).
    :ivar dynamic_ports: (first, count) of the dynamic range (KB929851; 1025 to 5000 before Windows Vista).
    """

    key: str
    number: str
    revision: str
    caption: str
    server: bool
    stack: str
    service_pack: str = ""
    windows: str = r"C:\Windows"
    sku: int | None = None
    suite: int = 272

    @property
    def build(self) -> int:
        return int(self.number.rsplit(".", 1)[1])

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor number."""
        major, minor, _build = self.number.split(".")
        return int(major), int(minor)

    @property
    def system32(self) -> str:
        return self.windows + r"\system32"

    @property
    def netstat_pids(self) -> bool:
        return self.release >= (5, 1)

    @property
    def netstat_names_local(self) -> bool:
        return self.release < (6, 0)

    @property
    def netstat_bound(self) -> bool:
        return self.release >= (10, 0)

    @property
    def udp_remotes(self) -> bool:
        return self.build >= 22000

    @property
    def dynamic_port_command(self) -> bool:
        return self.release >= (6, 0)

    @property
    def excluded_port_command(self) -> bool:
        return self.release >= (6, 1)

    @property
    def dynamic_ports(self) -> tuple[int, int]:
        return (49152, 16384) if self.release >= (6, 0) else (1025, 3976)

    @property
    def split_services(self) -> bool:
        """Every service has a svchost of its own, since build 15063 where there is memory enough."""
        return self.build >= 15063

    @property
    def ver(self) -> str:
        """The version as `ver` prints it, without the brackets."""
        return self.number + (f".{self.revision}" if self.revision else "")


VERSIONS: dict[str, Version] = {
    version.key: version
    for version in (
        Version("nt4", "4.0.1381", "", "Microsoft Windows NT Workstation", False, "", "Service Pack 6", r"C:\WINNT"),
        Version("2000", "5.0.2195", "", "Microsoft Windows 2000 Professional", False, "", "Service Pack 4", r"C:\WINNT"),
        Version("xp", "5.1.2600", "", "Microsoft Windows XP Professional", False, "1.1", "Service Pack 3", r"C:\WINDOWS", suite=256),
        Version(
            "2003", "5.2.3790", "", "Microsoft(R) Windows(R) Server 2003, Standard Edition", True, "1.1", "Service Pack 2", r"C:\WINDOWS"
        ),
        Version("vista", "6.0.6002", "", "Microsoft\u00ae Windows Vista\u2122 Business ", False, "1.1", "Service Pack 2", sku=6, suite=256),
        Version("2008", "6.0.6002", "", "Microsoft\u00ae Windows Server\u00ae 2008 Standard ", True, "1.1", "Service Pack 2", sku=7),
        Version("7", "6.1.7601", "", "Microsoft Windows 7 Professional ", False, "2.0", "Service Pack 1", sku=48, suite=256),
        Version("2008r2", "6.1.7601", "", "Microsoft Windows Server 2008 R2 Standard ", True, "2.0", "Service Pack 1", sku=7),
        Version("2012", "6.2.9200", "", "Microsoft Windows Server 2012 Standard", True, "3.0", sku=7),
        Version("2012r2", "6.3.9600", "", "Microsoft Windows Server 2012 R2 Standard", True, "3.0", sku=7),
        Version("10", "10.0.19045", "3803", "Microsoft Windows 10 Pro", False, "3.0", sku=48, suite=256),
        Version("2016", "10.0.14393", "6529", "Microsoft Windows Server 2016 Standard", True, "3.0", sku=7),
        Version("2019", "10.0.17763", "5206", "Microsoft Windows Server 2019 Standard", True, "3.0", sku=7),
        Version("11", "10.0.22631", "3007", "Microsoft Windows 11 Pro", False, "3.0", sku=48, suite=256),
        Version("2025", "10.0.26100", "1742", "Microsoft Windows Server 2025 Standard", True, "3.0", sku=7),
    )
}
