# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out the steps of a plan so that every file is whole at any moment, whatever breaks. Private to the collection.

The order is what makes it safe: content is prepared and verified under a name nobody looks at, then the journal says
what was there, then one rename replaces the file. A run that broke off leaves whole files, a true journal and left-overs in one
directory, which the next run removes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import typing as t

from . import _share_trouble as trouble
from ._errors import BadInput
from ._journal import Journal, Version, backup_name, dump
from ._package import PackageFile
from ._plan import Step, recorded
from ._shares import CHUNK, Share, Survey, join, split

JOURNAL = "manifest.json"
_LOCK = "lock"
# FAT keeps even seconds; a larger difference means that the server does not keep times.
_TIME_SLACK_NS = 2_000_000_000


@dataclasses.dataclass(frozen=True)
class Places:
    """Where a run works.

    :ivar staging: directory on `share` for temporary files, outside of what Maintenance Manager copies.
    :ivar backups: directory of the journal and the backups on `backup_share`; None where nothing is backed up.
    """

    share: Share
    backup_share: Share
    staging: str
    backups: str | None

    @property
    def partial(self) -> str:
        """Directory on `backup_share` for backups that are not complete yet."""
        if self.backups is None or self.backup_share is self.share:
            return self.staging
        return join(self.backups, "partial")

    def spelled(self, survey: Survey, backups: Survey) -> Places:
        """The same with the spelling of what is there already."""
        directory = None if self.backups is None else backups.spell(self.backups)
        return dataclasses.replace(self, staging=survey.spell(self.staging), backups=directory)

    def temporary(self) -> list[tuple[Share, str]]:
        """The directories that only hold something while a run is at work."""
        places = [(self.share, self.staging)]
        if self.partial != self.staging:
            places.append((self.backup_share, self.partial))
        return places


class _Prepared(t.NamedTuple):
    """A step with everything it needs. `new`: verified content in the staging directory. `undo`: a copy of what is there now."""

    step: Step
    new: str | None
    undo: tuple[Share, str] | None


