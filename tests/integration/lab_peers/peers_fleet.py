# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts that foreign clients are tried on."""

from __future__ import annotations

from typing import Any

USER, PASSWORD = "helpdesk", "Pa55word!"
USERS = {USER: PASSWORD}

FLEET: dict[str, Any] = {
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
