# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The article's own method: disable the agent, restart, look, restore; and the two modules it is made of."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from controller import Controller
from lab.client import Lab

FLEET = {
    "defaults": {"version": "10", "restart": {"shutdown_seconds": 0.1, "boot_seconds": 0.5}},
    "hosts": [
        {"name": "agent_auto", "agent": "original"},
        {"name": "agent_manual", "agent": {"build": "original", "start": "manual", "state": "running"}},
        {
            "name": "agent_and_thief",
            "agent": {"build": "original", "on_conflict": "skip"},
            "processes": [{"name": "thief.exe", "pid": 3333, "sockets": ["udp 0.0.0.0:1762"]}],
        },
        {"name": "without"},
        {"name": "stays_up", "agent": "original", "restart": {"goes_down": False}},
        {"name": "stays_away", "agent": "original", "restart": {"comes_back": False}},
        {"name": "stuck", "agent": {"build": "original", "stop_hangs": True}},
        {"name": "blind", "agent": "original", "netstat": "missing"},
    ],
}
ARTICLE = {
    "port_audit_method": "article",
    "port_audit_restart_delay": 0,
    "port_audit_restart_down_timeout": 6,
    "port_audit_restart_up_timeout": 8,
    "port_audit_service_timeout": 3,
    "ansible_winrm_operation_timeout_sec": 2,
    "ansible_winrm_read_timeout_sec": 4,
}


@pytest.fixture
def lab(tmp_path: Path) -> t.Iterator[Lab]:
    """A fresh fleet for each test: these tests change it."""
    with Lab(FLEET, directory=tmp_path / "lab") as running:
        yield running


def agent(lab: Lab, host: str) -> tuple[str, str]:
    """True start type and state of the agent."""
    service = lab.host(host)["state"]["services"]["Wuser32"]
    return service["start_mode"], service["state"]


def boots(lab: Lab, host: str) -> int:
    """How often the host was started."""
    return lab.host(host)["state"]["boot_count"]


def notes(lab: Lab, host: str) -> list[str]:
    """What this collection keeps in the registry."""
    return [key for key in lab.host(host)["state"]["registry"] if "sms.helpdesk" in key.lower()]


@pytest.mark.parametrize("host", ["agent_auto", "agent_manual"])
def test_look_without_the_agent_and_put_it_back(controller: Controller, lab: Lab, host: str) -> None:
    before, booted = agent(lab, host), boots(lab, host)
    done = controller.playbook("sms.helpdesk.detect", "-l", host, **ARTICLE)
    result = done.of(host)
    assert result["verdict"] == "clear", done.output[-3000:]
    assert {entry["status"] for entry in result["ports"]} == {"free"}, "the agent was not disabled while the ports were looked at"
    assert agent(lab, host) == before
    assert boots(lab, host) == booted + 1
    assert notes(lab, host) == []


def test_whoever_is_left_is_the_conflict(controller: Controller) -> None:
    result = controller.playbook("sms.helpdesk.detect", "-l", "agent_and_thief", **ARTICLE).of("agent_and_thief")
    assert [c["process"] for c in result["conflicts"]] == ["thief.exe"]


def test_a_client_without_the_agent_is_not_restarted(controller: Controller, lab: Lab) -> None:
    booted = boots(lab, "without")
    assert controller.playbook("sms.helpdesk.detect", "-l", "without", **ARTICLE).of("without")["verdict"] == "clear"
    assert boots(lab, "without") == booted


def test_check_mode_changes_nothing(controller: Controller, lab: Lab) -> None:
    before, booted = agent(lab, "agent_auto"), boots(lab, "agent_auto")
    done = controller.playbook("sms.helpdesk.detect", "-l", "agent_auto", "--check", "--diff", **ARTICLE)
    assert done.of("agent_auto")["verdict"] == "clear", done.output[-3000:]
    assert (agent(lab, "agent_auto"), boots(lab, "agent_auto"), notes(lab, "agent_auto")) == (before, booted, [])


