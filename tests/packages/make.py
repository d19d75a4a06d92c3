# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a package of the hotfix for tests.

The files are PE files of the sizes and times of the article, with a version resource. Those for x86 are linked with mingw-w64 if
it is installed and written by hand otherwise; for alpha the machine field says so. Nothing in them is Microsoft's, and none
of them does anything.

    python3 tests/packages/make.py DIRECTORY [--language de] [--platform x86] [--defect truncated --file Wuser32.exe]
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

if __package__:
    from . import builds, defects, portable_executable
else:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from packages import builds, defects, portable_executable


def make(
    directory: str | Path,
    *,
    language: str = "en",
    platforms: Sequence[str] = builds.PLATFORMS,
    folders: Mapping[str, str] | None = None,
    defect: str | None = None,
    file: str = "Wuser32.exe",
    platform: str | None = None,
    compiler: bool | None = None,
) -> Path:
    """Make a package; folders of platforms that are there are replaced. Returns its directory.

    :param folders: names of the folders of platforms, such as ``{"x86": "I386"}``; the platform's own name by default.
    :param defect: a key of :data:`packages.defects.DEFECTS`.
    :param file: the file that a defect of one file spoils, in the folder of `platform`, the first one by default.
    :param compiler: whether to link with mingw-w64; None: if it is installed.
    :raises KeyError: there is no such language, platform, file or defect.
    """
    root = Path(directory)
    places = {name: root / (folders or {}).get(name, name) for name in platforms}
    package = defects.Package(places, language, (platform or platforms[0], file), compiler)
    spoil = defects.DEFECTS[defect] if defect else None
    root.mkdir(parents=True, exist_ok=True)
    replaced = {place.name.lower() for place in places.values()}
    for old in [path for path in root.iterdir() if path.name.lower() in replaced]:
        shutil.rmtree(old)
    for place in places.values():
        place.mkdir()
    for key, name in package.every():
        package.write(key, name, "hotfix")
    if spoil:
        spoil(package)
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--language", choices=builds.LANGUAGES, default="en")
    parser.add_argument("--platform", choices=builds.PLATFORMS, action="append", help="may be repeated; all by default")
    parser.add_argument(
        "--folder", metavar="PLATFORM=NAME", action="append", default=[], help="name of a platform's folder, such as x86=I386"
    )
    parser.add_argument("--defect", choices=sorted(defects.DEFECTS))
    parser.add_argument("--file", choices=builds.NAMES, default="Wuser32.exe", help="the file that is spoilt")
    parser.add_argument("--list", action="store_true", help="only say what the defects are")
    parser.add_argument("--by-hand", action="store_true", help="do without mingw-w64 even if it is installed")
    options = parser.parse_args(arguments)
    if options.list:
        for name, function in sorted(defects.DEFECTS.items()):
            print(f"{name:15} {(function.__doc__ or '').splitlines()[0]}")
        return 0
    if not options.by_hand and not portable_executable.have_compiler():
        print("mingw-w64 is not installed: the files are written by hand", file=sys.stderr)
    make(
        options.directory,
        language=options.language,
        platforms=tuple(options.platform or builds.PLATFORMS),
        folders=dict(entry.split("=", 1) for entry in options.folder),
        defect=options.defect,
        file=options.file,
        compiler=False if options.by_hand else None,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
