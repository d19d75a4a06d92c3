# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`hotfix_replication_info` on logon servers on which Maintenance Manager has done its work, half of it, or none."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import shutil
import socket
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from server_plays import PASSWORD, Desk, Play, each, laboratory, rebuild

from lab.servers import ServerLab, layout
from packages.builds import NAMES
from packages.make import make

SITE = "siteserver"
CLIENT_NAMES = NAMES[1:]
LOGON = {"role": "logon_server", "site": SITE}
SERVERS: list[dict[str, t.Any]] = [
    {"name": SITE, "role": "site_server", "platforms": ["x86", "alpha"]},
    {"name": "arrived", **LOGON},
    {"name": "uppercase", **LOGON, "upper": True},
    {"name": "mounted", **LOGON},
    {"name": "above", **LOGON, "shares": {"D$": ""}},
    {"name": "skipped", **LOGON},
    {"name": "stale", **LOGON},
    {"name": "locked", **LOGON},
    {"name": "empty", **LOGON, "build": None},
    {"name": "half", **LOGON},
    {"name": "hidden", **LOGON},
]
EVERY = {(platform, name) for platform in ("alpha", "x86") for name in CLIENT_NAMES}
# What each logon server has: the status of the files that are not replicated.
BEHIND: dict[str, dict[tuple[str, str], str]] = {
    "arrived": {},
    "uppercase": {},
    "mounted": {},
    "above": {},
    "skipped": dict.fromkeys(EVERY, "stale"),
    "stale": {(platform, "Wuser32.exe"): "stale" for platform in ("alpha", "x86")},
    "locked": {(platform, "Wchat32.exe"): "stale" for platform in ("alpha", "x86")},
    "empty": dict.fromkeys(EVERY, "missing"),
    "half": {("alpha", name): "missing" for name in CLIENT_NAMES},
}
LOOK: dict[str, t.Any] = {
    "root": "{{ sms_root }}",
    "port": "{{ sms_port }}",
    "site_root": "{{ site_root }}",
    "site_port": "{{ site_port }}",
}
ALL: dict[str, t.Any] = {
    "logon_servers": "{{ groups.sms_logon_servers }}",
    "site_root": "{{ sms_root }}",
    "site_port": "{{ sms_port }}",
    "timeout": 10,
}
MODULE = "hotfix_replication_info"


def task(**options: t.Any) -> dict[str, t.Any]:
    return {f"sms.helpdesk.{MODULE}": options}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerLab]:
    with laboratory(tmp_path_factory.mktemp("servers"), *SERVERS) as running:
        yield running


@dataclasses.dataclass
class Looks:
    """Each logon server looked at by itself, all of them from the site server, and all of them compared with the package."""

    single: Play
    together: Play
    packaged: Play
    desk: Desk


def put_hotfix(servers: ServerLab) -> None:
    """The hotfix in Client.src of the site server, however it came there."""
    for platform in ("x86", "alpha"):
        for name in CLIENT_NAMES:
            path = servers.path(SITE, "SMS_SHRD", *layout.CLIENT_SOURCE.split("/"), f"{platform.capitalize()}.bin", name)
            layout.write_program(path, name, platform, "hotfix")
            layout.own(path, created_at=900_000_000)


def site_variables(servers: ServerLab) -> dict[str, dict[str, t.Any]]:
    common = {"site_root": servers.unc(SITE, "SMS_SHRD"), "site_port": servers.port}
    variables = {server["name"]: dict(common) for server in SERVERS}
    variables["mounted"]["sms_root"] = str(servers.path("mounted", "SMS_SHR"))
    variables["above"]["sms_root"] = servers.unc("above", "D$", "SMS")
    return variables


