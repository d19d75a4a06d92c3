# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a hotfix has got, told from the drives."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lab.servers import layout
from lab.servers.findings import hotfix
from lab.servers.layout import Drive
from lab.servers.specification import read
from packages.make import make

SIGHTNT = "siteserver/SMS/Site.srv/X86.bin/Sightnt.dll"
WUSER32 = "siteserver/SMS/Site.srv/Maincfg.box/Client.src/Alpha.bin/Wuser32.exe"
# Two platforms: Sightnt.dll on the site server, three files in Client.src, and three for each of three Logon.srv; one on the console.
PLACES = 2 * (1 + 3 + 3 * 3) + 1


@pytest.fixture
def drives(tmp_path: Path) -> Path:
    place = tmp_path / "drives"
    for server in read(None).servers.values():
        drive = Drive(server, place / server.name)
        drive.path.mkdir(parents=True)
        drive.build()
    return place


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return make(tmp_path / "package", compiler=False)


def stage(drives: Path, package: Path, path: str) -> None:
    """As a correct program would: the original kept beside SMS, the new file with its time."""
    target = drives / path
    kept = drives / "siteserver" / "SMS" / "sms.helpdesk" / path.replace("/", "-")
    kept.parent.mkdir(exist_ok=True)
    target.rename(kept)
    shutil.copy2(package / target.parent.name.lower().removesuffix(".bin") / target.name, target)


def test_nothing_done(drives: Path, package: Path) -> None:
    before = layout.snapshot(drives)
    found = hotfix(before, before, package)
    assert len(found["waiting"]) == len(found["original"]) == PLACES
    assert not any(found[name] for name in ("staged", "touched", "strays", "kept", "lost"))
    assert not any("mipsserver" in path for path in found["waiting"])


def test_some_done(drives: Path, package: Path) -> None:
    before = layout.snapshot(drives)
    for path in (SIGHTNT, WUSER32):
        stage(drives, package, path)
    found = hotfix(before, layout.snapshot(drives), package)
    assert sorted(found["staged"]) == sorted([SIGHTNT, WUSER32])
    assert len(found["waiting"]) == len(found["original"]) == PLACES - 2
    assert len(found["kept"]) == 2
    assert not any(found[name] for name in ("touched", "strays", "lost"))


def test_what_is_wrong_shows(drives: Path, package: Path) -> None:
    before = layout.snapshot(drives)
    stage(drives, package, SIGHTNT)
    stage(drives, package, WUSER32)
    # A time that was not kept, an original that was stamped anew, a stray, another file touched.
    os.utime(drives / SIGHTNT)
    os.utime(next((drives / "siteserver" / "SMS" / "sms.helpdesk").glob("*Wuser32.exe")))
    (drives / WUSER32).with_name("Wuser32.tmp").write_bytes(b"")
    os.utime(drives / "siteserver" / "SMS" / "System.map")
    (drives / "logon-01" / "SMS" / "Logon.srv" / "Upgrade.bat").unlink()
    found = hotfix(before, layout.snapshot(drives), package)
    assert SIGHTNT in found["waiting"] and SIGHTNT not in found["original"]
    assert found["lost"] == [WUSER32]
    assert found["strays"] == [WUSER32.replace(".exe", ".tmp")]
    assert sorted(found["touched"]) == ["logon-01/SMS/Logon.srv/Upgrade.bat", "siteserver/SMS/System.map"]
