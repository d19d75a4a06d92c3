# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on the drives of the servers at the start.

Directories and where each file lies: Q229097, Q107244, Q138348, Q189809, Q152488, Q125623 (language directories), Q166771 (copy
lists, System.map), Q137678 (administrator machines).
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packages import builds, defects, portable_executable

from .specification import Server, ServerError

SITE_FILES = ("Sightnt.dll",)
CLIENT_FILES = ("Wchat32.exe", "Wslave32.exe", "Wuser32.exe")
CLIENT_SOURCE = "Site.srv/Maincfg.box/Client.src"

_INSTALLED = builds.seconds("1998-11-02 09:15")
_TEXTS = {
    "Client.exe": b"MZ",
    "Upgrade.bat": b"@echo off\r\nrem Upgrades the SMS client.\r\nclient.exe /u\r\n",
    "Runsms.bat": b"@echo off\r\nrem Starts the SMS client.\r\nsmsrun.exe\r\n",
    "Deinstal.bat": b"@echo off\r\nrem Removes the SMS client.\r\nclient.exe /r\r\n",
    "Cl_nt.txt": b"[CopyList]\r\nCopyListVersion=891234567\r\nwuser32.exe=1\r\nwchat32.exe=1\r\nwslave32.exe=1\r\n",
    "Cl_win95.txt": b"[CopyList]\r\nCopyListVersion=891234567\r\n",
}
_SYSTEM_MAP = b'DIRECTORY "REMOTE CONTROL"\r\nPLATFORM "INTEL X86"\r\nLANGUAGE ""\r\nSOURCE "X86\\INTNL"\r\n'
ARCHIVE = 0x20
_ATTRIBUTE = "user.DOSATTRIB"


