# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site server as a directory of the controller, and runs of staging on it."""

from __future__ import annotations

import datetime as dt
import os
import typing as t
from pathlib import Path

from ansible_collections.sms.helpdesk.plugins.plugin_utils._directory_share import DirectoryShare
from ansible_collections.sms.helpdesk.plugins.plugin_utils._package import read_package
from ansible_collections.sms.helpdesk.plugins.plugin_utils._shares import parse_root
from ansible_collections.sms.helpdesk.plugins.plugin_utils._staging import Order, Outcome, Staging, backup_place
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.programs import package, put, q229097, seconds

OLD = seconds(dt.datetime(1998, 3, 27, 10, 12))
CLIENT_SOURCE = "Site.srv/Maincfg.box/Client.src"


class Site:
    """An SMS directory with the files of before for x86, odd spellings included, and a package beside it."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "SMS"
        self.package = package(directory / "package")
        put(self.root / "Site.srv/X86.bin/SIGHTNT.DLL", b"old viewer", OLD).chmod(0o640)
        for name in ("Wuser32.exe", "Wslave32.exe"):
            put(self.root / CLIENT_SOURCE / "x86.BIN" / name, f"old {name}".encode(), OLD)
        put(self.root / CLIENT_SOURCE / "x86.BIN" / "Other.exe", b"not ours", OLD)

    def run(self, state: str = "present", check: bool = False, backup_dir: str | None = None, **order: t.Any) -> Outcome:
        catalogue = q229097()
        address = parse_root("site", "root", str(self.root))
        relative = backup_dir
        _backup, directory = backup_place("site", address, None, relative, catalogue.hotfix)
        source = read_package("site", str(self.package), catalogue, "en") if state == "present" else None
        wanted: dict[str, t.Any] = {"platforms": ["alpha", "x86"], "components": ["administrator", "clients"], "package": source, **order}
        share = DirectoryShare("site", str(self.root))
        return Staging(share, share, directory, Order(catalogue, "en", **wanted)).run(check)

    def state(self) -> dict[str, tuple[bytes, int, int]]:
        """Content, time and permissions of every file, the collection's own included."""
        return {
            str(path.relative_to(self.root)): (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode & 0o777)
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
        }

    def served(self) -> dict[str, tuple[bytes, int, int]]:
        """The same without the collection's own."""
        return {name: value for name, value in self.state().items() if not name.startswith("sms.helpdesk")}

    def touched(self) -> dict[str, tuple[int, int]]:
        """What tells of any write at all: inode and time of change of every file and directory."""
        return {str(path): (path.stat().st_ino, path.stat().st_ctime_ns) for path in sorted(self.root.rglob("*"))}


def actions(outcome: Outcome) -> dict[str, str]:
    return {step.target.row.file: step.action for step in outcome.steps}


def modified(path: Path, time: dt.datetime) -> None:
    os.utime(path, (seconds(time),) * 2)
