# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`hotfix_files` stages on servers of every kind at once: predicted in check mode, done, and done again.

What it says of itself is compared with the disks behind Samba and with what Samba saw.
"""

from __future__ import annotations

import dataclasses
import os
import stat
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from server_plays import HASH_DIGITS, OWN_DIRECTORY, PASSWORD, PLACE, Desk, Play, laboratory, left_overs, of_host, own_files, packed, staged

from lab.servers import ServerLab, layout
from packages.builds import NAMES
from packages.make import make

X86 = {"role": "site_server", "platforms": ["x86"]}
SERVERS: list[dict[str, t.Any]] = [
    {"name": "siteserver", "role": "site_server", "platforms": ["x86", "alpha"]},
    {"name": "mounted", "role": "site_server", "platforms": ["x86", "alpha"]},
    {"name": "uppercase", **X86, "upper": True},
    {"name": "later", **X86, "build": "later"},
    {"name": "forced", **X86, "build": "later"},
    {"name": "hotfixed", **X86, "build": "hotfix"},
    {"name": "bare", **X86, "build": None},
    {"name": "mixed", "role": "site_server", "platforms": ["x86", "mips"]},
    {"name": "mipsonly", "role": "site_server", "platforms": ["mips"]},
    {"name": "viewer", **X86},
    {"name": "clients", **X86},
    {"name": "elsewhere", **X86},
    {"name": "override", **X86},
    {"name": "odd", **X86},
    {"name": "console-01", "role": "admin_console", "platforms": ["x86"], "upper": True},
    {"name": "console-02", "role": "admin_console", "platforms": ["x86"]},
]
READ_ONLY_HIDDEN = 0x1 | 0x2 | 0x20
SYSTEM = 0x4
ALL_X86 = {("x86", name) for name in NAMES}
WHOLE = ["siteserver", "uppercase", "mixed", "elsewhere", "override"]
# A time of the package in all its digits, of which NTFS keeps those of 100 ns.
ODD_TIME = 954_805_261_123_456_789


@dataclasses.dataclass
class Phases:
    """The three runs, and the servers and the desk they were made at."""

    predicted: Play
    done: Play
    again: Play
    desk: Desk

    @property
    def servers(self) -> ServerLab:
        return self.desk.servers


@pytest.fixture(scope="module")
def phases(tmp_path_factory: pytest.TempPathFactory, package: Path) -> Iterator[Phases]:
    with laboratory(tmp_path_factory.mktemp("servers"), *SERVERS) as servers:
        client_source = ("Site.srv", "Maincfg.box", "Client.src")
        for host in ("siteserver", "mounted"):
            hidden = servers.path(host, "SMS_SHRD", *client_source, "X86.bin", "Wuser32.exe")
            layout.set_attributes(hidden, READ_ONLY_HIDDEN, created=900_000_000)
            if host == "mounted":
                hidden.chmod(0o440)
        layout.set_attributes(
            servers.path("siteserver", "SMS_SHRD", "Site.srv", "Alpha.bin", "Sightnt.dll"), SYSTEM | 0x20, created=900_000_001
        )
        variables: dict[str, dict[str, t.Any]] = {
            "mounted": {"sms_root": str(servers.path("mounted", "SMS_SHRD"))},
            "forced": {"force": True},
            "viewer": {"components": ["administrator"]},
            "clients": {"components": ["clients"], "platforms": ["X86"]},
            "elsewhere": {"backup_dir": str(tmp_path_factory.mktemp("backups"))},
            "override": {
                "ansible_user": "nobody",
                "ansible_password": "Wr0ng-one",
                "share_user": "smsadmin",
                "share_password": PASSWORD,
            },
            "console-02": {"sms_root": servers.unc("console-02", "C$", "SMSADMIN")},
        }
        odd = make(tmp_path_factory.mktemp("odd"), platforms=("x86",), compiler=False)
        os.utime(odd / "x86" / "Wuser32.exe", ns=(ODD_TIME, ODD_TIME))
        variables["odd"] = {"package": str(odd)}
        desk = Desk(servers, tmp_path_factory.mktemp("desk"), package, variables)
        predicted = desk.play("--check", "--diff", "-vvv")
        done = desk.play("--diff", "-vvv")
        again = desk.play("--diff", "-vvv")
        yield Phases(predicted, done, again, desk)


NAMES_OF_SERVERS = [server["name"] for server in SERVERS]


@pytest.mark.parametrize("host", NAMES_OF_SERVERS)
def test_check_mode_predicts_exactly_what_the_run_does(phases: Phases, host: str) -> None:
    assert phases.predicted.of(host) == phases.done.of(host)
    assert phases.done.of(host)["outcome"] == "ok", phases.done.of(host)


def test_check_mode_writes_nothing(phases: Phases) -> None:
    assert phases.predicted.writes() == []
    assert phases.predicted.after == phases.predicted.before
    assert phases.predicted.events, "Samba saw nothing at all"


@pytest.mark.parametrize("host", NAMES_OF_SERVERS)
def test_the_second_run_changes_and_writes_nothing(phases: Phases, host: str) -> None:
    result = phases.again.of(host)
    assert (result["outcome"], result["changed"]) == ("ok", False)
    assert set(phases.again.actions(host).values()) <= {"unchanged", "kept_later"}
    assert phases.again.writes(host) == []
    assert result["diff"] == []


def test_no_second_run_touches_a_time_stamp(phases: Phases) -> None:
    assert phases.again.after == phases.again.before == phases.done.after


@pytest.mark.parametrize("host", WHOLE)
def test_every_file_has_content_and_time_of_the_package_and_all_else_is_as_before(phases: Phases, host: str) -> None:
    done = phases.done
    wanted = staged(done.before, phases.desk.package, host)
    assert wanted != of_host(done.before, host)
    assert of_host(done.after, host) == wanted
    assert done.of(host)["changed"] is True
    assert set(done.actions(host).values()) == {"replaced"}


def test_a_mounted_directory_gets_the_same_as_a_share(phases: Phases) -> None:
    def contents(host: str) -> dict[str, tuple[t.Any, ...]]:
        found = of_host(phases.done.after, host)
        return {path.partition("/")[2]: (entry["size"], entry["sha256"], entry["modified"]) for path, entry in found.items()}

    assert contents("mounted") == contents("siteserver")
    over_smb, mounted = (
        [
            {**file, "destination": file["destination"].replace("\\", "/").partition("/Site.srv/")[2]}
            for file in phases.done.of(host)["files"]
        ]
        for host in ("siteserver", "mounted")
    )
    assert mounted == over_smb
    assert phases.done.writes("mounted") == [], "the mounted directory was not reached as a directory"


def test_times_are_kept_as_exactly_as_windows_can(phases: Phases) -> None:
    path = "odd/SMS/Site.srv/Maincfg.box/Client.src/X86.bin/Wuser32.exe"
    assert phases.done.after[path]["modified"] == ODD_TIME // 100 * 100
    assert phases.again.of("odd")["changed"] is False


def test_a_mounted_directory_keeps_permission_bits(phases: Phases) -> None:
    path = phases.servers.path("mounted", "SMS_SHRD", "Site.srv", "Maincfg.box", "Client.src", "X86.bin", "Wuser32.exe")
    assert stat.S_IMODE(path.stat().st_mode) == 0o440


def test_attributes_and_creation_time_of_the_files_stay(phases: Phases) -> None:
    after = phases.done.after
    hidden = after["siteserver/SMS/Site.srv/Maincfg.box/Client.src/X86.bin/Wuser32.exe"]
    assert (hidden["attributes"], hidden["created"]) == (READ_ONLY_HIDDEN, 900_000_000)
    system = after["siteserver/SMS/Site.srv/Alpha.bin/Sightnt.dll"]
    assert (system["attributes"], system["created"]) == (SYSTEM | 0x20, 900_000_001)


@pytest.mark.parametrize("host", [*WHOLE, "mounted", "forced", "viewer", "clients", "console-01", "console-02"])
def test_the_originals_are_kept_outside_of_what_is_replicated(phases: Phases, host: str) -> None:
    before, after = phases.done.before, phases.done.after
    result = phases.done.of(host)
    changed = {path: entry for path, entry in of_host(before, host).items() if after[path] != entry}
    assert changed
    listed = {entry["original"].replace("\\", "/").rpartition("/")[2].lower() for entry in result["backup"]["files"]}
    assert listed == {path.rpartition("/")[2].lower() for path in changed}
    assert len(result["backup"]["files"]) == len(changed)
    assert not any("site.srv" in entry["path"].lower().partition("q229097")[0] for entry in result["backup"]["files"])
    if host == "elsewhere":
        backups = {(path.stat().st_size, path.stat().st_mtime_ns) for path in Path(result["backup"]["directory"]).rglob("*.*")}
        assert {(entry["size"], entry["modified"]) for entry in changed.values()} <= backups
        assert own_files(after, host) == {}
        return
    fields = ("sha256", "modified") if host == "mounted" else ("sha256", "modified", "attributes", "created")
    kept = [tuple(entry[field] for field in fields) for entry in own_files(after, host).values()]
    for path, entry in changed.items():
        assert tuple(entry[field] for field in fields) in kept, f"there is no true backup of {path}"
    own = {path for path in own_files(after, host) if not path.endswith("/manifest.json")}
    assert len(own) == len(changed)
    assert all(f"/{OWN_DIRECTORY}/backup/Q229097/" in path for path in own)


@pytest.mark.parametrize("host", [server["name"] for server in SERVERS if server["name"] != "elsewhere"])
def test_nothing_is_left_over(phases: Phases, host: str) -> None:
    assert left_overs(phases.servers, host) == []
    assert phases.done.of(host)["left_overs"] == []


def test_files_come_into_the_tree_by_rename_only(phases: Phases) -> None:
    """Maintenance Manager spreads whatever lies in Client.src, for however short a time."""
    inside = [path for path in phases.done.names_made() if "/site.srv/" in path.lower().partition("/backup/")[0]]
    assert inside == []
    arrived = [target for _source, target in phases.done.renamed("siteserver") if OWN_DIRECTORY not in target]
    assert len(arrived) == 2 * len(NAMES)
    assert all(PLACE.fullmatch(target) for target in arrived)
    assert all(f"/{OWN_DIRECTORY}/staging/" in source for source, _target in phases.done.renamed())
    assert not any("logon.srv" in path.lower() for _operation, paths in phases.done.writes() for path in paths)


@pytest.mark.parametrize("host", ["siteserver", "bare", "mixed", "console-01"])
def test_no_directory_and_no_name_is_made_in_the_tree(phases: Phases, host: str) -> None:
    added = set(of_host(phases.done.after, host)) - set(of_host(phases.done.before, host))
    if host == "bare":
        source = "bare/SMS/Site.srv/Maincfg.box/Client.src/X86.bin"
        assert added == {"bare/SMS/Site.srv/X86.bin/Sightnt.dll", *(f"{source}/{name}" for name in NAMES[1:])}
    else:
        assert added == set()
    made = [path for path in phases.done.names_made(host) if OWN_DIRECTORY not in path]
    assert made == []


def test_the_existing_spelling_is_kept(phases: Phases) -> None:
    files = phases.done.of("uppercase")["files"]
    unc = phases.servers.unc("uppercase", "SMS_SHRD", "Site.srv")
    assert {file["destination"] for file in files} == {
        rf"{unc}\X86.BIN\SIGHTNT.DLL",
        *(rf"{unc}\Maincfg.box\Client.src\X86.BIN\{name.upper()}" for name in NAMES[1:]),
    }
    names = {path.rpartition("/")[2] for path in of_host(phases.done.after, "uppercase") if PLACE.fullmatch(path)}
    assert names == {name.upper() for name in NAMES}


def test_a_file_that_was_not_there_is_created_with_the_time_of_the_package(phases: Phases) -> None:
    assert phases.done.actions("bare") == dict.fromkeys(ALL_X86, "created")
    assert [file["before"] for file in phases.done.of("bare")["files"]] == [None] * len(NAMES)
    for path, entry in of_host(phases.done.after, "bare").items():
        if match := PLACE.fullmatch(path):
            found = {key: entry[key] for key in ("size", "sha256", "modified")}
            assert found == packed(phases.desk.package, "x86", match["dll"] or match["exe"])
    assert phases.done.of("bare")["backup"]["files"] == []


def test_a_later_build_is_kept(phases: Phases) -> None:
    result = phases.done.of("later")
    assert phases.done.actions("later") == dict.fromkeys(ALL_X86, "kept_later")
    assert (result["changed"], result["diff"]) == (False, [])
    assert all("later" in file["message"] and "force" in file["message"] for file in result["files"])
    assert phases.done.writes("later") == []


def test_force_replaces_a_later_build(phases: Phases) -> None:
    assert phases.done.actions("forced") == dict.fromkeys(ALL_X86, "replaced")
    assert of_host(phases.done.after, "forced") == staged(phases.done.before, phases.desk.package, "forced")


def test_equal_content_is_not_written_to(phases: Phases) -> None:
    result = phases.done.of("hotfixed")
    assert phases.done.actions("hotfixed") == dict.fromkeys(ALL_X86, "unchanged")
    assert (result["changed"], phases.done.writes("hotfixed")) == (False, [])
    assert own_files(phases.done.after, "hotfixed") == {}


@pytest.mark.parametrize("host", ["mixed", "mipsonly"])
def test_mips_is_told_as_unfixable_and_left_alone(phases: Phases, host: str) -> None:
    result = phases.done.of(host)
    assert len(result["unfixable"]) == 1
    assert "mips" in result["unfixable"][0].lower() and "workaround" in result["unfixable"][0].lower()
    assert any("mips" in warning.lower() for warning in result["warnings"])
    assert not any("mips" in path.lower() for _operation, paths in phases.done.writes(host) for path in paths)
    assert result["skipped_platforms"] == (["alpha"] if host == "mixed" else ["alpha", "x86"])
    if host == "mipsonly":
        assert (result["changed"], result["files"]) == (False, [])


@pytest.mark.parametrize("host", ["console-01", "console-02", "viewer"])
def test_the_administrator_component_is_the_viewer_alone(phases: Phases, host: str) -> None:
    assert phases.done.actions(host) == {("x86", "Sightnt.dll"): "replaced"}
    before, after = of_host(phases.done.before, host), of_host(phases.done.after, host)
    changed = [path for path in before if before[path] != after[path]]
    assert [path.rpartition("/")[2].lower() for path in changed] == ["sightnt.dll"]
    assert set(before) == set(after)


def test_the_clients_component_leaves_the_viewer_alone(phases: Phases) -> None:
    assert phases.done.actions("clients") == dict.fromkeys(ALL_X86 - {("x86", "Sightnt.dll")}, "replaced")
    path = "clients/SMS/Site.srv/X86.bin/Sightnt.dll"
    assert phases.done.after[path] == phases.done.before[path]


def test_diff_names_every_file_with_size_time_hash_and_build(phases: Phases) -> None:
    result = phases.done.of("siteserver")
    assert len(result["diff"]) == 2 * len(NAMES)
    for entry, file in zip(result["diff"], result["files"], strict=True):
        assert entry["before_header"] == file["destination"]
        assert entry["after_header"] == f"{file['destination']} (replaced)"
        for side in ("before", "after"):
            version = file[side]
            assert entry[side].splitlines() == [f"{key}: {version[key]}" for key in ("size", "time", "sha256", "build")]
            assert len(version["sha256"]) == HASH_DIGITS
        assert file["after"]["build"].startswith("Q229097")
    for play in (phases.predicted, phases.done):
        for file in result["files"]:
            assert f"+++ after: {file['destination']} (replaced)" in play.run.output


def test_what_is_told_before_and_after_is_what_was_there(phases: Phases) -> None:
    for host in ("siteserver", "uppercase"):
        root = "\\\\" + "\\".join((phases.servers.address(host), "SMS_SHRD")) + "\\"
        for file in phases.done.of(host)["files"]:
            path = f"{host}/SMS/" + file["destination"].removeprefix(root).replace("\\", "/")
            for version, snapshot in ((file["before"], phases.done.before), (file["after"], phases.done.after)):
                assert (version["size"], version["sha256"]) == (snapshot[path]["size"], snapshot[path]["sha256"])


def test_no_password_is_shown(phases: Phases) -> None:
    for play in (phases.predicted, phases.done, phases.again):
        assert PASSWORD not in play.run.output
        assert PASSWORD not in str(play.run.records)
        assert "Wr0ng-one" not in play.run.output


def test_the_given_account_is_used_and_not_the_inventory_s(phases: Phases) -> None:
    users = {event.user for event in phases.done.events if event.operation == "create_file" and "/drives/override/" in event.paths[0]}
    assert users == {"smsadmin"}
