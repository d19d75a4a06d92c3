# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One touch of System.map on a site server, and where the copy lists stand. Private to the collection; no Ansible."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import time
import typing as t

from . import _copy_lists
from . import _share_trouble as trouble
from ._copy_lists import Touch
from ._destinations import LOGON_DIRECTORY
from ._errors import HelpdeskError
from ._plan import moment
from ._replication import Server
from ._shares import Entry, Share, Survey, join
from ._staging import OWN_DIRECTORY, STAGING
from ._writing import Places, Workshop

MAP = "System.map"
CLIENT_SOURCE = join("Site.srv", "Maincfg.box", "Client.src")
_DIRECTORY = join(OWN_DIRECTORY, "refresh")
_LARGEST = 4_000_000
_AT_ONCE = 16


@dataclasses.dataclass
class Map:
    """System.map as it is: its path in the existing spelling, and its content's sha256."""

    path: str
    entry: Entry
    sha256: str


class Refresh:
    """The site server while it is looked at and touched.

    :param memory: name of the file the touches are remembered in.
    """

    def __init__(self, share: Share, memory: str) -> None:
        self.share = share
        self.survey = Survey(share)
        self.places = Places(share, share, STAGING, _DIRECTORY).spelled(self.survey, self.survey)
        self.memory = join(self.places.backups or "", memory)
        self._name = memory
        self.warnings: list[str] = []

    def map(self) -> Map:
        """System.map.

        :raises ShareTrouble: there is none that could be touched.
        """
        found = self.survey.find(MAP)
        double = self.survey.find(f"{MAP}.txt")
        if found is None:
            raise trouble.ShareTrouble(
                self.share.host,
                self.share.full(MAP),
                f"there is none, only {double[0]}, which an editor saved under a wrong name (Q200747)" if double else "there is none",
                "give the file its name back, or restore it from a backup of the site server"
                if double
                else "check root: it has to be the SMS directory of a site server",
                "map-missing",
            )
        path, kind = found
        entry = self.share.stat(path)
        if kind != "file" or entry is None or not entry.size:
            raise trouble.ShareTrouble(
                self.share.host,
                self.share.full(path),
                "it is no file" if kind != "file" else "it is empty",
                "restore it from a backup of the site server before anything else is done; a damaged one can break the site (Q122179)",
                "map-broken",
            )
        if double is not None:
            self.warnings.append(
                f"{self.share.full(double[0])} is there as well: whoever edited it saved it under a wrong name, so the change is not in "
                "System.map (Q200747)"
            )
        return Map(path, entry, self.share.digest(path))

    def touches(self) -> list[Touch]:
        """What is remembered.

        :raises ShareTrouble: the file is broken.
        """
        if self.share.stat(self.memory) is None:
            return []
        try:
            return _copy_lists.load(_start(self.share, self.memory))
        except _copy_lists.MemoryBroken as error:
            raise trouble.ShareTrouble(
                self.share.host,
                self.share.full(self.memory),
                f"what is remembered of earlier updates cannot be used: {error}",
                "put the right file back, or move it away and know that the update may then be made a second time",
                "memory-broken",
            ) from None

    def versions(self) -> dict[str, str]:
        """CopyListVersion of every list on the site server."""
        return lists(self.share, self.survey.directory(CLIENT_SOURCE) or CLIENT_SOURCE)

    def touch(self, now: Map, touches: list[Touch], touch: Touch) -> Map:
        """Remember it, then do it, then prove that only the time is another.

        :raises ShareTrouble: it could not be done; or another run was at work.
        """
        workshop = Workshop(self.places)
        with workshop.open():
            entry = self.share.stat(now.path)
            if entry != now.entry or self.touches() != touches:
                raise trouble.other_run(self.share.host, self.share.full(now.path))
            workshop.write(self._name, _copy_lists.dump([*touches, touch]))
            entry = self.share.set_metadata(now.path, touch.after_ns, None)
        after = Map(now.path, entry, self.share.digest(now.path))
        if after.sha256 != now.sha256 or entry.modified_ns <= now.entry.modified_ns:
            raise trouble.ShareTrouble(
                self.share.host,
                self.share.full(now.path),
                "its content is another one since, so somebody changed it at the same moment"
                if after.sha256 != now.sha256
                else "the server did not keep the new time",
                "compare it with a backup of the site server, then run again",
                "not-verified",
            )
        return after


def _start(share: Share, path: str) -> bytes:
    data = b""
    for chunk in share.read(path):
        data += chunk
        if len(data) > _LARGEST:
            break
    return data


def lists(share: Share, directory: str) -> dict[str, str]:
    """CopyListVersion by name in lower case of the copy lists in a directory; those without one are left out."""
    found = {}
    for name, kind in share.names(directory).items():
        if kind == "file" and _copy_lists.is_list(name):
            version = _copy_lists.version_of(_start(share, join(directory, name)))
            if version is not None:
                found[name.lower()] = version
    return found


def where_lists_stand(
    site: t.Callable[[], dict[str, str]],
    servers: t.Sequence[Server],
    before: t.Mapping[str, str],
    wait_timeout: float,
    wait_interval: float,
    tell: t.Callable[[str], None],
) -> list[dict[str, t.Any]]:
    """The copy lists of the site server and its logon servers, looked at until all have another version than before or the time is up.

    :returns: one entry for each server: ``server, versions, regenerated, message``.
    """
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(min(_AT_ONCE, len(servers) + 1)) as pool:
        while True:
            looks = [pool.submit(site), *(pool.submit(_of_server, server) for server in servers)]
            names = ["", *(server.name for server in servers)]
            found = [_stand(name, look, before) for name, look in zip(names, looks, strict=True)]
            behind = [each for each in found if not each["regenerated"]]
            waited = time.monotonic() - begun
            if not behind or waited >= wait_timeout:
                return found
            done = len(found) - len(behind)
            tell(f"{done} of {len(found)} servers have new copy lists after {waited:.0f} of at most {wait_timeout:.0f} s.")
            time.sleep(min(wait_interval, wait_timeout - waited))


def _of_server(server: Server) -> dict[str, str]:
    with server.connect() as share:
        return lists(share, Survey(share).directory(LOGON_DIRECTORY) or "")


def _stand(name: str, look: concurrent.futures.Future[dict[str, str]], before: t.Mapping[str, str]) -> dict[str, t.Any]:
    try:
        versions = look.result()
    except HelpdeskError as error:
        return {"server": name, "versions": {}, "regenerated": False, "message": str(error)}
    old = [list_name for list_name, version in before.items() if versions.get(list_name, version) == version]
    message = "Its copy lists are new."
    if not before:
        message = "No copy list was there before, so nothing can be compared."
    elif old:
        message = f"Still the old version: {', '.join(sorted(old))}."
    return {"server": name, "versions": versions, "regenerated": bool(before) and not old, "message": message}


def shown_map(share: Share, now: Map, after_ns: int) -> dict[str, t.Any]:
    """The map for a result; times as ISO 8601."""
    return {
        "path": share.full(now.path),
        "size": now.entry.size,
        "sha256": now.sha256,
        "before": moment(now.entry.modified_ns).isoformat(),
        "after": moment(after_ns).isoformat(),
    }
