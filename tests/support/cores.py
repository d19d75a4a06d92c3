# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual environment for every supported ansible-core, kept in .build."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SUPPORTED = ("2.16", "2.17", "2.18", "2.19")


def environment(core: str) -> Path:
    """The ``bin`` directory of an environment with the newest release of an ansible-core and what the collection requires.

    :param core: such as ``2.16``.
    """
    place = CHECKOUT / ".build" / "cores" / core
    requirements = CHECKOUT / "requirements.txt"
    stamp = place / f"{hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]}.stamp"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        # Several workers of pytest may want it at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists():
            _run(sys.executable, "-m", "venv", "--clear", str(place / "environment"))
            _run(
                str(place / "environment/bin/python"), "-m", "pip", "install", "--quiet", f"ansible-core=={core}.*", "-r", str(requirements)
            )
            stamp.touch()
    return place / "environment" / "bin"


def _run(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stdout}")
