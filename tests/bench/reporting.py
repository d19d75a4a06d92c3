# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: what a report over 10,000 clients costs: to gather and write, in bytes, in memory, and until a browser shows it.

The results lie where a run leaves them, in Ansible's variables of 10,000 hosts. Nothing here is a test: it prints.
"""

from __future__ import annotations

import io
import json
import resource
import shutil
import sys
import tempfile
import time
import typing as t
from contextlib import redirect_stdout
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT / ".build"), str(CHECKOUT / "tests" / "support")]

CLIENTS = 10_000
MOST = {"seconds": 5.0, "MB of HTML": 5.0, "MB of memory": 500.0, "seconds until something is seen": 1.0}


def results(number: int) -> dict[str, t.Any]:
    """What a client registered of where it stands: one in ten has a conflict, one in forty could not be reached."""
    from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers import fleet_records

    kind = number % 40
    if kind == 17:
        return fleet_records.lost("timeout", f"pc{number:05d}: WinRM at http://10.0.0.{number % 250}:5985/wsman: no answer came in time.")
    if kind in (3, 11, 19, 27):
        evidence = fleet_records.audit("listener" if kind < 12 else "bound", "svchost.exe", 1000 + number % 800)
        return fleet_records.status("conflict", "original", evidence=evidence)
    if kind < 24:
        return fleet_records.status("vulnerable", "original")
    return fleet_records.status("pending", "original", ["restart"]) if kind < 28 else fleet_records.status("compliant", "hotfix")


def write(place: Path) -> dict[str, float]:
    """Gather and write; what it cost."""
    from ansible.inventory.manager import InventoryManager
    from ansible.parsing.dataloader import DataLoader
    from ansible.vars.hostvars import HostVars
    from ansible.vars.manager import VariableManager
    from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.actions import run

    names = [f"pc{number:05d}" for number in range(CLIENTS)]
    hosts = place / "hosts.ini"
    hosts.write_text("[sms_clients]\n" + "\n".join(names) + "\n", encoding="utf-8")
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[str(hosts)])
    variables = VariableManager(loader=loader, inventory=inventory)
    for number, name in enumerate(names):
        # A copy of its own, as when each came from a worker.
        variables.set_nonpersistent_facts(name, {"client_status_result": json.loads(json.dumps(results(number)))})
    before = _memory()
    begun = time.monotonic()
    with redirect_stdout(io.StringIO()):
        run(
            "compliance_report",
            {"dest": str(place / "report")},
            groups={"sms_clients": names},
            hostvars=HostVars(inventory, variables, loader),
        )
    return {"seconds": time.monotonic() - begun, "MB of memory": _memory(), "of these there before": before}


def _memory() -> float:
    """The most this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def paint(page: Path) -> float:
    """Seconds until a browser shows something of the page."""
    from browser import Browser

    with Browser() as browser:
        browser.open(page)
        browser.until("performance.getEntriesByType('paint').length > 0")
        return float(browser.js("performance.getEntriesByType('paint')[0].startTime")) / 1000


def main() -> int:
    from ansible.plugins.loader import init_plugin_loader

    init_plugin_loader([str(CHECKOUT / ".build")])
    with tempfile.TemporaryDirectory() as place:
        costs = write(Path(place))
        files = {path.name: path.stat().st_size / 1e6 for path in sorted((Path(place) / "report").iterdir())}
        costs["MB of HTML"] = files["report.html"]
        if shutil.which("chromium"):
            costs["seconds until something is seen"] = paint(Path(place) / "report" / "report.html")
    print(f"A report over {CLIENTS:,} clients:")
    for name, value in costs.items():
        print(f"  {value:8.2f} {name}" + (f" (at most {MOST[name]:.0f})" if name in MOST else ""))
    print("  " + ", ".join(f"{name} {size:.1f} MB" for name, size in files.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
