# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`client_restart` for a purpose, and `client_status_info` that waits, judged by how often the clients were started."""

from __future__ import annotations

import typing as t

import pytest

from controller import Controller
from lab.client import Lab

RESTART = "client_restart"
MEMORY = "HKLM\\SOFTWARE\\sms.helpdesk.restart"


@pytest.fixture(name="lab", scope="module")
def _lab(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    fleet = {
        "fleet": {"boot_seconds": 0.3, "shutdown_seconds": 0.2},
        "defaults": {"groups": ["sms_clients"], "agent": "original", "version": "7", "logged_on": "anna"},
        "hosts": [
            {"name": "one"},
            {"name": "off", "restart": {"goes_down": False}},
            {"name": "user", "winrm": {"users": {"helpdesk": "Pa55word!"}}, "administrators": []},
            {
                "name": "flagged",
                "sms": {"logon_server": "LOGON01"},
                "shares": {r"\\LOGON01\SMS_SHR": {}},
                "files": {r"C:\Sms.ini": "[Local]\nSetupPhase=verify_files\n[Servers]\nCurrentLogonServer=LOGON01\n"},
            },
        ],
    }
    with Lab(fleet, directory=tmp_path_factory.mktemp("lab")) as running:
        yield running


def restart(purpose: str | None, **arguments: t.Any) -> dict[str, t.Any]:
    given = {"delay": 0, "down_timeout": 2, "up_timeout": 20, **arguments}
    return {"sms.helpdesk.client_restart": {**given, "once_for": purpose} if purpose else given}


def boots(lab: Lab, host: str) -> int:
    return int(lab.host(host)["state"]["boot_count"])


def test_once_for_each_purpose(lab: Lab, controller: Controller) -> None:
    foretold = controller.tasks(restart("update 1"), hosts="one", arguments=["--check"]).of("one", RESTART)
    assert (foretold["changed"], boots(lab, "one")) == (True, 1)
    assert MEMORY.lower() not in str(lab.host("one")["state"]["registry"]).lower()
    first = controller.tasks(restart("update 1"), hosts="one").of("one", RESTART)
    assert (first["changed"], boots(lab, "one")) == (True, 2)
    assert first["boot_time_after"] != first["boot_time_before"]
    for check in ([], ["--check"]):
        again = controller.tasks(restart("update 1"), hosts="one", arguments=check).of("one", RESTART)
        assert (again["outcome"], again["changed"], boots(lab, "one")) == ("ok", False, 2)
    other = controller.tasks(restart("update 2"), hosts="one").of("one", RESTART)
    assert (other["changed"], boots(lab, "one")) == (True, 3)


def test_one_that_did_not_go_down_is_not_done(lab: Lab, controller: Controller) -> None:
    """What was asked for and did not happen is asked for again."""
    for _attempt in range(2):
        lab.reset_counters()
        found = controller.tasks(restart("update 1"), hosts="off").of("off", RESTART)
        assert (found["outcome"], found["reason"], boots(lab, "off")) == ("failed", "did-not-go-down", 1)


def test_without_the_right_to_note_it_nothing_is_restarted(lab: Lab, controller: Controller) -> None:
    found = controller.tasks(restart("update 1"), hosts="user").of("user", RESTART)
    assert found["outcome"] != "ok"
    assert boots(lab, "user") == 1


@pytest.mark.parametrize(("arguments", "word"), [({"wait_timeout": -1}, "wait_timeout"), ({"wait_interval": 0}, "wait_interval")])
def test_waiting_has_sensible_numbers(controller: Controller, arguments: dict[str, t.Any], word: str) -> None:
    found = controller.tasks({"sms.helpdesk.client_status_info": arguments}, hosts="flagged").of("flagged", "client_status_info")
    assert (found["outcome"], word in found["msg"]) == ("failed", True)


def test_a_client_that_is_told_is_waited_for(lab: Lab, controller: Controller) -> None:
    """At the ceiling it is no error; once somebody has logged on there is nothing to wait for."""
    task = {"sms.helpdesk.client_status_info": {"wait_timeout": 2, "wait_interval": 1}}
    lab.reset_counters()
    found = controller.tasks(task, hosts="flagged").of("flagged", "client_status_info")
    assert (found["outcome"], found["state"]) == ("ok", "pending")
    assert lab.counters("flagged")["shells_created"] >= 3
    lab.change("flagged", {"logged_on": "anna"})
    task["sms.helpdesk.client_status_info"]["wait_timeout"] = 600
    found = controller.tasks(task, hosts="flagged").of("flagged", "client_status_info")
    assert found["pending"] == ["restart"]
