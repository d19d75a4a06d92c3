# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demonstration: find the conflicts of clients, bring the hotfix to their site's servers, move the clients, report where all stand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml

from lab.client import Lab
from lab.servers import ServerLab, findings, samba
from lab.site import joined
from packages.make import make

CHECKOUT = Path(__file__).resolve().parents[2]
CLIENTS = CHECKOUT / "tests" / "lab" / "fleets" / "demo.yml"
SERVERS = CHECKOUT / "tests" / "lab" / "servers" / "fleets" / "demo.yml"
BUILD = CHECKOUT / ".build"
DIRECTORY = BUILD / "demo"
REPORT = DIRECTORY / "report"
# What the demonstration has no time for: a user's notice, and cycles of Maintenance Manager that take hours.
HURRY = {
    "hotfix_stage_wait_interval": 1,
    "client_upgrade_restart": True,
    "client_upgrade_restart_delay": 0,
    "client_upgrade_canary": "reception-01",
}
# Ansible's status when hosts failed: clients that must not be moved are named at the end of the run, and are part of the story.
SOME_FAILED = 2


def environment() -> dict[str, str]:
    """That of this process without anything of the machine's own configuration of Ansible."""
    configuration = DIRECTORY / "ansible.cfg"
    configuration.touch()
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    return kept | {
        "ANSIBLE_COLLECTIONS_PATH": str(BUILD),
        "ANSIBLE_HOME": str(BUILD / "ansible"),
        "ANSIBLE_CONFIG": str(configuration),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def play(name: str, *inventories: Path, **variables: t.Any) -> int:
    """Run a playbook of the collection; its exit status."""
    command = ["ansible-playbook", *(part for each in inventories for part in ("-i", str(each))), f"sms.helpdesk.{name}"]
    command += ["-e", json.dumps(variables)] if variables else []
    print(f"\n$ {' '.join(command)}", flush=True)
    return subprocess.run(command, env=environment(), stdin=subprocess.DEVNULL, check=False).returncode


def report(*inventories: Path, **variables: t.Any) -> None:
    """Where the fleet stands, in a report for a browser. That not all meet the policy is what the demonstration shows, and no failure."""
    play("compliance", *inventories, compliance_dest=str(REPORT), compliance_fail_on=[], **variables)


def agent_ports(lab: Lab, host: str) -> set[int]:
    """What the agent of a client truly holds."""
    processes = lab.host(host)["state"]["processes"]
    mine = [each for each in processes if each["name"].lower() == "wuser32.exe"]
    return {int(socket.split()[1].rpartition(":")[2]) for each in mine for socket in each["sockets"]}


def whole_story() -> int:
    """Conflicts found, fixed, and looked at again; 0 if what is true of the clients afterwards is what was wanted."""
    package = make(DIRECTORY / "package")
    print(f"Starting the servers: {SERVERS.relative_to(CHECKOUT)}", flush=True)
    with ServerLab(DIRECTORY / "servers", SERVERS) as servers:
        print(f"Starting the clients: {CLIENTS.relative_to(CHECKOUT)}", flush=True)
        with Lab(joined(yaml.safe_load(CLIENTS.read_text(encoding="utf-8")), servers), directory=DIRECTORY / "clients") as clients:
            inventories = (clients.inventory, servers.inventory)
            names = list(clients.request("GET", "/hosts"))
            found = play("detect", clients.inventory)
            before, drives = {host: agent_ports(clients, host) for host in names}, servers.snapshot()
            fixed = play("remediate", *inventories, hotfix_stage_package=str(package), **HURRY)
            report(*inventories, compliance_package=str(package))
            staged = findings.hotfix(drives, servers.snapshot(), package)
            after = {host: agent_ports(clients, host) for host in names}
            counted = clients.counters()
        for name in servers.servers:
            count = sum(path.startswith(f"{name}/") for path in staged["staged"])
            print(f"On the drive of {name}: {count} of the hotfix's files.")
    moved = [host for host in names if 2701 in after[host] and 2701 not in before[host]]
    rest = [host for host in names if 2701 not in after[host]]
    print(f"Moved to 2701-2704, by what their agents hold now: {len(moved)} of {len(names)} clients, {', '.join(moved)}.")
    print(f"Not moved, for the reasons above: {', '.join(rest)}.")
    print(f"The clients were asked in {counted['posts']} posts: {counted['bytes_in']} bytes sent, {counted['bytes_out']} received.")
    return found or (fixed if fixed != SOME_FAILED else 0) or int(not moved)


def clients_only() -> int:
    """Conflicts found; without servers there is nothing to fix them with."""
    print("The servers are left out: they need the Debian packages samba, samba-vfs-modules and smbclient.")
    with Lab(CLIENTS, directory=DIRECTORY / "clients") as lab:
        status = play("detect", lab.inventory)
        report(lab.inventory)
    return status


def main() -> int:
    """0 if everything that could be shown went well."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    status = whole_story() if samba.installed() else clients_only()
    print(f"\nThe report, for a browser: {(REPORT / 'report.html').as_uri()}")
    described = " and ".join(str(path.relative_to(CHECKOUT)) for path in (CLIENTS, SERVERS))
    print(f"Clients and servers are described in {described}: change them and run this again.")
    return status


if __name__ == "__main__":
    sys.exit(main())
