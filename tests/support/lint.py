# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every linter, also if one finds something. Names on the command line choose some of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import reports

CHECKOUT = Path(__file__).resolve().parents[2]

LINTERS: dict[str, list[str]] = {
    "ruff": ["ruff", "check", "--quiet"],
    "format": ["ruff", "format", "--check", "--quiet", "--diff"],
    "mypy": ["mypy", "-p", "ansible_collections.sms.helpdesk.plugins", "-p", "lab"],
    "mypy-support": ["mypy", "tests/support", "tests/bench", "tests/packages"],
    "mypy-tarball": ["mypy", "tests/tarball"],
    "mypy-unit": ["mypy", "tests/unit/lab", "tests/unit/support", "tests/unit/plugins"],
    "mypy-clients": ["mypy", "tests/integration/clients"],
    "mypy-compliance": ["mypy", "tests/integration/compliance"],
    "mypy-detect": ["mypy", "tests/integration/detect", "tests/integration/callbacks"],
    "mypy-fleet": ["mypy", "tests/integration/fleet_audit"],
    "mypy-peers": ["mypy", "tests/integration/lab_peers"],
    "mypy-remediate": ["mypy", "tests/integration/remediate"],
    "mypy-shell": ["mypy", "tests/integration/real_shell"],
    "mypy-servers": ["mypy", "tests/integration/servers"],
    "yamllint": ["yamllint", "--strict", "."],
    "ansible-lint": ["ansible-lint", "--strict", "--offline", "-q"],
    "shellcheck": ["shellcheck", ".ci/run"],
    "changelog": ["antsibull-changelog", "lint"],
    "docs": ["antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs", "all", "."],
    "licences": ["reuse", "lint", "--quiet"],
}


def main(names: list[str]) -> int:
    """0 if no linter found anything."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / ".build"),
        "ANSIBLE_HOME": str(CHECKOUT / ".build" / "ansible"),
        "NO_COLOR": "1",
    }
    cases = []
    for name in names or LINTERS:
        begun = time.monotonic()
        done = subprocess.run(
            LINTERS[name],
            cwd=CHECKOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        output = done.stdout.decode("utf-8", "replace")
        cases.append(reports.Case(name, done.returncode == 0, output, time.monotonic() - begun))
        print(f"{name}: {'passed' if cases[-1].passed else 'failed'} ({cases[-1].seconds:.1f} s)", flush=True)
        if not cases[-1].passed:
            print(output, flush=True)
    reports.write("lint", cases)
    return 0 if all(case.passed for case in cases) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
