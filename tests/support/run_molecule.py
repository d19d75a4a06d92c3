# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run all molecule scenarios; every step of every scenario is a test case of the report."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import reports

CHECKOUT = Path(__file__).resolve().parents[2]
SCENARIOS = CHECKOUT / "extensions" / "molecule"

# A line of the details at the end of a run, such as "port_audit > verify: Executed: Failed (...)".
STEP = re.compile(r"^(?P<scenario>[\w/]+) > (?P<step>\w+): (?P<outcome>.+)$")
SUCCESS = "Executed: Successful"


def steps(output: str) -> list[tuple[str, str]]:
    """Every step of a run, as ``scenario > step``, and what came of it."""
    details = output[output.rfind("\nDETAILS") :]
    return [(f"{found['scenario']} > {found['step']}", found["outcome"]) for found in map(STEP.match, details.splitlines()) if found]


def main() -> int:
    """Exit status of molecule, or 1 if it left a scenario out."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_HOME": str(CHECKOUT / ".build" / "ansible"),
        "MOLECULE_EPHEMERAL_DIRECTORY": str(CHECKOUT / ".build" / "molecule"),
        "NO_COLOR": "1",
    }
    begun = time.monotonic()
    process = subprocess.Popen(
        ["molecule", "test", "--all", "--no-command-borders"],
        cwd=CHECKOUT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        sys.stdout.write(line)
        sys.stdout.flush()
    status, output = process.wait(), "".join(lines)
    took = time.monotonic() - begun
    cases = [reports.Case(name, outcome.startswith(SUCCESS), outcome, 0) for name, outcome in steps(output)]
    ran = {case.name.split(" > ")[0] for case in cases}
    for path in sorted(SCENARIOS.glob("**/molecule.yml")):
        name = path.parent.relative_to(SCENARIOS).as_posix()
        if name not in ran:
            cases.append(reports.Case(name, False, "was not run", 0))
    cases.append(reports.Case("molecule test --all", status == 0, output, took))
    reports.write("molecule", cases)
    return status or int(not all(case.passed for case in cases))


if __name__ == "__main__":
    sys.exit(main())
