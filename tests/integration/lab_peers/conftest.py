# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab for clients that know nothing of this collection. Needs PYTHONPATH=tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from lab.client import Lab

USER, PASSWORD = "helpdesk", "Pa55word!"
USERS = {USER: PASSWORD}

FLEET = {
    "hosts": [
        # As Windows comes: Negotiate only, no clear text.
        {"name": "pc-default", "version": "10", "winrm": {"users": USERS, "https": True}},
        # As many set it up for simple clients.
        {
            "name": "pc-open",
            "version": "2012",
            "winrm": {"users": USERS, "https": True, "authentication": ["basic", "ntlm", "negotiate"], "allow_unencrypted": True},
        },
        {
            "name": "pc-old",
            "version": "2003",
            "winrm": {"users": USERS, "authentication": ["basic", "negotiate"], "allow_unencrypted": True},
        },
        {
            "name": "pc-seven",
            "version": "7",
            "winrm": {"users": USERS, "authentication": ["basic", "negotiate"], "allow_unencrypted": True},
        },
    ]
}


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
