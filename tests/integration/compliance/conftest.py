# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of clients and the servers of a site, running once, with one inventory for both; and a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml
from compliance_fleet import FLEET, SERVERS, Fleet

from browser import Browser
from lab.client import Lab
from lab.servers import ServerLab
from packages.make import make


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    place = tmp_path_factory.mktemp("fleet")
    description = {"users": {"smsadmin": "Pa55word!"}, "maintenance_manager": {"running": False}, "servers": SERVERS}
    package = make(place / "Q229097", compiler=False)
    with Lab(FLEET, directory=place / "clients") as clients, ServerLab(place / "servers", description) as servers:
        data = yaml.safe_load(clients.inventory.read_text(encoding="utf-8"))
        data["all"]["children"] |= servers.inventory_data()["all"]["children"]
        # Hosts of the fleet that nobody can ask.
        hosts = data["all"]["children"]["sms_clients"]["hosts"]
        some = dict(list(hosts.values())[0])  # noqa: RUF015
        hosts["no_name"] = {**some, "ansible_host": "no-such-host.invalid"}
        hosts["refused"] = {**some, "ansible_host": "127.0.99.99", "ansible_port": 1}
        hosts["wrong_password"] = {**some, "ansible_password": "wrong"}
        inventory = place / "fleet.yml"
        inventory.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
        yield Fleet(clients, servers, package, inventory)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    started = Browser()
    yield started
    started.close()