class Drive:
    """The drive of one server, as a directory.

    :ivar path: its root.
    """

    def __init__(self, server: Server, path: Path) -> None:
        self.server = server
        self.path = path

    @property
    def root(self) -> Path:
        """The directory SMS is installed in."""
        return self.path / ("SMSADMIN" if self.server.role == "admin_console" else "SMS")

    def platform_directory(self, platform: str) -> str:
        """Such as X86.bin, in the spelling of this server."""
        return self._spelt(f"{platform.capitalize()}.bin")

    def _spelt(self, name: str) -> str:
        return name.upper() if self.server.upper else name

    def build(self) -> None:
        """Make everything anew.

        :raises ServerError: the file system has no extended attributes, in which Samba keeps what Windows has.
        """
        for share in self.server.shares.values():
            (self.path / share).mkdir(parents=True, exist_ok=True)
        getattr(self, f"_{self.server.role}")()
        for path in sorted(self.path.rglob("*"), reverse=True):
            if path.is_file():
                own(path, created_at=_INSTALLED)
            else:
                os.utime(path, (_INSTALLED, _INSTALLED))

    def _site_server(self) -> None:
        self._programs(self.root / "Site.srv", SITE_FILES)
        self._programs(self.root / CLIENT_SOURCE, CLIENT_FILES, languages=True)
        self._programs(self.root / "Logon.srv", CLIENT_FILES, languages=True)
        for place in (CLIENT_SOURCE, "Logon.srv"):
            for name, content in _TEXTS.items():
                self._text(self.root / place / name, content)
        (self.root / "Helper.srv").mkdir()
        self._text(self.root / "System.map", _SYSTEM_MAP)
        self._text(self.root / "Logs" / "Maintman.log", b"")

    def _logon_server(self) -> None:
        self._programs(self.root / "Logon.srv", CLIENT_FILES, languages=True)
        for name, content in _TEXTS.items():
            self._text(self.root / "Logon.srv" / name, content)

    def _admin_console(self) -> None:
        self._programs(self.root / self._spelt("Site.srv"), SITE_FILES)

    def _programs(self, place: Path, names: tuple[str, ...], languages: bool = False) -> None:
        for platform in self.server.platforms:
            directory = place / self.platform_directory(platform)
            directory.mkdir(parents=True)
            bystander = "Client.exe" if languages else "Sms.exe"
            self._program(directory / self._spelt(bystander), bystander, platform, 40_960, _INSTALLED, "bystander")
            for name in names if self.server.build else ():
                write_program(directory / self._spelt(name), name, platform, self.server.build or "")
            if languages:
                resource = directory / "00000409" / "_wuser32.dll"
                resource.parent.mkdir()
                self._program(resource, "_wuser32.dll", platform, 20_480, _INSTALLED, "bystander")

    @staticmethod
    def _program(path: Path, name: str, platform: str, size: int, modified: int, seed: str) -> None:
        content = portable_executable.build(name, platform, size, seed=seed, modified=modified, compiler=False)
        defects.write(path, content, modified)

    @staticmethod
    def _text(path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        defects.write(path, content, _INSTALLED)


def program(name: str, platform: str, build: str) -> builds.File:
    """One of the four files as a server has it. For mips there is none in the article; it gets what x86 has, for its machine."""
    if platform in builds.PLATFORMS:
        return builds.file(name, platform, build=build)
    file = builds.file(name, "x86", build=build)
    return builds.File(name, platform, file.size, file.modified, f"{file.seed} {platform}")


def write_program(path: Path, name: str, platform: str, build: str) -> None:
    """Write one of the four files of a build, with its time. It is made without a compiler, whatever is installed."""
    file = program(name, platform, build)
    content = portable_executable.build(name, platform, file.size, seed=file.seed, modified=file.modified, compiler=False)
    defects.write(path, content, file.modified)


def files(directory: Path) -> Iterator[Path]:
    """All files below a directory, in order."""
    return (path for path in sorted(directory.rglob("*")) if path.is_file() and not path.is_symlink())


def snapshot(drives: Path, server: str | None = None) -> dict[str, dict[str, Any]]:
    """What is on the drives of all servers, or of one, by path: size, sha256, modified (ns), attributes, created. Without logs."""
    return {
        path.relative_to(drives).as_posix(): {
            "size": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "modified": path.stat().st_mtime_ns,
            "attributes": attributes(path),
            "created": created(path),
        }
        for path in files(drives / server if server else drives)
        if path.parent.name != "Logs"
    }


def own(path: Path, *, created_at: int) -> None:
    """Make a file one that Samba could have made: archive attribute, time of creation, full control for its owner."""
    path.chmod(0o755)
    set_attributes(path, ARCHIVE, created=created_at)


# DOS attributes, as Samba keeps them in an extended attribute: an empty text, version 5, level 5, which of the fields are
# valid, attributes, time of creation in units of 100 ns since 1601 (librpc/idl/xattr.idl).
_VALID = 0x01 | 0x10
_EPOCH_DIFFERENCE = 11_644_473_600


def set_attributes(path: Path, attributes: int, *, created: int) -> None:
    """Give a file DOS attributes and a time of creation, seconds since 1970.

    :raises ServerError: the file system has no extended attributes.
    """
    value = struct.pack("<HHIIIQ", 0, 5, 5, _VALID, attributes, (created + _EPOCH_DIFFERENCE) * 10_000_000)
    try:
        os.setxattr(path, _ATTRIBUTE, value)
    except OSError as error:
        raise ServerError(f"{path.parent}: no extended attributes can be set here ({error.strerror}); take another directory") from error


def attributes(path: Path) -> int | None:
    """DOS attributes of a file as Samba keeps them, None if it keeps none."""
    try:
        value = os.getxattr(path, _ATTRIBUTE)
    except OSError:
        return None
    return int(struct.unpack_from("<HHIII", value)[4])


def created(path: Path) -> float | None:
    """Time of creation of a file as Samba keeps it, seconds since 1970; None if it keeps none."""
    try:
        value = os.getxattr(path, _ATTRIBUTE)
    except OSError:
        return None
    return int(struct.unpack_from("<HHIIIQ", value)[5]) / 10_000_000 - _EPOCH_DIFFERENCE
