# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`hotfix_files` with `state: absent` on servers of every kind at once: predicted, done, done again, and purged."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import stat
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from server_plays import OWN_DIRECTORY, PASSWORD, PLACE, RESTORE, Desk, Play, each, laboratory, left_overs, of_host, own_files, staged

from lab.servers import ServerLab, layout
from packages.builds import NAMES
from packages.make import make

X86 = {"role": "site_server", "platforms": ["x86"]}
SERVERS: list[dict[str, t.Any]] = [
    {"name": "siteserver", "role": "site_server", "platforms": ["x86", "alpha"], "upper": True},
    {"name": "mounted", **X86},
    {"name": "bare", **X86, "build": None},
    {"name": "newer", **X86},
    {"name": "newer-forced", **X86},
    {"name": "strange", **X86},
    {"name": "gone", **X86},
    {"name": "restamped", **X86},
    {"name": "partly", **X86},
    {"name": "twice", **X86},
    {"name": "forced-over", **X86, "build": "later"},
    {"name": "elsewhere", **X86},
    {"name": "console-01", "role": "admin_console", "platforms": ["x86"], "upper": True},
    {"name": "held", **X86},
    {"name": "never", **X86},
]
READ_ONLY_HIDDEN = 0x1 | 0x2 | 0x20
CLIENT_SOURCE = ("Site.srv", "Maincfg.box", "Client.src", "X86.bin")
USER = "SMS/Site.srv/Maincfg.box/Client.src/X86.bin/Wuser32.exe"
# Where nothing but our own files has been there since: what was there before has to be there again in every respect.
EXACT = ["siteserver", "bare", "gone", "restamped", "twice", "forced-over", "elsewhere", "console-01"]
LATE = 1_010_101_010


@dataclasses.dataclass
class Phases:
    """What lay on the disks before anything was staged and after, and the runs that took it back."""

    original: dict[str, dict[str, t.Any]]
    staged: dict[str, dict[str, t.Any]]
    mode: int
    predicted: Play
    done: Play
    again: Play
    purged: Play
    desk: Desk

    @property
    def servers(self) -> ServerLab:
        return self.desk.servers


def someone_else(servers: ServerLab, package: Path) -> None:
    """What may happen between staging and taking it back."""
    for host in ("newer", "newer-forced"):
        path = servers.path(host, "SMS_SHRD", *CLIENT_SOURCE, "Wuser32.exe")
        layout.write_program(path, "Wuser32.exe", "x86", "later")
        layout.own(path, created_at=LATE)
        os.utime(path, (LATE, LATE))
    strange = servers.path("strange", "SMS_SHRD", *CLIENT_SOURCE, "Wuser32.exe")
    strange.write_bytes(b"MZ of a time before everything")
    os.utime(strange, (700_000_000, 700_000_000))
    servers.path("gone", "SMS_SHRD", *CLIENT_SOURCE, "Wuser32.exe").unlink()
    restamped = servers.path("restamped", "SMS_SHRD", *CLIENT_SOURCE, "Wuser32.exe")
    original = restamped.with_name("Wchat32.exe")
    layout.write_program(original, "Wchat32.exe", "x86", "older")
    layout.set_attributes(original, 0x2, created=LATE)
    for path in (restamped, original):
        os.utime(path, (LATE, LATE))


