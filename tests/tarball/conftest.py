# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built collection, installed outside the checkout, with one ansible-core after the other."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cores
from lab.client import Lab
from machine import Machine

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
CALLBACK = CHECKOUT / "tests" / "integration" / "callbacks" / "collect.py"


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection, built from the checkout as it is."""
    directory = tmp_path_factory.mktemp("built")
    galaxy = Path(sys.executable).with_name("ansible-galaxy")
    subprocess.run(
        [galaxy, "collection", "build", "--output-path", directory], cwd=CHECKOUT, stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    (built,) = directory.iterdir()
    return built


@pytest.fixture(scope="session", params=[pytest.param(core, marks=pytest.mark.xdist_group(core)) for core in cores.SUPPORTED])
def machine(request: pytest.FixtureRequest, tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine with the collection installed from the tarball by its own ansible-galaxy."""
    directory = tmp_path_factory.mktemp(f"core-{request.param}")
    (directory / "callbacks").mkdir()
    shutil.copy(CALLBACK, directory / "callbacks")
    shutil.copy(tarball, directory)
    made = Machine(request.param, cores.environment(request.param), directory)
    done = made.run("ansible-galaxy", "collection", "install", "--offline", "-p", str(directory / "collections"), tarball.name)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The fleet of fleet.yml, running."""
    with Lab(HERE / "fleet.yml", directory=tmp_path_factory.mktemp("lab")) as running:
        yield running