@pytest.fixture(scope="module")
def looks(servers: ServerLab, tmp_path_factory: pytest.TempPathFactory, package: Path) -> Iterator[Looks]:
    put_hotfix(servers)
    manager = servers.maintenance_managers[SITE]
    manager.behave(
        skip=["skipped", "hidden", "empty"],
        stale={"stale": ["Wuser32.exe"]},
        locked={"locked": ["Wchat32.exe"]},
    )
    manager.cycle()
    shutil.rmtree(servers.path("half", "SMS_SHR", "Alpha.bin"))
    servers.hide_share("hidden", "SMS_SHR")
    desk = Desk(servers, tmp_path_factory.mktemp("desk"), package, site_variables(servers))
    single = desk.play("-vvv", hosts="sms_logon_servers", task=task(**LOOK))
    together = desk.play("--check", hosts=SITE, task=task(**ALL, wait_timeout=600, wait_interval=300))
    packaged = desk.play(hosts="sms_logon_servers", task=task(root="{{ sms_root }}", port="{{ sms_port }}", package="{{ package }}"))
    yield Looks(single, together, packaged, desk)
    servers.show_share("hidden", "SMS_SHR")
    manager.behave(skip=[], stale={}, locked={})
    rebuild(servers)


def statuses(result: dict[str, t.Any], server: str) -> dict[tuple[str, str], str]:
    return {(file["platform"], file["name"]): file["status"] for file in result["files"] if file["server"] == server}


@pytest.mark.parametrize("host", BEHIND)
@pytest.mark.parametrize("way", ["single", "packaged"])
def test_each_file_of_each_platform_is_told(looks: Looks, way: str, host: str) -> None:
    result = getattr(looks, way).of(host, MODULE)
    behind = BEHIND[host]
    assert statuses(result, host) == {pair: behind.get(pair, "replicated") for pair in EVERY}
    assert (result["outcome"], result["changed"], result["replicated"]) == ("ok", False, not behind)
    assert result["lagging"] == ([host] if behind else [])
    server = result["servers"][0]
    assert (server["done"], server["total"]) == (len(EVERY) - len(behind), len(EVERY))
    assert server["status"] == ("missing" if "missing" in behind.values() else "stale" if behind else "replicated")
    assert bool(result["causes"]) is bool(behind)


@pytest.mark.parametrize("host", BEHIND)
def test_what_is_told_is_what_is_there(looks: Looks, servers: ServerLab, host: str) -> None:
    result, snapshot = looks.single.of(host, MODULE), looks.single.after
    there = {path.lower(): entry for path, entry in snapshot.items() if path.startswith(f"{host}/")}
    for file in result["files"]:
        entry = there.get(f"{host}/SMS/Logon.srv/{file['platform']}.bin/{file['name']}".lower())
        found = file["found"]
        assert (found is None) is (entry is None) is (file["status"] == "missing")
        wanted = snapshot[f"{SITE}/SMS/{layout.CLIENT_SOURCE}/{file['platform'].capitalize()}.bin/{file['name']}"]
        assert file["expected"] == {"size": wanted["size"], "sha256": wanted["sha256"]}
        if entry is not None:
            assert (found["size"], found["sha256"]) == (entry["size"], entry["sha256"])
            assert (entry["sha256"] == wanted["sha256"]) is (file["status"] == "replicated")


def test_the_spelling_of_the_server_is_told(looks: Looks, servers: ServerLab) -> None:
    destinations = {file["destination"] for file in looks.single.of("uppercase", MODULE)["files"]}
    root = servers.unc("uppercase", "SMS_SHR")
    assert destinations == {rf"{root}\{platform}.BIN\{name.upper()}" for platform in ("ALPHA", "X86") for name in CLIENT_NAMES}


def test_an_old_build_is_named(looks: Looks) -> None:
    file = next(f for f in looks.single.of("stale", MODULE)["files"] if (f["platform"], f["name"]) == ("x86", "Wuser32.exe"))
    assert file["found"]["build"] == "Q192788"
    assert "1998-10-05" in file["message"]


def test_a_server_that_cannot_be_looked_at_is_unreachable(looks: Looks) -> None:
    result = looks.single.of("hidden", MODULE)
    assert (result["outcome"], result["reason"]) == ("unreachable", "share-gone")


