# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests of hotfixes: text to a `Catalogue`, or one sentence that says what is wrong. Private to the collection; pure.

docs/hotfix_manifests.md describes the format for those who write one.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

import yaml

from ._attribute_table import Size, parse_date, parse_size, parse_time
from ._windows_names import fault_of_name, fault_of_path

FORMAT = 1
PLATFORM = "{platform}"
_LONGEST = 1_000_000
_LONGEST_TOLERANCE = 168
_OWN_DIRECTORY = "sms.helpdesk"


class ManifestError(ValueError):
    """The text is no manifest this collection can work with; the message is a clause with the place and the value."""


@dataclasses.dataclass(frozen=True)
class Platform:
    """One platform the hotfix has files for.

    :ivar folders: what its folder in a package may be called, lower case.
    :ivar directory: what {platform} stands for in a directory of a server.
    :ivar machine: the machine field of its programs.
    """

    name: str
    folders: tuple[str, ...]
    directory: str
    machine: int


@dataclasses.dataclass(frozen=True)
class Component:
    """Where a group of files goes. `replica` is None where Maintenance Manager copies nothing."""

    name: str
    directory: str
    replica: str | None


@dataclasses.dataclass(frozen=True)
class EarlierBuild:
    """A build of a file that came before the hotfix, with the article that tells of it."""

    date: dt.date
    size: Size
    platform: str
    article: str


@dataclasses.dataclass(frozen=True)
class HotfixFile:
    """One file of the hotfix. `aliases`: wrong names it is known under, and why they are wrong."""

    name: str
    component: str
    aliases: dict[str, str]
    earlier_builds: tuple[EarlierBuild, ...]


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of a table: the printed cells and what they mean.

    :ivar time: the moment in the clock of the table's author; noon if the table has no time.
    :ivar label: the printed version, which for SMS 1.2 is the product's build number.
    """

    file: str
    platform: str
    size: Size
    time: dt.datetime
    label: str
    printed: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """A hotfix: its platforms, files and, by language, its table. The other products are (version prefix, name).

    :ivar tolerance: how far a file's time may be from the table's and still be the same.
    """

    hotfix: str
    title: str
    platforms: dict[str, Platform]
    unfixable: dict[str, tuple[str, str]]
    components: dict[str, Component]
    files: dict[str, HotfixFile]
    other_products: tuple[tuple[str, str], ...]
    tables: dict[str, dict[tuple[str, str], Row]]
    tolerance: dt.timedelta = dt.timedelta(hours=24)

    def directory(self, component: str, platform: str) -> str:
        """The directory of a component's files for one platform, relative to the SMS directory."""
        return self.components[component].directory.replace(PLATFORM, self.platforms[platform].directory)

    def replica(self, component: str, platform: str) -> str | None:
        """The directory of their copies, relative to the directory behind SMS_SHR; None if nothing is copied."""
        replica = self.components[component].replica
        return None if replica is None else replica.replace(PLATFORM, self.platforms[platform].directory)

    def rows(self, language: str, platforms: t.Collection[str], components: t.Collection[str]) -> list[Row]:
        """The expected files, the administrator's side first in the order of the manifest's components, then by table order."""
        order = list(self.components)
        chosen = [
            row for row in self.tables[language].values() if row.platform in platforms and self.files[row.file].component in components
        ]
        return sorted(chosen, key=lambda row: (row.platform, order.index(self.files[row.file].component)))


class _Loader(yaml.SafeLoader):
    """YAML without aliases, which could make a small text endless, and without duplicate keys, which would hide a line."""

    def compose_node(self, parent: t.Any, index: t.Any) -> t.Any:
        if self.check_event(yaml.AliasEvent):
            raise ManifestError(f"line {self.peek_event().start_mark.line + 1} has a YAML alias, which a manifest must not have")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: t.Any, deep: bool = False) -> dict[t.Any, t.Any]:
        seen = set()
        for key_node, _value in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise ManifestError(f"line {key_node.start_mark.line + 1} has the key {key!r}, which is no text")
            if key.lower() in seen:
                raise ManifestError(f"line {key_node.start_mark.line + 1} has the key {key!r} a second time")
            seen.add(key.lower())
        return super().construct_mapping(node, deep=deep)


