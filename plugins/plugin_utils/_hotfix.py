# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is this file the hotfix's? What a catalogue says about the facts of one file. Private to the collection; pure.

The date tells builds apart, not the size and not the version: "786" is on every build, two builds of Wuser32.exe for x86
have the same size, and later builds of SMS files can be smaller. Dates float by hours between articles and file systems, so they
are compared with a day of tolerance; and a careless copy stamps any old build with today's date, so a late date is
believed only where no earlier build of that size is known.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import typing as t

from ._attribute_table import Size
from ._manifest import Catalogue, Row
from ._text import printable

USABLE = frozenset({"match", "later"})

# What a file can be instead of a program that can be read: (status, sentence after the name).
_NO_PROGRAM = {
    "symlink": ("mismatch", "is a symbolic link{detail}, which is not followed; put the file itself there"),
    "directory": ("mismatch", "is a directory; put the file there"),
    "special": ("mismatch", "is no regular file; put the file there"),
    "unreadable": ("undetermined", "cannot be read{detail}; give the controller's user the right to read it"),
    "empty": ("mismatch", "has no byte, as after a copy that was cut off; copy it from the media again"),
    "text": ("mismatch", "is a text file and no program; copy it from the media again"),
    "truncated": ("mismatch", "is a program that was cut off{detail}; copy it from the media again"),
    "no-program": ("mismatch", "is no Windows program{detail}; copy it from the media again"),
    "ambiguous": ("mismatch", "is there more than once{detail}; keep one of them"),
}
_MACHINES = {0x014C: "x86", 0x0184: "alpha", 0x0166: "mips", 0x01F0: "PowerPC", 0x8664: "x64", 0xAA64: "ARM64", 0x01C4: "ARM"}
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclasses.dataclass(frozen=True)
class FileFacts:
    """What was read of one file.

    :ivar path: where it was read, for people.
    :ivar kind: "program", or a key of `_NO_PROGRAM`; `detail` then goes into its sentence.
    :ivar size: bytes.
    :ivar modified: aware time of the last change.
    :ivar machine: machine field of the program, None if that is not known (as for a file on a server).
    :ivar file_version: its fixed file version, None without a version resource.
    """

    path: str
    kind: str = "program"
    detail: str = ""
    size: int | None = None
    modified: dt.datetime | None = None
    sha256: str | None = None
    machine: int | None = None
    file_version: str | None = None


class Judgement(t.NamedTuple):
    """A status (match, later, older, undetermined, mismatch, missing, misnamed) and one sentence."""

    status: str
    message: str


@dataclasses.dataclass(frozen=True)
class Trusted:
    """The hashes the operator vouches for.

    :ivar anywhere: hashes that make any file right.
    :ivar pinned: the only hashes that are right for (platform or "", file name in lower case).
    """

    anywhere: frozenset[str] = frozenset()
    pinned: t.Mapping[tuple[str, str], frozenset[str]] = dataclasses.field(default_factory=dict)

    def decide(self, platform: str, name: str, sha256: str | None) -> bool | None:
        """Whether the file is right; None if the operator said nothing about it."""
        pins = self.pinned.get((platform.lower(), name.lower()), self.pinned.get(("", name.lower())))
        if sha256 in self.anywhere or (pins and sha256 in pins):
            return True
        return None if pins is None else False


def trusted(value: t.Any, catalogue: Catalogue) -> Trusted:
    """The argument trusted_sha256: a list of hashes, or a mapping of "file" or "platform/file" to a hash or a list of hashes.

    :raises ValueError: it is neither; the message is a clause.
    """
    if value is None:
        return Trusted()
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list):
        return Trusted(anywhere=frozenset(map(_hash, value)))
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is neither a list of hashes nor a mapping of files to hashes")
    pinned = {}
    for key, hashes in value.items():
        platform, _slash, name = str(key).replace("\\", "/").rpartition("/")
        if name.lower() not in {file.lower() for file in catalogue.files}:
            raise ValueError(f"{key!r} names no file of {catalogue.hotfix}")
        if platform and platform.lower() not in {known.lower() for known in catalogue.platforms}:
            raise ValueError(f"{key!r} names no platform of {catalogue.hotfix}")
        pinned[platform.lower(), name.lower()] = frozenset(map(_hash, hashes if isinstance(hashes, list) else [hashes]))
    return Trusted(pinned=pinned)


