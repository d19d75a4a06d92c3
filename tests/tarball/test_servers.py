# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed collection stages the hotfix on real shares and takes it back, with every supported ansible-core."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.servers import ServerLab, findings, samba
from machine import Machine
from packages.make import make

SITE = {
    "maintenance_manager": {"cycle_seconds": 0.5},
    "servers": [
        {"name": "siteserver", "platforms": ["x86"]},
        {"name": "logon-01", "role": "logon_server", "site": "siteserver"},
        {"name": "console-01", "role": "admin_console", "platforms": ["x86"]},
    ],
}
PLAY = """
- hosts: sms_site_servers:sms_admin_consoles
  gather_facts: false
  roles:
    - sms.helpdesk.hotfix_stage
"""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerLab, findings.Snapshot]]:
    """The servers, and what was on their drives before the first core came."""
    if not samba.installed():
        pytest.skip("Samba is not installed")
    with ServerLab(tmp_path_factory.mktemp("servers"), SITE) as running:
        yield running, running.snapshot()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("package"), platforms=["x86"])


def test_stage_and_take_back(machine: Machine, servers: tuple[ServerLab, findings.Snapshot], package: Path) -> None:
    site, before = servers
    (machine.directory / "stage.yml").write_text(PLAY, encoding="utf-8")
    stage = [
        *("ansible-playbook", "-i", str(site.inventory), "stage.yml"),
        *("-e", f"hotfix_stage_package={package}", "-e", "hotfix_stage_wait_interval=1"),
    ]
    done = machine.run(*stage)
    assert done.returncode == 0, done.stdout + done.stderr
    found = findings.hotfix(before, site.snapshot(), package)
    assert len(found["staged"]) == 4 + 3 + 3 + 1
    assert (found["waiting"], found["lost"], found["strays"]) == ([], [], [])

    position = site.audit_position()
    done = machine.run(*stage)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [event for event in site.audit_log(position) if event.changes] == []

    done = machine.run("ansible-playbook", "-i", str(site.inventory), "sms.helpdesk.rollback", "-e", "hotfix_rollback_wait=true")
    assert done.returncode == 0, done.stdout + done.stderr
    found = findings.hotfix(before, site.snapshot(), package)
    assert (found["staged"], sorted(found["original"])) == ([], sorted(found["waiting"]))
    assert "Traceback" not in done.stdout + done.stderr
