# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports to and from the disk of the controller: written whole or not at all, the previous one kept. Private to the collection."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
import time
import typing as t
from pathlib import Path

from ._records import BadRecord

NAMES = {"html": "report.html", "json": "report.json", "csv": "report.csv", "junit": "report.xml"}
PREVIOUS = "previous"
_PREFIX = ".report-"


def read(path: Path) -> t.Any:
    """The content of a JSON file.

    :raises BadRecord: it is no JSON.
    :raises OSError: it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        raise BadRecord("it is no JSON in UTF-8") from None


def records_of(content: t.Any) -> list[t.Any]:
    """What stands for records in a file: those of a report, or a list of them.

    :raises BadRecord: neither.
    """
    if isinstance(content, dict) and "records" in content:
        version = content.get("schema_version", 1)
        if version != 1:
            raise BadRecord(f"its schema_version is {version!r}, and this release reads version 1")
        content = content["records"]
    if not isinstance(content, list):
        raise BadRecord("it is neither a report nor a list of records")
    return content


def previous_of(directory: Path) -> dict[str, t.Any] | None:
    """When the report that is there was made, and its records as far as they are compared; None if there is none that can be read."""
    for name, look in ((NAMES["json"], _of_json), (NAMES["html"], _of_html)):
        try:
            found = look(directory / name)
        except (OSError, BadRecord, ValueError, LookupError, TypeError):
            continue
        entries = found["records"]
        if isinstance(found["created"], str) and all(isinstance(each[key], str) for each in entries for key in ("host", "kind", "state")):
            return found
    return None


def _of_json(path: Path) -> dict[str, t.Any]:
    content = read(path)
    entries = records_of(content)
    return {"created": content["created"], "records": [{key: each[key] for key in ("host", "kind", "state")} for each in entries]}


def _of_html(path: Path) -> dict[str, t.Any]:
    """From the data of the page, for those who have no use for `report.json`."""
    page = path.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    made = re.search(r'<time datetime="([^"]*)">', page)
    if found is None or made is None:
        raise BadRecord("it is no report")
    data = json.loads(found[1])
    texts = data["texts"]
    return {"created": made[1], "records": [{"host": row[0], "kind": texts[row[1]], "state": texts[row[2]]} for row in data["rows"]]}


def write(directory: Path, files: t.Mapping[str, t.Callable[[], bytes]]) -> list[Path]:
    """Put a report in the place of the one that is there, which goes to `previous`.

    Everything is on the disk under another name before anything is replaced, and each replacement is one rename.

    :param files: format -> what makes its content, one at a time: of a large fleet each has many megabytes. Files of formats that are not
        given belong to the report before and are only kept there.
    :raises OSError: the report that was there still is.
    """
    directory.mkdir(parents=True, exist_ok=True)
    ready: dict[str, Path] = {}
    try:
        for name, make in files.items():
            ready[name] = _prepare(directory, make())
        present = [name for name in NAMES.values() if (directory / name).is_file()]
        if present:
            _keep(directory, present)
        for name, path in ready.items():
            os.replace(path, directory / NAMES[name])
        for name in present:
            if name not in {NAMES[each] for each in files}:
                (directory / name).unlink()
        _forget(directory)
        _sync(directory)
    finally:
        for path in ready.values():
            path.unlink(missing_ok=True)
    return [directory / NAMES[name] for name in files]


def _forget(directory: Path) -> None:
    """Remove what runs that were killed had prepared; a run that is still at work prepares for seconds, not for an hour."""
    for path in directory.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - 3600:
                path.unlink()


def _prepare(directory: Path, content: bytes) -> Path:
    handle, name = tempfile.mkstemp(prefix=_PREFIX, dir=directory)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    return Path(name)


def _keep(directory: Path, present: t.Sequence[str]) -> None:
    """Copy what is there to `previous`; what was kept before and is not part of it goes."""
    kept = directory / PREVIOUS
    kept.mkdir(exist_ok=True)
    for name in present:
        copy = kept / f".{name}"
        shutil.copy2(directory / name, copy)
        os.replace(copy, kept / name)
    for name in set(NAMES.values()) - set(present):
        (kept / name).unlink(missing_ok=True)
    _sync(kept)


def _sync(directory: Path) -> None:
    """Make renames last; not every file system can, and then there is nothing to be done."""
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
