# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client prints about itself."""

from __future__ import annotations

import datetime as dt

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _client_facts
from ansible_collections.sms.helpdesk.plugins.plugin_utils._hotfix import FileFacts, Trusted
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.programs import q229097

UTC = dt.timezone.utc


def printed(*ini: tuple[str, bytes | None], before: bytes = b"", end: bool = True) -> bytes:
    """Output of the command; None is a file that is listed and cannot be read."""
    text = before + b"processor x86 \r\nsms.helpdesk.sms2 \r\n"
    for path, content in ini:
        listed = b"" if content == b"" else b"Sms.ini\r\n"
        text += b"sms.helpdesk.ini " + path.encode() + b" \r\n" + listed + b"sms.helpdesk.content \r\n" + (content or b"") + b"\r\n"
    return text + (b"sms.helpdesk.end\r\n" if end else b"")


class TestOutput:
    @pytest.mark.parametrize("data", [b"", b"\r\n", b"Access is denied.\r\n", b"sms.helpdesk.ini", b"\xff\xfe\x00"])
    def test_nothing_comes_of_nothing(self, data: bytes) -> None:
        found = _client_facts.read_printed(data)
        assert (found.keys, found.ini_files, found.complete, found.sms_2_directory) == ({}, (), False, False)

    def test_a_file_without_a_line_end(self) -> None:
        found = _client_facts.read_printed(printed((r"C:\Sms.ini", b"[Local]\r\nSetupPhase=installed")))
        assert [(each.path, each.facts and each.facts.phase) for each in found.ini_files] == [(r"C:\Sms.ini", "installed")]
        assert found.complete
        assert found.processor == "x86"

    def test_the_same_place_twice_is_one_file_and_a_missing_one_none(self) -> None:
        ini = b"[Local]\nSetupPhase=installed"
        found = _client_facts.read_printed(printed((r"C:\Sms.ini", ini), (r"c:\sms.INI", ini), (r"C:\WINNT\Sms.ini", b"")))
        assert [each.path for each in found.ini_files] == [r"C:\Sms.ini"]

    def test_a_file_that_cannot_be_read_is_there(self) -> None:
        found = _client_facts.read_printed(printed((r"C:\Sms.ini", None)))
        assert [(each.path, each.facts) for each in found.ini_files] == [(r"C:\Sms.ini", None)]

    def test_output_that_was_cut_off_says_so(self) -> None:
        assert not _client_facts.read_printed(printed((r"C:\Sms.ini", b"[SMS]\n"), end=False)).complete

    def test_the_directory_of_sms_2(self) -> None:
        text = printed().replace(b"sms.helpdesk.end", b"clicomp\r\nCORE\r\nsms.helpdesk.end")
        assert _client_facts.read_printed(text).sms_2_directory
        assert not _client_facts.read_printed(text.replace(b"clicomp", b"clicomponents")).sms_2_directory


@pytest.mark.parametrize(
    ("command", "program"),
    [
        (r"C:\WINNT\WUSER32.EXE", r"C:\WINNT\WUSER32.EXE"),
        (r"%SystemRoot%\Wuser32.exe", r"D:\WINNT\Wuser32.exe"),
        (r"%windir%\Wuser32.exe -x", r"D:\WINNT\Wuser32.exe"),
        (r"\SystemRoot\Wuser32.exe", r"D:\WINNT\Wuser32.exe"),
        (r"\??\C:\WINNT\Wuser32.exe", r"C:\WINNT\Wuser32.exe"),
        (r"System32\Wuser32.exe", r"D:\WINNT\System32\Wuser32.exe"),
        (r'"C:\Program Files\SMS\Wuser32.exe" -service', r"C:\Program Files\SMS\Wuser32.exe"),
        (r"C:\Program Files\SMS\Wuser32.exe -service", r"C:\Program Files\SMS\Wuser32.exe"),
        ("", None),
        ("Wuser32", None),
    ],
)
def test_the_program_of_a_service(command: str, program: str | None) -> None:
    assert _client_facts.program_of(command, r"D:\WINNT") == program


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("-IP", ("ip", None)),
        ("-ip -x", ("ip", None)),
        ("-TCP", ("ip", None)),
        ("-L0", ("netbios", 0)),
        ("-l7", ("netbios", 7)),
        ("-IPX", ("ipx", None)),
        ("", (None, None)),
        ("-L", (None, None)),
        ("IP", (None, None)),
    ],
)
def test_the_protocol_of_a_command_line(text: str, found: tuple[str | None, int | None]) -> None:
    assert _client_facts.parse_command_line(text) == found


class TestBuild:
    def judged(self, size: int | None, day: dt.datetime | None, processor: str = "x86") -> str | None:
        facts = FileFacts(r"C:\WINNT\Wuser32.exe", size=size, modified=day)
        return _client_facts.judge_agent(q229097(), "en", Trusted(), facts, processor).verdict

    def test_size_and_date(self) -> None:
        assert self.judged(170_720, dt.datetime(2000, 4, 3, 23, 41, tzinfo=UTC)) == "match"
        assert self.judged(170_720, dt.datetime(1998, 10, 5, tzinfo=UTC)) == "older"
        assert self.judged(170_720, dt.datetime(2020, 1, 1, tzinfo=UTC)) == "undetermined"
        assert self.judged(180_000, dt.datetime(2020, 1, 1, tzinfo=UTC)) == "later"
        assert self.judged(None, None) == "undetermined"

    def test_the_table_of_any_language_may_know_it(self) -> None:
        for table in q229097().tables.values():
            row = table["x86", "Wuser32.exe"]
            assert self.judged(row.size.bytes, row.time.replace(tzinfo=UTC)) == "match"

    def test_an_alpha_has_its_own_table(self) -> None:
        assert self.judged(346_384, dt.datetime(2000, 4, 3, 23, 43, tzinfo=UTC), "ALPHA") == "match"