@pytest.fixture(scope="module")
def phases(tmp_path_factory: pytest.TempPathFactory, package: Path) -> Iterator[Phases]:
    with laboratory(tmp_path_factory.mktemp("servers"), *SERVERS) as servers:
        hidden = servers.path("siteserver", "SMS_SHRD", *CLIENT_SOURCE[:-1], "X86.BIN", "WUSER32.EXE")
        layout.set_attributes(hidden, READ_ONLY_HIDDEN, created=900_000_000)
        mounted = servers.path("mounted", "SMS_SHRD", *CLIENT_SOURCE, "Wuser32.exe")
        mounted.chmod(0o440)
        variables: dict[str, dict[str, t.Any]] = {
            "mounted": {"sms_root": str(servers.path("mounted", "SMS_SHRD"))},
            "newer-forced": {"force_back": True},
            "elsewhere": {"backup_dir": servers.unc("never", "SMS_SHRD", "Backups")},
            "forced-over": {"force": True},
            "never": {"staged": False},
            "partly": {"back": ["clients"]},
        }
        servers.path("never", "SMS_SHRD", "Backups").mkdir()
        desk = Desk(servers, tmp_path_factory.mktemp("desk"), package, variables)
        original = servers.snapshot()
        stagers = [server["name"] for server in SERVERS if server["name"] != "never"]
        assert desk.stage(hosts=stagers).status == 0
        german = make(tmp_path_factory.mktemp("german"), platforms=("x86",), language="de", compiler=False)
        second = desk.stage(hosts="twice", package=str(german), language="de")
        assert second.of("twice", "hotfix_files")["changed"] is True
        servers.wait_idle()
        now = servers.snapshot()
        someone_else(servers, package)
        back = {**RESTORE, "force": "{{ force_back | default(false) }}", "components": "{{ back | default(omit) }}"}
        task = {"sms.helpdesk.hotfix_files": back}
        predicted = desk.play("--check", "--diff", "-vvv", task=task)
        with servers.held_open("held", "SMS_SHRD", *CLIENT_SOURCE, "Wslave32.exe"):
            done = desk.watched(lambda: desk.stage("--diff", "-vvv", task=task), idle=False)
        again = desk.play(task=task)
        purged = desk.play(task={"sms.helpdesk.hotfix_files": {**back, "purge_backups": True}})
        yield Phases(original, now, stat.S_IMODE(mounted.stat().st_mode), predicted, done, again, purged, desk)


def test_check_mode_predicts_exactly_what_the_run_does(phases: Phases) -> None:
    for server in SERVERS:
        if server["name"] != "held":
            assert phases.predicted.of(server["name"]) == phases.done.of(server["name"])
    assert phases.predicted.writes() == []
    assert phases.predicted.before == phases.predicted.after


@pytest.mark.parametrize("host", EXACT)
def test_everything_is_as_it_was_time_and_attributes_included(phases: Phases, host: str) -> None:
    assert of_host(phases.staged, host) != of_host(phases.original, host)
    assert of_host(phases.done.after, host) == of_host(phases.original, host)
    assert phases.done.of(host)["changed"] is True
    assert left_overs(phases.servers, host) == []


def test_a_mounted_directory_is_as_it_was(phases: Phases) -> None:
    def contents(snapshot: dict[str, dict[str, t.Any]]) -> dict[str, tuple[str, int]]:
        return {path: (entry["sha256"], entry["modified"]) for path, entry in of_host(snapshot, "mounted").items()}

    assert contents(phases.done.after) == contents(phases.original) != contents(phases.staged)
    assert phases.mode == 0o440


@pytest.mark.parametrize(
    ("host", "actions"),
    [
        ("siteserver", dict.fromkeys([(platform, name) for platform in ("x86", "alpha") for name in NAMES], "restored")),
        ("bare", {("x86", name): "removed" for name in NAMES}),
        ("never", {("x86", name): "unchanged" for name in NAMES}),
        ("newer", {("x86", name): "kept_newer" if name == "Wuser32.exe" else "restored" for name in NAMES}),
        ("newer-forced", {("x86", name): "restored" for name in NAMES}),
        ("strange", {("x86", name): "kept_changed" if name == "Wuser32.exe" else "restored" for name in NAMES}),
        ("gone", {("x86", name): "restored" for name in NAMES}),
        ("partly", {("x86", name): "restored" for name in NAMES if name != "Sightnt.dll"}),
        ("console-01", {("x86", "Sightnt.dll"): "restored"}),
    ],
)
def test_what_is_done_with_each_file(phases: Phases, host: str, actions: dict[tuple[str, str], str]) -> None:
    assert phases.done.actions(host) == actions


