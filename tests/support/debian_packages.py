# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian packages that are needed: installs what is missing when run by root, says how to install it otherwise.

Without arguments those the tests need: exit status 1 if something is missing in strict mode (CI=true or SMS_HELPDESK_STRICT=1), 0
otherwise, and the tests concerned are skipped. With ``--only NAME...`` those of them, and the exit status is 0. With ``--venv`` the
one without which there is no virtual environment: exit status 1 if it is missing. Uses nothing but the standard library: it runs
before anything is installed.
"""

from __future__ import annotations

import glob
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

LIST = Path(__file__).resolve().parents[1] / "debian-packages.txt"


def missing(text: str) -> list[str]:
    """Packages of the list whose program is not on the path, or whose file, if one is named, is not there."""
    rows = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [row[0] for row in rows if not _present(row[1])]


def _present(name: str) -> bool:
    """Whether a program is on the path, or a file is there, which has a / in front and may have a *."""
    return bool(glob.glob(name)) if name.startswith("/") else shutil.which(name) is not None


def missing_for_venv() -> list[str]:
    """Debian packages ensurepip, which makes virtual environments, apart from Python."""
    importlib.invalidate_caches()
    return [] if importlib.util.find_spec("ensurepip") else ["python3-venv"]


def install(packages: list[str]) -> None:
    """Install with apt-get; the package lists are fetched first, a fresh machine has none."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", *command], env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)


def main(arguments: list[str]) -> int:
    only = arguments[1:] if arguments[:1] == ["--only"] else []

    def look() -> list[str]:
        if arguments == ["--venv"]:
            return missing_for_venv()
        return [name for name in missing(LIST.read_text(encoding="utf-8")) if not only or name in only]

    packages = look()
    if packages and shutil.which("apt-get") and os.geteuid() == 0:
        print(f"installing Debian packages: {' '.join(packages)}", flush=True)
        install(packages)
        packages = look()
    if not packages:
        return 0
    print(f"missing Debian packages; as root: apt-get install --no-install-recommends {' '.join(packages)}", file=sys.stderr)
    strict = os.environ.get("CI") == "true" or os.environ.get("SMS_HELPDESK_STRICT") == "1"
    return 1 if (strict and not only) or arguments == ["--venv"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