def load(text: str) -> Catalogue:
    """A manifest as text.

    :raises ManifestError: what is wrong with it.
    """
    if len(text) > _LONGEST:
        raise ManifestError(f"it is longer than {_LONGEST} characters")
    try:
        data = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise ManifestError(f"it is no YAML{where} ({getattr(error, 'problem', None) or 'unreadable'})") from None
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, ManifestError) else ManifestError("it is no YAML") from None
    top = _mapping(
        data,
        "the manifest",
        {"format", "hotfix", "platforms", "components", "files", "tables"},
        {"title", "unfixable_platforms", "other_products", "or_later"},
    )
    if top["format"] != FORMAT or isinstance(top["format"], bool):
        raise ManifestError(f"its format is {top['format']!r}, and this release reads format {FORMAT}")
    hotfix = _name(top["hotfix"], "hotfix")
    platforms = {name: _platform(name, entry) for name, entry in _named(top["platforms"], "platforms").items()}
    components = {name: _component(name, entry) for name, entry in _named(top["components"], "components").items()}
    files = {name: _file(name, entry, components, platforms) for name, entry in _named(top["files"], "files").items()}
    others = _named(top.get("unfixable_platforms", {}), "unfixable_platforms", empty=True)
    unfixable = {name: _unfixable(name, entry, platforms) for name, entry in others.items()}
    _distinct([folder for platform in platforms.values() for folder in platform.folders], "a folder of two platforms")
    directories = [platform.directory for platform in platforms.values()]
    _distinct([*directories, *(directory for directory, _message in unfixable.values())], "a directory of two platforms")
    _distinct([*files, *(alias for file in files.values() for alias in file.aliases)], "a name or alias of two files")
    return Catalogue(
        hotfix,
        _text(top.get("title", hotfix), "title"),
        platforms,
        unfixable,
        components,
        files,
        _other_products(top.get("other_products", [])),
        _tables(top["tables"], files, platforms),
        _tolerance(top.get("or_later", {"tolerance_hours": 24})),
    )


def _mapping(value: t.Any, where: str, required: set[str], optional: t.Collection[str] = ()) -> dict[str, t.Any]:
    if not isinstance(value, dict):
        raise ManifestError(f"{where} is no mapping")
    if missing := sorted(required - set(value)):
        raise ManifestError(f"{where} has no {missing[0]!r}")
    if unknown := sorted(set(value) - required - set(optional)):
        raise ManifestError(f"{where} has {unknown[0]!r}, which format {FORMAT} does not know")
    return value


def _named(value: t.Any, where: str, empty: bool = False) -> dict[str, t.Any]:
    if not isinstance(value, dict) or not (value or empty):
        raise ManifestError(f"{where} is no mapping with at least one entry")
    for name in value:
        _name(name, where)
    return value


