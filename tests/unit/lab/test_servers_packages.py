# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages for tests: what is in them is what the article says, and each defect is the one it claims to be."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pefile
import pytest

from packages import builds, defects, portable_executable
from packages.make import make

MAKE = Path(__file__).resolve().parents[2] / "packages" / "make.py"
NO_COMPILER = pytest.mark.skipif(not portable_executable.have_compiler(), reason="mingw-w64 is not installed")
COMPILERS = [pytest.param(False, id="by-hand"), pytest.param(True, id="mingw", marks=NO_COMPILER)]

# Q229097, as it is printed there: date, time, size, name, platform.
ENGLISH = """
03/23/2000  09:27p  786      649,488  Sightnt.dll   alpha
07/24/1999  01:41a  786      134,928  Wchat32.exe   alpha
04/07/2000  02:56a  786      157,968  Wslave32.exe  alpha
04/03/2000  11:43p  786      346,384  Wuser32.exe   alpha
03/23/2000  09:26p  786      333,008  Sightnt.dll   x86
07/24/1999  01:41a  786       63,216  Wchat32.exe   x86
04/07/2000  02:54a  786       77,936  Wslave32.exe  x86
04/03/2000  11:41p  786      170,720  Wuser32.exe   x86
"""
GERMAN = """
03/23/2000  08:27p  786      649,488  Sightnt.dll   alpha
07/24/1999  12:41a  786      134,928  Wchat32.exe   alpha
04/07/2000  01:56a  786      157,968  Wslave32.exe  alpha
04/19/2000  00:21a  786      346,384  Wuser32.exe   alpha
03/23/2000  08:27p  786      333,008  Sightnt.dll   x86
07/24/1999  12:41a  786       63,216  Wchat32.exe   x86
04/07/2000  01:54a  786       77,936  Wslave32.exe  x86
04/19/2000  12:20a  786      170,720  Wuser32.exe   x86
"""


def printed(table: str) -> dict[str, tuple[int, int]]:
    """Size and time of every file of a printed table, by platform/name."""
    found = {}
    for date, clock, _version, size, name, platform in (line.split() for line in table.strip().splitlines()):
        month, day, year = date.split("/")
        hour = int(clock[:2]) % 12 + (12 if clock.endswith("p") else 0)
        modified = builds.seconds(f"{year}-{month}-{day} {hour:02}:{clock[3:5]}")
        found[f"{platform}/{name}"] = (int(size.replace(",", "")), modified)
    return found


