# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A package of a hotfix in a directory of the controller, file by file against the catalogue. Private to the collection."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import os
import stat
import sys
import typing as t
from pathlib import Path

from . import _portable_executable as pe
from ._errors import BadInput
from ._hotfix import USABLE, FileFacts, Judgement, Trusted, judge, machine_name, misnamed
from ._manifest import Catalogue, ManifestError, Row, load
from ._text import printable

_READABLE = "give the controller's user the right to read it"
_BUNDLED = Path(__file__).with_name("hotfixes")
_LARGEST_PROGRAM = 256 * 1024 * 1024
_LARGEST_MANIFEST = 1_000_000


class Content(t.NamedTuple):
    """A file that can be copied: its path, its size in bytes, its hash."""

    path: str
    size: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class PackageFile:
    """One expected file: its row of the table, what was found, and the judgement. `modified_ns` is since 1970."""

    row: Row
    facts: FileFacts | None
    judgement: Judgement
    modified_ns: int = 0

    @property
    def usable(self) -> bool:
        return self.judgement.status in USABLE

    @property
    def content(self) -> Content:
        """What there is to copy.

        :raises ValueError: there is nothing, which is never so for a usable file.
        """
        facts = self.facts
        if facts is None or facts.size is None or facts.sha256 is None:
            raise ValueError(f"there is no {self.row.file} for {self.row.platform} to copy")
        return Content(facts.path, facts.size, facts.sha256)


@dataclasses.dataclass(frozen=True)
class Package:
    """A package that was read.

    :ivar platforms: the platforms that have a folder in it, sorted.
    :ivar files: every expected file of these platforms and of those that were asked for.
    :ivar warnings: what lies in the package and is not looked at.
    """

    path: str
    platforms: list[str]
    files: list[PackageFile]
    warnings: list[str]

    @property
    def usable(self) -> bool:
        """Whether every expected file is the hotfix's or later, and there is at least one."""
        return bool(self.files) and all(file.usable for file in self.files)


def load_catalogue(host: str, hotfix: str) -> Catalogue:
    """A hotfix by its article's number, or a manifest of the user's own by its path on the controller.

    :raises BadInput: there is none, or it is not valid.
    """
    bundled = {path.stem.lower(): path for path in _BUNDLED.glob("*.yml")}
    path = bundled.get(hotfix.lower()) or Path(os.path.expanduser(hotfix))
    thing = f"the hotfix manifest {hotfix}"
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_MANIFEST + 1)
        return load(data.decode("utf-8-sig"))
    except FileNotFoundError:
        known = ", ".join(sorted(name.upper() for name in bundled))
        raise BadInput(host, thing, "there is no such file", f"name one of {known} or the path of a manifest", "manifest-missing") from None
    except OSError as error:
        raise BadInput(host, thing, f"it cannot be read ({error.strerror})", _READABLE, "manifest-unreadable") from None
    except UnicodeDecodeError:
        raise BadInput(host, thing, "it is no UTF-8 text", "save it as UTF-8", "manifest-invalid") from None
    except ManifestError as error:
        raise BadInput(host, thing, printable(str(error)), "correct the manifest", "manifest-invalid") from None


def choose_language(host: str, catalogue: Catalogue, language: str) -> str:
    """The language if the hotfix has a table for it.

    :raises BadInput: it has none.
    """
    if language not in catalogue.tables:
        known = ", ".join(sorted(catalogue.tables))
        raise BadInput(host, f"the language {language}", f"{catalogue.hotfix} has only {known}", "name one of them", "bad-argument")
    return language


def choose(host: str, thing: str, wanted: t.Sequence[str] | None, known: t.Collection[str], hotfix: str) -> list[str] | None:
    """Names of platforms or components, in the spelling of the manifest; None if nothing was asked for.

    :raises BadInput: an empty list, a name twice or a name the manifest does not have.
    """
    if wanted is None:
        return None
    spelling = {name.lower(): name for name in known}
    chosen = []
    for name in wanted:
        if name.lower() not in spelling:
            raise BadInput(
                host, f"the argument {thing}", f"{hotfix} has no {name!r}", f"name some of {', '.join(sorted(known))}", "bad-argument"
            )
        chosen.append(spelling[name.lower()])
    if not chosen or len(set(chosen)) < len(chosen):
        cause = "it is empty" if not chosen else "it has a name twice"
        raise BadInput(host, f"the argument {thing}", cause, f"name some of {', '.join(sorted(known))} or leave it out", "bad-argument")
    return chosen


def read_package(
    host: str,
    path: str,
    catalogue: Catalogue,
    language: str,
    platforms: list[str] | None = None,
    trust: Trusted | None = None,
) -> Package:
    """Read and judge a package.

    :param platforms: judge these, in the package or not; None: those that have a folder in it.
    :raises BadInput: the directory cannot be read, a platform has two folders, or pefile is not installed.
    """
    if pe.MISSING:
        cause = f"the Python library {pe.MISSING} is not installed for {sys.executable}"
        raise BadInput(host, "the controller", cause, "install it with 'python3 -m pip install pefile'", "library-missing")
    root = Path(os.path.expanduser(path))
    folders, warnings = _folders(host, root, catalogue)
    found = sorted(folders)
    if not found:
        wanted = ", ".join(folder for platform in catalogue.platforms.values() for folder in platform.folders)
        warnings.append(f"The package {path} has no folder of a platform ({wanted}); the files have to lie in one for each platform.")
    files = []
    for platform in found if platforms is None else sorted(platforms):
        names = _names(host, folders[platform]) if platform in folders else {}
        rows = catalogue.rows(language, [platform], list(catalogue.components))
        files += [_read_file(folders.get(platform), names, catalogue, language, row, trust) for row in rows]
        # A known wrong name is told with the file that is missing; beside the right one it is just another file.
        aliases = {alias for row in rows if row.file.lower() not in names for alias in catalogue.files[row.file].aliases}
        known = {name.lower() for name in (*(row.file for row in rows), *aliases)}
        extra = ", ".join(sorted(name for key, spellings in names.items() if key not in known for name in spellings)[:10])
        if extra:
            where = f"The package {path} has in its folder {folders[platform].name}"
            warnings.append(f"{where} what {catalogue.hotfix} does not have: {extra}; it is left out.")
    return Package(str(root), found, files, [printable(text, 1000) for text in warnings])


