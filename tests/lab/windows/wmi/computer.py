# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Win32_OperatingSystem, in the recorded order of 5.2, 6.1 and 6.2, and Win32_ComputerSystem (synthetic, from its documentation)."""

from __future__ import annotations

import typing as t

from ..boot import INSTALLED
from .provider import Property, Provider, computer, fixed, system_name

if t.TYPE_CHECKING:
    from ..host import WindowsHost

_NEVER = (99, 0)


def _local_time(host: WindowsHost, _item: t.Any) -> t.Any:
    return host.clock.now()


def _pack(part: int) -> Property:
    return lambda host, _item: int(host.version.service_pack.rpartition(" ")[2]) if part == 0 and host.version.service_pack else 0


# name: (first version that has it, first that does not, value)
_OPERATING_SYSTEM: dict[str, tuple[tuple[int, int], tuple[int, int], Property]] = {
    name: (since, until, value)
    for name, since, until, value in (
        ("BootDevice", (4, 0), _NEVER, fixed(r"\Device\HarddiskVolume1")),
        ("BuildNumber", (4, 0), _NEVER, lambda host, _item: str(host.version.build)),
        ("BuildType", (4, 0), _NEVER, fixed("Multiprocessor Free")),
        ("Caption", (4, 0), _NEVER, lambda host, _item: host.version.caption),
        ("CodeSet", (4, 0), _NEVER, lambda host, _item: str(host.description.language.ansi)),
        ("CountryCode", (4, 0), _NEVER, fixed("1")),
        ("CreationClassName", (4, 0), _NEVER, fixed("Win32_OperatingSystem")),
        ("CSCreationClassName", (4, 0), _NEVER, fixed("Win32_ComputerSystem")),
        ("CSDVersion", (4, 0), _NEVER, lambda host, _item: host.version.service_pack or None),
        ("CSName", (4, 0), _NEVER, computer),
        ("CurrentTimeZone", (4, 0), _NEVER, fixed(0)),
        ("DataExecutionPrevention_32BitApplications", (5, 1), _NEVER, fixed(True)),
        ("DataExecutionPrevention_Available", (5, 1), _NEVER, fixed(True)),
        ("DataExecutionPrevention_Drivers", (5, 1), _NEVER, fixed(True)),
        ("DataExecutionPrevention_SupportPolicy", (5, 1), _NEVER, lambda host, _item: 3 if host.version.server else 2),
        ("Debug", (4, 0), _NEVER, fixed(False)),
        ("Description", (4, 0), _NEVER, fixed("")),
        ("Distributed", (4, 0), _NEVER, fixed(False)),
        ("EncryptionLevel", (5, 1), _NEVER, lambda host, _item: 256 if host.version.release >= (6, 0) else 168),
        ("ForegroundApplicationBoost", (4, 0), _NEVER, lambda host, _item: 0 if host.version.server else 2),
        ("FreePhysicalMemory", (4, 0), _NEVER, fixed("1183808")),
        ("FreeSpaceInPagingFiles", (4, 0), _NEVER, fixed("8386560")),
        ("FreeVirtualMemory", (4, 0), _NEVER, fixed("8538912")),
        ("InstallDate", (4, 0), _NEVER, fixed(INSTALLED)),
        ("LargeSystemCache", (5, 1), _NEVER, lambda host, _item: 1 if host.version.release < (6, 0) else None),
        ("LastBootUpTime", (4, 0), _NEVER, lambda host, _item: host.boot_time),
        ("LocalDateTime", (4, 0), _NEVER, _local_time),
        ("Locale", (4, 0), _NEVER, lambda host, _item: f"{host.description.language.lcid:04x}"),
        ("Manufacturer", (4, 0), _NEVER, fixed("Microsoft Corporation")),
        ("MaxNumberOfProcesses", (4, 0), _NEVER, fixed(4294967295)),
        ("MaxProcessMemorySize", (4, 0), _NEVER, fixed("8589934464")),
        ("MUILanguages", (6, 0), _NEVER, lambda host, _item: [host.description.language.tag]),
        ("Name", (4, 0), _NEVER, system_name),
        ("NumberOfLicensedUsers", (4, 0), _NEVER, lambda host, _item: 0 if host.version.release >= (6, 0) else 5),
        ("NumberOfProcesses", (4, 0), _NEVER, lambda host, _item: len(host.state.processes)),
        ("NumberOfUsers", (4, 0), _NEVER, lambda host, _item: 1 if host.logged_on else 0),
        ("OperatingSystemSKU", (6, 0), _NEVER, lambda host, _item: host.version.sku),
        ("Organization", (4, 0), _NEVER, fixed("")),
        ("OSArchitecture", (6, 0), _NEVER, fixed("64-bit")),
        ("OSLanguage", (4, 0), _NEVER, lambda host, _item: host.description.language.lcid),
        ("OSProductSuite", (4, 0), _NEVER, lambda host, _item: host.version.suite),
        ("OSType", (4, 0), _NEVER, fixed(18)),
        ("OtherTypeDescription", (4, 0), _NEVER, fixed(None)),
        ("PAEEnabled", (5, 1), _NEVER, fixed(None)),
        ("PlusProductID", (4, 0), _NEVER, fixed(None)),
        ("PlusVersionNumber", (4, 0), _NEVER, fixed(None)),
        ("PortableOperatingSystem", (6, 2), _NEVER, fixed(False)),
        ("Primary", (4, 0), _NEVER, fixed(True)),
        ("ProductType", (4, 0), _NEVER, lambda host, _item: 3 if host.version.server else 1),
        ("QuantumLength", (4, 0), (6, 0), fixed(0)),
        ("QuantumType", (4, 0), (6, 0), fixed(0)),
        ("RegisteredUser", (4, 0), _NEVER, fixed("Windows User")),
        ("SerialNumber", (4, 0), _NEVER, fixed("00330-80000-00000-AA420")),
        ("ServicePackMajorVersion", (4, 0), _NEVER, _pack(0)),
        ("ServicePackMinorVersion", (4, 0), _NEVER, _pack(1)),
        ("SizeStoredInPagingFiles", (4, 0), _NEVER, fixed("8388608")),
        ("Status", (4, 0), _NEVER, fixed("OK")),
        ("SuiteMask", (5, 2), _NEVER, lambda host, _item: host.version.suite),
        ("SystemDevice", (4, 0), _NEVER, fixed(r"\Device\HarddiskVolume2")),
        ("SystemDirectory", (4, 0), _NEVER, lambda host, _item: host.version.system32),
        ("SystemDrive", (4, 0), _NEVER, fixed("C:")),
        ("TotalSwapSpaceSize", (4, 0), _NEVER, fixed(None)),
        ("TotalVirtualMemorySize", (4, 0), _NEVER, fixed("9017976")),
        ("TotalVisibleMemorySize", (4, 0), _NEVER, fixed("4193848")),
        ("Version", (4, 0), _NEVER, lambda host, _item: host.version.number),
        ("WindowsDirectory", (4, 0), _NEVER, lambda host, _item: host.version.windows),
    )
}


