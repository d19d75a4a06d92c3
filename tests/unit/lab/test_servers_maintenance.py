# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for Maintenance Manager."""

from __future__ import annotations

import datetime as dt
import os
import re
import threading
from pathlib import Path

import pytest

from lab.servers import layout
from lab.servers.layout import CLIENT_SOURCE, Drive
from lab.servers.maintenance import MaintenanceManager
from lab.servers.specification import Replication, read
from packages import builds

LINE = re.compile(r"~(?P<text>.+?)  \$\$<SMS_MAINTENANCE_MANAGER><(?P<time>[^~]+)~><thread=(?P<thread>[0-9A-F]+)>")
HOTFIX = builds.file("Wuser32.exe", "x86")


@pytest.fixture
def manager(tmp_path: Path) -> MaintenanceManager:
    specification = read(None)
    drives = {name: Drive(server, tmp_path / name) for name, server in specification.servers.items()}
    for drive in drives.values():
        drive.path.mkdir()
        drive.build()
    served = [drives[server.name] for server in specification.logon_servers("siteserver")]
    return MaintenanceManager(drives["siteserver"], served, tmp_path / "maintenance.json", Replication(cycle_seconds=0.01))


def source(manager: MaintenanceManager, *parts: str) -> Path:
    return manager.site.root.joinpath(CLIENT_SOURCE, *parts)


def replica(manager: MaintenanceManager, number: int, *parts: str) -> Path:
    return manager.logon_servers[number].root.joinpath("Logon.srv", *parts)


def stage(manager: MaintenanceManager) -> None:
    layout.write_program(source(manager, "X86.bin", "Wuser32.exe"), "Wuser32.exe", "x86", "hotfix")


def log(manager: MaintenanceManager) -> list[str]:
    lines = (manager.site.root / "Logs" / "Maintman.log").read_bytes().decode("ascii").splitlines()
    matches = [LINE.fullmatch(line) for line in lines]
    assert all(matches)
    assert all(match and dt.datetime.strptime(match["time"], "%a %b %d %H:%M:%S %Y") for match in matches)
    return [match["text"] for match in matches if match]


def test_nothing_to_do_at_the_start(manager: MaintenanceManager) -> None:
    assert manager.cycle() == []


def test_what_is_new_reaches_every_logon_server(manager: MaintenanceManager) -> None:
    stage(manager)
    written = manager.cycle()
    targets = [
        manager.site.root / "Logon.srv" / "X86.bin" / "Wuser32.exe",
        replica(manager, 0, "X86.bin", "Wuser32.exe"),
        replica(manager, 1, "X86.BIN", "WUSER32.EXE"),
    ]
    assert written == targets
    for target in targets:
        assert target.read_bytes() == source(manager, "X86.bin", "Wuser32.exe").read_bytes()
        assert target.stat().st_mtime == HOTFIX.modified
        assert layout.attributes(target) == 0x20
    assert manager.cycle() == []
    assert [text for text in log(manager) if text.startswith("Copied")] == [
        f"Copied Wuser32.exe to \\\\{name}" for name in ("siteserver", "logon-01", "logon-02")
    ]


def test_anything_in_client_source_is_spread_and_stays(manager: MaintenanceManager) -> None:
    stray = source(manager, "X86.bin", "Wuser32.tmp")
    stray.write_bytes(b"half")
    source(manager, "X86.bin", "Backup").mkdir()
    source(manager, "X86.bin", "Backup", "Wuser32.exe").write_bytes(b"old")
    manager.cycle()
    stray.unlink()
    manager.cycle()
    assert replica(manager, 0, "X86.bin", "Wuser32.tmp").read_bytes() == b"half"
    assert replica(manager, 1, "X86.BIN", "Backup", "Wuser32.exe").read_bytes() == b"old"


def test_equal_time_and_other_content_is_copied(manager: MaintenanceManager) -> None:
    path = source(manager, "X86.bin", "Wuser32.exe")
    stat = path.stat()
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert len(manager.cycle()) == 3


def test_skipping(manager: MaintenanceManager) -> None:
    stage(manager)
    before = replica(manager, 1, "X86.BIN", "WUSER32.EXE").read_bytes()
    manager.behave(skip=["logon-02"])
    manager.cycle()
    assert replica(manager, 0, "X86.bin", "Wuser32.exe").stat().st_mtime == HOTFIX.modified
    assert replica(manager, 1, "X86.BIN", "WUSER32.EXE").read_bytes() == before
    lines = log(manager)
    assert lines[lines.index("Working on logon server \\\\logon-02") + 1] == "Free disk space check failed (error 144), skipping"
    manager.behave(skip=[], silent=["logon-02"])
    manager.cycle()
    assert replica(manager, 1, "X86.BIN", "WUSER32.EXE").read_bytes() == before
    assert sum("logon-02" in text for text in log(manager)) == 1
    manager.behave(silent=[])
    manager.cycle()
    assert replica(manager, 1, "X86.BIN", "WUSER32.EXE").stat().st_mtime == HOTFIX.modified


def test_a_stale_copy(manager: MaintenanceManager) -> None:
    stage(manager)
    manager.cycle()
    manager.behave(stale={"logon-01": ["wuser32.exe"]})
    manager.cycle()
    target, old = replica(manager, 0, "X86.bin", "Wuser32.exe"), builds.file("Wuser32.exe", "x86", build="older")
    assert (target.stat().st_size, target.stat().st_mtime) == (old.size, old.modified)
    assert target.read_bytes() != source(manager, "X86.bin", "Wuser32.exe").read_bytes()
    assert replica(manager, 1, "X86.BIN", "WUSER32.EXE").stat().st_mtime == HOTFIX.modified


def test_a_locked_file(manager: MaintenanceManager) -> None:
    stage(manager)
    manager.behave(locked={"logon-01": ["Wuser32.exe"]})
    manager.cycle()
    assert replica(manager, 0, "X86.bin", "Wuser32.exe").stat().st_mtime != HOTFIX.modified
    assert "Cannot copy Wuser32.exe to \\\\logon-01 (error 32)" in log(manager)


def test_tracing_can_be_off(manager: MaintenanceManager) -> None:
    manager.behave(tracing=False)
    stage(manager)
    assert manager.cycle()
    assert log(manager) == []


def test_in_the_background(manager: MaintenanceManager) -> None:
    stage(manager)
    manager.start()
    wait_for_cycles(manager, 1)
    manager.stop()
    assert replica(manager, 1, "X86.BIN", "WUSER32.EXE").stat().st_mtime == HOTFIX.modified
    assert not any("Maintenance Manager" in thread.name for thread in threading.enumerate())


def test_a_hung_thread_does_nothing(manager: MaintenanceManager) -> None:
    manager.behave(running=False)
    stage(manager)
    manager.start()
    # Had it done anything, it would have done it before it stops.
    manager.stop()
    assert manager.cycles == 0 and log(manager) == []
    manager.behave(running=True)
    manager.start()
    wait_for_cycles(manager, 2)
    manager.stop()
    assert replica(manager, 0, "X86.bin", "Wuser32.exe").stat().st_mtime == HOTFIX.modified


def wait_for_cycles(manager: MaintenanceManager, count: int) -> None:
    pause = threading.Event()
    while manager.cycles < count:
        pause.wait(0.01)


def test_unknown_behaviour(manager: MaintenanceManager) -> None:
    with pytest.raises(TypeError, match="lazy"):
        manager.behave(lazy=True)