def _folders(host: str, root: Path, catalogue: Catalogue) -> tuple[dict[str, Path], list[str]]:
    thing = f"the package {root}"
    if not root.is_dir():
        cause = "it is no directory" if root.exists() else "there is no such directory"
        next_step = "give the directory on the controller that has a folder for each platform"
        raise BadInput(host, thing, cause, next_step, "package-missing")
    names = {folder: platform.name for platform in catalogue.platforms.values() for folder in platform.folders}
    folders: dict[str, Path] = {}
    warnings = []
    for name in sorted(spelling for spellings in _names(host, root).values() for spelling in spellings):
        platform = names.get(name.lower())
        if platform is None:
            if (root / name).is_dir():
                warnings.append(f"The package {root} has the folder {name}, which is no platform of {catalogue.hotfix}; it is left out.")
        elif platform in folders:
            cause = f"it has two folders for {platform}, {folders[platform].name} and {name}"
            raise BadInput(host, thing, cause, "keep one of them", "package-ambiguous")
        elif (root / name).is_symlink() or not (root / name).is_dir():
            raise BadInput(
                host, thing, f"{name} is no directory or a symbolic link to one", "put the directory itself there", "package-invalid"
            )
        else:
            folders[platform] = root / name
    return folders, warnings


def _names(host: str, directory: Path) -> dict[str, list[str]]:
    """The names in a directory by their lower-case form; a list because the controller tells cases apart."""
    names: dict[str, list[str]] = {}
    try:
        for name in sorted(os.listdir(directory)):
            names.setdefault(name.lower(), []).append(name)
    except OSError as error:
        raise BadInput(
            host, f"the package directory {directory}", f"it cannot be read ({error.strerror})", _READABLE, "package-unreadable"
        ) from None
    return names


def _read_file(
    folder: Path | None, names: dict[str, list[str]], catalogue: Catalogue, language: str, row: Row, trust: Trusted | None
) -> PackageFile:
    spellings = names.get(row.file.lower(), [])
    if folder is None or not spellings:
        for alias, reason in catalogue.files[row.file].aliases.items():
            if folder is not None and alias.lower() in names:
                spelling = names[alias.lower()][0]
                facts, modified_ns = read_facts(folder / spelling)
                return PackageFile(row, facts, misnamed(row, spelling, reason), modified_ns)
        return PackageFile(row, None, judge(catalogue, language, row, None))
    if len(spellings) > 1:
        facts, modified_ns = FileFacts(str(folder / spellings[0]), "ambiguous", ", ".join(spellings)), 0
    else:
        facts, modified_ns = read_facts(folder / spellings[0])
    return PackageFile(row, facts, judge(catalogue, language, row, facts, trust), modified_ns)


def read_facts(path: Path) -> tuple[FileFacts, int]:
    """The facts of one file of the controller, and its time in nanoseconds since 1970. Never fails."""
    name = str(path)
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            return FileFacts(name, "symlink", f"to {os.readlink(path)}"), 0
        if not stat.S_ISREG(status.st_mode):
            return FileFacts(name, "directory" if stat.S_ISDIR(status.st_mode) else "special"), 0
        if status.st_size > _LARGEST_PROGRAM:
            return FileFacts(name, "no-program", f"{status.st_size:,} bytes"), 0
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            content = file.read()
            status = os.fstat(file.fileno())
    except OSError as error:
        return FileFacts(name, "unreadable", error.strerror or type(error).__name__), 0
    program = pe.read(content)
    facts = FileFacts(
        name,
        program.kind,
        program.detail,
        len(content),
        dt.datetime.fromtimestamp(status.st_mtime_ns // 1_000_000_000, dt.timezone.utc),
        hashlib.sha256(content).hexdigest(),
        program.machine,
        program.file_version,
    )
    return facts, status.st_mtime_ns


def describe(package: Package, catalogue: Catalogue) -> list[dict[str, t.Any]]:
    """The files of a package as a module returns them."""
    return [_describe(file, catalogue) for file in package.files]


def _describe(file: PackageFile, catalogue: Catalogue) -> dict[str, t.Any]:
    facts, row = file.facts, file.row
    return {
        "name": row.file,
        "platform": row.platform,
        "component": catalogue.files[row.file].component,
        "path": facts.path if facts else None,
        "status": file.judgement.status,
        "size": facts.size if facts else None,
        "time": facts.modified.isoformat() if facts and facts.modified else None,
        "sha256": facts.sha256 if facts else None,
        "machine": machine_name(facts.machine) if facts and facts.machine is not None else None,
        "file_version": facts.file_version if facts else None,
        "expected": {"size": row.printed["size"], "time": row.time.isoformat(), "label": row.label},
        "message": printable(file.judgement.message, 800),
    }
