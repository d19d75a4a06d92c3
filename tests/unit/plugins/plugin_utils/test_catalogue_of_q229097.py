# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue says what the article says, cell by cell, and where the files go."""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._attribute_table import Size
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.programs import ALPHA, X86, q229097

CATALOGUE = q229097()
# date, time, size, file, platform as the article prints them
ENGLISH = """
03/23/2000 09:27p 649,488 Sightnt.dll  alpha
07/24/1999 01:41a 134,928 Wchat32.exe  alpha
04/07/2000 02:56a 157,968 Wslave32.exe alpha
04/03/2000 11:43p 346,384 Wuser32.exe  alpha
03/23/2000 09:26p 333,008 Sightnt.dll  x86
07/24/1999 01:41a 63,216  Wchat32.exe  x86
04/07/2000 02:54a 77,936  Wslave32.exe x86
04/03/2000 11:41p 170,720 Wuser32.exe  x86
"""
GERMAN = """
03/23/2000 08:27p 649,488 Sightnt.dll  alpha
07/24/1999 12:41a 134,928 Wchat32.exe  alpha
04/07/2000 01:56a 157,968 Wslave32.exe alpha
04/19/2000 00:21a 346,384 Wuser32.exe  alpha
03/23/2000 08:27p 333,008 Sightnt.dll  x86
07/24/1999 12:41a 63,216  Wchat32.exe  x86
04/07/2000 01:54a 77,936  Wslave32.exe x86
04/19/2000 12:20a 170,720 Wuser32.exe  x86
"""


def printed(language: str) -> list[list[str]]:
    return [[row.printed[key] for key in ("date", "time", "size", "file", "platform")] for row in CATALOGUE.tables[language].values()]


@pytest.mark.parametrize(("language", "table"), [("en", ENGLISH), ("de", GERMAN)])
def test_both_tables_as_printed(language: str, table: str) -> None:
    assert printed(language) == [line.split() for line in table.strip().splitlines()]
    assert {row.label for row in CATALOGUE.tables[language].values()} == {"786"}


def test_the_article_itself() -> None:
    """Where the article lies beside the checkout, its rows are those of the catalogue, none more and none less."""
    places = [Path(parent) for parent in (os.environ.get("SMS_HELPDESK_ARTICLES", ""), "../shared/kb", "../../shared/kb") if parent]
    article = next((place / "Q229097.txt" for place in places if (place / "Q229097.txt").is_file()), None)
    if article is None:
        return
    rows = re.findall(r"(\d\d/\d\d/\d{4})\s+(\d\d:\d\d[ap])\s+786\s+([\d,]+)\s+(\S+)\s+(alpha|x86)", article.read_text(encoding="utf-8"))
    assert [list(row) for row in rows] == [*printed("en"), *printed("de")]


def test_no_time_of_a_twelve_hour_clock_is_read_as_after_midnight() -> None:
    assert CATALOGUE.tables["de"]["alpha", "Wuser32.exe"].time == dt.datetime(2000, 4, 19, 0, 21)
    assert CATALOGUE.tables["de"]["x86", "Wuser32.exe"].time == dt.datetime(2000, 4, 19, 0, 20)
    assert CATALOGUE.tables["en"]["x86", "Wuser32.exe"].time == dt.datetime(2000, 4, 3, 23, 41)


def test_where_the_files_go() -> None:
    assert CATALOGUE.directory("administrator", "x86") == r"Site.srv\X86.bin"
    assert CATALOGUE.directory("clients", "alpha") == r"Site.srv\Maincfg.box\Client.src\Alpha.bin"
    assert CATALOGUE.replica("administrator", "x86") is None
    assert CATALOGUE.replica("clients", "x86") == "X86.bin"
    assert {name: file.component for name, file in CATALOGUE.files.items()} == {
        "Sightnt.dll": "administrator",
        "Wchat32.exe": "clients",
        "Wslave32.exe": "clients",
        "Wuser32.exe": "clients",
    }


def test_platforms() -> None:
    assert {name: (platform.folders, platform.machine) for name, platform in CATALOGUE.platforms.items()} == {
        "alpha": (("alpha",), ALPHA),
        "x86": (("x86", "i386", "intel"), X86),
    }
    assert set(CATALOGUE.unfixable) == {"mips"}


def test_what_or_later_means() -> None:
    assert CATALOGUE.tolerance == dt.timedelta(hours=24)
    builds = [(build.article, build.size) for build in CATALOGUE.files["Wuser32.exe"].earlier_builds if build.platform == "x86"]
    # The reason why the size alone proves nothing.
    assert ("Q192788", Size(170_720, 0)) in builds


def test_the_name_the_article_gets_wrong() -> None:
    assert list(CATALOGUE.files["Wchat32.exe"].aliases) == ["Chat32.exe"]


def test_rows_come_for_what_is_asked() -> None:
    assert [row.file for row in CATALOGUE.rows("en", ["x86"], ["administrator"])] == ["Sightnt.dll"]
    assert len(CATALOGUE.rows("de", ["x86", "alpha"], ["administrator", "clients"])) == 8
