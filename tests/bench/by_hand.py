# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an administrator would write with pypsrp: so many threads, the same questions, no Ansible.

`by_hand.py INVENTORY THREADS` prints how many clients were asked and how many have a foreign process on one of the ports.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import NAMESPACES, WSMan

CIMV2 = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
PORTS = {"1761", "1762", "1763", "1764", "2701", "2702", "2703", "2704"}
COMMAND = (
    "netstat -ano & netsh interface ipv4 show excludedportrange protocol=tcp & netsh interface ipv4 show excludedportrange protocol=udp"
)


def holders(listing: str) -> set[str]:
    """Process ids of the rows of netstat whose local port is one of ours."""
    rows = [line.split() for line in listing.splitlines()]
    return {row[-1] for row in rows if len(row) > 3 and row[0] in ("TCP", "UDP") and row[1].rpartition(":")[2] in PORTS}


def names(connection: WSMan) -> dict[str, str]:
    """Every process by its id."""
    body = ElementTree.Element(f"{{{NAMESPACES['wsen']}}}Enumerate")
    ElementTree.SubElement(body, f"{{{NAMESPACES['wsman']}}}OptimizeEnumeration")
    ElementTree.SubElement(body, f"{{{NAMESPACES['wsman']}}}MaxElements").text = "32000"
    query = ElementTree.SubElement(body, f"{{{NAMESPACES['wsman']}}}Filter", Dialect=WQL)
    query.text = "select ProcessId, Name from Win32_Process"
    answer = connection.enumerate(CIMV2, body)[0]
    found: dict[str, str] = {}
    while True:
        values: dict[str, str] = {}
        for element in answer.iter():
            name = element.tag.rpartition("}")[2]
            if name in ("ProcessId", "Name"):
                values[name] = element.text or ""
                if len(values) == 2:
                    found[values["ProcessId"]] = values["Name"]
                    values = {}
        context = answer.find("wsen:EnumerationContext", namespaces=NAMESPACES)
        if context is None or not context.text:
            return found
        pull = ElementTree.Element(f"{{{NAMESPACES['wsen']}}}Pull")
        ElementTree.SubElement(pull, f"{{{NAMESPACES['wsen']}}}EnumerationContext").text = context.text
        ElementTree.SubElement(pull, f"{{{NAMESPACES['wsen']}}}MaxElements").text = "32000"
        answer = connection.pull(CIMV2, pull)[0]


def audit(variables: dict[str, Any]) -> bool:
    """Whether a process other than the agent has one of the ports."""
    connection = WSMan(
        variables["ansible_host"],
        port=variables["ansible_port"],
        ssl=False,
        username=variables["ansible_user"],
        password=variables["ansible_password"],
        auth="ntlm",
        encryption="always",
    )
    with connection, WinRS(connection, codepage=65001) as shell:
        process = Process(shell, COMMAND)
        process.invoke()
        process.signal(SignalCode.TERMINATE)
        pids = holders(process.stdout.decode("utf-8", "replace"))
        known = names(connection)
    return any(known.get(pid, "").lower() != "wuser32.exe" for pid in pids)


def main() -> None:
    inventory = yaml.load(Path(sys.argv[1]).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    group = inventory["all"]["children"]["sms_clients"]
    hosts = [group["vars"] | variables for variables in group["hosts"].values()]
    with ThreadPoolExecutor(int(sys.argv[2])) as pool:
        found = list(pool.map(audit, hosts))
    print(f"{len(found)} clients, {sum(found)} with a conflict")


if __name__ == "__main__":
    main()
