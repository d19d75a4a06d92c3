# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `compliance` on a fleet with its servers: a record for every host, nothing changed anywhere, and the policy decides."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t
from pathlib import Path
from xml.etree import ElementTree

import ansible_runner
import jsonschema
import pytest
from compliance_fleet import Fleet

from controller import ROOT, Controller, Run

# What the lab counts, and faults that were asked for and have come.
PULSE = {"counters", "faults"}


@dataclasses.dataclass
class Seen:
    """One run, and everything around it before and after."""

    run: Run
    report: dict[str, t.Any]
    place: Path
    clients: tuple[t.Any, t.Any]
    drives: tuple[t.Any, t.Any]
    writes: list[t.Any]

    @property
    def records(self) -> dict[str, dict[str, t.Any]]:
        return {record["host"]: record for record in self.report["records"]}


def true_state(fleet: Fleet) -> dict[str, t.Any]:
    """What the clients of the lab are really like."""
    hosts = {name: fleet.clients.host(name) for name in fleet.clients.request("GET", "/hosts")}
    return {name: {key: value for key, value in state.items() if key not in PULSE} for name, state in hosts.items()}


@pytest.fixture(scope="module")
def seen(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The hotfix is on the drive of one logon server only; a host is left out; then the playbook runs."""
    place = tmp_path_factory.mktemp("run")
    for name in ("wchat32.exe", "wslave32.exe", "wuser32.exe"):
        for platform in ("x86", "alpha"):
            source = next(path for path in fleet.package.glob("*/*") if (path.parent.name + path.name).lower() == platform + name)
            target = next(
                path
                for path in fleet.servers.drives["logon-01"].path.rglob("*")
                if path.name.lower() == name and path.parent.name.lower() == f"{platform}.bin"
            )
            target.write_bytes(source.read_bytes())
    fleet.servers.wait_idle()
    clients, drives, position = true_state(fleet), fleet.servers.snapshot(), fleet.servers.audit_position()
    run, report = fleet.report(place, "--limit", "all:!left_out", "-v")
    fleet.servers.wait_idle()
    events = [event for event in fleet.servers.audit_log(position) if event.changes]
    return Seen(run, report, place, (clients, true_state(fleet)), (drives, fleet.servers.snapshot()), events)


def test_every_host_has_a_record_with_the_class_of_reason(seen: Seen) -> None:
    assert {name: (record["state"], record["reason"]) for name, record in seen.records.items() if record["kind"] != "package"} == {
        "clean": ("vulnerable", "original-build"),
        "patched": ("compliant", "bound-ports"),
        "foreign": ("conflict", "port-conflict"),
        "reserved": ("conflict", "port-conflict"),
        "no_netstat": ("unknown", "ports-unknown"),
        "told": ("pending", "flagged"),
        "netbios": ("mitigated", "workaround"),
        "bare": ("not_applicable", "no-sms"),
        "self_signed": ("unreachable", "tls-certificate"),
        "no_shells": ("unreachable", "quota-shells"),
        "no_name": ("unreachable", "dns"),
        "refused": ("unreachable", "refused"),
        "wrong_password": ("unreachable", "credentials"),
        "left_out": ("skipped", None),
        "siteserver": ("not_staged", None),
        "console-01": ("not_staged", None),
        "logon-01": ("replicated", None),
        "logon-02": ("stale", None),
    }
    assert [record["state"] for record in seen.report["records"] if record["kind"] == "package"] == ["usable"]


def test_nothing_is_changed_anywhere(seen: Seen) -> None:
    assert seen.clients[0] == seen.clients[1]
    assert seen.drives[0] == seen.drives[1]
    assert seen.writes == []
    for record in seen.run.records:
        assert record["action"].endswith("compliance_report") or not record["result"].get("changed")


def test_the_policy_decides_how_the_run_ends(seen: Seen) -> None:
    assert seen.run.status == 2
    assert seen.report["policy"] == {"fail_on": ["conflict", "vulnerable"], "passed": False, "failing": ["clean", "foreign", "reserved"]}
    told = [record for record in seen.run.records if record["action"].endswith("compliance_report")]
    assert [(record["outcome"], record["result"]["reason"]) for record in told] == [("failed", "policy")]
    assert "Traceback" not in seen.run.output


def test_the_report_follows_its_schema(seen: Seen) -> None:
    schema = json.loads((ROOT / "docs" / "compliance_report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(seen.report)
    assert sorted(path.name for path in (seen.place / "report").iterdir()) == ["report.csv", "report.html", "report.json", "report.xml"]


def test_the_terminal_and_the_other_formats_agree(seen: Seen) -> None:
    counts = seen.report["summary"]["clients"]
    line = next(line for line in seen.run.output.splitlines() if line.startswith("Compliance: "))
    assert int(re.findall(r"(\d+) clients", line)[0]) == counts["total"] == 14
    states = ("conflict", "vulnerable", "pending", "unknown", "mitigated", "compliant", "unreachable", "skipped")
    assert {state: int(count) for count, state in re.findall(rf"(\d+) ({'|'.join(states)})", line)} == {
        state: counts[state] for state in states
    }
    root = ElementTree.parse(seen.place / "report" / "report.xml").getroot()
    red = {case.get("classname") for case in root.iter("testcase") if case.find("failure") is not None}
    assert red == {"client.clean", "client.foreign", "client.reserved"}
    rows = (seen.place / "report" / "report.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 1 + len(seen.report["records"])


def test_no_secret_is_in_the_report(seen: Seen) -> None:
    for path in (seen.place / "report").iterdir():
        assert "Pa55word!" not in path.read_text(encoding="utf-8")
    assert "Pa55word!" not in seen.run.output


def test_a_fleet_nobody_can_reach_has_its_report_too(fleet: Fleet, tmp_path: Path) -> None:
    run, report = fleet.report(tmp_path, "--limit", "no_name,refused", compliance_formats=["json"])
    assert run.status == 0, "unreachable is not in the default policy"
    states = {record["host"]: record["state"] for record in report["records"] if record["kind"] == "client"}
    assert {host for host, state in states.items() if state == "unreachable"} == {"no_name", "refused"}
    assert set(states.values()) == {"unreachable", "skipped"}
    again, changed = fleet.report(tmp_path, "--limit", "no_name,refused", compliance_formats=["json"], compliance_fail_on=["unreachable"])
    assert again.status == 2
    assert changed["changes"]["hosts"] == []
    assert (tmp_path / "report" / "previous" / "report.json").exists()


def test_three_slices_side_by_side_are_one_report(seen: Seen, fleet: Fleet, tmp_path: Path) -> None:
    """Each slice is a worker of its own, as an automation controller splits a job; together they say what one run says."""
    names = sorted(name for name, record in seen.records.items() if record["kind"] in ("client", "site_server", "admin_console"))
    names.remove("left_out")
    runs = []
    for number in range(3):
        place = tmp_path / f"slice{number}"
        place.mkdir()
        controller = Controller(place, fleet.inventory)
        runs.append(
            ansible_runner.run_async(
                private_data_dir=str(place),
                playbook="sms.helpdesk.compliance",
                inventory=str(fleet.inventory),
                limit=",".join(names[number::3]),
                extravars={"compliance_dest": str(place / "report"), "compliance_package": str(fleet.package)},
                envvars=controller.environment(place / "collected.jsonl"),
                quiet=True,
            )
        )
    for thread, _runner in runs:
        thread.join(240)
    assert {runner.rc for _thread, runner in runs} <= {0, 2}

    reports = [str(tmp_path / f"slice{number}" / "report" / "report.json") for number in range(3)]
    one = json.loads(Path(reports[0]).read_text(encoding="utf-8"))
    assert {record["state"] for record in one["records"] if record["host"] in names[1::3]} == {"skipped"}
    merging = {"dest": str(tmp_path / "all"), "clients": [], "servers": [], "records": reports}
    run = Controller(tmp_path, fleet.inventory).tasks({"sms.helpdesk.compliance_report": merging}, hosts="localhost")
    assert run.of("localhost", "compliance_report")["reason"] == "policy"
    merged = json.loads((tmp_path / "all" / "report.json").read_text(encoding="utf-8"))
    assert timeless(merged) == timeless(seen.report)


def timeless(report: dict[str, t.Any]) -> dict[str, t.Any]:
    """A report without when it was made and when its hosts were looked at."""
    kept = {key: value for key, value in report.items() if key not in ("created", "changes")}
    return {**kept, "records": [{key: value for key, value in record.items() if key != "time"} for record in report["records"]]}
