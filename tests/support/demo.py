# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the demonstration fleet, run `detect` against it, say what could be looked at next, stop it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lab.client import Lab

CHECKOUT = Path(__file__).resolve().parents[2]
FLEET = CHECKOUT / "tests" / "lab" / "fleets" / "demo.yml"
BUILD = CHECKOUT / ".build"


def main() -> int:
    """The exit status of ansible-playbook."""
    directory = BUILD / "demo"
    directory.mkdir(parents=True, exist_ok=True)
    # An empty one, so that nothing of the machine's own configuration gets in.
    configuration = directory / "ansible.cfg"
    configuration.touch()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    environment |= {
        "ANSIBLE_COLLECTIONS_PATH": str(BUILD),
        "ANSIBLE_HOME": str(BUILD / "ansible"),
        "ANSIBLE_CONFIG": str(configuration),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    print(f"Starting the laboratory: {FLEET.relative_to(CHECKOUT)}", flush=True)
    with Lab(FLEET, directory=directory) as lab:
        command = ["ansible-playbook", "-i", str(lab.inventory), "sms.helpdesk.detect"]
        print(f"$ {' '.join(command)}", flush=True)
        status = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
        counted = lab.counters()
    print(f"The clients were asked in {counted['posts']} posts: {counted['bytes_in']} bytes sent, {counted['bytes_out']} received.")
    print("The fleet is described in tests/lab/fleets/demo.yml: change it and run this again.")
    return status


if __name__ == "__main__":
    sys.exit(main())
