# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a program against a lab and say what it cost."""

from __future__ import annotations

import dataclasses
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from lab import daemon
from lab.client import Lab

HERE = Path(__file__).resolve().parent
START_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one run over the whole fleet cost.

    :param wall: seconds.
    :param cpu: seconds of user and system time of the program and all the processes it started and waited for.
    :param posts: HTTP requests, authentication legs included.
    :param sent: bytes of requests, heads included, and `received` the same of answers.
    :param most_posts: of the client that took most, and `most_sent` likewise.
    """

    wall: float
    cpu: float
    posts: float
    sent: float
    received: float
    most_posts: float
    most_sent: float


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(*(statistics.median([getattr(cost, field.name) for cost in costs]) for field in dataclasses.fields(Cost)))


class RunningLab(Lab):
    """A lab that somebody else has started."""

    def __init__(self, directory: Path) -> None:
        super().__init__({}, directory=directory)
        self.state = daemon.read_state(directory) or {}


@contextmanager
def canned_lab(fleet: Path, directory: Path, post_delay_ms: float) -> Iterator[RunningLab]:
    """A lab with the canned PowerShell."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / daemon.STATE_FILE).unlink(missing_ok=True)
    command = [sys.executable, str(HERE / "canned_powershell.py"), "--fleet", str(fleet), "--directory", str(directory)]
    process = subprocess.Popen([*command, "--post-delay-ms", str(post_delay_ms)], stdin=subprocess.DEVNULL)
    try:
        until = time.monotonic() + START_SECONDS
        while not daemon.read_state(directory):
            if process.poll() is not None or time.monotonic() > until:
                raise daemon.LabError("the lab did not come up")
            time.sleep(0.05)
        yield RunningLab(directory)
    finally:
        process.terminate()
        process.wait()


def share_variables(path: Path) -> Path:
    """A copy of a lab's inventory in which what all clients have in common is a variable of their group, as people write it.

    Ansible keeps every variable of every host with the place it was written at: of 10,000 clients that would be most of what is measured.
    """
    inventory = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    group = inventory["all"]["children"]["sms_clients"]
    hosts = list(group["hosts"].values())
    common = {name: value for name, value in hosts[0].items() if all(host.get(name) == value for host in hosts)}
    for host in hosts:
        for name in common:
            del host[name]
    group["vars"] = group.get("vars", {}) | common
    shared = path.with_name("shared_inventory.yml")
    shared.write_text(yaml.dump(inventory, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")
    return shared


def run(lab: Lab, command: Sequence[str], environment: Mapping[str, str], log: Path) -> Cost:
    """Run a program once.

    :raises RuntimeError: it failed; `log` has what it printed.
    """
    lab.reset_counters()
    with log.open("wb") as output:
        begun = time.monotonic()
        process = subprocess.Popen(command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        _pid, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}:\n{log.read_text(errors='replace')[-3000:]}")
    counters = lab.request("GET", "/counters")
    total, hosts = counters["total"], counters["hosts"].values()
    return Cost(
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        posts=total["posts"],
        sent=total["bytes_in"],
        received=total["bytes_out"],
        most_posts=max(host["posts"] for host in hosts),
        most_sent=max(host["bytes_in"] for host in hosts),
    )