def test_a_look_that_finds_nothing_out_still_restores(controller: Controller, lab: Lab) -> None:
    before = agent(lab, "blind")
    assert controller.playbook("sms.helpdesk.detect", "-l", "blind", **ARTICLE).of("blind")["verdict"] == "inconclusive"
    assert agent(lab, "blind") == before


def test_a_client_that_does_not_go_down_is_restored_and_named(controller: Controller, lab: Lab) -> None:
    before = agent(lab, "stays_up")
    done = controller.playbook("sms.helpdesk.detect", "-l", "stays_up", **ARTICLE)
    result = done.of("stays_up", "client_restart")
    assert (result["outcome"], result["reason"]) == ("failed", "did-not-go-down")
    assert agent(lab, "stays_up") == before


def test_a_client_that_does_not_come_back_is_another_error(controller: Controller) -> None:
    result = controller.playbook("sms.helpdesk.detect", "-l", "stays_away", **ARTICLE).of("stays_away", "client_restart")
    assert (result["outcome"], result["reason"]) == ("failed", "did-not-come-back")


def test_a_service_that_does_not_stop_is_named(controller: Controller, lab: Lab) -> None:
    done = controller.playbook("sms.helpdesk.detect", "-l", "stuck", **ARTICLE)
    records = [r for r in done.records if r["action"].endswith("remote_control_agent") and r["outcome"] == "failed"]
    assert records[0]["result"]["reason"] == "service-timeout", done.output[-3000:]
    assert boots(lab, "stuck") == 1


def test_an_interrupted_run_is_continued(controller: Controller, lab: Lab) -> None:
    before = agent(lab, "agent_manual")
    controller.tasks({"sms.helpdesk.remote_control_agent": {"state": "disabled"}}, hosts="agent_manual")
    assert agent(lab, "agent_manual")[0].lower() == "disabled"
    controller.playbook("sms.helpdesk.detect", "-l", "agent_manual", **ARTICLE)
    assert agent(lab, "agent_manual") == before


@pytest.mark.parametrize("state", ["disabled", "stopped", "started", "restored"])
def test_the_second_time_nothing_changes(controller: Controller, lab: Lab, state: str) -> None:
    task = {"sms.helpdesk.remote_control_agent": {"state": state}}
    first = controller.tasks(task, hosts="agent_auto").of("agent_auto", "remote_control_agent")
    between = lab.host("agent_auto")["state"]
    second = controller.tasks(task, hosts="agent_auto").of("agent_auto", "remote_control_agent")
    assert first["changed"] is (state in ("disabled", "stopped"))
    assert second["changed"] is False
    after = lab.host("agent_auto")["state"]
    assert (after["services"]["Wuser32"], after["registry"]) == (between["services"]["Wuser32"], between["registry"])


def test_stop_and_restore(controller: Controller, lab: Lab) -> None:
    before = agent(lab, "agent_auto")
    controller.tasks({"sms.helpdesk.remote_control_agent": {"state": "stopped"}}, hosts="agent_auto")
    assert agent(lab, "agent_auto")[1].lower() == "stopped"
    done = controller.tasks({"sms.helpdesk.remote_control_agent": {"state": "restored"}}, hosts="agent_auto", arguments=["--diff"])
    assert done.of("agent_auto", "remote_control_agent")["changed"] is True
    assert agent(lab, "agent_auto") == before


def test_a_restart_is_one_restart(controller: Controller, lab: Lab) -> None:
    booted = boots(lab, "agent_auto")
    done = controller.tasks({"sms.helpdesk.client_restart": {"delay": 0, "down_timeout": 10, "up_timeout": 20}}, hosts="agent_auto")
    result = done.of("agent_auto", "client_restart")
    assert result["changed"] is True, done.output[-2000:]
    assert result["boot_time_after"] > result["boot_time_before"]
    assert boots(lab, "agent_auto") == booted + 1


def test_bad_service_names_never_reach_the_client(controller: Controller, lab: Lab) -> None:
    lab.reset_counters()
    done = controller.tasks({"sms.helpdesk.remote_control_agent": {"state": "stopped", "service": "a & del x"}}, hosts="agent_auto")
    assert done.of("agent_auto", "remote_control_agent")["outcome"] == "failed"
    assert lab.counters("agent_auto")["connections"] == 0
