# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the files of a hotfix have got on the logon servers. Private to the collection.

Maintenance Manager copies them in its own time and leaves no mark when it is done (Q166771, Q200747), so the copies are
compared by content, on every server, until they are equal or the time is up.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import time
import typing as t

from . import _share_trouble as trouble
from ._destinations import LOGON_DIRECTORY, find
from ._errors import HelpdeskError
from ._hotfix import label
from ._manifest import Catalogue, Row
from ._package import Package
from ._plan import moment
from ._shares import Entry, Share, Survey, join

_AT_ONCE = 16
_NAMED = 10

# What keeps a logon server behind, by article; domain knowledge no message of Maintenance Manager tells on its own.
CAUSES = (
    "Maintenance Manager works in cycles, and on large sites an update of the logon servers takes a day or more (Q200747): wait longer.",
    'It leaves out a server whose disk it takes for full: look for "Free disk space check failed" in Logs\\Maintman.log on the site server '
    "(Q200769).",
    'It hangs in a message box such as "Lost Delayed-Write Data" (Q168460), or behind thousands of .tmp files in Inventry.box (Q181630): '
    "look at the site server's screen and restart SMS_EXECUTIVE.",
    "A file that somebody has open on the logon server is not replaced (Q164901): close what holds it.",
    "It serves the logon servers of its own site only (Q166771): stage the hotfix on the server's own site server too.",
    "A site server with Windows NT 3.51 cannot check the disks of logon servers with NT 4.0, error 144 (Q200769).",
)


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What a logon server should have of one file. `version` is (bytes, sha256), or None if the site server has no such file."""

    row: Row
    component: str
    version: tuple[int, str] | None


@dataclasses.dataclass(frozen=True)
class Found:
    """What a logon server has of one file. `status`: replicated, stale, missing."""

    wanted: Wanted
    path: str
    status: str
    message: str
    entry: Entry | None = None
    sha256: str | None = None


@dataclasses.dataclass
class Server:
    """One logon server: its name in the inventory, its root for people, and how to get at it."""

    name: str
    root: str
    connect: t.Callable[[], Share]
    files: list[Found] = dataclasses.field(default_factory=list)
    error: HelpdeskError | None = None
    hashes: dict[str, tuple[Entry, str]] = dataclasses.field(default_factory=dict)

    @property
    def done(self) -> int:
        return sum(file.status == "replicated" for file in self.files)

    @property
    def status(self) -> str:
        """The worst of its files: replicated, stale, missing; or unreachable if it could not be looked at."""
        if self.error is not None or not self.files:
            return "unreachable"
        found = {file.status for file in self.files}
        return next(status for status in ("missing", "stale", "replicated") if status in found)


def of_package(catalogue: Catalogue, package: Package) -> list[Wanted]:
    """What the logon servers should have by a package: everything that Maintenance Manager copies."""
    return [
        Wanted(file.row, component, (file.content.size, file.content.sha256))
        for file in package.files
        for component in [catalogue.files[file.row.file].component]
        if catalogue.components[component].replica
    ]


def of_site(share: Share, catalogue: Catalogue, language: str, platforms: t.Sequence[str]) -> list[Wanted]:
    """What the logon servers should have by what is on their site server.

    :raises ShareTrouble: the site server does not answer, or has none of the directories.
    """
    components = [name for name, component in catalogue.components.items() if component.replica]
    destinations = find(Survey(share), catalogue, language, platforms, components)
    if not destinations.targets:
        raise trouble.ShareTrouble(
            share.host,
            share.root,
            f"none of the directories of {catalogue.hotfix} is there",
            "check site_root: it has to be the SMS directory of the site server",
            "path-not-found",
        )
    return [
        Wanted(target.row, target.component, None if target.entry is None else (target.entry.size, share.digest(target.path)))
        for target in destinations.targets
    ]


def look(server: Server, catalogue: Catalogue, wanted: t.Sequence[Wanted]) -> None:
    """Look at a logon server once; what was found is kept in it.

    :raises HelpdeskError: it cannot be looked at.
    """
    server.files = []
    with server.connect() as share:
        survey = Survey(share)
        above = survey.directory(LOGON_DIRECTORY) or ""
        server.files = [_look(survey, server, catalogue, above, want) for want in wanted]


def _look(survey: Survey, server: Server, catalogue: Catalogue, above: str, want: Wanted) -> Found:
    row, share = want.row, survey.share
    name = f"{row.file} for {row.platform}"
    path = join(above, catalogue.replica(want.component, row.platform) or "", row.file)
    found = survey.find(path)
    entry = share.stat(found[0]) if found and found[1] == "file" else None
    path = share.full(found[0] if found else survey.spell(path))
    if entry is None or found is None:
        if want.version is None:
            return Found(want, path, "replicated", f"{name} is not there, as on the site server.")
        return Found(want, path, "missing", f"{name} is not there yet.")
    known = server.hashes.get(path)
    sha256 = known[1] if known and known[0] == entry else share.digest(found[0])
    server.hashes[path] = (entry, sha256)
    if want.version is None:
        message = f"{name} is still there, the site server has none; Maintenance Manager removes nothing from logon servers (Q193746)."
    elif sha256 == want.version[1]:
        return Found(want, path, "replicated", f"{name} has arrived.", entry, sha256)
    else:
        there = f"{entry.size:,} bytes of {moment(entry.modified_ns):%Y-%m-%d}"
        message = (
            f"{name} is still another file, {there} ({label(catalogue, row.file, row.platform, entry.size, moment(entry.modified_ns))})."
        )
    return Found(want, path, "stale", message, entry, sha256)


def watch(
    servers: t.Sequence[Server],
    catalogue: Catalogue,
    wanted: t.Sequence[Wanted],
    wait_timeout: float,
    wait_interval: float,
    tell: t.Callable[[str], None],
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> float:
    """Look at the servers until all have everything or the time is up.

    :param wait_timeout: seconds; 0 looks once.
    :param tell: is given a line after every look but the last.
    :returns: the seconds that went by.
    """
    begun = clock()
    behind = list(servers)
    with concurrent.futures.ThreadPoolExecutor(min(_AT_ONCE, len(servers))) as pool:
        while True:
            errors = pool.map(lambda server: _attempt(server, catalogue, wanted), behind)
            for server, error in zip(behind, errors, strict=True):
                server.error = error
            behind = [server for server in behind if server.status != "replicated"]
            waited = clock() - begun
            if not behind or waited >= wait_timeout:
                return waited
            tell(f"{progress(servers)} after {waited:.0f} of at most {wait_timeout:.0f} s; waiting for {_named(behind)}.")
            sleep(min(wait_interval, wait_timeout - waited))


def _attempt(server: Server, catalogue: Catalogue, wanted: t.Sequence[Wanted]) -> HelpdeskError | None:
    try:
        look(server, catalogue, wanted)
    except HelpdeskError as error:
        return error
    return None


def progress(servers: t.Sequence[Server]) -> str:
    """How many servers are done, as the beginning of a sentence."""
    done = sum(server.status == "replicated" for server in servers)
    return f"{done} of {len(servers)} logon server{'' if len(servers) == 1 else 's'} {'has' if done == 1 else 'have'} every file"


def _named(servers: t.Sequence[Server]) -> str:
    names = [f"{server.name} ({_state(server)})" for server in servers[:_NAMED]]
    return ", ".join([*names, f"and {len(servers) - _NAMED} more"] if len(servers) > _NAMED else names)


def _state(server: Server) -> str:
    return f"{server.done} of {len(server.files)} files" if server.error is None else server.error.reason


def result(servers: t.Sequence[Server], catalogue: Catalogue, waited: float) -> dict[str, t.Any]:
    """What a module returns of all servers."""
    behind = [server for server in servers if server.status != "replicated"]
    message = f"{progress(servers)}."
    if behind:
        message = f"{progress(servers)} after {waited:.0f} s; {_named(behind)} {'lags' if len(behind) == 1 else 'lag'} behind."
    return {
        "replicated": not behind,
        "servers": [_describe(server) for server in servers],
        "files": [_describe_file(catalogue, server, file) for server in servers for file in server.files],
        "lagging": [server.name for server in behind],
        "waited": round(waited),
        "message": message,
        "causes": list(CAUSES) if behind else [],
    }


def _describe(server: Server) -> dict[str, t.Any]:
    problems = [file.message for file in server.files if file.status != "replicated"]
    return {
        "name": server.name,
        "root": server.root,
        "status": server.status,
        "done": server.done,
        "total": len(server.files),
        "message": str(server.error) if server.error else " ".join(problems) or "It has every file.",
        "reason": server.error.reason if server.error else None,
    }


def _describe_file(catalogue: Catalogue, server: Server, file: Found) -> dict[str, t.Any]:
    row, entry, version = file.wanted.row, file.entry, file.wanted.version
    found = None
    if entry is not None:
        at = moment(entry.modified_ns)
        build = label(catalogue, row.file, row.platform, entry.size, at)
        found = {"size": entry.size, "time": at.isoformat(), "sha256": file.sha256, "build": build}
    return {
        "server": server.name,
        "name": row.file,
        "platform": row.platform,
        "destination": file.path,
        "status": file.status,
        "expected": None if version is None else {"size": version[0], "sha256": version[1]},
        "found": found,
        "message": file.message,
    }
