# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`remote_control_protocol` on the lab's clients, judged by their registry and their processes."""

from __future__ import annotations

import typing as t

import pytest

from controller import Controller
from lab.client import Lab

MODULE = "remote_control_protocol"
KEY = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SMS\Client Services\Remote Control"
MEMORY = r"HKEY_LOCAL_MACHINE\SOFTWARE\sms.helpdesk.protocol"
CUT = [f"cut{number}" for number in range(8)]
FLEET: dict[str, t.Any] = {
    "defaults": {"groups": ["sms_clients"]},
    "hosts": [
        {"name": "plain", "version": "2003", "agent": "original"},
        *({"name": name, "version": "7", "agent": "original"} for name in CUT),
        {"name": "stopped", "agent": {"build": "original", "state": "stopped"}},
        {"name": "fifteen", "computer_name": "ABCDEFGHIJKLMNO", "agent": "original"},
        {"name": "bare"},
        {"name": "gone", "agent": "original", "faults": [{"kind": "refuse"}]},
        {"name": "limited", "agent": "original", "administrators": []},
    ],
}


@pytest.fixture(name="lab", scope="module")
def _lab(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    with Lab(FLEET, directory=tmp_path_factory.mktemp("lab")) as running:
        yield running


def task(**arguments: t.Any) -> dict[str, t.Any]:
    return {"sms.helpdesk.remote_control_protocol": arguments}


def registry(lab: Lab, host: str) -> dict[str, t.Any]:
    """What is set and what is kept on a client."""
    found = lab.host(host)["state"]["registry"]
    return {key: values for key, values in found.items() if key.lower().startswith((KEY.lower(), MEMORY.lower()))}


def agent_pid(lab: Lab, host: str) -> int | None:
    return next((each["pid"] for each in lab.host(host)["state"]["processes"] if each["name"].lower() == "wuser32.exe"), None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "protocol"),
        ({"protocol": "tcp"}, "must be one of"),
        ({"protocol": "netbios", "lana": 256}, "no LANA number"),
        ({"protocol": "netbios", "service": "a b"}, "no name of a service key"),
        ({"protocol": "netbios", "timeout": 0}, "not positive"),
    ],
)
def test_bad_arguments_end_before_the_first_post(lab: Lab, controller: Controller, arguments: dict[str, t.Any], words: str) -> None:
    lab.reset_counters()
    found = controller.tasks(task(**arguments), hosts="plain").of("plain", MODULE)
    assert found["outcome"] == "failed"
    assert words in found["msg"]
    assert lab.counters()["posts"] == 0


def test_clients_that_cannot_be_set(lab: Lab, controller: Controller) -> None:
    run = controller.tasks(task(protocol="netbios"), hosts="bare,gone,limited")
    assert (run.of("gone", MODULE)["outcome"], run.of("gone", MODULE)["reason"]) == ("unreachable", "refused")
    assert (run.of("bare", MODULE)["outcome"], run.of("bare", MODULE)["reason"]) == ("failed", "not-sms-1.2")
    assert (run.of("limited", MODULE)["outcome"], run.of("limited", MODULE)["reason"]) == ("failed", "registry-refused")
    assert "administrator" in run.of("limited", MODULE)["msg"]
    assert controller.tasks(task(protocol="ip"), hosts="bare").of("bare", MODULE)["changed"] is False


def test_there_and_back(lab: Lab, controller: Controller) -> None:
    before, pid = registry(lab, "plain"), agent_pid(lab, "plain")
    predicted = controller.tasks(task(protocol="netbios", lana=2), hosts="plain", arguments=["--check", "--diff"])
    assert (registry(lab, "plain"), agent_pid(lab, "plain")) == (before, pid)
    done = controller.tasks(task(protocol="netbios", lana=2), hosts="plain", arguments=["--diff"])
    found, expected = done.of("plain", MODULE), predicted.of("plain", MODULE)
    assert {**found, "outcome": ""} == {**expected, "outcome": ""}
    assert (found["changed"], found["restarted"], found["protocol"]["lana"]) == (True, True, 2)
    now = registry(lab, "plain")
    assert now[f"{KEY}\\Parameters"]["CommandLine"]["data"] == "-L2"
    assert now[KEY]["Override Site CommandLine"]["data"] in (1, "0x1")
    assert "Restart" not in now[MEMORY]
    assert agent_pid(lab, "plain") not in (pid, None)
    pid = agent_pid(lab, "plain")
    again = controller.tasks(task(protocol="netbios", lana=2), hosts="plain").of("plain", MODULE)
    assert (again["changed"], again["restarted"]) == (False, False)
    assert agent_pid(lab, "plain") == pid
    back = controller.tasks(task(protocol="ip"), hosts="plain").of("plain", MODULE)
    assert (back["changed"], back["restarted"]) == (True, True)
    assert registry(lab, "plain") == before
    assert controller.tasks(task(protocol="ip"), hosts="plain").of("plain", MODULE)["changed"] is False


def test_a_run_that_is_cut_off_anywhere_is_completed(lab: Lab, controller: Controller) -> None:
    """One client for each command that may be the last one that arrives: all are cut off at once, and completed at once."""
    before = {host: registry(lab, host) for host in CUT}
    for protocol in ("netbios", "ip"):
        pids = {host: agent_pid(lab, host) for host in CUT}
        for number, host in enumerate(CUT):
            lab.fault(host, "drop", on="Command", nth=number + 2, times=1)
        first = controller.tasks(task(protocol=protocol), hosts="cut*")
        assert {first.of(host, MODULE)["outcome"] for host in CUT[:5]} == {"unreachable"}
        for host in CUT:
            lab.clear_faults(host)
        second = controller.tasks(task(protocol=protocol), hosts="cut*")
        for host in CUT:
            assert second.of(host, MODULE)["outcome"] == "ok", second.of(host, MODULE)
            now = registry(lab, host)
            assert "Restart" not in now.get(MEMORY, {})
            assert agent_pid(lab, host) not in (pids[host], None), "the agent was not restarted"
            if protocol == "netbios":
                assert now[f"{KEY}\\Parameters"]["CommandLine"]["data"] == "-L0"
                assert now[MEMORY]["CommandLine"] == before[host][f"{KEY}\\Parameters"]["CommandLine"]
            else:
                assert now == before[host]


def test_a_stopped_agent_stays_stopped(lab: Lab, controller: Controller) -> None:
    found = controller.tasks(task(protocol="ipx", override=False), hosts="stopped").of("stopped", MODULE)
    assert (found["changed"], found["restarted"]) == (True, False)
    assert registry(lab, "stopped")[f"{KEY}\\Parameters"]["CommandLine"]["data"] == "-IPX"
    assert "Override Site CommandLine" not in registry(lab, "stopped").get(KEY, {})
    assert agent_pid(lab, "stopped") is None
    assert controller.tasks(task(protocol="ipx", override=False), hosts="stopped").of("stopped", MODULE)["changed"] is False


def test_names_that_netbios_cannot_reach_are_warned_of(lab: Lab, controller: Controller) -> None:
    found = controller.tasks(task(protocol="netbios"), hosts="fifteen", arguments=["--check"]).of("fifteen", MODULE)
    assert any("15 characters" in warning for warning in found["warnings"])
