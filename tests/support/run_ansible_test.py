# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test where nothing but a package index can be reached: ``run_ansible_test.py --report DIRECTORY sanity ...``.

Runs in the current directory, with the Python that runs it, and copies the JUnit files to the directory.

Every sanity test gets a virtual environment of its own, without pip. To put pip in, ansible-test fetches a script from a
server of the Ansible project, unless ``~/.ansible/test/cache/get_pip_<version>.py`` is there already: its own error message names
that file and asks to put the script there. Here it is made from the wheel of the very same version of pip, which comes from the
package index like everything else. All of it happens in a home directory of its own below ``.build``.

ansible-test also hands none of the ``PIP_*`` variables on, so the settings that are in force go into the pip.conf of that home.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import cores

CHECKOUT = Path(__file__).resolve().parents[2]
HOME = CHECKOUT / ".build" / "ansible-test"
RESULTS = Path("tests/output/junit")
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"

BOOTSTRAP = '''\
"""Installs pip from the wheel beside this file. Takes the arguments of get-pip."""
import pathlib
import runpy
import sys

place = pathlib.Path(__file__).parent
sys.path.insert(0, str(place / {wheel!r}))
wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.argv[1:] = ["install", "--find-links", str(place), *wanted]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
'''


def pip(*arguments: str) -> str:
    """Output of pip of this environment."""
    return subprocess.run([sys.executable, "-m", "pip", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def pip_version() -> str:
    """The version of pip that the installed ansible-test bootstraps."""
    from ansible_test._internal.python_requirements import get_venv_packages

    return get_venv_packages(types.SimpleNamespace(version=PYTHON))["pip"]


def write_bootstrap(home: Path, version: str) -> None:
    """Put the script and its wheel where ansible-test looks."""
    cache = home / ".ansible" / "test" / "cache"
    script = cache / f"get_pip_{version.replace('.', '_')}.py"
    if script.exists():
        return
    cache.mkdir(parents=True, exist_ok=True)
    pip("download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(cache), f"pip=={version}")
    script.write_text(BOOTSTRAP.format(wheel=f"pip-{version}-py3-none-any.whl"), encoding="utf-8")


def pip_settings(listed: str) -> dict[str, dict[str, str]]:
    """Sections and settings out of ``pip config list``, where a variable of the environment wins over a file.

    :param listed: lines such as ``global.index-url='https://...'`` and ``:env:.index-url='https://...'``.
    """
    sections: dict[str, dict[str, str]] = {}
    for line in sorted(listed.splitlines(), key=lambda line: line.startswith(":env:")):
        name, value = line.split("=", 1)
        section, key = name.rsplit(".", 1)
        sections.setdefault("global" if section == ":env:" else section, {})[key] = ast.literal_eval(value)
    return sections


def write_pip_configuration(home: Path) -> None:
    """Give the home the settings of pip that are in force, and the cache."""
    sections = pip_settings(pip("config", "list"))
    sections.setdefault("global", {})["cache-dir"] = pip("cache", "dir").strip()
    lines: list[str] = []
    for section, settings in sections.items():
        lines.append(f"[{section}]")
        lines += [f"{key} = " + "\n    ".join(value.split()) for key, value in settings.items()]
    path = home / ".config" / "pip" / "pip.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Exit status of ansible-test."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--report", required=True, type=Path)
    parser.add_argument("command", choices=["sanity", "units"])
    parser.add_argument("--core", help="another ansible-core than that of the environment this runs in")
    known, rest = parser.parse_known_args(arguments)
    if known.core:
        other = cores.environment(known.core) / "python"
        again = [str(other), __file__, "--report", str(known.report), known.command, *rest]
        return subprocess.run(again, stdin=subprocess.DEVNULL, check=False).returncode
    write_pip_configuration(HOME)
    write_bootstrap(HOME, pip_version())
    shutil.rmtree(RESULTS, ignore_errors=True)
    binaries = Path(sys.executable).parent
    environment = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"}}
    environment |= {"HOME": str(HOME), "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
    command = [str(binaries / "ansible-test"), known.command, "--python", PYTHON, *rest]
    status = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
    shutil.copytree(RESULTS, known.report, dirs_exist_ok=True)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
