# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab for clients that know nothing of this collection. Needs PYTHONPATH=tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from peers_fleet import FLEET

from lab.client import Lab


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    with Lab(FLEET) as running:
        yield running


@pytest.fixture
def program() -> Callable[[str, str], str]:
    """Path of a program of a Debian package; a test that needs it fails in CI and is skipped elsewhere if it is missing."""

    def find(name: str, package: str) -> str:
        path = shutil.which(name)
        if path is None:
            message = f"{name} is missing: apt-get install {package}"
            if os.environ.get("CI") == "true" or os.environ.get("SMS_HELPDESK_STRICT") == "1":
                pytest.fail(message)
            pytest.skip(message)
        return path

    return find
