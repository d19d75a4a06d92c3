# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demonstration: find the conflicts of clients, stage the hotfix on the servers of a site, report where all of them stand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

from lab.client import Lab
from lab.servers import ServerLab, findings, samba
from packages.make import make

CHECKOUT = Path(__file__).resolve().parents[2]
CLIENTS = CHECKOUT / "tests" / "lab" / "fleets" / "demo.yml"
SERVERS = CHECKOUT / "tests" / "lab" / "servers" / "fleets" / "demo.yml"
STAGE = Path(__file__).with_name("demo_stage.yml")
BUILD = CHECKOUT / ".build"
DIRECTORY = BUILD / "demo"
REPORT = DIRECTORY / "report"


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


def play(*arguments: str | Path) -> int:
    """Run ansible-playbook; its exit status."""
    command = ["ansible-playbook", *(str(argument) for argument in arguments)]
    print(f"\n$ {' '.join(command)}", flush=True)
    return subprocess.run(command, env=environment(), stdin=subprocess.DEVNULL, check=False).returncode


def clients() -> int:
    """Detect the conflicts; the exit status of ansible-playbook."""
    print(f"Starting the clients: {CLIENTS.relative_to(CHECKOUT)}", flush=True)
    with Lab(CLIENTS, directory=DIRECTORY / "clients") as lab:
        status = play("-i", lab.inventory, "sms.helpdesk.detect")
        counted = lab.counters()
        report(lab.inventory)
    print(f"The clients were asked in {counted['posts']} posts: {counted['bytes_in']} bytes sent, {counted['bytes_out']} received.")
    return status


def report(inventory: str | Path, **variables: t.Any) -> None:
    """Where the fleet stands, in a report for a browser. That the policy is not met is what the demonstration shows, and no failure."""
    play(
        "-i",
        inventory,
        "sms.helpdesk.compliance",
        "-e",
        json.dumps({"compliance_dest": str(REPORT), "compliance_fail_on": [], **variables}),
    )


def servers() -> int:
    """Stage the hotfix and look at the drives; the exit status of ansible-playbook."""
    package = make(DIRECTORY / "package")
    print(f"\nStarting the servers: {SERVERS.relative_to(CHECKOUT)}", flush=True)
    with ServerLab(DIRECTORY / "servers", SERVERS) as lab:
        before = lab.snapshot()
        status = play("-i", lab.inventory, STAGE, "-e", f"hotfix_stage_package={package}")
        found = findings.hotfix(before, lab.snapshot(), package)
        report(lab.inventory, compliance_package=str(package), compliance_records=[str(REPORT / "report.json")])
    for name in lab.servers:
        mine = {state: sum(path.startswith(f"{name}/") for path in found[state]) for state in ("staged", "waiting", "kept")}
        backups = f", {mine['kept'] - 1} originals kept" if mine["kept"] else ""
        print(f"On the drive of {name}: {mine['staged']} files of the hotfix, {mine['waiting']} still to come{backups}.")
    return status


def main() -> int:
    """0 if everything that could be shown went well."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    status = clients()
    if samba.installed():
        status = servers() or status
    else:
        print("The servers are left out: they need the Debian packages samba, samba-vfs-modules and smbclient.")
    print(f"\nThe report of clients and servers, for a browser: {(REPORT / 'report.html').as_uri()}")
    described = " and ".join(str(path.relative_to(CHECKOUT)) for path in (CLIENTS, SERVERS))
    print(f"Clients and servers are described in {described}: change them and run this again.")
    return status


if __name__ == "__main__":
    sys.exit(main())