class Workshop:
    """The writing part of one run."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.share = places.share
        self._count = 0

    @contextlib.contextmanager
    def open(self) -> t.Iterator[None]:
        """Lock the server, remove left-overs, let the caller work, clean up."""
        for share, path in self.places.temporary():
            share.make_directories(path)
        try:
            with self._locked():
                self._clean()
                try:
                    yield
                except BaseException:
                    with contextlib.suppress(trouble.ShareTrouble):
                        self._clean()
                    raise
                self._clean()
        except BaseException:
            # The error is what matters; what cannot be removed now, the next run removes.
            with contextlib.suppress(trouble.ShareTrouble):
                self._leave()
            raise
        self._leave()

    @contextlib.contextmanager
    def _locked(self) -> t.Iterator[None]:
        path = join(self.places.staging, _LOCK)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self.share.lock(path))
            except trouble.ShareTrouble as error:
                if error.reason not in (trouble.NO_NAME.reason, trouble.NO_PATH.reason):
                    raise
                # The run that held it has just ended and took the directory along.
                raise trouble.other_run(self.share.host, self.share.full(path)) from None
            yield

    def _leave(self) -> None:
        for share, path in self.places.temporary():
            self._remove_if_empty(share, path)
        if self.places.backups is None:
            self._remove_if_empty(self.share, join(*split(self.places.staging)[:-1]))

    def _clean(self) -> None:
        for share, directory in self.places.temporary():
            for name, kind in sorted(share.names(directory).items()):
                if name != _LOCK and kind != "directory":
                    share.delete(join(directory, name))

    @staticmethod
    def _remove_if_empty(share: Share, path: str) -> None:
        try:
            share.remove_directory(path)
        except trouble.ShareTrouble as error:
            if error.reason != trouble.NOT_EMPTY.reason:
                raise

    def platform(self, steps: list[Step], journal: Journal) -> Journal:
        """Carry out the steps of one platform: all prepared before the first file is replaced, all undone if one cannot be.

        :returns: the journal as it is on the server now.
        """
        records = {step.target.path: recorded(step) for step in steps}
        prepared = [self._prepare(step, records[step.target.path].versions) for step in steps]
        if self.places.backups is not None:
            changed = journal.with_records(records.values())
            if changed != journal:
                self.write(JOURNAL, dump(changed))
            journal = changed
        for step in steps:
            if self.share.stat(step.target.path) != step.target.entry:
                raise trouble.ShareTrouble(
                    self.share.host,
                    self.share.full(step.target.path),
                    "it was changed while this run was at work",
                    "run again",
                    "changed-meanwhile",
                )
            if step.now is not None:
                self.share.check_replaceable(step.target.path)
        done: list[_Prepared] = []
        for item in prepared:
            done.append(item)
            try:
                self._apply(item)
            except trouble.ShareTrouble as error:
                if not error.unreachable:
                    self._undo(done, error)
                raise
        return journal

    def _prepare(self, step: Step, kept: list[Version]) -> _Prepared:
        now, then = step.now, step.then
        if step.metadata_only:
            return _Prepared(step, None, None)
        undo = None
        if now is not None:
            if self.places.backups is not None and now.sha256 in {version.sha256 for version in kept}:
                undo = (self.places.backup_share, self._back_up(step, now))
            else:
                undo = (self.share, self._temporary(step, "undo"))
                self._verified_copy(self.share, step.target.path, *undo, now, just_hashed=True)
        new = None
        if then is not None:
            new = self._temporary(step, "new")
            if step.source is not None:
                self._upload(step.source, new)
            else:
                self._verified_copy(self.places.backup_share, self._backup_path(step, then), self.share, new, then)
            self._finish(self.share, new, then)
        return _Prepared(step, new, undo)

    def _temporary(self, step: Step, kind: str) -> str:
        self._count += 1
        return join(self.places.staging, f"{self._count:03}-{step.target.row.platform}-{step.target.row.file}.{kind}")

    def _backup_path(self, step: Step, version: Version) -> str:
        original = step.record.path if step.record else step.target.path
        return join(self.places.backups or "", backup_name(original, version))

    def _back_up(self, step: Step, now: Version) -> str:
        share = self.places.backup_share
        path = self._backup_path(step, now)
        if entry := share.stat(path):
            if entry.size == now.size and share.digest(path) == now.sha256:
                return path
            share.delete(path)
        share.make_directories(join(*split(path)[:-1]))
        self._count += 1
        partial = join(self.places.partial, f"{self._count:03}-{step.target.row.platform}-{step.target.row.file}.backup")
        self._verified_copy(self.share, step.target.path, share, partial, now, just_hashed=True)
        # The attributes of one kind of share mean nothing to another.
        attributes = now.attributes if type(share) is type(self.share) else -1
        self._finish(share, partial, dataclasses.replace(now, attributes=attributes))
        share.replace(partial, path)
        return path

    def _verified_copy(
        self, source_share: Share, source: str, share: Share, path: str, version: Version, just_hashed: bool = False
    ) -> None:
        """A copy that has the hash of `version`.

        :param just_hashed: the plan has just read the source; what the server then copies by itself need not come over the wire again.
        """
        if source_share is share:
            if share.copy(source, path) and just_hashed:
                return
        else:
            share.write_new(path, source_share.read(source))
        if share.digest(path) != version.sha256:
            raise trouble.ShareTrouble(
                share.host,
                source_share.full(source),
                f"its copy does not have the sha256 {version.sha256}, so it was changed or is damaged",
                "find out which and run again",
                "not-verified",
            )

    def _upload(self, source: PackageFile, path: str) -> None:
        """The package's file into a new file, read back. What is sent is hashed on the way, should the package change meanwhile."""
        content, sent = source.content, hashlib.sha256()
        self.share.write_new(path, _pieces(self.share.host, content.path, sent))
        if sent.hexdigest() != content.sha256:
            raise BadInput(
                self.share.host, f"the package file {content.path}", "it was changed while it was read", "run again", "package-changed"
            )
        if self.share.digest(path) != content.sha256:
            raise trouble.ShareTrouble(
                self.share.host,
                self.share.full(path),
                "what was read back is not what was written",
                "check the disk and the network of the server and run again",
                "not-verified",
            )

    def _finish(self, share: Share, path: str, version: Version) -> None:
        entry = share.set_metadata(path, version.modified_ns, None if version.attributes < 0 else version.attributes, version.created_ns)
        if entry.size != version.size or abs(entry.modified_ns - version.modified_ns) > _TIME_SLACK_NS:
            raise trouble.ShareTrouble(
                share.host,
                share.full(path),
                "the server does not keep the size and modification time it is given",
                "use a share on a disk that does; the date is what tells the builds apart",
                "not-verified",
            )

    def write(self, name: str, data: bytes) -> None:
        """A small file beside the backups, whole at any moment."""
        share, backups = self.places.backup_share, self.places.backups or ""
        share.make_directories(backups)
        partial = join(self.places.partial, name)
        share.write_new(partial, [data])
        share.replace(partial, join(backups, name))

    def _apply(self, item: _Prepared) -> None:
        step, path = item.step, item.step.target.path
        if step.metadata_only and step.then is not None:
            self.share.set_metadata(path, step.then.modified_ns, step.then.attributes, step.then.created_ns)
            return
        if step.now is not None and self.share.writable(step.now.attributes) != step.now.attributes:
            # Windows replaces no read-only file. The journal knows the attributes, should the run break off here.
            self.share.set_metadata(path, None, self.share.writable(step.now.attributes))
        if item.new is None:
            self.share.delete(path)
        else:
            self.share.replace(item.new, path)

    def _undo(self, done: list[_Prepared], error: trouble.ShareTrouble) -> None:
        """Put back what this platform had before. `error` is told; if this fails as well, it says so."""
        for item in reversed(done):
            path, now = item.step.target.path, item.step.now
            try:
                entry = self.share.stat(path)
                if now is None:
                    if entry is not None:
                        self.share.delete(path)
                    continue
                if item.undo is not None and (entry is None or self.share.digest(path) != now.sha256):
                    back = self._temporary(item.step, "back")
                    self._verified_copy(*item.undo, self.share, back, now)
                    self._finish(self.share, back, now)
                    self.share.replace(back, path)
                elif entry is not None and (entry.modified_ns, entry.attributes) != (now.modified_ns, now.attributes):
                    self.share.set_metadata(path, now.modified_ns, now.attributes, now.created_ns)
            except trouble.ShareTrouble as second:
                error.next_step = (
                    f"{error.next_step}; {self.share.full(path)} could not be put back either ({second.cause}), the next run completes it"
                )
                error.args = (str(error),)
                return

    def purge(self) -> None:
        """Remove all backups, the journal last: as long as it is there, the rest can be removed by another run."""
        share, backups = self.places.backup_share, self.places.backups
        if backups is None or share.stat(backups) is None:
            return
        self._purge_below(share, backups, keep=JOURNAL)
        if share.stat(join(backups, JOURNAL)) is not None:
            share.delete(join(backups, JOURNAL))
        if self.places.partial == self.places.staging:
            share.remove_directory(backups)

    def _purge_below(self, share: Share, directory: str, keep: str | None = None) -> None:
        for name, kind in sorted(share.names(directory).items()):
            path = join(directory, name)
            if kind == "directory" and path != self.places.partial:
                self._purge_below(share, path)
                share.remove_directory(path)
            elif kind != "directory" and name != keep:
                share.delete(path)


def _pieces(host: str, path: str, digest: t.Any) -> t.Iterator[bytes]:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb", buffering=0) as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                yield chunk
    except OSError as error:
        raise BadInput(
            host,
            f"the package file {path}",
            f"it cannot be read ({error.strerror})",
            "give the controller's user the right to read it",
            "package-unreadable",
        ) from None
