# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shares of servers as a client sees them: what the fleet file says is there, or a directory of this machine."""

from __future__ import annotations

import dataclasses
import datetime
import ntpath
import typing as t
from pathlib import Path

from .files import File, FileStore
from .reading import Reader, choice

NETWORK_PATH, NETWORK_NAME, ACCESS_DENIED, DEVICE_IN_USE, NOT_CONNECTED = 53, 67, 5, 85, 2250
_INSTALLED = datetime.datetime(1998, 11, 2, 9, 15, tzinfo=datetime.timezone.utc)

# What a script may do instead of its work, by the key `script` of a share. Synthetic: no article prints Upgrade.bat. Q153303 is where
# "Phase 1 complete" stands in front of a script that has done nothing.
SCRIPTS = {
    "works": "@echo off\r\nclient.exe /u\r\necho Phase 1 complete\r\n",
    "says-so": "@echo off\r\ncli_nt.exe /u\r\necho Phase 1 complete\r\n",
    "asks": "@echo off\r\nset /p answer=Upgrade now (y/n)? \r\nclient.exe /u\r\n",
    "hangs": "@echo off\r\necho Upgrading the SMS client\r\nping -n 100000 127.0.0.1 >nul\r\nclient.exe /u\r\n",
    "floods": f"@echo off\r\n:again\r\necho Upgrading the SMS client {'.' * 60}\r\ngoto again\r\n",
    "fails": "@echo off\r\necho Not enough disk space 1>&2\r\nexit /b 3\r\n",
}
_STANDARD = {
    "Client.exe": "MZ",
    "cl_nt.txt": "[CopyList]\r\nCopyListVersion=2\r\n",
    "x86.bin\\Cli_nt.exe": "MZ",
}
# Sizes and dates of the English files for x86 (Q229097), and the date of the build before them (Q192788).
_PROGRAMS = {
    "Wuser32.exe": (170_720, datetime.datetime(2000, 4, 3, 23, 41, tzinfo=datetime.timezone.utc)),
    "Wchat32.exe": (63_216, datetime.datetime(1999, 7, 24, 1, 41, tzinfo=datetime.timezone.utc)),
    "Wslave32.exe": (77_936, datetime.datetime(2000, 4, 7, 2, 54, tzinfo=datetime.timezone.utc)),
}
_ORIGINAL = datetime.datetime(1998, 10, 5, 18, 13, tzinfo=datetime.timezone.utc)
Entry = tuple[str, bytes | None, int, datetime.datetime]
"""Path below the share, content or None, size where there is no content, time."""


@dataclasses.dataclass(frozen=True)
class Share:
    r"""One share, such as ``\\LOGON01\SMS_SHR``.

    :ivar state: ok; denied, as over a second hop without delegation; no-server; no-share.
    :ivar directory: of this machine, whose files it has at any moment; empty: `files` are all there are.
    """

    unc: str
    state: str
    directory: str
    files: tuple[Entry, ...]

    def contents(self) -> list[File]:
        """Its files as they are now."""
        if self.directory:
            return list(_real(self.unc, Path(self.directory)))
        return [
            File(ntpath.join(self.unc, path), modified, content=content, size=size if content is None else len(content))
            for path, content, size, modified in self.files
        ]


def _real(unc: str, directory: Path) -> t.Iterator[File]:
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            relative = "\\".join(path.relative_to(directory).parts)
            modified = datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.timezone.utc)
            yield File(ntpath.join(unc, relative), modified, content=path.read_bytes())


def _standard(script: str, holds: str) -> list[Entry]:
    texts = {**_STANDARD, "Upgrade.bat": script}
    programs = {name: (size, when) for name, (size, when) in _PROGRAMS.items() if holds != "nothing"}
    if holds == "original":
        programs = {name: (size, _ORIGINAL) for name, (size, _when) in programs.items()}
    return [
        *((path, text.encode(), 0, _INSTALLED) for path, text in texts.items()),
        *((rf"x86.bin\{name}", None, size, when) for name, (size, when) in programs.items()),
    ]


def read_shares(read: Reader) -> dict[str, Share]:
    """The key `shares` of a host, by lower-case UNC path."""
    found = {}
    for unc, value in read.mapping("shares").items():
        name = "\\\\" + str(unc).strip("\\")
        inner = Reader(value or {}, f"{read.where}, share '{name}'")
        if name.count("\\") != 3:
            raise read.wrong("shares", rf"'{unc}' is not \\SERVER\SHARE")
        files = _standard(
            SCRIPTS[choice(inner, "script", tuple(SCRIPTS), "works")], choice(inner, "holds", ("hotfix", "original", "nothing"), "hotfix")
        )
        for path, entry in inner.mapping("files").items():
            about = Reader(entry if isinstance(entry, dict) else {"content": entry}, f"{inner.where}, file '{path}'")
            content = about.optional("content")
            modified = about.raw("modified", _INSTALLED)
            if isinstance(modified, str):
                modified = datetime.datetime.fromisoformat(modified)
            data = None if content is None else content.replace("\n", "\r\n").encode()
            files = [each for each in files if each[0].lower() != str(path).lower()]
            files.append((str(path), data, about.number("size", 0, 0, 1 << 31), modified))
            about.done()
        found[name.lower()] = Share(
            name, choice(inner, "state", ("ok", "denied", "no-server", "no-share"), "ok"), inner.text("directory", ""), tuple(files)
        )
        inner.done()
    return found


def connect(shares: t.Mapping[str, Share], files: FileStore, unc: str) -> int:
    """Make the files of a share visible; a Windows error code, 0 for success."""
    share = shares.get(unc.lower())
    server = unc.lower().rpartition("\\")[0]
    if share is None:
        return NETWORK_NAME if any(name.startswith(server + "\\") for name in shares) else NETWORK_PATH
    code = {"denied": ACCESS_DENIED, "no-server": NETWORK_PATH, "no-share": NETWORK_NAME}.get(share.state, 0)
    if not code:
        show(files, share)
    return code


def show(files: FileStore, share: Share) -> None:
    """Put the present files of a share into a file store, below its UNC path."""
    files.remove(share.unc)
    files.put(File(share.unc, _INSTALLED, directory=True, attributes=""))
    for file in share.contents():
        missing, directory = [], ntpath.dirname(file.path)
        while directory.lower() != share.unc.lower() and files.get(directory) is None:
            missing.append(directory)
            directory = ntpath.dirname(directory)
        for path in reversed(missing):
            files.put(File(path, file.modified, directory=True, attributes=""))
        files.put(file)
