# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`copy_list_refresh` and the role `site_update`, judged by what is on the drives and what Samba saw."""

from __future__ import annotations

import concurrent.futures
import json
import os
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from server_plays import Desk, Play, each, laboratory, of_host, own_files, rebuild

from controller import Run
from lab.servers import ServerLab

SITE = "siteserver"
SERVERS: list[dict[str, t.Any]] = [
    {"name": SITE, "role": "site_server", "platforms": ["x86", "alpha"]},
    {"name": "logon-01", "role": "logon_server", "site": SITE},
    {"name": "logon-02", "role": "logon_server", "site": SITE, "upper": True},
]
MODULE = "copy_list_refresh"
ASKED: dict[str, t.Any] = {
    "root": "{{ sms_root }}",
    "port": "{{ sms_port }}",
    "logon_servers": "{{ groups.sms_logon_servers }}",
    "touch_every_client": True,
    "timeout": 20,
}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerLab]:
    with laboratory(tmp_path_factory.mktemp("servers"), *SERVERS) as running:
        yield running


@pytest.fixture
def desk(servers: ServerLab, tmp_path: Path, package: Path) -> Desk:
    """A site as it was installed."""
    rebuild(servers)
    for manager in servers.maintenance_managers.values():
        manager.behave(skip=[], silent=[], stale={}, locked={})
    return Desk(servers, tmp_path, package)


@pytest.fixture
def staged(desk: Desk, servers: ServerLab) -> Desk:
    """A site with the hotfix on its logon servers."""
    assert desk.stage(hosts=SITE).status == 0
    servers.maintenance_managers[SITE].cycle()
    return desk


def refresh(desk: Desk, *arguments: str, **options: t.Any) -> Play:
    return desk.play(*arguments, hosts=SITE, task={f"sms.helpdesk.{MODULE}": {**ASKED, **options}})


def site_map(servers: ServerLab) -> Path:
    return servers.drives[SITE].root / "System.map"


def test_nothing_is_touched_without_the_proofs(desk: Desk, servers: ServerLab) -> None:
    """Bad input first, then what the site lacks; each case leaves every drive as it was."""
    before = servers.snapshot()
    cases = {
        "unasked": {**ASKED, "touch_every_client": False},
        "nobody": {**ASKED, "logon_servers": []},
        "stranger": {**ASKED, "logon_servers": ["elsewhere"]},
        "waiting": {**ASKED, "wait_timeout": -1},
        "nowhere": {**ASKED, "root": "C:\\SMS"},
        "too deep": {**ASKED, "root": "{{ sms_root }}\\Logon.srv"},
        "unreachable": {**ASKED, "port": 1, "timeout": 2},
        "not staged": ASKED,
    }
    found = each(desk.controller(), MODULE, cases, SITE)
    assert {name: result.get("reason") for name, result in found.items()} == {
        "unasked": "not-confirmed",
        "nobody": "bad-argument",
        "stranger": "bad-argument",
        "waiting": "bad-argument",
        "nowhere": "bad-argument",
        "too deep": "map-missing",
        "unreachable": "refused",
        "not staged": "not-staged",
    }
    assert "every operating system" in found["unasked"]["msg"]
    assert servers.snapshot() == before


def test_not_before_every_logon_server_has_the_files(desk: Desk, servers: ServerLab) -> None:
    assert desk.stage(hosts=SITE).status == 0
    servers.maintenance_managers[SITE].behave(skip=["logon-02"])
    servers.maintenance_managers[SITE].cycle()
    for arguments in ((), ("--check",)):
        play = refresh(desk, *arguments)
        found = play.of(SITE, MODULE)
        assert found["reason"] == "not-replicated"
        assert "logon-02" in found["msg"]
        assert "logon-01" not in found["msg"]
        assert play.writes() == []


def test_once_for_what_is_staged(staged: Desk, servers: ServerLab) -> None:
    """Foretold, done, done once; and again for another build, or by force. Never a byte of the map."""
    old = site_map(servers).stat()
    content = site_map(servers).read_bytes()
    foretold = refresh(staged, "--check", "--diff")
    assert (foretold.of(SITE, MODULE)["action"], foretold.writes()) == ("would-touch", [])

    done = refresh(staged, "--diff")
    found = done.of(SITE, MODULE)
    assert (found["action"], found["changed"], found["regenerated"]) == ("touched", True, False)
    assert found["diff"]["before"] == foretold.of(SITE, MODULE)["diff"]["before"]
    new = site_map(servers).stat()
    assert site_map(servers).read_bytes() == content
    assert old.st_mtime_ns < new.st_mtime_ns <= time.time_ns()
    changed = {path for path, entry in of_host(done.after, SITE).items() if entry != done.before[path]}
    assert changed == {f"{SITE}/SMS/System.map"}
    assert of_host(done.after, SITE)[f"{SITE}/SMS/System.map"] | {"modified": 0} == done.before[f"{SITE}/SMS/System.map"] | {"modified": 0}
    assert [path for path in own_files(done.after, SITE) if "/staging/" in path] == []
    assert all(done.writes(host) == [] for host in ("logon-01", "logon-02"))

    again = refresh(staged)
    assert (again.of(SITE, MODULE)["action"], again.of(SITE, MODULE)["changed"], again.writes()) == ("already-done", False, [])
    # Its memory is the server's, so another controller knows as well; and Maintenance Manager has done its work meanwhile.
    servers.maintenance_managers[SITE].cycle()
    later = refresh(staged, wait_timeout=5).of(SITE, MODULE)
    assert (later["changed"], later["regenerated"], later["lagging"]) == (False, True, [])
    assert {each["server"] for each in later["copy_lists"]} == {SITE, "logon-01", "logon-02"}

    forced = refresh(staged, force=True).of(SITE, MODULE)
    assert forced["action"] == "touched"
    assert site_map(servers).stat().st_mtime_ns > new.st_mtime_ns