def judge(catalogue: Catalogue, language: str, row: Row, facts: FileFacts | None, trust: Trusted | None = None) -> Judgement:
    """What the catalogue says about the file that was found under a row's name, or under none (`facts` is None)."""
    title = f"{row.file} for {row.platform}"
    if facts is None:
        return Judgement("missing", f"{title} is not there; copy it from the media of {catalogue.hotfix}.")
    if facts.kind != "program":
        status, sentence = _NO_PROGRAM[facts.kind]
        return Judgement(status, f"{title} {sentence.format(detail=f' ({printable(facts.detail)})' if facts.detail else '')}.")
    wanted = catalogue.platforms[row.platform].machine
    if facts.machine is not None and facts.machine != wanted:
        return Judgement(
            "mismatch",
            f"{title} is a program for {machine_name(facts.machine)}, it lies in the wrong folder; "
            "put every file into the folder of its platform.",
        )
    decision = (trust or Trusted()).decide(row.platform, row.file, facts.sha256)
    if decision is not None:
        if decision:
            return Judgement("match", f"{title} has a trusted sha256.")
        return Judgement("mismatch", f"{title} has the sha256 {facts.sha256} and not the trusted one; copy it from the media again.")
    for version, product in catalogue.other_products:
        if facts.file_version and (facts.file_version == version or facts.file_version.startswith(f"{version}.")):
            return Judgement("mismatch", f"{title} has the version {facts.file_version} of {product}, which is another product.")
    return _by_size_and_date(catalogue, language, row, title, facts)


def misnamed(row: Row, alias: str, reason: str) -> Judgement:
    """The judgement where a file is missing and one of a known wrong name is there instead."""
    return Judgement(
        "misnamed",
        f"{row.file} for {row.platform} is not there, but {alias} is: {reason}; rename it to {row.file} if it is that file, "
        "nothing is installed under either name until then.",
    )


def label(catalogue: Catalogue, name: str, platform: str, size: int, modified: dt.datetime) -> str:
    """The build a file on a server seems to be by size and date, for people: "Q229097 (en)", "Q192788", or "unknown"."""
    at = modified.astimezone(dt.timezone.utc)
    rows = [(language, table.get((platform, name))) for language, table in catalogue.tables.items()]
    languages = [language for language, row in rows if row and row.size.allows(size) and abs(at - _aware(row.time)) <= catalogue.tolerance]
    if languages:
        return f"{catalogue.hotfix} ({', '.join(languages)})"
    builds = [build for build in catalogue.files[name].earlier_builds if build.platform == platform and build.size.allows(size)]
    exact = [build for build in builds if abs(at.date() - build.date) <= catalogue.tolerance]
    return exact[0].article if exact else "unknown"


def machine_name(machine: int) -> str:
    """The machine field of a program for people: "x86", or "machine 0x1234"."""
    return _MACHINES.get(machine, f"machine 0x{machine:04x}")


def _by_size_and_date(catalogue: Catalogue, language: str, row: Row, title: str, facts: FileFacts) -> Judgement:
    size, modified = _measured(facts)
    distance = modified - _aware(row.time)
    same_size = row.size.allows(size)
    found = f"{size:,} bytes of {modified:%Y-%m-%d}"
    expected = f"{row.printed['size']}{'' if row.size.slack else ' bytes'} of {row.time:%Y-%m-%d}"
    hint = _other_language(catalogue, language, row, facts)
    if distance < -catalogue.tolerance:
        return Judgement("older", f"{title} is older than {catalogue.hotfix}: {found} instead of {expected}{hint}.")
    if distance <= catalogue.tolerance:
        if same_size:
            return Judgement("match", f"{title} has size and date of {catalogue.hotfix}: {found}.")
        return Judgement(
            "mismatch",
            f"{title} has the date of {catalogue.hotfix} and another size, {found} instead of {expected}; copy it from the media again.",
        )
    lookalikes = _lookalikes(catalogue, row, size)
    if lookalikes:
        return Judgement(
            "undetermined",
            f"{title} has the size of the earlier build of {' and '.join(lookalikes)} and a late date ({found}, expected {expected}), "
            f"as a copy that did not keep its time would; copy it with its time or give its sha256 as trusted{hint}.",
        )
    return Judgement("later", f"{title} is later than {catalogue.hotfix}: {found} instead of {expected}.")


def _lookalikes(catalogue: Catalogue, row: Row, size: int) -> list[str]:
    """Articles of earlier builds that have exactly this size. Figures in KB prove nothing either way and are left out."""
    builds = catalogue.files[row.file].earlier_builds
    return sorted({b.article for b in builds if b.platform == row.platform and b.size == Size(size, 0)})


def _other_language(catalogue: Catalogue, language: str, row: Row, facts: FileFacts) -> str:
    """Says so if the file is what another language's table expects."""
    size, modified = _measured(facts)
    for other, table in catalogue.tables.items():
        twin = table.get((row.platform, row.file))
        if other != language and twin and twin.size.allows(size) and abs(modified - _aware(twin.time)) <= catalogue.tolerance:
            return f"; it is what the table '{other}' expects"
    return ""


def _measured(facts: FileFacts) -> tuple[int, dt.datetime]:
    """Size and time, in UTC, of what is a program."""
    if facts.size is None or facts.modified is None:
        raise ValueError(f"the facts of {facts.path} lack its size or time")
    return facts.size, facts.modified.astimezone(dt.timezone.utc)


def _aware(time: dt.datetime) -> dt.datetime:
    # The clock of a table is its author's; the tolerance is wide enough for any.
    return time.replace(tzinfo=dt.timezone.utc)


def _hash(value: t.Any) -> str:
    text = str(value).strip().lower()
    if not _HASH.fullmatch(text):
        raise ValueError(f"{printable(str(value), 80)!r} is no sha256 of 64 hexadecimal digits")
    return text
