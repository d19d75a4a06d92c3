# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks that change clients, with every supported ansible-core."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import cores
from lab.client import Lab
from machine import Machine

FAILED = 2


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(Path(__file__).with_name("moved.yml"), directory=tmp_path_factory.mktemp("clients")) as running:
        yield running


def test_remediate(machine: Machine, clients: Lab) -> None:
    """One client is moved in its wave, one whose new port is taken is named; their servers are not in this inventory."""
    host = f"moved-{cores.SUPPORTED.index(machine.core) + 1}"
    variables = ["client_upgrade_require_replicated=false", "client_upgrade_restart=true", "client_upgrade_restart_delay=0"]
    command = ["ansible-playbook", "-i", str(clients.inventory), "sms.helpdesk.remediate", "-e", " ".join(variables)]
    command += ["-e", f"sms_helpdesk_clients={host}:taken", "-e", '{"client_upgrade_serial": [1, "100%"]}']
    for arguments in (["--check", "--diff"], []):
        done = machine.run(*command, *arguments)
        assert done.returncode == FAILED, done.stdout + done.stderr
        assert "taken: the ports 2701-2704" in done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
    state = clients.host(host)["state"]
    agents = [each for each in state["processes"] if each["name"] == "Wuser32.exe"]
    assert [socket.rpartition(":")[2] for each in agents for socket in each["sockets"]] == ["2701", "2702"]
    assert state["boot_count"] == 3
    assert clients.host("taken")["state"]["boot_count"] == 1
    again = machine.run(*command)
    assert again.returncode == FAILED
    assert clients.host(host)["state"]["boot_count"] == 3


def test_workaround(machine: Machine, clients: Lab) -> None:
    """There and back."""
    command = ["ansible-playbook", "-i", str(clients.inventory), "sms.helpdesk.workaround", "-e", "sms_helpdesk_clients=taken"]
    before = clients.host("taken")["state"]["registry"]
    for arguments in ([], ["-e", "netbios_workaround_state=absent"]):
        done = machine.run(*command, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "changed=1" in done.stdout
    assert clients.host("taken")["state"]["registry"].keys() == before.keys()
