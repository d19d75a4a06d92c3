# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: what an audit of a fleet costs, ours and others', side by side in one run on the lab.

Nothing here is a test: it prints, and ends with status 0 unless something could not be run.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

from measure import Cost, canned_lab, median, run, share_variables
from report import parse_seconds, table, verdicts

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
BUILD = CHECKOUT / ".build"
PLACE = BUILD / "bench"

START, OURS, DEFAULT = "Ansible's own start", "port_conflict_info", "same with 5 forks"
DETECT, PEER, HAND, FLEET = "detect (playbook)", "win_listen_ports_facts", "pypsrp by hand", "fleet_audit"


def environment_of_runs(place: Path) -> dict[str, str]:
    """The environment of a run: nothing of the machine's own configuration gets in."""
    configuration = place / "ansible.cfg"
    configuration.touch()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "PYTHON"))}
    return kept | {"ANSIBLE_CONFIG": str(configuration), "ANSIBLE_COLLECTIONS_PATH": str(BUILD), "ANSIBLE_HOME": str(place / "ansible")}


def environment_for_all() -> Path:
    """The `bin` directory of the environment in which everything that is compared runs."""
    requirements = [CHECKOUT / name for name in ("requirements.txt", "tests/lab/requirements.txt", "tests/bench/requirements.txt")]
    core = next(line for line in (CHECKOUT / "tests/requirements.txt").read_text().splitlines() if line.startswith("ansible-core"))
    said = core.encode() + b"".join(path.read_bytes() for path in requirements)
    place = PLACE / "environment"
    stamp = place / f"{hashlib.sha256(said).hexdigest()[:16]}.stamp"
    if not stamp.exists():
        print("Setting up the environment of the benchmark (the package ansible is large)", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        listed = [argument for path in requirements for argument in ("-r", str(path))]
        subprocess.run([place / "bin" / "python", "-m", "pip", "install", "--quiet", "--quiet", core, *listed], check=True)
        stamp.touch()
    return place / "bin"


def contenders(binaries: Path, forks: int, threads: int) -> dict[str, Callable[[Path], list[str]]]:
    """What is compared: a command line each, made from the path of the inventory."""
    playbook = str(binaries / "ansible-playbook")

    def play(name: str, *more: str, forks: int = forks) -> Callable[[Path], list[str]]:
        return lambda inventory: [playbook, "-i", str(inventory), "-f", str(forks), name, *more]

    return {
        START: play(str(HERE / "plays" / "nothing.yml")),
        OURS: play(str(HERE / "plays" / "ours.yml")),
        DEFAULT: play(str(HERE / "plays" / "ours.yml"), forks=5),
        FLEET: play(str(HERE / "plays" / "fleet.yml"), "-e", f"concurrency={threads}"),
        DETECT: play("sms.helpdesk.detect"),
        PEER: play(str(HERE / "plays" / "peer.yml")),
        HAND: lambda inventory: [str(binaries / "python"), str(HERE / "by_hand.py"), str(inventory), str(threads)],
    }


def compare(commands: dict[str, Callable[[Path], list[str]]], hosts: int, runs: int, delay_ms: float) -> dict[str, Cost]:
    """The median cost of each, in turns, every second turn backwards."""
    fleet = yaml.safe_load((HERE / "fleet.yml").read_text(encoding="utf-8"))
    fleet["hosts"][0]["count"] = hosts
    PLACE.mkdir(parents=True, exist_ok=True)
    path = PLACE / "fleet.yml"
    path.write_text(yaml.safe_dump(fleet, sort_keys=False), encoding="utf-8")
    environment = environment_of_runs(PLACE)
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    with canned_lab(path, PLACE / "lab", delay_ms) as lab:
        inventory = share_variables(lab.inventory)
        for turn in range(runs):
            for name in list(commands) if turn % 2 == 0 else reversed(commands):
                costs[name].append(run(lab, commands[name](inventory), environment, PLACE / "output.log"))
                print(".", end="", flush=True)
    print()
    return {name: median(found) for name, found in costs.items()}


def verdict(holds: bool, text: str) -> None:
    """Print whether a limit holds."""
    print(f"{'holds ' if holds else 'MISSED'}  {text}")


def bounds_of_fleet(costs: dict[str, Cost], delay: float) -> None:
    """Print which limits of an audit of a fleet hold: what a host costs, Ansible's own start taken off."""
    most = 1 / 4 if delay == 0 else 1 / 10
    start = costs[START].wall
    for name in (OURS, DEFAULT):
        share = (costs[FLEET].wall - start) / (costs[name].wall - start)
        whole = costs[FLEET].wall / costs[name].wall
        verdict(share <= most, f"{FLEET} takes at most {most} of the wall time of {name}: {share:.2f}, {whole:.2f} with Ansible's start")
    beside = costs[FLEET].wall / costs[HAND].wall
    verdict(beside <= 1, f"{FLEET}, Ansible's start included, is not slower than {HAND}: {beside:.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--forks", type=int, default=20)
    parser.add_argument("--threads", type=int, default=100, help=f"of {FLEET} and {HAND}")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--delays", type=float, nargs="+", default=[0.0, 50.0], help="milliseconds added to every post")
    parser.add_argument("--only", nargs="+", help="names of what is run; the default is all")
    options = parser.parse_args()
    binaries = environment_for_all()
    first: dict[str, Cost] = {}
    commands = contenders(binaries, options.forks, options.threads)
    commands = {name: command for name, command in commands.items() if not options.only or name in (OURS, *options.only)}
    for hosts, delay in itertools.product(options.hosts, options.delays):
        print(f"\n{hosts} clients, {options.forks} forks, {options.threads} threads, NTLM with message encryption,", end=" ")
        print(f"{delay:.0f} ms added to a post.\nMedian of {options.runs}; CPU time, posts and bytes are for each client.", flush=True)
        costs = compare(commands, hosts, options.runs, delay)
        table(costs, OURS, hosts)
        if {START, OURS, DEFAULT, FLEET, HAND} <= costs.keys():
            bounds_of_fleet(costs, delay)
        first = first or costs
    if {OURS, PEER} <= first.keys():
        print(f"\n{PEER} gets a canned answer: the time PowerShell takes on a real client is not in these figures.\n")
        verdicts(first[OURS], first[PEER], parse_seconds(BUILD))
    return 0


if __name__ == "__main__":
    sys.exit(main())
