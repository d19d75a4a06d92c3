# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Wine prefix: the disk and the registry of a machine whose commands Wine runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

LOADER = "/usr/lib/wine/wine64"
COMPILER = "x86_64-w64-mingw32-gcc"
_SERVER = "/usr/lib/wine/wineserver64"
_LAUNCHER = Path(__file__).with_name("launcher.c")


def available() -> bool:
    """Whether Debian's 64-bit Wine and the compiler of the launcher are installed."""
    return Path(LOADER).exists() and shutil.which(COMPILER) is not None


def environment(prefix: Path) -> dict[str, str]:
    """Variables of a process that runs Wine with this prefix, without a display and without what a user may have set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WINE") and name != "DISPLAY"}
    # Mono and Gecko would be asked for in a dialogue; with another locale Wine reads the command in another code page.
    return {**kept, "WINEPREFIX": str(prefix), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml=", "LC_ALL": "C.UTF-8"}


def create(prefix: Path) -> None:
    """Make a prefix with the launcher in it. Takes some seconds and 0.7 GB.

    :raises subprocess.CalledProcessError: the compiler or Wine gave up.
    """
    prefix.mkdir(parents=True)
    subprocess.run([COMPILER, "-municode", "-O1", "-s", "-o", str(launcher(prefix)), str(_LAUNCHER)], check=True)
    # The services Wine starts keep what they inherit open, so nobody may wait for the end of a pipe here.
    subprocess.run(
        [LOADER, "wineboot", "-i"],
        env=environment(prefix),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )


def end(prefix: Path) -> None:
    """End everything that runs in the prefix, and wait for that."""
    for option in ("-k", "-w"):
        subprocess.run([_SERVER, option], env=environment(prefix), stdin=subprocess.DEVNULL, check=False)


def launcher(prefix: Path) -> Path:
    """Where the launcher lies."""
    return prefix / "launcher.exe"


def on_disk(prefix: Path, path: str) -> Path:
    r"""Where a path such as ``C:\Sms.ini`` lies on this machine."""
    drive, _colon, rest = path.partition(":")
    return prefix / "dosdevices" / f"{drive.lower()}:" / rest.replace("\\", "/").lstrip("/")


def map_drive(prefix: Path, letter: str, directory: Path) -> None:
    """Give a directory of this machine a drive letter, as a mapped share has one."""
    link = prefix / "dosdevices" / f"{letter.lower()}:"
    link.unlink(missing_ok=True)
    link.symlink_to(directory)
