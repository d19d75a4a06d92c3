# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: how the wall time and the memory of `fleet_audit` grow with the fleet.

Nothing here is a test: it prints, and ends with status 0 unless something could not be run.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import threading
from pathlib import Path

import yaml

from lab.client import Lab
from measure import Cost, run, share_variables
from run import HERE, environment_of_runs

_MOST_MEMORY = 400.0
_MOST_GROWTH = 1.15


def memory_of(root: int, spared: int) -> float:
    """Megabytes of all processes below one, but not of `spared`; what they share is counted once (PSS)."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            children.setdefault(int(path.read_text().rsplit(")", 1)[1].split()[1]), []).append(int(path.parent.name))
    total, todo = 0, list(children.get(root, ()))
    while todo:
        pid = todo.pop()
        if pid == spared:
            continue
        todo += children.get(pid, ())
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


class Peak(threading.Thread):
    """Looks at the memory below a process twice a second, and leaves out the lab."""

    def __init__(self, root: int, lab: int) -> None:
        super().__init__(daemon=True)
        self.lab, self.root, self.megabytes, self.over = lab, root, 0.0, threading.Event()

    def run(self) -> None:
        """Until it is told that it is over."""
        while not self.over.wait(0.5):
            self.megabytes = max(self.megabytes, memory_of(self.root, self.lab))


def measure(hosts: int, concurrency: int, place: Path) -> tuple[Cost, float]:
    """One run over so many clients, and the most memory its processes had."""
    fleet = yaml.safe_load((HERE / "fleet.yml").read_text(encoding="utf-8"))
    fleet["hosts"][0] |= {"count": hosts, "name": "client-{n:05}"}
    environment = environment_of_runs(place)
    with Lab(fleet) as lab:
        inventory = share_variables(lab.inventory)
        playbook = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory), "-e", f"concurrency={concurrency}"]
        peak = Peak(os.getpid(), lab.state["pid"])
        peak.start()
        cost = run(lab, [*playbook, str(HERE / "plays" / "fleet.yml")], environment, place / "output.log")
        peak.over.set()
        peak.join()
    return cost, peak.megabytes


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hosts", type=int, nargs="+", default=[500, 1000, 2000, 5000, 10000])
    parser.add_argument("--concurrency", type=int, default=100)
    options = parser.parse_args()
    found: dict[int, tuple[Cost, float]] = {}
    print("\nfleet_audit alone, Ansible's own start and inventory included.")
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        for hosts in options.hosts:
            found[hosts] = cost, memory = measure(hosts, options.concurrency, Path(directory))
            figures = f"{cost.wall / hosts * 1000:7.1f} ms wall and {cost.cpu / hosts * 1000:6.1f} ms CPU a client, {memory:6.0f} MB"
            print(f"{hosts:7d} clients {cost.wall:8.2f} s {figures}", flush=True)
    small, large = (1000, max(found)) if 1000 in found else (min(found), max(found))
    growth = (found[large][0].wall / large) / (found[small][0].wall / small)
    held = "holds " if growth <= _MOST_GROWTH else "MISSED"
    print(f"{held}  a client of {large} costs at most {_MOST_GROWTH:.2f} times one of {small}: {growth:.2f}")
    memory = found[large][1]
    print(f"{'holds ' if memory < _MOST_MEMORY else 'MISSED'}  memory of all processes below {_MOST_MEMORY:.0f} MB: {memory:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