def _properties(host: WindowsHost) -> dict[str, Property]:
    release = host.version.release
    return {name: value for name, (since, until, value) in _OPERATING_SYSTEM.items() if since <= release < until}


OPERATING_SYSTEM = Provider("Win32_OperatingSystem", _properties, lambda host: [None])

_COMPUTER_SYSTEM: dict[str, Property] = {
    "AdminPasswordStatus": fixed(3),
    "AutomaticManagedPagefile": fixed(True),
    "BootupState": fixed("Normal boot"),
    "Caption": computer,
    "CreationClassName": fixed("Win32_ComputerSystem"),
    "CurrentTimeZone": fixed(0),
    "Description": fixed("AT/AT COMPATIBLE"),
    "DNSHostName": lambda host, _item: host.computer_name,
    "Domain": fixed("WORKGROUP"),
    "DomainRole": lambda host, _item: 2 if host.version.server else 0,
    "Manufacturer": fixed("Microsoft Corporation"),
    "Model": fixed("Virtual Machine"),
    "Name": computer,
    "NumberOfLogicalProcessors": fixed(2),
    "NumberOfProcessors": fixed(1),
    "PartOfDomain": fixed(False),
    "PrimaryOwnerName": fixed("Windows User"),
    "Status": fixed("OK"),
    "SystemType": fixed("x64-based PC"),
    "TotalPhysicalMemory": fixed("4294500352"),
    "UserName": lambda host, _item: f"{host.computer_name}\\{host.logged_on}" if host.logged_on else None,
    "Workgroup": fixed("WORKGROUP"),
}

COMPUTER_SYSTEM = Provider("Win32_ComputerSystem", lambda _host: _COMPUTER_SYSTEM, lambda host: [None])