@pytest.mark.parametrize("host", ["newer", "strange"])
def test_what_somebody_else_put_there_is_kept_and_told(phases: Phases, host: str) -> None:
    path = f"{host}/{USER}"
    for play in (phases.done, phases.again, phases.purged):
        assert play.after[path] == phases.predicted.before[path]
    message = next(file["message"] for file in phases.done.of(host)["files"] if file["name"] == "Wuser32.exe")
    assert "not what was staged" in message and "only force" in message
    others = {place: entry for place, entry in of_host(phases.done.after, host).items() if place != path}
    assert others == {place: entry for place, entry in of_host(phases.original, host).items() if place != path}


def test_force_restores_over_something_newer_and_keeps_that(phases: Phases) -> None:
    path = f"newer-forced/{USER}"
    assert of_host(phases.done.after, "newer-forced") == of_host(phases.original, "newer-forced")
    newer = phases.predicted.before[path]["sha256"]
    assert newer in {entry["sha256"] for entry in own_files(phases.done.after, "newer-forced").values()}
    assert newer in {entry["sha256"] for entry in phases.done.of("newer-forced")["backup"]["files"]}


def test_the_component_that_was_not_asked_for_stays(phases: Phases) -> None:
    path = "partly/SMS/Site.srv/X86.bin/Sightnt.dll"
    assert phases.done.after[path] == phases.staged[path] != phases.original[path]


def test_a_file_in_use_stops_the_platform_as_a_whole(phases: Phases) -> None:
    result = phases.done.of("held")
    assert (result["outcome"], result["reason"], result["changed"]) == ("failed", "file-in-use", False)
    assert phases.servers.unc("held", "SMS_SHRD", *CLIENT_SOURCE, "Wslave32.exe") in result["msg"]
    assert of_host(phases.done.after, "held") == of_host(phases.staged, "held")
    assert of_host(phases.again.after, "held") == of_host(phases.original, "held")


@pytest.mark.parametrize("host", [server["name"] for server in SERVERS if server["name"] != "held"])
def test_the_second_run_changes_and_writes_nothing(phases: Phases, host: str) -> None:
    assert (phases.again.of(host)["outcome"], phases.again.of(host)["changed"]) == ("ok", False)
    assert phases.again.writes(host) == []


def test_files_come_back_by_rename_only(phases: Phases) -> None:
    inside = [path for path in phases.done.names_made() if "/site.srv/" in path.lower().partition("/backup/")[0]]
    assert inside == []
    arrived = {target for _source, target in phases.done.renamed() if OWN_DIRECTORY not in target and "/Backups/" not in target}
    assert arrived and all(PLACE.fullmatch(target) for target in arrived)


@pytest.mark.parametrize("host", [host for host in EXACT if host != "elsewhere"])
def test_backups_are_listed_and_stay_until_they_are_purged(phases: Phases, host: str) -> None:
    listed = phases.done.of(host)["backup"]
    kept = {path.rpartition("/")[2]: entry for path, entry in own_files(phases.again.after, host).items()}
    manifest = kept.pop("manifest.json")
    assert manifest and listed["purged"] == []
    assert {entry["path"].rpartition("\\")[2] for entry in listed["files"]} == set(kept)
    for entry in listed["files"]:
        there = kept[entry["path"].rpartition("\\")[2]]
        assert (there["size"], there["sha256"]) == (entry["size"], entry["sha256"])
        assert there["modified"] // 10**9 == dt.datetime.fromisoformat(entry["time"]).timestamp()
        assert entry["original"].rpartition("\\")[2].lower() in entry["path"].lower()
    result = phases.purged.of(host)
    assert {path.rpartition("\\")[2] for path in result["backup"]["purged"]} == {*kept, "manifest.json"}
    assert (result["changed"], result["backup"]["files"]) == (True, [])
    assert own_files(phases.purged.after, host) == {}
    assert of_host(phases.purged.after, host) == of_host(phases.original, host)