def _text(value: t.Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ManifestError(f"{where} is {value!r} instead of one line of text (use quotation marks)")
    return value


def _name(value: t.Any, where: str) -> str:
    text = _text(value, where)
    if fault := fault_of_name(text):
        raise ManifestError(f"{where}: {text!r} {fault}")
    return text


def _items(value: t.Any, where: str) -> list[t.Any]:
    if not isinstance(value, list):
        raise ManifestError(f"{where} is no list")
    return value


def _platform(name: str, entry: t.Any) -> Platform:
    where = f"the platform {name}"
    entry = _mapping(entry, where, {"folders", "directory", "machine"})
    folders = tuple(_name(folder, f"{where}, folders").lower() for folder in _items(entry["folders"], f"{where}, folders"))
    machine = entry["machine"]
    if not folders:
        raise ManifestError(f"{where} has no folder")
    if isinstance(machine, bool) or not isinstance(machine, int) or not 0 < machine <= 0xFFFF:
        raise ManifestError(f"{where} has the machine {machine!r}, which is no number like 0x014c")
    return Platform(name, folders, _name(entry["directory"], f"{where}, directory"), machine)


def _unfixable(name: str, entry: t.Any, platforms: t.Collection[str]) -> tuple[str, str]:
    where = f"the unfixable platform {name}"
    if name in platforms:
        raise ManifestError(f"{where} is also a platform with files")
    entry = _mapping(entry, where, {"directory", "message"})
    return _name(entry["directory"], f"{where}, directory"), _text(entry["message"], f"{where}, message")


def _directory(value: t.Any, where: str) -> str:
    text = _text(value, where)
    if text.count(PLATFORM) != 1:
        raise ManifestError(f"{where}: {text!r} does not have {PLATFORM} once")
    if fault := fault_of_path(text.replace(PLATFORM, "platform")):
        raise ManifestError(f"{where}: {text!r} {fault}, so it could reach outside the SMS directory")
    if text.replace("/", "\\").lower().startswith(_OWN_DIRECTORY):
        raise ManifestError(f"{where}: {text!r} lies where this collection keeps its backups")
    return text.replace("/", "\\")


def _component(name: str, entry: t.Any) -> Component:
    where = f"the component {name}"
    entry = _mapping(entry, where, {"directory"}, {"replica"})
    replica = entry.get("replica")
    return Component(name, _directory(entry["directory"], where), None if replica is None else _directory(replica, f"{where}, replica"))


def _file(name: str, entry: t.Any, components: t.Collection[str], platforms: t.Collection[str]) -> HotfixFile:
    where = f"the file {name}"
    entry = _mapping(entry, where, {"component"}, {"aliases", "earlier_builds"})
    if entry["component"] not in components:
        raise ManifestError(f"{where} has the component {entry['component']!r}, which the manifest does not describe")
    aliases = {
        alias: _text(reason, f"{where}, aliases")
        for alias, reason in _named(entry.get("aliases", {}), f"{where}, aliases", empty=True).items()
    }
    builds = []
    for build in _items(entry.get("earlier_builds", []), f"{where}, earlier_builds"):
        cells = _mapping(build, f"{where}, earlier_builds", {"date", "size", "platform", "article"})
        platform = _known(cells["platform"], platforms, f"{where}, earlier_builds")
        date, size = _cell(parse_date, cells["date"], where), _cell(parse_size, cells["size"], where)
        builds.append(EarlierBuild(date, size, platform, _text(cells["article"], where)))
    return HotfixFile(name, entry["component"], aliases, tuple(builds))


def _other_products(value: t.Any) -> tuple[tuple[str, str], ...]:
    entries = [_mapping(entry, "other_products", {"version", "product"}) for entry in _items(value, "other_products")]
    return tuple((_text(entry["version"], "other_products"), _text(entry["product"], "other_products")) for entry in entries)


def _tolerance(value: t.Any) -> dt.timedelta:
    hours = _mapping(value, "or_later", {"tolerance_hours"})["tolerance_hours"]
    if isinstance(hours, bool) or not isinstance(hours, int) or not 0 <= hours <= _LONGEST_TOLERANCE:
        raise ManifestError(f"or_later has the tolerance_hours {hours!r}, which is no whole number of 0 to {_LONGEST_TOLERANCE}")
    return dt.timedelta(hours=hours)


def _tables(value: t.Any, files: dict[str, HotfixFile], platforms: dict[str, Platform]) -> dict[str, dict[tuple[str, str], Row]]:
    tables = {}
    for language, rows in _named(value, "tables").items():
        table: dict[tuple[str, str], Row] = {}
        for number, entry in enumerate(_items(rows, f"the table {language}"), 1):
            row = _row(entry, f"the table {language}, row {number}", files, platforms)
            if (row.platform, row.file) in table:
                raise ManifestError(f"the table {language} has {row.file} for {row.platform} a second time")
            table[row.platform, row.file] = row
        if not table:
            raise ManifestError(f"the table {language} has no row")
        tables[language] = table
    return tables


def _row(entry: t.Any, where: str, files: t.Collection[str], platforms: t.Collection[str]) -> Row:
    cells = _mapping(entry, where, {"date", "size", "file", "platform"}, {"time", "version"})
    printed = {name: _text(cells[name], f"{where}, {name}") if cells[name] != "" else "" for name in cells}
    file = _known(printed["file"], files, where)
    platform = _known(printed["platform"], platforms, where)
    date, size = _cell(parse_date, printed["date"], where), _cell(parse_size, printed["size"], where)
    time = _cell(parse_time, printed.get("time", ""), where) or dt.time(12)
    return Row(file, platform, size, dt.datetime.combine(date, time), printed.get("version", ""), printed)


def _known(value: t.Any, names: t.Collection[str], where: str) -> str:
    """The spelling of the manifest of a name given in any case."""
    found = next((name for name in names if isinstance(value, str) and name.lower() == value.lower()), None)
    if found is None:
        raise ManifestError(f"{where} has {value!r}, which the manifest does not describe")
    return found


_Parsed = t.TypeVar("_Parsed")


def _cell(parse: t.Callable[[str], _Parsed], value: t.Any, where: str) -> _Parsed:
    try:
        return parse(_text(value, where) if value != "" else "")
    except ManifestError:
        raise
    except ValueError as error:
        raise ManifestError(f"{where}: {error}") from None


def _distinct(names: t.Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise ManifestError(f"{name!r} is {what}")
        seen.add(name.lower())
