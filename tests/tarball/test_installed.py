# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed collection works alone, with every supported ansible-core."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lab.client import Lab
from machine import Machine

# ansible-playbook: a host was unreachable, and none failed.
UNREACHABLE = 4
# A task failed.
FAILED = 2


def documentation(machine: Machine, kind: str, name: str) -> dict[str, Any]:
    """What ansible-doc says of one plugin or role."""
    done = machine.run("ansible-doc", "--json", "--type", kind, f"sms.helpdesk.{name}")
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    described: dict[str, Any] = json.loads(done.stdout)[f"sms.helpdesk.{name}"]
    return described


def names(directory: Path) -> list[str]:
    found = sorted(path.stem for path in directory.iterdir() if not path.name.startswith("_"))
    assert found, directory
    return found


def test_it_is_the_core_that_is_meant(machine: Machine) -> None:
    done = machine.run("ansible", "--version")
    assert done.stdout.startswith(f"ansible [core {machine.core}."), done.stdout


def test_modules_are_documented(machine: Machine) -> None:
    for name in names(machine.collection / "plugins" / "modules"):
        described = documentation(machine, "module", name)
        assert described["doc"]["short_description"], name
        assert described["examples"].strip(), name
        assert described["return"], name


def test_every_action_has_a_module(machine: Machine) -> None:
    plugins = machine.collection / "plugins"
    assert names(plugins / "action") == names(plugins / "modules")


def test_roles_are_documented(machine: Machine) -> None:
    for name in names(machine.collection / "roles"):
        described = documentation(machine, "role", name)
        assert described["entry_points"]["main"]["options"], name


def test_detect(machine: Machine, lab: Lab) -> None:
    machine.collected.unlink(missing_ok=True)
    done = machine.run("ansible-playbook", "-i", str(lab.inventory), "sms.helpdesk.detect")
    assert done.returncode == UNREACHABLE, done.stdout + done.stderr
    records = [json.loads(line) for line in machine.collected.read_text(encoding="utf-8").splitlines()]
    audits = {record["host"]: record for record in records if record["action"] == "sms.helpdesk.port_conflict_info"}
    assert {host: record["outcome"] for host, record in audits.items()} == {
        "clean": "ok",
        "foreign": "ok",
        "blind": "ok",
        "away": "unreachable",
    }
    assert {host: record["result"].get("verdict") for host, record in audits.items()} == {
        "clean": "clear",
        "foreign": "conflict",
        "blind": "inconclusive",
        "away": None,
    }
    (conflict,) = audits["foreign"]["result"]["conflicts"]
    # As planted in fleet.yml.
    assert {key: conflict[key] for key in ("port", "protocol", "process", "pid")} == {
        "port": 1762,
        "protocol": "udp",
        "process": "cardreader.exe",
        "pid": 4712,
    }
    assert "cardreader.exe" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_compliance(machine: Machine, lab: Lab) -> None:
    """The report on every core: the policy is not met, and every client has its record."""
    assert documentation(machine, "callback", "progress")["doc"]["options"]["interval"]
    done = machine.run("ansible-playbook", "-i", str(lab.inventory), "sms.helpdesk.compliance", "-e", "compliance_dest=report")
    assert done.returncode == FAILED, done.stdout + done.stderr
    report = json.loads((machine.directory / "report" / "report.json").read_text(encoding="utf-8"))
    assert {record["host"]: record["state"] for record in report["records"]} == {
        "clean": "vulnerable",
        "foreign": "conflict",
        "blind": "unknown",
        "away": "unreachable",
    }
    assert report["policy"]["failing"] == ["clean", "foreign"]
    written = sorted(path.name for path in (machine.directory / "report").iterdir() if path.is_file())
    assert written == ["report.csv", "report.html", "report.json", "report.xml"]
    assert "Traceback" not in done.stdout + done.stderr