def listing(package: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file of a package, by folder/name."""
    stats = {path.relative_to(package).as_posix(): path.stat() for path in package.glob("*/*")}
    return {name: (stat.st_size, int(stat.st_mtime)) for name, stat in stats.items()}


def contents(package: Path) -> dict[str, str]:
    return {path.relative_to(package).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in package.glob("*/*")}


@pytest.fixture
def right(tmp_path: Path) -> Path:
    return make(tmp_path / "right", compiler=False)


def spoilt(tmp_path: Path, defect: str, **options: Any) -> Path:
    return make(tmp_path / "package", defect=defect, compiler=False, **options)


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize(("language", "table"), [("en", ENGLISH), ("de", GERMAN)])
def test_sizes_and_times_are_the_printed_ones(tmp_path: Path, language: str, table: str, compiler: bool) -> None:
    package = make(tmp_path / "package", language=language, compiler=compiler)
    assert listing(package) == printed(table)


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("build", builds.BUILDS)
def test_every_file_is_a_whole_pe_file(build: str, compiler: bool) -> None:
    for platform in builds.PLATFORMS:
        for name in builds.NAMES:
            file = builds.file(name, platform, build=build)
            content = portable_executable.build(name, platform, file.size, seed=file.seed, modified=file.modified, compiler=compiler)
            image = pefile.PE(data=content)
            fixed = image.VS_FIXEDFILEINFO[0]
            strings = next(block for block in image.FileInfo[0] if block.Key == b"StringFileInfo").StringTable[0].entries
            assert len(content) == file.size
            assert image.FILE_HEADER.Machine == {"x86": 0x14C, "alpha": 0x184}[platform]
            assert image.FILE_HEADER.TimeDateStamp == file.modified
            assert image.is_dll() == (name == "Sightnt.dll")
            assert (fixed.FileVersionMS, fixed.FileVersionLS) == (0x10002, 0)
            assert strings[b"OriginalFilename"].decode() == name
            assert not any(b"microsoft" in text.lower() for text in strings.values())
            assert image.verify_checksum()
            assert image.get_warnings() == []
            # Sections fill the file up to what cannot be a section: so a file that was cut off shows as such.
            assert 0 <= file.size - max(section.PointerToRawData + section.SizeOfRawData for section in image.sections) < 0x200


@pytest.mark.parametrize("make_file", [portable_executable.by_hand, pytest.param(portable_executable.linked, marks=NO_COMPILER)])
def test_making_it_again_gives_the_same_bytes(make_file: Callable[..., bytes]) -> None:
    first, second = (make_file("Wuser32.exe", "x86", 170_720, seed="seed", modified=954_805_260) for _turn in range(2))
    assert first == second != make_file("Wuser32.exe", "x86", 170_720, seed="another", modified=954_805_260)


def test_builds_of_the_same_size_differ(tmp_path: Path, right: Path) -> None:
    package = spoilt(tmp_path, "older")
    assert listing(package)["x86/Wuser32.exe"] == (170_720, builds.seconds("1998-10-05 16:04"))
    assert set(contents(package).values()).isdisjoint(contents(right).values())


def test_languages_share_all_but_wuser32(tmp_path: Path, right: Path) -> None:
    """But for the link time in the header and the checksum."""
    german = make(tmp_path / "german", language="de", compiler=False)
    same = {
        path.relative_to(right).as_posix()
        for path in right.glob("*/*")
        if path.read_bytes()[0x400:] == (german / path.relative_to(right)).read_bytes()[0x400:]
    }
    assert same == {f"{platform}/{name}" for platform in builds.PLATFORMS for name in builds.NAMES if name != "Wuser32.exe"}


@pytest.mark.parametrize("defect", ["upper", "lower"])
def test_case_alone_changes(tmp_path: Path, right: Path, defect: str) -> None:
    package = spoilt(tmp_path, defect)
    change = getattr(str, defect)
    assert contents(package) == {change(name): digest for name, digest in contents(right).items()}
    assert listing(package) == {change(name): entry for name, entry in listing(right).items()}


@pytest.mark.parametrize("defect", ["text", "text-of-size", "truncated", "headless", "empty", "longer", "wrong-machine", "old-file"])
def test_one_file_is_spoilt(tmp_path: Path, right: Path, defect: str) -> None:
    package = spoilt(tmp_path, defect, file="Wslave32.exe", platform="alpha")
    before, after = contents(right), contents(package)
    assert {name for name in before if before[name] != after.get(name)} == {"alpha/Wslave32.exe"}
    size, modified = listing(package)["alpha/Wslave32.exe"]
    same_size = size == listing(right)["alpha/Wslave32.exe"][0]
    assert same_size == (defect in ("text-of-size", "headless", "wrong-machine"))
    # What tells it is the content: but for the old file the time is right.
    assert (modified == listing(right)["alpha/Wslave32.exe"][1]) == (defect != "old-file")


def test_truncated_is_no_whole_pe_file(tmp_path: Path) -> None:
    path = spoilt(tmp_path, "truncated") / "x86" / "Wuser32.exe"
    image = pefile.PE(str(path))
    assert max(section.PointerToRawData + section.SizeOfRawData for section in image.sections) > path.stat().st_size


def test_wrong_machine_and_swapped(tmp_path: Path, right: Path) -> None:
    wrong = spoilt(tmp_path, "wrong-machine")
    assert pefile.PE(str(wrong / "x86" / "Wuser32.exe")).FILE_HEADER.Machine == 0x184
    swapped = spoilt(tmp_path, "swapped")
    assert (swapped / "x86" / "Wuser32.exe").read_bytes() == (right / "alpha" / "Wuser32.exe").read_bytes()
    assert (swapped / "alpha" / "Wuser32.exe").read_bytes() == (right / "x86" / "Wuser32.exe").read_bytes()
    assert sorted(path.name for path in swapped.iterdir()) == ["alpha", "x86"]


@pytest.mark.parametrize(("defect", "seconds"), [("other-clock", 36_000), ("rounded", 3_602), ("other-day", -90_000)])
def test_times_alone_change(tmp_path: Path, right: Path, defect: str, seconds: int) -> None:
    package = spoilt(tmp_path, defect)
    assert contents(package) == contents(right)
    assert listing(package) == {name: (size, modified + seconds) for name, (size, modified) in listing(right).items()}


def test_restamped_has_old_content_and_new_time(tmp_path: Path, right: Path) -> None:
    package = spoilt(tmp_path, "restamped")
    assert contents(package) == contents(make(tmp_path / "older", defect="older", compiler=False))
    assert {name: entry[1] for name, entry in listing(package).items()} == {name: entry[1] for name, entry in listing(right).items()}


def test_names(tmp_path: Path, right: Path) -> None:
    wchat = contents(right)["x86/Wchat32.exe"]
    misnamed = contents(spoilt(tmp_path, "misnamed"))
    assert misnamed["x86/Chat32.exe"] == wchat and "x86/Wchat32.exe" not in misnamed
    both = contents(spoilt(tmp_path, "both-names"))
    assert both["x86/Chat32.exe"] == both["x86/Wchat32.exe"] == wchat
    twice = contents(spoilt(tmp_path, "twice"))
    assert twice["x86/WUSER32.EXE"] != twice["x86/Wuser32.exe"] == contents(right)["x86/Wuser32.exe"]
    assert "x86/Wuser32.exe" not in contents(spoilt(tmp_path, "missing"))
    assert "x86/Readme.txt" in contents(spoilt(tmp_path, "extra"))
    flat = spoilt(tmp_path, "no-platform")
    assert sorted(path.name for path in flat.iterdir()) == sorted(builds.NAMES)


def test_what_is_no_plain_file(tmp_path: Path, right: Path) -> None:
    link = spoilt(tmp_path, "symlink") / "x86" / "Wuser32.exe"
    assert link.is_symlink() and link.read_bytes() == (right / "x86" / "Wuser32.exe").read_bytes()
    assert not link.resolve().is_relative_to(link.parents[1])
    dangling = spoilt(tmp_path, "dangling") / "x86" / "Wuser32.exe"
    assert dangling.is_symlink() and not dangling.exists()
    assert (spoilt(tmp_path, "directory") / "x86" / "Wuser32.exe").is_dir()
    assert (spoilt(tmp_path, "unreadable") / "x86" / "Wuser32.exe").stat().st_mode & 0o777 == 0


@pytest.mark.parametrize("defect", sorted(defects.DEFECTS))
def test_a_package_can_be_made_over_any_other(tmp_path: Path, right: Path, defect: str) -> None:
    package = spoilt(tmp_path, defect)
    make(package, compiler=False)
    assert contents(package) == contents(right) and listing(package) == listing(right)


def test_command_line(tmp_path: Path) -> None:
    command = [sys.executable, str(MAKE), str(tmp_path / "package"), "--language", "de", "--platform", "x86", "--folder", "x86=I386"]
    subprocess.run([*command, "--by-hand"], check=True, cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    made = make(tmp_path / "same", language="de", platforms=["x86"], folders={"x86": "I386"}, compiler=False)
    assert contents(tmp_path / "package") == contents(made)
    assert {name.split("/")[0] for name in contents(made)} == {"I386"}
    wrong = subprocess.run([*command, "--defect", "unheard-of"], check=False, capture_output=True, text=True)
    assert wrong.returncode == 2 and "unheard-of" in wrong.stderr
