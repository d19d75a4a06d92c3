# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Staging a hotfix on a server and taking it back. Private to the collection.

A run looks at everything, decides (`_plan`), and only then takes the lock and writes (`_writing`), one platform after the
other. A run that finds nothing to do and no left-overs writes nothing at all.
"""

from __future__ import annotations

import dataclasses
import typing as t

from . import _share_trouble as trouble
from ._destinations import Destinations, Target, find
from ._errors import BadInput
from ._journal import Journal, JournalError, Version, backup_name, load
from ._manifest import Catalogue
from ._package import Package
from ._plan import Step, describe, diff, moment, recorded, to_restore, to_stage
from ._shares import Address, Share, Survey, join, split
from ._windows_names import fault_of_path
from ._writing import JOURNAL, Places, Workshop

OWN_DIRECTORY = "sms.helpdesk"
STAGING = join(OWN_DIRECTORY, "staging")
BACKUP = join(OWN_DIRECTORY, "backup")
_LARGEST_JOURNAL = 4_000_000
# Where Maintenance Manager or a setup of SMS would find a backup and spread or purge it.
_FORBIDDEN_PLACES = ("site.srv", "logon.srv", "helper.srv", "primsite.srv")
_FORBIDDEN_SHARES = ("sms_shr", "sms_site")


@dataclasses.dataclass
class Order:
    """What is asked of one server. `package` is None for taking the hotfix back."""

    catalogue: Catalogue
    language: str
    platforms: list[str]
    components: list[str]
    package: Package | None
    force: bool = False
    replicas: bool = False
    purge: bool = False


@dataclasses.dataclass
class Outcome:
    """What was found and done; `as_result` is what a module returns."""

    steps: list[Step]
    destinations: Destinations
    left_overs: list[str]
    backups: list[dict[str, t.Any]]
    purged: list[str]
    directory: str | None

    def as_result(self, catalogue: Catalogue, full: t.Callable[[str], str]) -> dict[str, t.Any]:
        files = [describe(catalogue, step, full) for step in self.steps]
        return {
            "changed": any(step.writes for step in self.steps) or bool(self.left_overs or self.purged),
            "files": files,
            "platforms": self.destinations.platforms,
            "unfixable": self.destinations.unfixable,
            "backup": {"directory": self.directory, "files": self.backups, "purged": self.purged},
            "left_overs": self.left_overs,
            "diff": diff(files),
        }


def relative_backup(host: str, path: str | None) -> str | None:
    """The argument backup_dir where it counts from the root; None where it is an address of its own.

    :raises BadInput: it leads out of the root.
    """
    if path is None or path.startswith(("\\\\", "/", "~")):
        return None
    if fault := fault_of_path(path):
        raise BadInput(
            host,
            f"the argument backup_dir ({path})",
            f"it {fault}",
            "name a directory below root, or a share or directory of its own",
            "bad-argument",
        )
    return path.replace("/", "\\")


def backup_place(host: str, root: Address, backup: Address | None, relative: str | None, hotfix: str) -> tuple[Address | None, str]:
    """Where backups go: (None, path) on the server's own share, or another address and the path below it.

    :param relative: the user's backup_dir where it is relative to the root.
    :raises BadInput: it lies where Maintenance Manager would spread it or a setup of SMS would purge it.
    """
    thing = f"the argument backup_dir ({relative or (backup.path if backup else '')})"
    if backup is not None and backup.share.lower() == root.share.lower():
        inside = _below(root, backup)
        if inside is not None:
            backup, relative = None, inside
    if backup is None:
        path = BACKUP if relative is None else relative
        if not path or split(path)[0].lower() in _FORBIDDEN_PLACES or path.lower().startswith(STAGING):
            raise BadInput(
                host,
                thing,
                "Maintenance Manager spreads what lies there, or a setup of SMS purges it",
                "name a directory of its own",
                "bad-argument",
            )
        return None, join(path, hotfix)
    if backup.share.lower() in _FORBIDDEN_SHARES or any(
        part.lower() in _FORBIDDEN_PLACES for part in backup.path.replace("/", "\\").split("\\")
    ):
        raise BadInput(
            host,
            thing,
            "Maintenance Manager spreads what lies there, or a setup of SMS purges it",
            "name a directory of its own",
            "bad-argument",
        )
    return backup, hotfix


def _below(root: Address, path: Address) -> str | None:
    """The part of an address below a root, with ``\\``; None if it is not below."""
    separator = "\\" if root.server else "/"
    above = [part for part in root.path.split(separator) if part]
    parts = [part for part in path.path.split(separator) if part]
    same = [part.lower() if root.server else part for part in parts[: len(above)]] == [
        part.lower() if root.server else part for part in above
    ]
    if (root.server or "").lower() != (path.server or "").lower() or not same:
        return None
    return "\\".join(parts[len(above) :])


class Staging:
    """One server, and the place of its backups (`backup_share` is the server's own share or another one).

    `backup_directory` is relative to that share, or None where nothing is backed up because the files are replicas.
    """

    def __init__(self, share: Share, backup_share: Share, backup_directory: str | None, order: Order) -> None:
        self.share = share
        self.order = order
        self.places = Places(share, backup_share, STAGING, backup_directory)
        self.host = share.host
        self.replaced: list[str] = []

    def run(self, check: bool) -> Outcome:
        """Do it, or in check mode only say what would be done.

        :raises HelpdeskError: the first thing that did not work; `replaced` then lists what stays changed.
        """
        order = self.order
        survey = Survey(self.share)
        backups = survey if self.places.backup_share is self.share else Survey(self.places.backup_share)
        self.places = self.places.spelled(survey, backups)
        destinations = find(survey, order.catalogue, order.language, order.platforms, order.components, order.replicas)
        self._check_served(destinations)
        journal = self._read_journal()
        steps = [self._plan(target, journal) for target in destinations.targets]
        left_overs = self._left_overs(survey, backups)
        purged = self._to_purge(journal, steps) if order.purge else []
        outcome = Outcome(steps, destinations, left_overs, [], purged, None)
        if self.places.backups is not None:
            outcome.directory = self.places.backup_share.full(self.places.backups)
        planned = journal.with_records(recorded(step) for step in steps if step.writes)
        if check:
            self._check_replaceable(steps)
        elif any(step.writes for step in steps) or left_overs or purged:
            self._write(steps, journal, purged)
        outcome.backups = [] if purged else self._list(planned)
        return outcome

    def _check_replaceable(self, steps: list[Step]) -> None:
        """What a run would stumble over on the first file somebody has open, check mode tells as well."""
        for step in steps:
            if step.writes and step.now is not None:
                self.share.check_replaceable(step.target.path)

    def _check_served(self, destinations: Destinations) -> None:
        if destinations.targets or destinations.unfixable:
            return
        places = ", ".join(destinations.missing)
        raise trouble.ShareTrouble(
            self.host,
            self.share.root,
            f"none of the directories of {self.order.catalogue.hotfix} is there ({places})",
            "check root: it has to be the SMS directory; a platform is added with the setup of SMS and not by this module",
            "path-not-found",
        )

    def _plan(self, target: Target, journal: Journal) -> Step:
        now = None
        if target.entry is not None:
            entry = target.entry
            now = Version(entry.size, entry.modified_ns, entry.attributes, self.share.digest(target.path), entry.created_ns)
        record = journal.record(target.path)
        order = self.order
        if order.package is None:
            return to_restore(target, now, record, order.force)
        source = next(file for file in order.package.files if (file.row.platform, file.row.file) == (target.row.platform, target.row.file))
        return to_stage(order.catalogue, order.language, target, now, source, record, order.force)

    def _left_overs(self, survey: Survey, backups: Survey) -> list[str]:
        """Full paths of what a broken run left behind."""
        found = []
        for share, directory in self.places.temporary():
            if (survey if share is self.share else backups).directory(directory) is not None:
                found += [share.full(join(directory, name)) for name in sorted(share.names(directory))]
                found.append(share.full(directory))
        return found

    def _read_journal(self) -> Journal:
        order, places = self.order, self.places
        if places.backups is None:
            return Journal(order.catalogue.hotfix)
        own = None if places.backup_share is places.share else self.share.root
        path = join(places.backups, JOURNAL)
        if places.backup_share.stat(path) is None:
            return Journal(order.catalogue.hotfix, own)
        where = places.backup_share.full(path)
        data = b""
        for chunk in places.backup_share.read(path):
            data += chunk
            if len(data) > _LARGEST_JOURNAL:
                break
        try:
            journal = load(data)
        except JournalError as error:
            raise trouble.ShareTrouble(
                self.host,
                where,
                f"the list of backups cannot be used: {error}",
                "put the right file back, or move the backup directory away and know that nothing can be restored then",
                "journal-broken",
            ) from None
        if journal.hotfix != order.catalogue.hotfix or (own or "").lower() != (journal.root or "").lower():
            raise trouble.ShareTrouble(
                self.host,
                where,
                f"it holds the backups of {journal.hotfix} of {journal.root or 'another server'}",
                "give every server a backup_dir of its own",
                "journal-foreign",
            )
        return journal

    def _write(self, steps: list[Step], journal: Journal, purged: list[str]) -> None:
        workshop = Workshop(self.places)
        with workshop.open():
            if self._read_journal() != journal:
                raise trouble.other_run(self.host, self.share.root)
            for platform in dict.fromkeys(step.target.row.platform for step in steps):
                work = [step for step in steps if step.writes and step.target.row.platform == platform]
                if work:
                    journal = workshop.platform(work, journal)
                    self.replaced += [self.share.full(step.target.path) for step in work]
            if purged:
                workshop.purge()

    def _to_purge(self, journal: Journal, steps: list[Step]) -> list[str]:
        """Full paths of the backups that go.

        :raises BadInput: something staged would be left that could never be restored.
        """
        kept = [step for step in steps if step.action.startswith("kept")]
        seen = {step.target.path.lower() for step in steps}
        if kept or any(key not in seen for key in journal.records):
            what = self.share.full(kept[0].target.path) if kept else "a file of another platform or component"
            raise BadInput(
                self.host,
                "the argument purge_backups",
                f"{what} is not restored by this run",
                "restore all platforms and components first, or use force",
                "bad-argument",
            )
        share, directory = self.places.backup_share, self.places.backups
        if directory is None or share.stat(directory) is None:
            return []
        # What lies there, not what the list has: a run that broke off may have left a backup that is not in it yet.
        return sorted(share.full(path) for path in self._files_below(share, directory) if not path.startswith(self.places.partial))

    def _files_below(self, share: Share, directory: str) -> t.Iterator[str]:
        for name, kind in share.names(directory).items():
            path = join(directory, name)
            if kind == "directory":
                yield from self._files_below(share, path)
            else:
                yield path

    def _list(self, journal: Journal) -> list[dict[str, t.Any]]:
        if self.places.backups is None:
            return []
        return [
            {
                "path": self.places.backup_share.full(join(self.places.backups, backup_name(record.path, version))),
                "original": self.share.full(record.path),
                "size": version.size,
                "time": moment(version.modified_ns).isoformat(),
                "sha256": version.sha256,
            }
            for key, record in sorted(journal.records.items())
            for version in record.versions
        ]