def test_backups_on_another_server_are_used_and_purged(phases: Phases) -> None:
    place = phases.servers.path("never", "SMS_SHRD", "Backups")
    assert all("Backups" in entry["path"] for entry in phases.done.of("elsewhere")["backup"]["files"])
    assert len(phases.done.of("elsewhere")["backup"]["files"]) == len(NAMES)
    assert own_files(phases.done.after, "elsewhere") == {}
    assert not [path for path in place.rglob("*") if path.is_file()]


@pytest.mark.parametrize("host", ["newer", "strange", "partly"])
def test_what_could_not_be_restored_any_more_is_not_purged(phases: Phases, host: str) -> None:
    result = phases.purged.of(host)
    assert (result["outcome"], result["reason"], result["changed"]) == ("failed", "bad-argument", False)
    assert "purge_backups" in result["msg"]
    assert own_files(phases.purged.after, host) == own_files(phases.again.after, host) != {}


def test_no_password_is_shown(phases: Phases) -> None:
    for play in (phases.predicted, phases.done):
        assert PASSWORD not in play.run.output
        assert PASSWORD not in str(play.run.records)


def test_staging_again_after_a_purge_starts_afresh(phases: Phases) -> None:
    play = phases.desk.play(hosts="console-01")
    assert of_host(play.after, "console-01") == staged(phases.original, phases.desk.package, "console-01")
    assert len(play.of("console-01")["backup"]["files"]) == 1


SITE = r"\\127.0.200.1\SMS_SHRD"
WRONG: dict[str, tuple[dict[str, t.Any], str | None, str]] = {
    "inside Site.srv": ({"backup_dir": r"Site.srv\X86.bin"}, "bad-argument", "Maintenance Manager spreads"),
    "inside site.srv, other case": ({"backup_dir": "SITE.SRV/backup"}, "bad-argument", "Maintenance Manager spreads"),
    "inside Logon.srv": ({"backup_dir": r"Logon.srv\old"}, "bad-argument", "Maintenance Manager spreads"),
    "inside by way of a share": ({"backup_dir": SITE + r"\Site.srv\Maincfg.box\Client.src"}, "bad-argument", "Maintenance Manager spreads"),
    "a logon share": ({"backup_dir": r"\\127.0.200.1\SMS_SHR\old"}, "bad-argument", "Maintenance Manager spreads"),
    "out of the root": ({"backup_dir": r"..\elsewhere"}, "bad-argument", "backup_dir"),
    "a device": ({"backup_dir": "CON"}, "bad-argument", "backup_dir"),
    "a stream": ({"backup_dir": "backup:stream"}, "bad-argument", "backup_dir"),
    "a purge of what is staged": ({"purge_backups": True}, "bad-argument", "state=absent"),
    "a relative root": ({"root": "SMS"}, "bad-argument", "neither a share nor an absolute directory"),
    "a server alone": ({"root": r"\\127.0.200.1"}, "bad-argument", "root"),
    "a root with dots": ({"root": SITE + r"\..\D$"}, "bad-argument", "root"),
    "no port": ({"port": 0}, "bad-argument", "0 is no port"),
    "a component": ({"components": ["server"]}, "bad-argument", "has no 'server'"),
    "no package": ({"package": None}, None, "package"),
    "an option": ({"rooot": SITE}, None, "rooot"),
}


@pytest.fixture(scope="module")
def wrong(phases: Phases) -> tuple[dict[str, dict[str, t.Any]], list[t.Any]]:
    valid = {"root": SITE, "port": phases.servers.port, "package": str(phases.desk.package)}
    cases = {
        name: {key: value for key, value in {**valid, **changed}.items() if value is not None}
        for name, (changed, _reason, _words) in WRONG.items()
    }
    position = phases.servers.audit_position()
    results = each(phases.desk.controller(), "hotfix_files", cases, "siteserver")
    return results, phases.servers.audit_log(position)


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_fail_before_the_first_remote_call(wrong: tuple[dict[str, dict[str, t.Any]], list[t.Any]], name: str) -> None:
    results, events = wrong
    _changed, reason, words = WRONG[name]
    assert (results[name]["outcome"], results[name].get("reason")) == ("failed", reason)
    assert words in results[name]["msg"]
    assert events == []
