# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which logon server has which file, and waiting for those that have not."""

from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _share_trouble as trouble
from ansible_collections.sms.helpdesk.plugins.plugin_utils._directory_share import DirectoryShare
from ansible_collections.sms.helpdesk.plugins.plugin_utils._package import read_package
from ansible_collections.sms.helpdesk.plugins.plugin_utils._replication import CAUSES, Server, Wanted, of_package, of_site, result, watch
from ansible_collections.sms.helpdesk.plugins.plugin_utils._shares import Share
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.programs import put, q229097
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.servers import OLD, Site

CATALOGUE = q229097()


class Clock:
    """Time that passes only in `sleep`, which may do something each time."""

    def __init__(self, each: t.Callable[[], None] = lambda: None) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self._each = each

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self._each()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.run()
    return site


@pytest.fixture
def wanted(site: Site) -> list[Wanted]:
    return of_site(DirectoryShare("site", str(site.root)), CATALOGUE, "en", ["alpha", "x86"])


def server(tmp_path: Path, name: str = "logon01") -> Server:
    root = tmp_path / name
    (root / "X86.BIN").mkdir(parents=True, exist_ok=True)

    def connect() -> Share:
        return DirectoryShare(name, str(root))

    return Server(name, str(root), connect)


def copy(site: Site, tmp_path: Path, *names: str, name: str = "logon01") -> None:
    for file in names:
        shutil.copy(site.package / "x86" / file, tmp_path / name / "X86.BIN" / file.upper())


def looked(servers: list[Server], wanted: list[Wanted], timeout: float = 0, clock: Clock | None = None) -> dict[str, t.Any]:
    clock = clock or Clock()
    lines: list[str] = []
    waited = watch(servers, CATALOGUE, wanted, timeout, 30, lines.append, clock, clock.sleep)
    return {**result(servers, CATALOGUE, waited), "lines": lines}


def test_only_what_is_copied_is_wanted(wanted: list[Wanted], site: Site) -> None:
    assert [want.row.file for want in wanted] == ["Wchat32.exe", "Wslave32.exe", "Wuser32.exe"]
    of_files = of_package(CATALOGUE, read_package("site", str(site.package), CATALOGUE, "en", ["x86"]))
    assert [(want.row, want.version) for want in of_files] == [(want.row, want.version) for want in wanted]


def test_no_site_server_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(trouble.ShareTrouble, match="site_root"):
        of_site(DirectoryShare("site", str(tmp_path)), CATALOGUE, "en", ["x86"])


def test_every_status(site: Site, tmp_path: Path, wanted: list[Wanted]) -> None:
    behind = server(tmp_path)
    copy(site, tmp_path, "Wchat32.exe")
    put(tmp_path / "logon01/X86.BIN/Wuser32.exe", b"old", OLD)
    found = looked([behind], wanted)
    assert {file["name"]: file["status"] for file in found["files"]} == {
        "Wchat32.exe": "replicated",
        "Wslave32.exe": "missing",
        "Wuser32.exe": "stale",
    }
    assert (found["replicated"], found["lagging"], found["servers"][0]["status"]) == (False, ["logon01"], "missing")
    assert (found["servers"][0]["done"], found["servers"][0]["total"]) == (1, 3)
    assert found["causes"] == list(CAUSES)
    assert found["files"][0]["destination"].endswith("X86.BIN/WCHAT32.EXE")


def test_content_counts_and_not_the_time(site: Site, tmp_path: Path, wanted: list[Wanted]) -> None:
    done = server(tmp_path)
    copy(site, tmp_path, "Wchat32.exe", "Wslave32.exe", "Wuser32.exe")
    put(tmp_path / "logon01/X86.BIN/WUSER32.EXE", (site.package / "x86/Wuser32.exe").read_bytes(), 12345)
    found = looked([done], wanted)
    assert (found["replicated"], found["causes"], found["message"]) == (True, [], "1 of 1 logon server has every file.")
    data = bytearray((tmp_path / "logon01/X86.BIN/WUSER32.EXE").read_bytes())
    data[-1] ^= 1
    put(tmp_path / "logon01/X86.BIN/WUSER32.EXE", bytes(data), 12345)
    assert looked([server(tmp_path)], wanted)["servers"][0]["status"] == "stale"


