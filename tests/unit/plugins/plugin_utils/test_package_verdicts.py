# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of every file of a package, each defect in a sentence of its own."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import struct
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import BadInput
from ansible_collections.sms.helpdesk.plugins.plugin_utils._hotfix import FileFacts, Trusted, judge, label, trusted
from ansible_collections.sms.helpdesk.plugins.plugin_utils._package import PackageFile, choose, choose_language, read_package
from ansible_collections.sms.helpdesk.plugins.plugin_utils._portable_executable import read
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.programs import (
    ALPHA,
    X86,
    package,
    program,
    put,
    put_row,
    q229097,
    seconds,
)
from hypothesis import given
from hypothesis import strategies as st

CATALOGUE = q229097()
ROW = CATALOGUE.tables["en"]["x86", "Wuser32.exe"]
DAY = 86_400


def judged(directory: Path, language: str = "en", **arguments: t.Any) -> dict[str, PackageFile]:
    """The files by "platform/name"."""
    files = read_package("pc07", str(directory), CATALOGUE, language, **arguments).files
    return {f"{file.row.platform}/{file.row.file}": file for file in files}


def wuser(directory: Path, **arguments: t.Any) -> tuple[str, str]:
    return judged(directory, **arguments)["x86/Wuser32.exe"].judgement


