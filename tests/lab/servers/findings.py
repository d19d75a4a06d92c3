# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a hotfix has got, by what is on the drives and nothing else."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Snapshot = Mapping[str, Mapping[str, Any]]

# Q229097: where each of its files belongs. Logon.srv is where Maintenance Manager puts the files of Client.src.
_PLACES = re.compile(
    r"[^/]+/\w+/("
    r"Site\.srv/(?P<site>x86|alpha)\.bin/(?P<dll>Sightnt\.dll)"
    r"|(Site\.srv/Maincfg\.box/Client\.src|Logon\.srv)/(?P<client>x86|alpha)\.bin/(?P<exe>W(chat|slave|user)32\.exe))",
    re.IGNORECASE,
)
# What lies here is spread by Maintenance Manager or purged by the next upgrade of SMS.
_SMS_OWN = re.compile(r"[^/]+/\w+/(Site|Logon|Helper)\.srv/", re.IGNORECASE)
_SECOND = 10**9


def hotfix(before: Snapshot, now: Snapshot, package: Path) -> dict[str, list[str]]:
    """Compare the drives with what was on them before and with a package. All lists are of paths as in a snapshot.

    - ``staged``: places of files of the hotfix that have content and time of the package, ``waiting``: those that have not;
    - ``original``: those of ``waiting`` that are in every respect as before;
    - ``touched``: other files of before that have changed or gone;
    - ``strays``: new files in the directories of SMS;
    - ``kept``: new files elsewhere;
    - ``lost``: places that are staged, whose original is nowhere among ``kept``, with its content, time, attributes.
    """
    packed = {f"{path.parent.name}/{path.name}".lower(): path for path in package.glob("*/*")}
    places = {
        path: f"{match['site'] or match['client']}/{match['dll'] or match['exe']}" for path in before if (match := _PLACES.fullmatch(path))
    }
    fresh = [path for path in now if path not in before]
    kept = [path for path in fresh if not _SMS_OWN.match(path)]
    staged = [path for path, name in places.items() if path in now and _same(now[path], packed.get(name.lower()))]
    waiting = [path for path in places if path not in staged]
    masters = [path for path in staged if "/logon.srv/" not in path.lower() and before[path] != now[path]]
    originals = {path: (before[path]["sha256"], before[path]["modified"], before[path]["attributes"]) for path in masters}
    backups = {(now[path]["sha256"], now[path]["modified"], now[path]["attributes"]) for path in kept}
    return {
        "staged": staged,
        "waiting": waiting,
        "original": [path for path in waiting if now.get(path) == before[path]],
        "touched": [path for path in before if path not in places and now.get(path) != before[path]],
        "strays": [path for path in fresh if path not in kept],
        "kept": kept,
        "lost": [path for path, entry in originals.items() if entry not in backups],
    }


def _same(entry: Mapping[str, Any], path: Path | None) -> bool:
    if path is None:
        return False
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    return bool(entry["sha256"] == content and entry["modified"] // _SECOND == int(path.stat().st_mtime))