def test_a_missing_directory_is_missing_files(tmp_path: Path, wanted: list[Wanted]) -> None:
    bare = server(tmp_path)
    (tmp_path / "logon01/X86.BIN").rmdir()
    assert {file["status"] for file in looked([bare], wanted)["files"]} == {"missing"}


def test_what_the_site_server_does_not_have(site: Site, tmp_path: Path) -> None:
    site.run("absent")
    wanted = of_site(DirectoryShare("site", str(site.root)), CATALOGUE, "en", ["x86"])
    lag = server(tmp_path)
    copy(site, tmp_path, "Wchat32.exe")
    found = {file["name"]: file for file in looked([lag], wanted)["files"]}
    assert (found["Wchat32.exe"]["status"], found["Wchat32.exe"]["expected"]) == ("stale", None)
    assert "Q193746" in found["Wchat32.exe"]["message"]
    (tmp_path / "logon01/X86.BIN/WCHAT32.EXE").unlink()
    found = {file["name"]: file for file in looked([lag], wanted)["files"]}
    assert found["Wchat32.exe"]["status"] == "replicated"


def test_it_waits_tells_and_stops_when_all_are_done(site: Site, tmp_path: Path, wanted: list[Wanted]) -> None:
    first, second = server(tmp_path), server(tmp_path, "logon02")
    copy(site, tmp_path, "Wchat32.exe", "Wslave32.exe", "Wuser32.exe")
    passed: list[int] = []

    def arrive() -> None:
        passed.append(1)
        if len(passed) == 2:
            copy(site, tmp_path, "Wchat32.exe", "Wslave32.exe", "Wuser32.exe", name="logon02")

    clock = Clock(arrive)
    found = looked([first, second], wanted, 3600, clock)
    assert (found["replicated"], found["waited"], clock.slept) == (True, 60, [30, 30])
    assert found["lines"] == [
        "1 of 2 logon servers has every file after 0 of at most 3600 s; waiting for logon02 (0 of 3 files).",
        "1 of 2 logon servers has every file after 30 of at most 3600 s; waiting for logon02 (0 of 3 files).",
    ]


def test_the_ceiling_is_kept_to_the_second(tmp_path: Path, wanted: list[Wanted]) -> None:
    clock = Clock()
    found = looked([server(tmp_path)], wanted, 70, clock)
    assert (clock.slept, found["waited"], found["replicated"]) == ([30, 30, 10], 70, False)


def test_looking_once_says_nothing_on_the_way(tmp_path: Path, wanted: list[Wanted]) -> None:
    assert looked([server(tmp_path)], wanted)["lines"] == []


def test_a_server_that_cannot_be_reached_keeps_nobody_else_waiting(site: Site, tmp_path: Path, wanted: list[Wanted]) -> None:
    def refuse() -> Share:
        raise trouble.error("logon02", "connecting", trouble.TIMEOUT)

    copy_to = server(tmp_path)
    copy(site, tmp_path, "Wchat32.exe", "Wslave32.exe", "Wuser32.exe")
    found = looked([copy_to, Server("logon02", r"\\logon02\SMS_SHR", refuse)], wanted)
    assert {each["name"]: each["status"] for each in found["servers"]} == {"logon01": "replicated", "logon02": "unreachable"}
    assert found["lagging"] == ["logon02"]
    assert "logon02" in found["servers"][1]["message"]
    assert "timeout" in found["message"]


def test_many_servers_are_not_all_named(tmp_path: Path, wanted: list[Wanted]) -> None:
    found = looked([server(tmp_path, f"logon{number:02}") for number in range(14)], wanted)
    assert "and 4 more" in found["message"]
    assert len(found["lagging"]) == 14