def test_all_of_them_at_once(looks: Looks) -> None:
    """In check mode, so it looks once instead of waiting ten minutes; one that cannot be reached does not hide the others."""
    result = looks.together.of(SITE, MODULE)
    assert [server["name"] for server in result["servers"]] == [server["name"] for server in SERVERS[1:]]
    for host, behind in BEHIND.items():
        assert statuses(result, host) == {pair: behind.get(pair, "replicated") for pair in EVERY}
    unreachable = next(server for server in result["servers"] if server["name"] == "hidden")
    assert (unreachable["status"], unreachable["done"]) == ("unreachable", 0)
    assert "no such share" in unreachable["message"]
    assert sorted(result["lagging"]) == sorted([*(host for host, behind in BEHIND.items() if behind), "hidden"])
    assert result["replicated"] is False
    assert "4 of 10 logon servers have every file" in result["message"]
    for host in result["lagging"]:
        assert host in result["message"]


def test_nothing_is_ever_written(looks: Looks) -> None:
    for play in (looks.single, looks.together, looks.packaged):
        assert play.writes() == []
        assert play.after == play.before
        assert play.events
        assert PASSWORD not in play.run.output


@pytest.fixture
def desk(servers: ServerLab, tmp_path: Path, package: Path) -> Desk:
    rebuild(servers)
    put_hotfix(servers)
    servers.maintenance_managers[SITE].behave(skip=[], silent=[], stale={}, locked={})
    return Desk(servers, tmp_path, package, site_variables(servers))


TWO: dict[str, t.Any] = {**ALL, "logon_servers": ["arrived", "uppercase"]}


def test_it_waits_until_the_last_one_has_everything(desk: Desk, servers: ServerLab) -> None:
    """Maintenance Manager serves one server only until it has been looked at, and then the other."""
    manager = servers.maintenance_managers[SITE]
    manager.behave(silent=["uppercase"])
    manager.cycle()
    position = servers.audit_position()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        playing = pool.submit(desk.stage, hosts=SITE, task=task(**TWO, wait_timeout=120, wait_interval=1))
        while not playing.done() and not _looked_at(servers, position, "uppercase"):
            time.sleep(0.02)
        manager.behave(silent=[])
        manager.cycle()
        run = playing.result()
    result = run.of(SITE, MODULE)
    assert (result["outcome"], result["replicated"], result["lagging"], result["causes"]) == ("ok", True, [], [])
    assert result["waited"] >= 1
    told = next(line for line in run.output.splitlines() if line.startswith(f"{SITE}: "))
    assert "1 of 2 logon servers has every file after 0 of at most 120 s" in told and "uppercase (0 of 6 files)" in told
    assert not [event for event in servers.audit_log(position) if event.changes]


def _looked_at(servers: ServerLab, position: int, host: str) -> bool:
    """Whether the last file of a logon server has been read."""
    name = "WUSER32.EXE"
    return any(f"/drives/{host}/" in path and path.endswith(f"X86.BIN/{name}") for e in servers.audit_log(position) for path in e.paths)


def test_at_the_ceiling_those_that_lag_are_named_with_the_causes(desk: Desk, servers: ServerLab) -> None:
    manager = servers.maintenance_managers[SITE]
    manager.behave(skip=["uppercase"])
    manager.cycle()
    run = desk.stage(hosts=SITE, task=task(**TWO, wait_timeout=2, wait_interval=1))
    result = run.of(SITE, MODULE)
    assert (result["outcome"], result["replicated"], result["lagging"]) == ("ok", False, ["uppercase"])
    assert result["waited"] >= 2
    assert "uppercase (0 of 6 files) lags behind" in result["message"]
    for article in ("Q200747", "Q200769", "Q168460", "Q164901", "Q166771"):
        assert any(article in cause for cause in result["causes"])
    assert sum("of at most 2 s" in line for line in run.output.splitlines()) >= 2


def test_a_server_that_comes_back_while_waiting_counts(desk: Desk, servers: ServerLab) -> None:
    servers.maintenance_managers[SITE].cycle()
    servers.stop_smbd()
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool, socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((servers.address("uppercase"), servers.port))
            listener.listen()
            listener.settimeout(60)
            options = {**TWO, "site_root": str(servers.path(SITE, "SMS_SHRD")), "wait_timeout": 120, "wait_interval": 1}
            playing = pool.submit(desk.stage, hosts=SITE, task=task(**options))
            listener.accept()[0].close()
            listener.close()
            servers.start_smbd()
            run = playing.result()
    finally:
        servers.start_smbd()
    result = run.of(SITE, MODULE)
    assert (result["outcome"], result["replicated"]) == ("ok", True)
    first = next(line for line in run.output.splitlines() if "of at most 120 s; waiting for " in line)
    assert "uppercase (not-smb)" in first


