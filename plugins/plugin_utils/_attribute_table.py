# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cells of the file attribute tables in Microsoft's articles: dates, times and sizes. Private to the collection; pure.

The articles were typed by many hands over years, so the same thing is written in many ways; whatever is none of them
is an error, because a wrong date would make an old build look right.
"""

from __future__ import annotations

import datetime as dt
import re
import typing as t

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SLASHES = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})")
_DASHES = re.compile(r"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4}|[0-9]{2})")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?\s*(?:([ap])\.?\s*(?:m\.?)?)?", re.IGNORECASE)
_NO_TIME = re.compile(r"(xx:xx)?", re.IGNORECASE)
_SIZE = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,9}(?:\.[0-9]{1,3})?)\s*(b|bytes|k|kb|mb)?", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "bytes": 1, "k": 1024, "kb": 1024, "mb": 1024 * 1024}


class Size(t.NamedTuple):
    """A printed size. `bytes` is exact unless `slack` (bytes either way) is positive, as for "326 KB"."""

    bytes: int
    slack: int

    def allows(self, size: int) -> bool:
        """Whether a file of `size` bytes can be meant."""
        return abs(size - self.bytes) <= self.slack


def parse_date(text: str) -> dt.date:
    """A printed date, month first ("03/23/2000", "3/1/99") or with the month's name ("14-Dec-2001").

    Years of two digits are 1970 to 2069.

    :raises ValueError: it is no date; the message is a clause.
    """
    text = text.strip()
    if match := _SLASHES.fullmatch(text):
        month, day, year = (int(group) for group in match.groups())
    elif (match := _DASHES.fullmatch(text)) and match[2].lower() in _MONTHS:
        day, month, year = int(match[1]), _MONTHS.index(match[2].lower()) + 1, int(match[3])
    else:
        raise ValueError(f"{text!r} is no date like 03/23/2000 or 14-Dec-2001")
    if year < 100:
        year += 1900 if year >= 70 else 2000
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise ValueError(f"{text!r} is no day of the calendar (the month comes first)") from None


def parse_time(text: str) -> dt.time | None:
    """A printed time of day ("09:27p", "7:22PM", "18:13", "5:39:46", "00:21a"); None for none or "xx:xx".

    :raises ValueError: it is no time; the message is a clause.
    """
    text = text.strip()
    if _NO_TIME.fullmatch(text):
        return None
    match = _CLOCK.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no time like 09:27p or 18:13")
    hour, half = int(match[1]), (match[4] or "").lower()
    # The German table of Q229097 has "00:21a": hour 0 of a twelve-hour clock, which can only be the hour after midnight.
    if half and (hour > 12 or (half, hour) == ("p", 0)):
        raise ValueError(f"{text!r} is no time of a twelve-hour clock")
    if half == "a" and hour == 12:
        hour = 0
    elif half == "p" and 0 < hour < 12:
        hour += 12
    try:
        return dt.time(hour, int(match[2]), int(match[3] or 0))
    except ValueError:
        raise ValueError(f"{text!r} is no time of day") from None


def parse_size(text: str) -> Size:
    """A printed size ("649,488", "800528", "326 KB", "16,256b", "1.61 MB"). Figures in KB or MB are good to one unit of their last digit.

    :raises ValueError: it is no size; the message is a clause.
    """
    match = _SIZE.fullmatch(text.strip())
    unit = (match[2] or "").lower() if match else ""
    if not match or ("." in match[1] and _UNITS[unit] == 1):
        raise ValueError(f"{text!r} is no size like 649,488 or 326 KB")
    number = match[1].replace(",", "")
    if _UNITS[unit] == 1:
        return Size(int(number), 0)
    step = 10 ** -len(number.partition(".")[2])
    return Size(round(float(number) * _UNITS[unit]), round(step * _UNITS[unit]))
