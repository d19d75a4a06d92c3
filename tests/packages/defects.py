# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with a package. Every defect spoils a package on disk that was right before."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from . import builds, portable_executable


class Package:
    """A package on disk.

    :ivar folders: directory of each platform in it.
    :ivar target: the file a defect of one file spoils; others spoil more.
    """

    def __init__(self, folders: dict[str, Path], language: str, target: tuple[str, str], compiler: bool | None) -> None:
        self.folders = folders
        self.language = language
        self.target_platform, self.target_name = target
        self.compiler = compiler

    @property
    def target(self) -> Path:
        return self.folders[self.target_platform] / self.target_name

    def write(self, platform: str, name: str, build: str, *, machine: str | None = None) -> Path:
        """Write one file of a build, with its time. `machine`: platform its header names, the right one by default."""
        file = builds.file(name, platform, language=self.language, build=build)
        content = portable_executable.build(
            name, machine or platform, file.size, seed=file.seed, modified=file.modified, compiler=self.compiler
        )
        path = self.folders[platform] / name
        write(path, content, file.modified)
        return path

    def every(self) -> list[tuple[str, str]]:
        return [(platform, name) for platform in self.folders for name in builds.NAMES]


def write(path: Path, content: bytes, modified: int) -> None:
    """Write a file anew and set its time, seconds since 1970."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    os.utime(path, (modified, modified))


def _rewrite(path: Path, content: bytes) -> None:
    write(path, content, int(path.stat().st_mtime))


def older(package: Package) -> None:
    """All files are of the build before the hotfix; Wuser32.exe for x86 has the size of the hotfix."""
    for platform, name in package.every():
        package.write(platform, name, "older")


def later(package: Package) -> None:
    """All files are of a build after the hotfix."""
    for platform, name in package.every():
        package.write(platform, name, "later")


def restamped(package: Package) -> None:
    """All files are of the build before the hotfix, with the times of the hotfix, as after a copy that did not keep times."""
    for platform, name in package.every():
        os.utime(package.write(platform, name, "older"), (builds.file(name, platform, language=package.language).modified,) * 2)


def old_file(package: Package) -> None:
    """One file is of the build before the hotfix."""
    package.write(package.target_platform, package.target_name, "older")


def swapped(package: Package) -> None:
    """The folders of two platforms are swapped. Needs both."""
    first, second = package.folders.values()
    spare = first.with_name("spare")
    first.rename(spare)
    second.rename(first)
    spare.rename(second)


def wrong_machine(package: Package) -> None:
    """One file is right in name, size and time, and its header names the other platform."""
    other = {"x86": "alpha", "alpha": "x86"}[package.target_platform]
    package.write(package.target_platform, package.target_name, "hotfix", machine=other)


def text(package: Package) -> None:
    """One file is a text, such as some sites put in place of Wuser32.exe."""
    _rewrite(package.target, b"This is not a program.\r\n")


def text_of_size(package: Package) -> None:
    """One file is a text of the right size."""
    size = package.target.stat().st_size
    _rewrite(package.target, (b"This is not a program.\r\n" * (size // 24 + 1))[:size])


def truncated(package: Package) -> None:
    """One file ends after two thirds."""
    content = package.target.read_bytes()
    _rewrite(package.target, content[: len(content) * 2 // 3])


def headless(package: Package) -> None:
    """One file has the right size and a header that is all zeros, as after a copy that was cut off and preallocated."""
    _rewrite(package.target, b"\0" * package.target.stat().st_size)


def empty(package: Package) -> None:
    """One file has no byte."""
    _rewrite(package.target, b"")


def longer(package: Package) -> None:
    """One file has a few bytes more than it should and is otherwise right."""
    _rewrite(package.target, package.target.read_bytes() + b"\0" * 16)


def symlink(package: Package) -> None:
    """One file is a symbolic link to the right content outside the package."""
    elsewhere = package.target.parent.parent.with_name(f"{package.target.parent.parent.name}-elsewhere")
    elsewhere.mkdir(exist_ok=True)
    moved = package.target.rename(elsewhere / package.target.name)
    package.target.symlink_to(moved)


def dangling(package: Package) -> None:
    """One file is a symbolic link to nowhere."""
    package.target.unlink()
    package.target.symlink_to("nowhere.exe")


def unreadable(package: Package) -> None:
    """One file may not be read. Root reads it all the same."""
    package.target.chmod(0)


def directory(package: Package) -> None:
    """In the place of one file is a directory."""
    package.target.unlink()
    package.target.mkdir()


def missing(package: Package) -> None:
    """One file is not there."""
    package.target.unlink()


def no_platform(package: Package) -> None:
    """There is no folder of any platform: the files lie at the top."""
    folder = package.folders[package.target_platform]
    for path in sorted(folder.iterdir()):
        path.rename(folder.parent / path.name)
    for path in package.folders.values():
        for left in path.iterdir():
            left.unlink()
        path.rmdir()


def misnamed(package: Package) -> None:
    """Wchat32.exe has the name that step 2 of the article gives it, Chat32.exe."""
    for folder in package.folders.values():
        (folder / "Wchat32.exe").rename(folder / "Chat32.exe")


def both_names(package: Package) -> None:
    """Wchat32.exe is there, and a copy of it as Chat32.exe."""
    for folder in package.folders.values():
        source = folder / "Wchat32.exe"
        write(folder / "Chat32.exe", source.read_bytes(), int(source.stat().st_mtime))


def upper(package: Package) -> None:
    """All names are in upper case. Not wrong: case does not matter."""
    _rename(package, str.upper)


def lower(package: Package) -> None:
    """All names are in lower case. Not wrong: case does not matter."""
    _rename(package, str.lower)


def twice(package: Package) -> None:
    """One file is there twice, in two spellings, with different content."""
    double = package.target.with_name(package.target_name.upper())
    older_file = builds.file(package.target_name, package.target_platform, build="older")
    content = portable_executable.by_hand(package.target_name, package.target_platform, older_file.size, seed=older_file.seed)
    write(double, content, older_file.modified)


def extra(package: Package) -> None:
    """There is a file that nobody expects."""
    for folder in package.folders.values():
        (folder / "Readme.txt").write_bytes(b"Read me first.\r\n")


def other_clock(package: Package) -> None:
    """All times are those of a clock ten hours ahead. Not wrong: the article's times float."""
    _shift(package, 10 * 3600)


def rounded(package: Package) -> None:
    """All times went through FAT in summer: an hour off, and odd seconds rounded up. Not wrong."""
    _shift(package, 3600 + 2)


def other_day(package: Package) -> None:
    """All times are 25 hours early: beyond what clocks explain."""
    _shift(package, -25 * 3600)


def _rename(package: Package, change: Callable[[str], str]) -> None:
    for folder in package.folders.values():
        for path in sorted(folder.iterdir()):
            path.rename(folder / change(path.name))
        folder.rename(folder.with_name(change(folder.name)))


def _shift(package: Package, seconds: int) -> None:
    for platform, name in package.every():
        path = package.folders[platform] / name
        moved = path.stat().st_mtime + seconds
        os.utime(path, (moved, moved))


DEFECTS: dict[str, Callable[[Package], None]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        older,
        later,
        restamped,
        old_file,
        swapped,
        wrong_machine,
        text,
        text_of_size,
        truncated,
        headless,
        empty,
        longer,
        symlink,
        dangling,
        unreadable,
        directory,
        missing,
        no_platform,
        misnamed,
        both_names,
        upper,
        lower,
        twice,
        extra,
        other_clock,
        rounded,
        other_day,
    )
}
