# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run will do with each file, decided before anything is written. Private to the collection; pure."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ._destinations import Target
from ._hotfix import FileFacts, judge, label
from ._journal import Record, Version
from ._manifest import Catalogue
from ._package import PackageFile

# Actions that write to the target.
WRITING = frozenset({"created", "replaced", "restored", "removed"})


@dataclasses.dataclass(frozen=True)
class Step:
    """What happens to one target.

    :ivar action: created, replaced, unchanged, kept_later; restored, removed, kept_newer, kept_changed.
    :ivar now: what is there, None for nothing.
    :ivar then: what will be there, None for nothing; its attributes are -1 where the server chooses them.
    :ivar record: the journal's entry when the run begins.
    :ivar source: the package's file, for created and replaced.
    :ivar metadata_only: the content is right already, only time and attributes are not.
    """

    target: Target
    action: str
    now: Version | None
    then: Version | None
    record: Record | None
    message: str
    source: PackageFile | None = None
    metadata_only: bool = False

    @property
    def writes(self) -> bool:
        return self.action in WRITING


def to_stage(
    catalogue: Catalogue, language: str, target: Target, now: Version | None, source: PackageFile, record: Record | None, force: bool
) -> Step:
    """The step that stages one file of a usable package."""
    content = source.content
    name = f"{target.row.file} for {target.row.platform}"
    # What was there before us keeps its attributes through us, so that a broken run cannot have changed them for good.
    original = record.before if record and now and record.before and record.before.sha256 == now.sha256 else now
    attributes, created = (-1, None) if original is None else (original.attributes, original.created_ns)
    then = Version(content.size, source.modified_ns, attributes, content.sha256, created)
    if now is None:
        return Step(target, "created", now, then, record, f"{name} is not there yet and is put there.", source)
    if now.sha256 == then.sha256:
        return Step(target, "unchanged", now, now, record, f"{name} has the package's content already.")
    if not force and now.modified_ns > source.modified_ns:
        there = FileFacts(target.path, size=now.size, modified=moment(now.modified_ns), sha256=now.sha256)
        if judge(catalogue, language, target.row, there).status == "later":
            message = f"{name} is there in a later build of {moment(now.modified_ns):%Y-%m-%d} and is kept; only force replaces it."
            return Step(target, "kept_later", now, now, record, message)
    return Step(target, "replaced", now, then, record, f"{name} is replaced by the package's.", source)


def to_restore(target: Target, now: Version | None, record: Record | None, force: bool) -> Step:
    """The step that puts back what was there before the first staging."""
    name = f"{target.row.file} for {target.row.platform}"
    if record is None:
        return Step(target, "unchanged", now, now, record, f"{name} was never staged here, so there is nothing to restore.")
    before = record.before
    if now is None:
        if before is None:
            return Step(target, "unchanged", now, now, record, f"{name} is not there, as it was before.")
        return Step(target, "restored", now, before, record, f"{name} is gone and is restored.")
    if before is not None and now.sha256 == before.sha256:
        if now == before:
            return Step(target, "unchanged", now, now, record, f"{name} is what was there before.")
        return Step(target, "restored", now, before, record, f"{name} gets its times and attributes back.", metadata_only=True)
    if now.sha256 not in record.staged and not force:
        newer = now.modified_ns > (before.modified_ns if before else 0)
        message = f"{name} is not what was staged but a file of {moment(now.modified_ns):%Y-%m-%d}, and is kept; only force replaces it."
        return Step(target, "kept_newer" if newer else "kept_changed", now, now, record, message)
    if before is None:
        return Step(target, "removed", now, None, record, f"{name} was not there before and is removed.")
    return Step(target, "restored", now, before, record, f"{name} is restored.")


def recorded(step: Step) -> Record:
    """The journal's entry that has to be on disk before a step's target is touched."""
    record, now = step.record, step.now
    if record is None:
        record = Record(step.target.path, now)
    elif now is not None and now.sha256 not in (*record.staged, record.before.sha256 if record.before else ""):
        # Somebody else's file: it is what is given back from now on, unless it is being given up for the one before.
        if step.source is not None:
            earlier = (*record.earlier, *([record.before] if record.before else []))
            record = dataclasses.replace(record, before=now, staged=(), earlier=_without(earlier, now))
        else:
            record = dataclasses.replace(record, earlier=_without((*record.earlier, now), record.before))
    if step.source is not None and step.then is not None and step.then.sha256 not in record.staged:
        record = dataclasses.replace(record, staged=(*record.staged, step.then.sha256))
    return record


def _without(versions: t.Iterable[Version], other: Version | None) -> tuple[Version, ...]:
    """Each content once, the latest wins, and `other` is left out."""
    unique = {version.sha256: version for version in versions if other is None or version.sha256 != other.sha256}
    return tuple(unique.values())


def moment(modified_ns: int) -> dt.datetime:
    """Nanoseconds since 1970 as a time in UTC; times no calendar has become its ends."""
    try:
        return dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(microseconds=modified_ns // 1000)
    except OverflowError:
        return (dt.datetime.max if modified_ns > 0 else dt.datetime.min).replace(tzinfo=dt.timezone.utc)


def describe(catalogue: Catalogue, step: Step, full: t.Callable[[str], str]) -> dict[str, t.Any]:
    """A step as a module returns it."""
    return {
        "name": step.target.row.file,
        "platform": step.target.row.platform,
        "component": step.target.component,
        "destination": full(step.target.path),
        "action": step.action,
        "before": _version(catalogue, step, step.now),
        "after": _version(catalogue, step, step.then),
        "message": step.message,
    }


def _version(catalogue: Catalogue, step: Step, version: Version | None) -> dict[str, t.Any] | None:
    if version is None:
        return None
    row = step.target.row
    return {
        "size": version.size,
        "time": moment(version.modified_ns).isoformat(),
        "sha256": version.sha256,
        "build": label(catalogue, row.file, row.platform, version.size, moment(version.modified_ns)),
    }


def diff(described: t.Iterable[dict[str, t.Any]]) -> list[dict[str, str]]:
    """File by file what differs, for Ansible's diff mode."""
    return [
        {
            "before_header": entry["destination"],
            "after_header": f"{entry['destination']} ({entry['action']})",
            "before": _text(entry["before"]),
            "after": _text(entry["after"]),
        }
        for entry in described
        if entry["action"] in WRITING
    ]


def _text(version: dict[str, t.Any] | None) -> str:
    return "".join(f"{key}: {value}\n" for key, value in version.items()) if version else ""
