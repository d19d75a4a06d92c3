# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action `compliance_report`: wrong input, what it gathers, what it writes and what decides how it ends."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers import fleet_records as fleet
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.actions import HOST, Untouchable, run

GROUPS = {"sms_clients": ["pc01", "pc02", "pc03"], "sms_site_servers": ["site"], "sms_logon_servers": ["logon-01", "logon-02"]}
HOSTVARS: dict[str, t.Any] = {
    "pc01": {"port_audit_result": fleet.audit("clear")},
    "pc02": {"port_audit_result": fleet.lost("dns", "pc02: no name.")},
    "pc03": {},
    "site": {
        "hotfix_stage_result": fleet.staging("unchanged"),
        "hotfix_stage_replication_result": fleet.replication(("logon-01", "stale")),
    },
}


def report(dest: Path, check_mode: bool = False, hostvars: t.Any = None, **arguments: t.Any) -> dict[str, t.Any]:
    connection = Untouchable()
    result = run(
        "compliance_report",
        {"dest": str(dest), **arguments},
        connection,
        check_mode=check_mode,
        groups=GROUPS,
        hostvars=hostvars or HOSTVARS,
    )
    assert connection.touched == []
    return result


def records(dest: Path) -> dict[str, str]:
    content = json.loads((dest / "report.json").read_text(encoding="utf-8"))
    return {each["host"]: each["state"] for each in content["records"]}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"formats": []}, "bad-argument"),
        ({"fail_on": ["conflicts"]}, "bad-argument"),
        ({"records": ["/nowhere.json"]}, "file-unreadable"),
        ({"records": ["/"]}, "file-unreadable"),
        ({"records": [{"host": ""}]}, "bad-argument"),
        ({"records": [["pc01"]]}, "bad-argument"),
    ],
)
def test_wrong_input_is_told_and_nothing_is_written(tmp_path: Path, arguments: dict[str, t.Any], reason: str) -> None:
    result = report(tmp_path / "out", **arguments)
    assert (result["failed"], result["reason"]) == (True, reason)
    assert result["msg"].startswith(f"{HOST}: ")
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_report_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"records": [{"host": "a", "kind": "client", "state": "fine"}]}', encoding="utf-8")
    result = report(tmp_path / "out", records=[str(tmp_path / "x.json")])
    assert (result["failed"], result["reason"]) == (True, "bad-records")
    assert "x.json" in result["msg"] and "state of a is 'fine'" in result["msg"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = report(tmp_path / "file" / "below", fail_on=[])
    assert (result["failed"], result["reason"]) == (True, "not-written")


def test_every_host_of_the_inventory_has_a_record(tmp_path: Path) -> None:
    result = report(tmp_path)
    assert not result.get("failed")
    assert result["passed"] is True
    assert records(tmp_path) == {
        "pc01": "clear",
        "pc02": "unreachable",
        "pc03": "skipped",
        "site": "staged",
        "logon-01": "stale",
        "logon-02": "skipped",
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.csv", "report.html", "report.json", "report.xml"]
    assert result["reasons"] == {"dns": 1}


def test_the_policy_fails_the_task_once_the_report_is_written(tmp_path: Path) -> None:
    hostvars = {**HOSTVARS, "pc03": {"port_audit_result": fleet.audit("bound")}}
    result = report(tmp_path, hostvars=hostvars)
    assert (result["failed"], result["reason"], result["failing"]) == (True, "policy", ["pc03"])
    assert "pc03" in result["msg"]
    assert records(tmp_path)["pc03"] == "conflict"
    assert not report(tmp_path, hostvars=hostvars, fail_on=[]).get("failed")
    assert report(tmp_path, hostvars=hostvars, fail_on=["unreachable"])["failing"] == ["pc02"]


def test_check_mode_judges_and_writes_nothing(tmp_path: Path) -> None:
    result = report(tmp_path / "out", check_mode=True, fail_on=["unreachable"])
    assert (result["failed"], result["changed"]) == (True, True)
    assert not (tmp_path / "out").exists()


def test_a_second_report_of_the_same_is_no_change_and_another_is(tmp_path: Path) -> None:
    assert report(tmp_path)["changed"] is True
    assert report(tmp_path)["changed"] is False
    assert report(tmp_path, hostvars={**HOSTVARS, "pc03": {"port_audit_result": fleet.audit("clear")}})["changed"] is True
    changes = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["changes"]
    assert [(each["host"], each["before"], each["after"]) for each in changes["hosts"]] == [("pc03", "skipped", "clear")]
    assert records(tmp_path / "previous")["pc03"] == "skipped"


def test_reports_of_slices_are_put_together(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        report(tmp_path / str(number), clients=[f"pc0{number}"], servers=[], formats=["json"])
    given: list[t.Any] = [str(tmp_path / str(number) / "report.json") for number in (1, 2, 3)]
    given.append({"host": "pc04", **fleet.lost("quota-shells", "pc04: too many.")})
    result = report(tmp_path / "all", clients=[], servers=[], records=given)
    assert records(tmp_path / "all") == {"pc01": "clear", "pc02": "unreachable", "pc03": "skipped", "pc04": "unreachable"}
    assert result["reasons"] == {"dns": 1, "quota-shells": 1}


def test_clients_need_not_be_in_the_group(tmp_path: Path) -> None:
    hostvars = {
        **HOSTVARS,
        "laptop": {"port_audit_result": fleet.audit("clear")},
        "localhost": {},
        "web": {"port_audit_result": {"skipped": True}},
    }
    run(
        "compliance_report",
        {"dest": str(tmp_path)},
        groups=GROUPS,
        hostvars=hostvars,
        ansible_play_hosts_all=["pc01", "laptop", "localhost", "web", "site"],
    )
    assert {"laptop", "localhost", "web"} & set(records(tmp_path)) == {"laptop"}


def test_paths_are_relative_to_where_the_run_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report(tmp_path / "one", formats=["json"])
    monkeypatch.chdir(tmp_path)
    result = report(Path("two"), clients=[], servers=[], records=["one/report.json"])
    assert result["counts"]["total"] == 3
    assert records(tmp_path / "two") == records(tmp_path / "one")