def test_what_a_map_may_be(staged: Desk, servers: ServerLab) -> None:
    path = site_map(servers)
    content = path.read_bytes()
    # A time in the future, and a name in another case.
    os.utime(path, (4_000_000_000, 4_000_000_000))
    path.rename(path.with_name("SYSTEM.MAP"))
    found = refresh(staged, "--check").of(SITE, MODULE)
    assert (found["action"], found["system_map"]["path"].endswith("\\SYSTEM.MAP")) == ("would-touch", True)
    assert found["system_map"]["after"] > found["system_map"]["before"]
    assert any("in the future" in warning for warning in found["warnings"])
    # What an editor leaves behind.
    path.with_name("SYSTEM.MAP").rename(path.with_name("System.map.txt"))
    found = refresh(staged).of(SITE, MODULE)
    assert (found["reason"], "System.map.txt" in found["msg"]) == ("map-missing", True)
    path.write_bytes(b"")
    assert refresh(staged).of(SITE, MODULE)["reason"] == "map-broken"
    path.write_bytes(content)
    found = refresh(staged, "--check").of(SITE, MODULE)
    assert any("System.map.txt" in warning for warning in found["warnings"])


def test_a_memory_nobody_can_read_is_not_guessed(staged: Desk, servers: ServerLab) -> None:
    memory = servers.drives[SITE].root / "sms.helpdesk" / "refresh" / "Q229097.json"
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text("{}")
    before = site_map(servers).stat().st_mtime_ns
    found = refresh(staged).of(SITE, MODULE)
    assert (found["reason"], "Q229097.json" in found["msg"]) == ("memory-broken", True)
    assert site_map(servers).stat().st_mtime_ns == before


def test_a_run_that_broke_off_is_completed(staged: Desk, servers: ServerLab) -> None:
    """It has noted what it was about to do, and not done it; or done it, and not said so."""
    refresh(staged)
    touched = site_map(servers).stat().st_mtime_ns
    memory = servers.drives[SITE].root / "sms.helpdesk" / "refresh" / "Q229097.json"
    noted = json.loads(memory.read_text())["touches"][-1]
    os.utime(site_map(servers), ns=(noted["before_ns"], noted["before_ns"]))
    assert refresh(staged).of(SITE, MODULE)["action"] == "touched"
    assert site_map(servers).stat().st_mtime_ns >= touched
    assert refresh(staged).of(SITE, MODULE)["action"] == "already-done"


def run_role(desk: Desk, *arguments: str, **variables: t.Any) -> Run:
    book = desk.directory / "update.yml"
    book.write_text(yaml.safe_dump([{"hosts": "sms_site_servers", "gather_facts": False, "roles": ["sms.helpdesk.site_update"]}]))
    return desk.controller().playbook(str(book), *arguments, **variables)


def test_the_role_waits_for_the_new_copy_lists(staged: Desk, servers: ServerLab) -> None:
    refused = run_role(staged)
    assert (refused.status, "touch_every_client" in refused.output) == (2, True)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(
            run_role,
            staged,
            site_update_touch_every_client=True,
            site_update_wait_timeout=60,
            site_update_wait_interval=1,
        )
        while not running.done():
            servers.maintenance_managers[SITE].cycle()
            time.sleep(0.2)
        done = running.result()
    assert done.status == 0, done.output[-2000:]
    found = done.of(SITE, MODULE)
    assert (found["action"], found["regenerated"]) == ("touched", True)
    again = run_role(staged, site_update_touch_every_client=True)
    assert (again.status, again.recap(SITE)["changed"]) == (0, 0)


def test_the_role_names_servers_whose_lists_stay_old(staged: Desk, servers: ServerLab) -> None:
    servers.maintenance_managers[SITE].behave(running=False)
    found = run_role(staged, site_update_touch_every_client=True, site_update_wait_timeout=1, site_update_wait_interval=1)
    assert found.status == 2
    for host in (SITE, "logon-01", "logon-02"):
        assert f"{host}: Still the old version: cl_nt.txt" in found.output
