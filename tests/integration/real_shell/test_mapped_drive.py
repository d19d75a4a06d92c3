# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upgrade.bat run from a mapped share by Wine's cmd.exe. Wine's `net use` maps nothing, so that alone is stood in for."""

from __future__ import annotations

import datetime
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _upgrade
from ansible_collections.sms.helpdesk.plugins.plugin_utils._registry import Value, add, delete
from wine_client import RealShell, Result

from lab.wine import prefix

KEY = r"HKLM\SOFTWARE\Microsoft\SMS\Client Services\Remote Control"
WHEN = datetime.datetime(2026, 11, 27, 9, 0, 0, tzinfo=datetime.timezone.utc)


class Mapping(RealShell):
    """Gives a directory the letter that `net use` names."""

    host = "wine"

    def __init__(self, place: Path, share: Path) -> None:
        super().__init__(place)
        self._share = share

    def run(self, command: str, deadline: float = 60.0, **_options: t.Any) -> Result:
        """Run a command line; `once` and `limit` are WinRM's."""
        if not command.startswith("net use "):
            return super().run(command, deadline)
        letter = command.split()[2].rstrip(":").lower()
        if "/delete" in command:
            (self.place / "dosdevices" / f"{letter}:").unlink()
        else:
            prefix.map_drive(self.place, letter, self._share)
        return Result(b"", b"", 0)


@pytest.fixture(name="client")
def _client(shell: RealShell, tmp_path: Path) -> Mapping:
    return Mapping(shell.place, tmp_path)


def test_the_script_runs_on_its_own_drive(client: Mapping, tmp_path: Path) -> None:
    """It calls a program beside it by its name alone, which is what fails from elsewhere (Q153303)."""
    (tmp_path / "Upgrade.bat").write_bytes(b"@echo off\r\necho from %cd%\r\ncall beside.bat\r\nexit /b 3\r\n")
    (tmp_path / "beside.bat").write_bytes(b"@echo beside> flagged.txt\r\n")
    with _upgrade.mapped(client, "LOGON01", "SMS_SHR", None) as letter:
        ran = _upgrade.run_script(client, letter, "Upgrade.bat", 30)
    assert (ran.exit_code, ran.stdout.strip(), ran.trouble) == (3, "from S:\\", None)
    assert (tmp_path / "flagged.txt").read_bytes() == b"beside\r\n"
    assert not (client.place / "dosdevices" / "s:").exists()


def test_what_is_kept_is_what_is_there(client: Mapping) -> None:
    client.run(add(KEY, "Override Site CommandLine", Value("REG_DWORD", 1)))
    # ASCII, because Wine's type reads a file in the code page and writes it anew where that of Windows passes bytes on.
    text = b"[Local]\r\nSetupPhase=installed\r\n"
    client.path(r"C:\Sms.ini").write_bytes(text)
    try:
        place = _upgrade.snapshot(client, {"sms_ini": {"path": r"C:\Sms.ini"}, "protocol": {"key": KEY}}, WHEN)
    finally:
        client.path(r"C:\Sms.ini").unlink()
        client.run(delete(r"HKLM\SOFTWARE\Microsoft\SMS"))
    assert place.lower() == r"c:\windows\sms.helpdesk\20261127t090000z"
    assert client.path(f"{place}\\Sms.ini").read_bytes() == text
    assert "Override Site CommandLine" in client.path(f"{place}\\Remote Control.reg").read_text("utf-16")
