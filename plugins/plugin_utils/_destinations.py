# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where on a server the files of a hotfix go. Private to the collection.

Only into directories that exist, and under the names they have there.
"""

from __future__ import annotations

import dataclasses
import typing as t

from . import _share_trouble as trouble
from ._manifest import PLATFORM, Catalogue, Row
from ._shares import Entry, Share, join, split

LOGON_DIRECTORY = "Logon.srv"


@dataclasses.dataclass(frozen=True)
class Target:
    """One file of the hotfix on one server.

    :ivar path: relative to the root; the existing spelling, or the manifest's for a file that is not there.
    :ivar entry: what is there, None for nothing.
    """

    row: Row
    component: str
    path: str
    entry: Entry | None


@dataclasses.dataclass(frozen=True)
class Destinations:
    """What a server has.

    :ivar platforms: the platforms that have a directory there, sorted.
    :ivar unfixable: one sentence for each platform that exists there and has no files.
    :ivar missing: directories of the hotfix that are not there, as full paths.
    """

    targets: list[Target]
    platforms: list[str]
    unfixable: list[str]
    missing: list[str]


def find(
    share: Share,
    catalogue: Catalogue,
    language: str,
    platforms: t.Sequence[str],
    components: t.Sequence[str],
    replicas: bool = False,
) -> Destinations:
    """Look for the directories and files on a server.

    :param replicas: look at a logon server; its root may be the directory behind SMS_SHR or the one above it.
    :raises ShareTrouble: the server does not answer, or a target is no file.
    """
    locate = _Locator(share)
    above = ""
    if replicas and (found := share.locate(LOGON_DIRECTORY)):
        above = found
    targets, missing, served = [], [], set()
    unfixable: dict[str, str] = {}
    for component in components:
        template = catalogue.components[component].replica if replicas else catalogue.components[component].directory
        if template is None:
            continue
        for platform in platforms:
            wanted = join(above, template.replace(PLATFORM, catalogue.platforms[platform].directory))
            directory = locate(wanted)
            if directory is None:
                missing.append(share.full(wanted))
                continue
            served.add(platform)
            for row in catalogue.rows(language, [platform], [component]):
                path = share.locate(join(directory, row.file)) or join(directory, row.file)
                targets.append(Target(row, component, path, _file(share, path)))
        for name, (directory_name, message) in catalogue.unfixable.items():
            if directory := locate(join(above, template.replace(PLATFORM, directory_name))):
                unfixable.setdefault(name, f"{share.full(directory)} exists: {message}.")
    order = {(row.platform, row.file): n for n, row in enumerate(catalogue.rows(language, platforms, components))}
    targets.sort(key=lambda target: order[target.row.platform, target.row.file])
    return Destinations(targets, sorted(served), [unfixable[name] for name in sorted(unfixable)], missing)


def _file(share: Share, path: str) -> Entry | None:
    entry = share.stat(path)
    if entry is not None and entry.kind != "file":
        kind = "a directory" if entry.kind == "directory" else "a link or another special file"
        raise trouble.ShareTrouble(
            share.host, share.full(path), f"it is {kind} instead of a file", "move it away and run again", "not-a-file"
        )
    return entry


class _Locator:
    """`Share.locate` for directories, each looked up once."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._known: dict[str, str | None] = {"": ""}

    def __call__(self, path: str) -> str | None:
        key = path.lower()
        if key not in self._known:
            *parents, name = split(path)
            parent = self(join(*parents))
            found = None if parent is None else self._child(parent, name)
            self._known[key] = found
        return self._known[key]

    def _child(self, parent: str, name: str) -> str | None:
        spellings = [spelling for spelling, directory in self._share.names(parent, name).items() if directory]
        if len(spellings) > 1:
            raise trouble.ShareTrouble(
                self._share.host,
                self._share.full(join(parent, name)),
                "it is there more than once, in different spellings",
                "keep one of them",
                "ambiguous-name",
            )
        return join(parent, spellings[0]) if spellings else None
