# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes and times of the four files, build by build.

Written down apart from the catalogue of the collection, so that a slip in either shows as a difference.
Times are the article's, taken as UTC.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

PLATFORMS = ("x86", "alpha")
LANGUAGES = ("en", "de")
NAMES = ("Sightnt.dll", "Wchat32.exe", "Wslave32.exe", "Wuser32.exe")
BUILDS = ("hotfix", "older", "later")


@dataclasses.dataclass(frozen=True)
class File:
    """One file of one build.

    :ivar size: bytes.
    :ivar modified: seconds since 1970, UTC.
    :ivar seed: decides the content: equal seeds, equal files.
    """

    name: str
    platform: str
    size: int
    modified: int
    seed: str


# Q229097.
_SIZES = {
    ("Sightnt.dll", "alpha"): 649_488,
    ("Wchat32.exe", "alpha"): 134_928,
    ("Wslave32.exe", "alpha"): 157_968,
    ("Wuser32.exe", "alpha"): 346_384,
    ("Sightnt.dll", "x86"): 333_008,
    ("Wchat32.exe", "x86"): 63_216,
    ("Wslave32.exe", "x86"): 77_936,
    ("Wuser32.exe", "x86"): 170_720,
}
_TIMES = {
    "en": {
        ("Sightnt.dll", "alpha"): "2000-03-23 21:27",
        ("Wchat32.exe", "alpha"): "1999-07-24 01:41",
        ("Wslave32.exe", "alpha"): "2000-04-07 02:56",
        ("Wuser32.exe", "alpha"): "2000-04-03 23:43",
        ("Sightnt.dll", "x86"): "2000-03-23 21:26",
        ("Wchat32.exe", "x86"): "1999-07-24 01:41",
        ("Wslave32.exe", "x86"): "2000-04-07 02:54",
        ("Wuser32.exe", "x86"): "2000-04-03 23:41",
    },
    "de": {
        ("Sightnt.dll", "alpha"): "2000-03-23 20:27",
        ("Wchat32.exe", "alpha"): "1999-07-24 00:41",
        ("Wslave32.exe", "alpha"): "2000-04-07 01:56",
        ("Wuser32.exe", "alpha"): "2000-04-19 00:21",
        ("Sightnt.dll", "x86"): "2000-03-23 20:27",
        ("Wchat32.exe", "x86"): "1999-07-24 00:41",
        ("Wslave32.exe", "x86"): "2000-04-07 01:54",
        ("Wuser32.exe", "x86"): "2000-04-19 00:20",
    },
}

# What a site had before: Wuser32.exe of Q192788, on x86 of the very size of the hotfix, and Sightnt.dll of Q186255. Of the other
# two no article tells an earlier build; theirs are made up. Times of day are, too.
_OLDER = {
    ("Sightnt.dll", "alpha"): (648_976, "1998-05-19 18:30"),
    ("Wchat32.exe", "alpha"): (134_416, "1998-03-27 10:12"),
    ("Wslave32.exe", "alpha"): (157_456, "1998-03-27 10:12"),
    ("Wuser32.exe", "alpha"): (345_872, "1998-10-05 16:04"),
    ("Sightnt.dll", "x86"): (331_968, "1998-05-19 18:30"),
    ("Wchat32.exe", "x86"): (62_704, "1998-03-27 10:12"),
    ("Wslave32.exe", "x86"): (77_424, "1998-03-27 10:12"),
    ("Wuser32.exe", "x86"): (170_720, "1998-10-05 16:04"),
}

# A build that never was: each file 96 bytes shorter and a good month younger. Later builds may well be smaller.
_LATER_SHORTER = 96
_LATER_SECONDS = 40 * 86_400


def seconds(text: str) -> int:
    """Seconds since 1970 of a time in UTC, such as "2000-03-23 21:27"."""
    return int(dt.datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=dt.timezone.utc).timestamp())


def file(name: str, platform: str, *, language: str = "en", build: str = "hotfix") -> File:
    """One file of one build.

    The two languages share their files, seen by another clock, but for Wuser32.exe, which was built again for German.

    :raises KeyError: there is no such file, platform, language or build.
    """
    key = (name, platform)
    size, modified = _SIZES[key], seconds(_TIMES[language][key])
    if build == "older":
        size, modified = _OLDER[key][0], seconds(_OLDER[key][1])
    elif build == "later":
        size, modified = size - _LATER_SHORTER, modified + _LATER_SECONDS
    elif build != "hotfix":
        raise KeyError(build)
    variant = f" {language}" if name == "Wuser32.exe" and build != "older" else ""
    return File(name, platform, size, modified, f"{name} {platform} {build}{variant}")
