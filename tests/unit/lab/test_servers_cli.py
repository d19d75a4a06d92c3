# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of the servers, and the inventory it leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab.servers import samba

pytestmark = pytest.mark.skipif(not samba.installed(), reason="Debian's packages samba and smbclient are not installed")

TESTS = Path(__file__).resolve().parents[2]


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lab.servers", arguments[0], "--directory", str(directory), *arguments[1:]],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(TESTS), os.environ.get("PYTHONPATH", "")))},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("servers") / "laboratory"
    place.mkdir()
    fleet = place.parent / "fleet.yml"
    fleet.write_text(
        "users: {boss: Pa55word!}\nmaintenance_manager: {running: false}\n"
        "servers:\n- {name: site, groups: [berlin]}\n"
        "- {name: logon, role: logon_server, site: site}\n- {name: console, role: admin_console}\n",
        encoding="utf-8",
    )
    started = run(place, "start", "--fleet", str(fleet))
    assert started.returncode == 0, started.stderr
    yield place
    assert run(place, "stop").returncode == 0
    assert not (place / "servers.json").exists()


def test_it_serves(directory: Path) -> None:
    status = run(directory, "status")
    state = json.loads(status.stdout)
    assert status.returncode == 0
    site = state["servers"]["site"]
    listed = subprocess.run(
        ["smbclient", "-p", str(state["port"]), "-U", "boss%Pa55word!", f"//{site['address']}/SMS_SHRD", "-c", "ls"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "System.map" in listed.stdout


def test_inventory(directory: Path) -> None:
    port = json.loads(run(directory, "status").stdout)["port"]
    children = yaml.safe_load((directory / "servers.yml").read_text(encoding="utf-8"))["all"]["children"]
    assert {group: list(entry["hosts"]) for group, entry in children.items()} == {
        "sms_site_servers": ["site"],
        "sms_logon_servers": ["logon"],
        "sms_admin_consoles": ["console"],
        "berlin": ["site"],
    }
    del children["berlin"]
    roots = {name: host["sms_root"].rpartition("\\")[2] for entry in children.values() for name, host in entry["hosts"].items()}
    assert roots == {"site": "SMS_SHRD", "logon": "SMS_SHR", "console": "SMSADMIN"}
    assert {host["sms_port"] for entry in children.values() for host in entry["hosts"].values()} == {port}


def test_snapshot_and_marks(directory: Path) -> None:
    state = json.loads(run(directory, "status").stdout)
    share = f"//{state['servers']['site']['address']}/SMS_SHRD"
    client = ["smbclient", "-p", str(state["port"]), "-U", "boss%Pa55word!", share, "-c"]
    before = json.loads(run(directory, "snapshot").stdout)
    run(directory, "mark", "before")
    subprocess.run([*client, "ls"], check=True, capture_output=True)
    run(directory, "mark", "looked")
    subprocess.run([*client, "mkdir Made; put /etc/hostname Made\\empty"], check=True, capture_output=True)
    run(directory, "mark", "written")
    marks = {mark["name"]: mark["changes"] for mark in json.loads((directory / "marks.json").read_text(encoding="utf-8"))}
    assert marks["looked"] == 0 and marks["written"] >= 2
    after = json.loads(run(directory, "snapshot").stdout)
    assert set(after) - set(before) == {"site/SMS/Made/empty"} and all(after[name] == entry for name, entry in before.items())


def test_a_second_one_is_refused(directory: Path) -> None:
    again = run(directory, "start")
    assert again.returncode == 1 and "run in" in again.stderr and "already" in again.stderr
    assert run(directory, "status").returncode == 0


def test_maintenance(directory: Path) -> None:
    changed = run(directory, "maintenance", "skip=[logon]", "cycle_seconds=0.5")
    assert changed.returncode == 0
    assert json.loads(changed.stdout) | {"skip": ["logon"], "cycle_seconds": 0.5} == json.loads(changed.stdout)
    for wrong in ("lazy=true", "skip=["):
        refused = run(directory, "maintenance", wrong)
        assert refused.returncode == 1 and refused.stderr.startswith("maintenance: ") and "Traceback" not in refused.stderr
    assert run(directory, "maintenance", "--site", "elsewhere").returncode == 1


def test_not_running(tmp_path: Path) -> None:
    assert run(tmp_path, "status").returncode == 3
    assert run(tmp_path, "maintenance").returncode == 3
    assert run(tmp_path, "stop").returncode == 0
    broken = run(tmp_path, "start", "--fleet", str(tmp_path / "nowhere.yml"))
    assert broken.returncode == 1 and "nowhere.yml" in broken.stderr and "Traceback" not in broken.stderr
