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
from ._shares import Entry, Survey, join

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
    survey: Survey,
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
    share = survey.share
    above = (survey.directory(LOGON_DIRECTORY) or "") if replicas else ""
    targets, missing, served = [], [], set()
    unfixable: dict[str, str] = {}
    for component in components:
        template = catalogue.components[component].replica if replicas else catalogue.components[component].directory
        if template is None:
            continue
        for platform in platforms:
            wanted = join(above, template.replace(PLATFORM, catalogue.platforms[platform].directory))
            directory = survey.directory(wanted)
            if directory is None:
                missing.append(share.full(wanted))
                continue
            served.add(platform)
            for row in catalogue.rows(language, [platform], [component]):
                targets.append(_target(survey, row, component, directory))
        for name, (directory_name, message) in catalogue.unfixable.items():
            if directory := survey.directory(join(above, template.replace(PLATFORM, directory_name))):
                unfixable.setdefault(name, f"{share.full(directory)} exists: {message}.")
    order = {(row.platform, row.file): n for n, row in enumerate(catalogue.rows(language, platforms, components))}
    targets.sort(key=lambda target: order[target.row.platform, target.row.file])
    return Destinations(targets, sorted(served), [unfixable[name] for name in sorted(unfixable)], missing)


def _target(survey: Survey, row: Row, component: str, directory: str) -> Target:
    found = survey.find(join(directory, row.file))
    if found is None:
        return Target(row, component, join(directory, row.file), None)
    path = found[0]
    # A directory of NTFS may show an old size and time of a file; the file itself does not.
    entry = survey.share.stat(path)
    if entry is not None and entry.kind != "file":
        kind = "a directory" if entry.kind == "directory" else "a link or another special file"
        raise trouble.ShareTrouble(
            survey.share.host, survey.share.full(path), f"it is {kind} instead of a file", "move it away and run again", "not-a-file"
        )
    return Target(row, component, path, entry)
