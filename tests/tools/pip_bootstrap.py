# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put pip into the empty virtual environments of `ansible-test sanity`, from Python's own `ensurepip`.

ansible-test looks for a bootstrap script in its cache before it downloads one from the internet. Run with a home
directory, this file copies itself there under the name ansible-test expects; run by ansible-test, it takes the pip
that comes with Python and lets that install the version asked for from the configured package index.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys


def place(home: pathlib.Path) -> pathlib.Path:
    """Copy this file into the cache of ansible-test below `home`; returns where it lies now."""
    from ansible_test._internal.python_requirements import get_venv_packages
    from ansible_test._internal.util import version_to_str

    class Python:
        version = version_to_str(sys.version_info[:2])

    version = get_venv_packages(Python())["pip"].replace(".", "_")  # type: ignore[arg-type]
    target = home / ".ansible" / "test" / "cache" / f"get_pip_{version}.py"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(pathlib.Path(__file__).read_text(encoding="utf-8"), encoding="utf-8")
    return target


def bootstrap(arguments: list[str]) -> int:
    """What get-pip does: install the packages named on its command line."""
    subprocess.run([sys.executable, "-m", "ensurepip", "--default-pip"], check=True, stdout=subprocess.DEVNULL)
    known = [argument for argument in arguments if argument not in ("--no-setuptools", "--no-wheel")]
    return subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *known], check=False).returncode


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--place":
        print(place(pathlib.Path(sys.argv[2])))
    else:
        sys.exit(bootstrap(sys.argv[1:]))
