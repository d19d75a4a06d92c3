# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CIM_DataFile on the file store. Synthetic: no recording of this class exists; names and types are from its documentation."""

from __future__ import annotations

import ntpath
import typing as t

from ..files import File
from .provider import Property, Provider, computer, fixed

if t.TYPE_CHECKING:
    from ..host import WindowsHost


def _size(_host: WindowsHost, file: File) -> str:
    return str(file.size if file.content is None else len(file.content))


def _modified(_host: WindowsHost, file: File) -> t.Any:
    return file.modified


def _directory(_host: WindowsHost, file: File) -> str:
    """``\\windows\\system32\\``, lower case and without the drive, as WMI has it."""
    return ntpath.splitdrive(ntpath.dirname(file.path))[1].rstrip("\\").lower() + "\\"


def _has(letter: str) -> Property:
    return lambda _host, file: letter in file.attributes


_PROPERTIES: dict[str, Property] = {
    "AccessMask": fixed(18809343),
    "Archive": _has("A"),
    "Caption": lambda _host, file: file.path.lower(),
    "Compressed": fixed(False),
    "CompressionMethod": fixed(None),
    "CreationClassName": fixed("CIM_LogicalFile"),
    "CreationDate": _modified,
    "CSCreationClassName": fixed("Win32_ComputerSystem"),
    "CSName": computer,
    "Description": lambda _host, file: file.path.lower(),
    "Drive": lambda _host, file: file.path[:2].lower(),
    "EightDotThreeFileName": lambda _host, file: file.path.lower(),
    "Encrypted": fixed(False),
    "EncryptionMethod": fixed(None),
    "Extension": lambda _host, file: ntpath.splitext(file.path)[1][1:].lower(),
    "FileName": lambda _host, file: ntpath.splitext(file.name)[0].lower(),
    "FileSize": _size,
    "FileType": lambda _host, file: "Application" if file.path.lower().endswith(".exe") else "File",
    "FSCreationClassName": fixed("Win32_FileSystem"),
    "FSName": fixed("NTFS"),
    "Hidden": _has("H"),
    "InstallDate": _modified,
    "InUseCount": fixed(None),
    "LastAccessed": _modified,
    "LastModified": _modified,
    "Manufacturer": lambda _host, file: "Microsoft Corporation" if file.version else None,
    "Name": lambda _host, file: file.path.lower(),
    "Path": _directory,
    "Readable": fixed(True),
    "Status": fixed("OK"),
    "System": _has("S"),
    "Version": lambda _host, file: file.version,
    "Writeable": lambda _host, file: "R" not in file.attributes,
}

DATA_FILE = Provider("CIM_DataFile", lambda _host: _PROPERTIES, lambda host: [file for file in host.state.files if not file.directory])
