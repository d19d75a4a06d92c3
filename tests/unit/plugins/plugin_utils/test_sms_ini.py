# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sms.ini as clients have it."""

from __future__ import annotations

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._sms_ini import SmsIni, parse
from hypothesis import given
from hypothesis import strategies as st

FULL = (
    b"[SMS]\r\nSiteCode=ABC\r\nCopyListVersion=940711\r\n; comment=no\r\n\r\n[local]\r\nSETUPPHASE = Verifying_Files\r\n"
    b"[Servers]\r\nServer1=\\\\LOGON01\r\nServer2=LOGON02\r\nCurrentLogonServer=LOGON02\r\n"
    b"[WorkstationStatus]\r\nFilesNotDownloaded=wuser32.exe\r\n[SMS Work]\r\nPendingWork=1\r\n"
)


@pytest.mark.parametrize("data", [b"", b"\r\n", b"SetupPhase=installed", b"File not found.", b"\x00\x01\x02"])
def test_what_is_no_ini_file_is_none(data: bytes) -> None:
    assert parse(data) is None


def test_an_empty_section_is_a_file_without_facts() -> None:
    assert parse(b"[SMS]\n") == SmsIni()


def test_everything() -> None:
    found = parse(FULL)
    assert found is not None
    assert (found.phase, found.setup_phase, found.copy_list_version, found.site_code) == (
        "verify_files",
        "Verifying_Files",
        "940711",
        "ABC",
    )
    assert (found.files_not_downloaded, found.logon_server, found.pending_work) == ("wuser32.exe", "LOGON02", "1")
    assert found.logon_servers == ("LOGON01", "LOGON02")


@pytest.mark.parametrize(
    ("text", "phase"),
    [
        ("installed", "installed"),
        (" INSTALLED ", "installed"),
        ("verify_files", "verify_files"),
        ("verifying_files", "verify_files"),
        ("Verify Files", "verify_files"),
        ("deinstal", "deinstall"),
        ("deinstall", "deinstall"),
        ("upgrading", "other"),
        ("", None),
    ],
)
def test_spellings_of_the_phase(text: str, phase: str | None) -> None:
    found = parse(f"[Local]\nSetupPhase={text}\n".encode())
    assert found is not None
    assert found.phase == phase


def test_the_first_entry_counts_and_a_section_may_be_in_two_pieces() -> None:
    found = parse(b"[sms]\nCopyListVersion=\n[Local]\nSetupPhase=installed\n[SMS]\nCopyListVersion=2\nCopyListVersion=3\n")
    assert found is not None
    assert found.copy_list_version == "2"


def test_the_logon_server_wherever_it_stands() -> None:
    found = parse(b"[Local]\r\ncurrentlogonserver=\\\\SRV\r\n")
    assert found is not None
    assert found.logon_server == "SRV"


def test_end_of_file_mark_and_odd_line_ends() -> None:
    found = parse(b"[Local]\rSetupPhase=installed\x1a")
    assert found is not None
    assert found.phase == "installed"


@given(st.binary(max_size=400))
def test_any_bytes_are_read(data: bytes) -> None:
    found = parse(data)
    assert found is None or isinstance(found, SmsIni)