class TestWhatCannotBeReadAsPackage:
    @pytest.mark.parametrize("name", ["nothing", "file"])
    def test_no_directory(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(BadInput, match=name) as caught:
            judged(tmp_path / name)
        assert caught.value.reason == "package-missing"

    def test_two_folders_for_one_platform(self, tmp_path: Path) -> None:
        (tmp_path / "x86").mkdir()
        (tmp_path / "I386").mkdir()
        with pytest.raises(BadInput, match=r"I386.*x86"):
            judged(tmp_path)

    def test_a_folder_that_is_a_link(self, tmp_path: Path) -> None:
        package(tmp_path / "elsewhere")
        (tmp_path / "package").mkdir()
        (tmp_path / "package" / "x86").symlink_to(tmp_path / "elsewhere" / "x86")
        with pytest.raises(BadInput, match="symbolic link"):
            judged(tmp_path / "package")

    def test_no_folder_of_a_platform_is_told(self, tmp_path: Path) -> None:
        found = read_package("pc07", str(tmp_path), CATALOGUE, "en")
        assert not found.usable
        assert "x86" in found.warnings[0]

    def test_a_language_without_a_table(self) -> None:
        with pytest.raises(BadInput, match=r"language fr.*de, en"):
            choose_language("pc07", CATALOGUE, "fr")

    @pytest.mark.parametrize(("wanted", "word"), [(["mips"], "mips"), ([], "empty"), (["x86", "X86"], "twice")])
    def test_platforms_that_are_none(self, wanted: list[str], word: str) -> None:
        with pytest.raises(BadInput, match=word):
            choose("pc07", "platforms", wanted, CATALOGUE.platforms, "Q229097")


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("folder", ["x86", "I386", "Intel", "X86"])
def test_the_hotfix(tmp_path: Path, language: str, folder: str) -> None:
    found = read_package("pc07", str(package(tmp_path, language, ((("x86"), folder), ("alpha", "ALPHA")))), CATALOGUE, language)
    assert found.usable
    assert {file.judgement.status for file in found.files} == {"match"}
    assert (found.platforms, len(found.files), found.warnings) == (["alpha", "x86"], 8, [])


@pytest.mark.parametrize(
    ("away", "status"),
    [
        (-DAY, "match"),
        (DAY, "match"),
        (-DAY - 1, "older"),
        (DAY + 1, "undetermined"),
        (10 * 3600, "match"),
        (26 * 365 * DAY, "undetermined"),
    ],
)
def test_a_day_of_tolerance_and_no_second_more(tmp_path: Path, away: int, status: str) -> None:
    path = put_row(package(tmp_path) / "x86" / "Wuser32.exe", ROW, X86)
    os.utime(path, (seconds(ROW.time) + away,) * 2)
    assert wuser(tmp_path)[0] == status


def test_the_size_alone_proves_nothing(tmp_path: Path) -> None:
    """The build of October 1998 has the same size; copied without its time it looks late."""
    put(package(tmp_path) / "x86" / "Wuser32.exe", program(170_720, X86, b"\x00"), seconds(dt.datetime(2026, 1, 1)))
    status, message = wuser(tmp_path)
    assert status == "undetermined"
    assert "Q192788" in message
    assert not read_package("pc07", str(tmp_path), CATALOGUE, "en").usable


def test_a_later_build(tmp_path: Path) -> None:
    put(package(tmp_path) / "x86" / "Wuser32.exe", program(171_008), seconds(dt.datetime(2001, 5, 1)))
    assert wuser(tmp_path)[0] == "later"
    assert read_package("pc07", str(tmp_path), CATALOGUE, "en").usable


def test_the_other_languages_file(tmp_path: Path) -> None:
    package(tmp_path, "de")
    status, message = wuser(tmp_path)
    assert status != "match"
    assert "'de'" in message


DEFECTS: dict[str, tuple[bytes, str, str]] = {
    "empty": (b"", "mismatch", "no byte"),
    "text": (b"do not install SMS 2.0 here\r\n" * 100, "mismatch", "text file"),
    "utf-16": (("kein Programm\r\n" * 100).encode("utf-16"), "mismatch", "text file"),
    "truncated": (program(170_720)[:100_000], "mismatch", "cut off"),
    "half a header": (program(170_720)[:70], "mismatch", "cut off"),
    "zeros": (bytes(170_720), "mismatch", "zeros"),
    "sixteen bits": (b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40) + b"NE" + bytes(1000), "mismatch", "16-bit"),
    "noise": (bytes(range(128, 256)) * 100, "mismatch", "no Windows program"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_what_is_no_whole_program(tmp_path: Path, defect: str) -> None:
    content, status, words = DEFECTS[defect]
    put(package(tmp_path) / "x86" / "Wuser32.exe", content, seconds(ROW.time))
    found = wuser(tmp_path)
    assert found[0] == status
    assert words in found[1]


def test_every_defect_has_its_own_sentence(tmp_path: Path) -> None:
    sentences = set()
    for defect, (content, _status, _words) in DEFECTS.items():
        put(package(tmp_path / defect) / "x86" / "Wuser32.exe", content, seconds(ROW.time))
        sentences.add(wuser(tmp_path / defect)[1])
    assert len(sentences) >= len(DEFECTS) - 1  # the two texts are told in the same words


def test_platforms_swapped(tmp_path: Path) -> None:
    package(tmp_path, folders=(("x86", "alpha"), ("alpha", "x86")))
    found = judged(tmp_path)
    assert {file.judgement.status for file in found.values()} == {"mismatch"}
    assert "is a program for alpha" in found["x86/Sightnt.dll"].judgement.message
    assert "is a program for x86" in found["alpha/Sightnt.dll"].judgement.message


def test_a_link_is_told_and_not_followed(tmp_path: Path) -> None:
    path = package(tmp_path / "package") / "x86" / "Wuser32.exe"
    path.rename(tmp_path / "right")
    path.symlink_to(tmp_path / "right")
    assert wuser(tmp_path / "package")[0] == "mismatch"
    assert "symbolic link" in wuser(tmp_path / "package")[1]


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refuse(path: t.Any, *arguments: t.Any, **keywords: t.Any) -> int:
        if str(path).endswith("Wuser32.exe"):
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **keywords)

    package(tmp_path)
    monkeypatch.setattr(os, "open", refuse)
    status, message = wuser(tmp_path)
    assert status == "undetermined"
    assert "cannot be read (Permission denied)" in message


def test_missing_and_misnamed(tmp_path: Path) -> None:
    folder = package(tmp_path) / "x86"
    (folder / "Wslave32.exe").unlink()
    (folder / "Wchat32.exe").rename(folder / "CHAT32.EXE")
    found = judged(tmp_path)
    assert found["x86/Wslave32.exe"].judgement.status == "missing"
    assert found["x86/Wchat32.exe"].judgement.status == "misnamed"
    assert "CHAT32.EXE" in found["x86/Wchat32.exe"].judgement.message
    assert not found["x86/Wchat32.exe"].usable


def test_a_name_twice_in_two_spellings(tmp_path: Path) -> None:
    put_row(package(tmp_path) / "x86" / "WUSER32.EXE", ROW, X86)
    assert "more than once" in wuser(tmp_path)[1]


def test_what_is_not_of_the_hotfix_is_told(tmp_path: Path) -> None:
    put(package(tmp_path) / "x86" / "Readme.txt", b"read", 0)
    (tmp_path / "mips").mkdir()
    warnings = read_package("pc07", str(tmp_path), CATALOGUE, "en").warnings
    assert any("Readme.txt" in text for text in warnings)
    assert any("mips" in text for text in warnings)


def test_only_the_platforms_that_are_asked_for(tmp_path: Path) -> None:
    package(tmp_path, folders=(("x86", "x86"),))
    assert set(judged(tmp_path, platforms=["alpha"])) == {f"alpha/{name}" for name in CATALOGUE.files}
    assert {file.judgement.status for file in judged(tmp_path, platforms=["alpha"]).values()} == {"missing"}


class TestTrustedHashes:
    OLD = program(170_720, X86, b"\x01")

    def put(self, tmp_path: Path) -> str:
        put(package(tmp_path) / "x86" / "Wuser32.exe", self.OLD, seconds(dt.datetime(1998, 10, 5)))
        return hashlib.sha256(self.OLD).hexdigest()

    def test_decides_whatever_the_date_says(self, tmp_path: Path) -> None:
        digest = self.put(tmp_path)
        assert wuser(tmp_path)[0] == "older"
        for value in (digest, [digest.upper()], {"Wuser32.exe": digest}, {r"x86\wuser32.exe": ["0" * 64, digest]}):
            assert wuser(tmp_path, trust=trusted(value, CATALOGUE))[0] == "match"

    def test_another_hash_than_the_one_named_is_wrong(self, tmp_path: Path) -> None:
        package(tmp_path)
        assert wuser(tmp_path, trust=trusted({"x86/Wuser32.exe": "0" * 64}, CATALOGUE))[0] == "mismatch"
        assert wuser(tmp_path, trust=trusted({"alpha/Wuser32.exe": "0" * 64}, CATALOGUE))[0] == "match"

    def test_the_machine_still_counts(self) -> None:
        facts = FileFacts("x", size=1, modified=dt.datetime.now(dt.timezone.utc), sha256="a" * 64, machine=ALPHA)
        assert judge(CATALOGUE, "en", ROW, facts, Trusted(frozenset({"a" * 64}))).status == "mismatch"

    @pytest.mark.parametrize("value", [7, "short", ["0" * 63], {"Other.exe": "0" * 64}, {"mips/Wuser32.exe": "0" * 64}, {"Wuser32.exe": 7}])
    def test_what_is_no_hash(self, value: t.Any) -> None:
        with pytest.raises(ValueError, match=r"."):
            trusted(value, CATALOGUE)


def test_another_product_is_never_later() -> None:
    facts = FileFacts(
        "x", size=272_416, modified=dt.datetime(2001, 1, 1, tzinfo=dt.timezone.utc), machine=X86, file_version="2.0.1493.3009"
    )
    judgement = judge(CATALOGUE, "en", ROW, facts)
    assert judgement.status == "mismatch"
    assert "SMS 2.0" in judgement.message


def test_the_label_of_a_build() -> None:
    def at(year: int, month: int, day: int) -> dt.datetime:
        return dt.datetime(year, month, day, 12, tzinfo=dt.timezone.utc)

    assert label(CATALOGUE, "Wuser32.exe", "x86", 170_720, at(2000, 4, 3)) == "Q229097 (en)"
    assert label(CATALOGUE, "Wuser32.exe", "x86", 170_720, at(1998, 10, 5)) == "Q192788"
    assert label(CATALOGUE, "Wuser32.exe", "x86", 170_720, at(2020, 1, 1)) == "unknown"
    assert label(CATALOGUE, "Wchat32.exe", "x86", 63_216, at(1999, 7, 24)) == "Q229097 (en, de)"


@given(st.binary(max_size=400))
def test_any_content_is_told_and_never_fails(content: bytes) -> None:
    for bytes_there in (content, b"MZ" + content, program()[:200] + content):
        assert read(bytes_there).kind in ("empty", "text", "truncated", "no-program", "program")


@given(st.integers(0, 10**9), st.integers(0, 2**31), st.sampled_from(["en", "de"]), st.sampled_from(sorted(CATALOGUE.tables["en"])))
def test_every_size_and_time_has_a_verdict(size: int, modified: int, language: str, key: tuple[str, str]) -> None:
    row = CATALOGUE.tables[language][key]
    moment = dt.datetime.fromtimestamp(modified, dt.timezone.utc)
    status = judge(CATALOGUE, language, row, FileFacts("x", size=size, modified=moment)).status
    away = moment - row.time.replace(tzinfo=dt.timezone.utc)
    if abs(away) <= CATALOGUE.tolerance:
        assert status == ("match" if size == row.size.bytes else "mismatch")
    else:
        assert status in (("older",) if away < dt.timedelta() else ("later", "undetermined"))