def test_what_the_site_server_does_not_have_is_not_expected(desk: Desk, servers: ServerLab) -> None:
    """After a rollback of files that had not been there: Maintenance Manager removes nothing from a logon server."""
    servers.maintenance_managers[SITE].cycle()
    source = servers.path(SITE, "SMS_SHRD", *layout.CLIENT_SOURCE.split("/"), "X86.bin", "Wchat32.exe")
    source.unlink()
    servers.path("uppercase", "SMS_SHR", "X86.BIN", "WCHAT32.EXE").unlink()
    result = desk.stage(hosts=SITE, task=task(**TWO)).of(SITE, MODULE)
    assert statuses(result, "uppercase") == dict.fromkeys(EVERY, "replicated")
    assert statuses(result, "arrived") == {**dict.fromkeys(EVERY, "replicated"), ("x86", "Wchat32.exe"): "stale"}
    assert "Q193746" in next(server["message"] for server in result["servers"] if server["name"] == "arrived")


WRONG: dict[str, tuple[dict[str, t.Any], str | None, str]] = {
    "nothing": ({}, None, "root"),
    "both": ({"root": r"\\127.0.200.2\SMS_SHR", "logon_servers": ["arrived"], "package": "{{ package }}"}, None, "root"),
    "no measure": ({"root": r"\\127.0.200.2\SMS_SHR"}, None, "site_root"),
    "no server": ({"logon_servers": [], "package": "{{ package }}"}, "bad-argument", "it is empty"),
    "a stranger": ({"logon_servers": ["nobody"], "package": "{{ package }}"}, "bad-argument", "nobody is no host"),
    "twice": ({"logon_servers": ["arrived", "arrived"], "package": "{{ package }}"}, "bad-argument", "twice"),
    "no interval": ({"logon_servers": ["arrived"], "package": "{{ package }}", "wait_interval": 0}, "bad-argument", "wait_interval"),
    "a wrong package": ({"logon_servers": ["arrived"], "package": "{{ spoilt }}"}, "package-not-usable", "Wuser32.exe"),
    "the viewer alone": (
        {"logon_servers": ["arrived"], "package": "{{ package }}", "hotfix": "{{ viewer }}"},
        "nothing-replicated",
        "no file that Maintenance Manager copies",
    ),
}
VIEWER = r"""
format: 1
hotfix: T000002
platforms:
  x86: {folders: [x86], directory: X86.bin, machine: 0x014c}
components:
  administrator: {directory: 'Site.srv\{platform}'}
files:
  Sightnt.dll: {component: administrator}
tables:
  en:
    - {date: "03/23/2000", time: "09:26p", size: "333,008", file: Sightnt.dll, platform: x86}
"""


@pytest.fixture(scope="module")
def wrong(servers: ServerLab, tmp_path_factory: pytest.TempPathFactory, package: Path) -> tuple[dict[str, dict[str, t.Any]], list[t.Any]]:
    place = tmp_path_factory.mktemp("wrong")
    manifest = place / "viewer.yml"
    manifest.write_text(VIEWER, encoding="utf-8")
    spoilt = make(place / "spoilt", defect="text", compiler=False)
    desk = Desk(servers, place, package, {SITE: {"spoilt": str(spoilt), "viewer": str(manifest)}})
    position = servers.audit_position()
    results = each(desk.controller(), MODULE, {name: arguments for name, (arguments, _reason, _words) in WRONG.items()}, SITE)
    return results, servers.audit_log(position)


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_fail_before_the_first_remote_call(wrong: tuple[dict[str, dict[str, t.Any]], list[t.Any]], name: str) -> None:
    results, events = wrong
    _arguments, reason, words = WRONG[name]
    assert (results[name]["outcome"], results[name].get("reason")) == ("failed", reason)
    assert words in results[name]["msg"]
    assert events == []
