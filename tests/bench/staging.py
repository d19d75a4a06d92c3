# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: what staging the x86 files on a site server costs, and what smbclient takes to put the same files there.

Both go to the same Samba, through a proxy that counts. Ours does more: it looks at what is there, keeps it, and reads back what it
wrote. Nothing here is a test: it prints, and ends with status 0 unless something could not be run.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lab.servers import CuttingProxy, ServerLab
from packages import builds
from packages.make import make

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / ".build"
SERVERS = {"servers": [{"name": "siteserver", "platforms": ["x86"]}], "maintenance_manager": {"running": False}}
CLIENT_SOURCE = r"Site.srv\Maincfg.box\Client.src\X86.bin"
MOST_WIRE = 1.1
MOST_RECEIVED = 2.2

NOTHING, OURS, AGAIN, CHECK, PUT = "a play without tasks", "hotfix_files", "hotfix_files again", "hotfix_files --check", "smbclient put"


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one run cost.

    :param wall: seconds.
    :param cpu: seconds of user and system time of the program and all it waited for.
    :param sent: bytes to the server, headers of SMB included and those of TCP not, and `received` the other way.
    :param requests: SMB commands.
    """

    wall: float
    cpu: float
    sent: float
    received: float
    requests: float


def median(costs: list[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(*(statistics.median([getattr(cost, field.name) for cost in costs]) for field in dataclasses.fields(Cost)))


def run(command: list[str], environment: dict[str, str], proxy: CuttingProxy, log: Path) -> Cost:
    """Run a program once.

    :raises RuntimeError: it failed.
    """
    proxy.reset()
    with log.open("wb") as output:
        begun = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        _pid, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}:\n{log.read_text(errors='replace')[-3000:]}")
    count = proxy.count
    return Cost(wall, usage.ru_utime + usage.ru_stime, count.sent, count.received, sum(count.requests.values()))


def put(servers: ServerLab, package: Path, port: int) -> list[str]:
    """The command line of smbclient that puts every file where it belongs."""
    places = {name: r"Site.srv\X86.bin" if name == "Sightnt.dll" else CLIENT_SOURCE for name in builds.NAMES}
    commands = "; ".join(rf"put {package / 'x86' / name} {place}\{name}" for name, place in places.items())
    user, password = next(iter(servers.users.items()))
    share = f"//{servers.address('siteserver')}/SMS_SHRD"
    return ["smbclient", "-s", "/dev/null", "-p", str(port), "-U", f"{user}%{password}", share, "-c", commands]


def turn(place: Path, package: Path, environment: dict[str, str]) -> dict[str, Cost]:
    """Every contender once, on a server as it was before the hotfix."""
    log = place / "output.log"
    with ServerLab(place / "servers", SERVERS) as servers, servers.proxy() as proxy:
        playbook = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(servers.inventory)]
        variables = ["-e", f"sms_port={proxy.port} package={package}"]
        ours = [*playbook, *variables, str(HERE / "plays" / "staging.yml")]
        costs = {
            NOTHING: run([*playbook, str(HERE / "plays" / "nothing.yml")], environment, proxy, log),
            CHECK: run([*ours, "--check"], environment, proxy, log),
            OURS: run(ours, environment, proxy, log),
            AGAIN: run(ours, environment, proxy, log),
        }
        staged = {
            path.name: path.read_bytes()
            for path in servers.drives["siteserver"].root.rglob("*")
            if path.name in builds.NAMES and path.parent.name == "X86.bin" and "Site.srv" in path.parts
        }
        if staged != {path.name: path.read_bytes() for path in (package / "x86").iterdir()}:
            raise RuntimeError("what was staged is not what is in the package")
    with ServerLab(place / "servers", SERVERS) as servers, servers.proxy() as proxy:
        costs[PUT] = run(put(servers, package, proxy.port), environment, proxy, log)
    return costs


def report(costs: dict[str, Cost], size: int) -> None:
    """Print the figures and which limits hold.

    :param size: bytes of all files together.
    """
    print(f"{'':24}{'wall':>9}{'CPU':>9}{'requests':>10}{'sent':>10}{'received':>10}   as multiples of the files: sent, received")
    for name, cost in costs.items():
        figures = f"{cost.wall:8.2f}s{cost.cpu:8.2f}s{cost.requests:10.0f}{cost.sent / 1000:8.1f}kB{cost.received / 1000:8.1f}kB"
        print(f"{name:24}{figures}   {cost.sent / size:8.3f}{cost.received / size:8.3f}")
    ours, again, peer = costs[OURS], costs[AGAIN], costs[PUT]
    beside_ansible = ours.wall - costs[NOTHING].wall
    multiple = beside_ansible / peer.wall
    print(f"\nWithout Ansible's own start, staging takes {beside_ansible:.2f} s, {multiple:.1f} times smbclient's {peer.wall:.2f} s.")
    limits = [
        (f"bytes sent at most {MOST_WIRE} times the files", ours.sent / size <= MOST_WIRE, f"{ours.sent / size:.3f}"),
        (
            f"bytes received at most {MOST_RECEIVED} times the files: what was there is read once, what was written is read back",
            ours.received / size <= MOST_RECEIVED,
            f"{ours.received / size:.3f}",
        ),
        ("a second run sends less than a tenth of the files", again.sent / size < 0.1, f"{again.sent / size:.3f}"),
    ]
    for what, holds, figure in limits:
        print(f"{'holds ' if holds else 'MISSED'}  {what}: {figure}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        place = Path(directory)
        package = make(place / "package", platforms=["x86"])
        size = sum(path.stat().st_size for path in (package / "x86").iterdir())
        configuration = place / "ansible.cfg"
        configuration.touch()
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "PYTHON"))}
        environment |= {
            "ANSIBLE_CONFIG": str(configuration),
            "ANSIBLE_COLLECTIONS_PATH": str(BUILD),
            "ANSIBLE_HOME": str(place / "ansible"),
        }
        print(f"\nStaging the {len(builds.NAMES)} files for x86, {size} bytes, on one site server. Median of {options.runs}.", flush=True)
        costs: dict[str, list[Cost]] = {}
        for _number in range(options.runs):
            for name, cost in turn(place, package, environment).items():
                costs.setdefault(name, []).append(cost)
            print(".", end="", flush=True)
        print()
        report({name: median(found) for name, found in costs.items()}, size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
