# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept in a client's registry, written and read by Wine's reg.exe.

Wine's sc has neither qc nor config, so start types cannot be judged here.
"""

from __future__ import annotations

from ansible_collections.sms.helpdesk.plugins.plugin_utils._service import Memory, Service, ServiceControl
from wine_client import RealShell


def test_a_service_is_remembered_and_forgotten(shell: RealShell) -> None:
    control = ServiceControl(shell, "Wuser32", 10.0)
    assert control.remembered() is None
    control.remember(Service("Wuser32", True, "Manual", "Running"))
    assert control.remembered() == Memory("Manual", "Running")
    control.forget()
    assert control.remembered() is None


def test_an_interrupted_note_counts_as_none(shell: RealShell) -> None:
    control = ServiceControl(shell, "Wuser32", 10.0)
    shell.run(r'reg add "HKLM\SOFTWARE\sms.helpdesk.Wuser32" /v StartMode /t REG_SZ /d Auto /f')
    assert control.remembered() is None
    control.forget()


def test_a_delayed_start_is_remembered_as_such(shell: RealShell) -> None:
    control = ServiceControl(shell, "Delayed", 10.0)
    shell.run(r'reg add "HKLM\SYSTEM\CurrentControlSet\Services\Delayed" /v DelayedAutostart /t REG_DWORD /d 1 /f')
    control.remember(Service("Delayed", True, "Auto", "Stopped"))
    assert control.remembered() == Memory("Auto", "Stopped", delayed=True)
    control.forget()
