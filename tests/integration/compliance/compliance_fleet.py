# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of clients and the servers of a site with one inventory, and runs of the playbook `compliance` on it."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from pathlib import Path

from controller import Controller, Run
from lab.client import Lab
from lab.servers import ServerLab

FLEET = Path(__file__).with_name("fleet.yml")
SERVERS: list[dict[str, t.Any]] = [
    {"name": "siteserver", "platforms": ["x86", "alpha"]},
    {"name": "logon-01", "role": "logon_server", "site": "siteserver"},
    {"name": "logon-02", "role": "logon_server", "site": "siteserver"},
    {"name": "console-01", "role": "admin_console", "platforms": ["x86"]},
]


@dataclasses.dataclass
class Fleet:
    """Clients and servers, and the inventory that has both."""

    clients: Lab
    servers: ServerLab
    package: Path
    inventory: Path

    def report(self, place: Path, *arguments: str, **variables: t.Any) -> tuple[Run, dict[str, t.Any]]:
        """Run the playbook; its run and its report."""
        run = Controller(place, self.inventory).playbook(
            "sms.helpdesk.compliance",
            *arguments,
            **{"compliance_dest": str(place / "report"), "compliance_package": str(self.package), **variables},
        )
        written = place / "report" / "report.json"
        return run, json.loads(written.read_text(encoding="utf-8")) if written.exists() else {}
