# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client whose command lines run in Wine's cmd.exe: the lab's WinRM in front, the model's WMI beside it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from wine_client import HOST, RealShell

from controller import Controller
from lab.client import Lab
from lab.wine import prefix


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[RealShell]:
    """A prefix for all tests of this directory."""
    if not prefix.available():
        pytest.skip("wine64 or gcc-mingw-w64-x86-64-win32 is not installed")
    place = tmp_path_factory.mktemp("wine") / "prefix"
    prefix.create(place)
    try:
        yield RealShell(place)
    finally:
        prefix.end(place)


@pytest.fixture(scope="session")
def lab(shell: RealShell, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    """The client; its Windows 7 is what Wine says it is."""
    fleet = {"hosts": [{"name": HOST, "version": "7", "groups": ["sms_clients"], "wine_prefix": str(shell.place)}]}
    with Lab(fleet, directory=tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
def controller(lab: Lab, tmp_path: Path) -> Controller:
    """A controller for the client."""
    return Controller(tmp_path, lab.inventory)
