# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`client_status_info` against clients of every kind, compared with what the fleet file planted."""

from __future__ import annotations

import typing as t

import pytest

from controller import Controller, Run
from lab.client import Lab

MODULE = "client_status_info"
TASK: dict[str, t.Any] = {"sms.helpdesk.client_status_info": {}, "register": "found"}

EXPECTED = {
    "original": ("vulnerable", "original", [], "original-build"),
    "patched": ("compliant", "hotfix", [], "bound-ports"),
    "redated": ("compliant", "hotfix", [], "bound-ports"),
    "bare": ("not_applicable", "absent", [], "no-sms"),
    "taken": ("conflict", "original", [], "port-conflict"),
    "flagged": ("pending", "original", ["flagged", "download", "logon"], "flagged"),
    "swapped": ("pending", "original", ["restart"], "restart"),
    "netbios": ("mitigated", "original", [], "workaround"),
    "disabled": ("vulnerable", "original", [], "original-build"),
    "two": ("not_applicable", "original", [], "sms-2.0"),
    "landesk": ("not_applicable", "original", [], "landesk"),
    "dummy": ("not_applicable", "undetermined", [], "dummy-file"),
    "blind": ("vulnerable", "original", [], "original-build"),
    "silent": ("unknown", "hotfix", [], "ports-unknown"),
}


@pytest.fixture(scope="module")
def run(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run over the whole fleet, which the tests share."""
    return Controller(tmp_path_factory.mktemp("controller"), lab.inventory).tasks(TASK)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"service": "SMS Remote Control Agent"}, "no name of a service key"),
        ({"service": 'a" & del'}, "no name of a service key"),
        ({"language": "fr"}, "Q229097 has only de, en"),
        ({"hotfix": "Q1"}, "there is no such file"),
        ({"trusted_sha256": ["12"]}, "64 hexadecimal digits"),
        ({"sha256": "perhaps"}, "sha256"),
    ],
)
def test_bad_arguments_end_before_the_first_post(lab: Lab, controller: Controller, arguments: dict[str, t.Any], words: str) -> None:
    lab.reset_counters()
    found = controller.tasks({"sms.helpdesk.client_status_info": arguments}, hosts="original").of("original", MODULE)
    assert found["outcome"] == "failed"
    assert words in found["msg"]
    assert lab.counters()["posts"] == 0


def test_a_client_that_refuses_is_unreachable(run: Run) -> None:
    found = run.of("gone", MODULE)
    assert (found["outcome"], found["reason"]) == ("unreachable", "refused")


@pytest.mark.parametrize("host", EXPECTED)
def test_state(run: Run, lab: Lab, host: str) -> None:
    found = run.of(host, MODULE)
    assert found["outcome"] == "ok", found
    assert (found["state"], found["agent_build"], found["pending"], found["reason"]) == EXPECTED[host], found["message"]
    assert found["changed"] is False
    assert lab.host(host)["counters"]["shells_open"] == 0


def test_what_was_read_of_one(run: Run) -> None:
    found = run.of("original", MODULE)
    assert found["operating_system"]["name"] == "Microsoft Windows 7 Professional"
    assert found["sms"] == {"generation": "1.2", "site_code": "ABC", "logon_server": "LOGON01"}
    agent = found["agent"]
    assert (agent["path"].lower(), agent["size"], agent["modified"]) == (r"c:\windows\wuser32.exe", 170_720, "1998-10-05T18:13:00+00:00")
    assert found["service"] == {"name": "Wuser32", "exists": True, "start_mode": "Auto", "state": "Running"}
    assert (found["protocol"]["value"], found["protocol"]["override"], found["protocol"]["override_viewers"]) == ("ip", False, True)
    assert (found["sms_ini"]["path"], found["sms_ini"]["phase"], found["sms_ini"]["readable"]) == (r"C:\Sms.ini", "installed", True)
    assert [(each["protocol"], each["port"]) for each in found["endpoints"]] == [("udp", 1761), ("udp", 1762)]


def test_details_of_others(run: Run) -> None:
    assert run.of("netbios", MODULE)["protocol"]["lana"] == 3
    assert run.of("netbios", MODULE)["protocol"]["override"] is True
    assert run.of("swapped", MODULE)["agent"]["swap_file"].lower() == r"c:\windows\wuser32.exe$sms00$"
    assert run.of("flagged", MODULE)["sms_ini"]["files_not_downloaded"] == "wslave32.exe"
    assert "wslave32.exe" in run.of("flagged", MODULE)["message"]
    assert run.of("taken", MODULE)["conflicts"][0]["process"] == "cardreader.exe"
    assert any("is disabled" in warning for warning in run.of("disabled", MODULE)["warnings"])


def test_what_could_not_be_read_is_not_missing(run: Run) -> None:
    found = run.of("blind", MODULE)
    assert (found["agent"]["exists"], found["agent"]["verdict"]) == (None, None)
    assert any("access was denied" in warning for warning in found["warnings"])


def test_the_ports_are_those_of_the_port_audit(run: Run, lab: Lab, controller: Controller) -> None:
    audited = controller.tasks({"sms.helpdesk.port_conflict_info": {}})
    for host in EXPECTED:
        expected, found = audited.of(host), run.of(host, MODULE)
        assert {key: found[key] for key in ("verdict", "ports", "conflicts", "host")} == {
            key: expected[key] for key in ("verdict", "ports", "conflicts", "host")
        }


def test_check_mode_and_a_second_run_say_the_same_and_nothing_changes(run: Run, lab: Lab, controller: Controller) -> None:
    before = {host: lab.host(host)["state"] for host in EXPECTED}
    again = controller.tasks(TASK, arguments=["--check"])
    for host in EXPECTED:
        assert {**again.of(host, MODULE), "outcome": ""} == {**run.of(host, MODULE), "outcome": ""}
        after = lab.host(host)["state"]
        assert (after["registry"], after["files"]) == (before[host]["registry"], before[host]["files"])
