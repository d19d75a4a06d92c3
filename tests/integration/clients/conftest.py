# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet of fleet.yml, running once for all tests of this directory, and a controller for each test."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from controller import Controller
from lab.client import Lab

FLEET = Path(__file__).with_name("fleet.yml")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    """The fleet, running."""
    with Lab(FLEET, directory=tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
def controller(lab: Lab, tmp_path: Path) -> Controller:
    """A controller for the lab."""
    return Controller(tmp_path, lab.inventory)
