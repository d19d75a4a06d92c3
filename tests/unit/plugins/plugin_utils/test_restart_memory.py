# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client was restarted for, as it stands in its registry."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _restart_memory
from ansible_collections.sms.helpdesk.plugins.plugin_utils._restart_memory import Mark

KEY = r"HKEY_LOCAL_MACHINE\SOFTWARE\sms.helpdesk.restart"
WHEN = datetime.datetime(2026, 3, 2, 7, 58, 11, 500000, tzinfo=datetime.timezone.utc)


@pytest.mark.parametrize(
    ("printed", "mark"),
    [
        ("", None),
        ("ERROR: The system was unable to find the specified registry key or value.", None),
        (f"\n{KEY}\n    Boot    REG_SZ    {WHEN.isoformat()}\n", None),
        (f"\n{KEY}\n    Boot    REG_SZ    {WHEN.isoformat()}\n    For    REG_SZ    told to update\n", Mark("told to update", WHEN, False)),
        (f"\n{KEY}\n    Boot    REG_SZ    yesterday\n    For    REG_SZ    x\n    Done    REG_SZ    yes\n", Mark("x", None, True)),
    ],
)
def test_what_is_read(printed: str, mark: Mark | None) -> None:
    assert _restart_memory.read(printed) == mark


def test_what_makes_it_count_is_written_last() -> None:
    assert _restart_memory.remember("new agent, copy list 2", WHEN).split(" & ") == [
        r'reg delete "HKLM\SOFTWARE\sms.helpdesk.restart" /f >nul 2>nul',
        rf'reg add "HKLM\SOFTWARE\sms.helpdesk.restart" /v "Boot" /t REG_SZ /d "{WHEN.isoformat()}" /f',
        r'reg add "HKLM\SOFTWARE\sms.helpdesk.restart" /v "For" /t REG_SZ /d "new agent, copy list 2" /f',
    ]


@pytest.mark.parametrize("purpose", ["", " x", 'a"b', "a%b", "a&b", "x" * 101, "a\nb"])
def test_what_a_purpose_cannot_be(purpose: str) -> None:
    assert _restart_memory.PURPOSE.fullmatch(purpose) is None
