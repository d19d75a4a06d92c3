# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restart a client once and wait until it is back. Private to the collection; no Ansible.

The proof of a restart is not the absence but the time the client has been up: it is read before, and read again until it
is shorter than it would be without a restart. The boot time alone follows the clock, which may be set at any moment and
may be wrong after a restart.
"""

from __future__ import annotations

import datetime
import re
import time
import typing as t

from ._errors import ActionRefused, HelpdeskError, QueryRefused, Unreachable
from ._text import printable

# ERROR_SHUTDOWN_IS_SCHEDULED, ERROR_SHUTDOWN_IN_PROGRESS: somebody else already asked for one.
_ALREADY_ASKED = (1190, 1115)
# What a client that shuts down looks like to whoever has just sent it a command.
_GOING_DOWN = frozenset({"reset", "refused", "no-route", "timeout", "not-winrm", "shell-gone", "error"})
_POLL_SECONDS = 2.0
# Where the client's own time is known, both the boot time and the time it has been up tell, and only the rest of a second is noise.
_TOLERANCE = datetime.timedelta(seconds=1)
# Else there is only the boot time, which is computed from the clock, so it moves when the clock is set: by fractions of a
# second all the time, by more now and then. A client that was seen down needs less to be believed than one that was not.
_SEEN_DOWN_TOLERANCE = datetime.timedelta(seconds=5)
_CLOCK_TOLERANCE = datetime.timedelta(seconds=30)


class Up(t.NamedTuple):
    """Since when a client is up, by its own clock, and for how long; None if it does not tell its own time.

    `asked` and `told` are the controller's monotonic times before the question and after the answer.
    """

    boot_time: datetime.datetime
    uptime: datetime.timedelta | None
    asked: float
    told: float


class Restart(t.NamedTuple):
    """A restart that has happened: boot times as ISO 8601 texts, seconds from the request until the client answered again."""

    boot_time_before: str
    boot_time_after: str
    elapsed: float


def look(session: t.Any) -> Up:
    """Since when the client is up.

    :raises QueryRefused: WMI does not tell.
    """
    asked = time.monotonic()
    rows = session.query("SELECT LastBootUpTime, LocalDateTime FROM Win32_OperatingSystem")
    row = rows[0] if rows else {}
    text = row.get("LastBootUpTime") or ""
    booted, now = parse_time(text), parse_time(row.get("LocalDateTime") or "")
    if booted is None:
        raise QueryRefused(
            session.host,
            "the boot time",
            f"WMI answered '{printable(text, 40)}'",
            "check the WMI repository with 'winmgmt /verifyrepository'",
            "wmi-broken",
        )
    return Up(booted, None if now is None else now - booted, asked, time.monotonic())


def is_another_boot(now: datetime.datetime, known: datetime.datetime) -> bool:
    """Whether two boot times of a client are of two boots, as far as its clock can tell."""
    return abs(now - known) > _CLOCK_TOLERANCE


def _restarted(before: Up, after: Up, seen_down: bool) -> bool:
    """Whether the client was started between two looks."""
    moved = after.boot_time - before.boot_time
    if before.uptime is None or after.uptime is None:
        return moved > (_SEEN_DOWN_TOLERANCE if seen_down else _CLOCK_TOLERANCE)
    # Not more seconds than there really were, so that a slow answer does not look like a restart.
    lost = before.uptime + datetime.timedelta(seconds=after.asked - before.told) - after.uptime
    # A boot time that stays where it is while the clock is set makes the time up look shorter.
    return lost > _TOLERANCE and abs(moved) > _TOLERANCE


def logged_on(session: t.Any) -> str | None:
    """Who is logged on at the screen, None if nobody is or WMI does not tell; people in remote sessions are not seen here."""
    try:
        rows = session.query("SELECT UserName FROM Win32_ComputerSystem")
    except QueryRefused:
        return None
    return printable((rows[0].get("UserName") or "") if rows else "", 120) or None


def parse_time(text: str) -> datetime.datetime | None:
    """An xs:dateTime, or the CIM form 20130415202756.905393+000 that some stacks send; None if it is neither. Without a zone it is UTC."""
    cim = re.fullmatch(r"(\d{14})\.(\d{6})([+-]\d{3})", text.strip())
    try:
        if cim:
            zone = datetime.timezone(datetime.timedelta(minutes=int(cim.group(3))))
            return datetime.datetime.strptime(cim.group(1), "%Y%m%d%H%M%S").replace(microsecond=int(cim.group(2)), tzinfo=zone)
        # fromisoformat of Python 3.10 knows neither Z nor more or fewer than six digits of a second.
        plain = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?(Z|[+-]\d\d:\d\d)?", text.strip())
        if not plain:
            return None
        zone_text = "+00:00" if plain.group(3) in (None, "Z") else plain.group(3)
        return datetime.datetime.fromisoformat(f"{plain.group(1)}.{(plain.group(2) or '0').ljust(6, '0')}{zone_text}")
    except ValueError:
        return None


def request(session: t.Any, message: str, delay: int) -> None:
    """Ask for one restart, never twice.

    :param message: shown to the user at the screen; without double quotes.
    :param delay: seconds Windows waits before it shuts down.
    :raises ActionRefused: the client refuses.
    """
    session.open()
    try:
        result = session.run(f'shutdown /r /t {delay:d} /c "{message}"', once=True)
    except Unreachable as error:
        # The client may have begun to shut down before it could answer; the boot time will tell. It is not asked twice.
        if error.reason in _GOING_DOWN:
            return
        raise
    if result.exit_code not in (0, *_ALREADY_ASKED):
        raise ActionRefused(
            session.host,
            "the restart",
            f"shutdown ended with Windows error {result.exit_code}",
            f"run 'net helpmsg {result.exit_code}' for its meaning (5 is access denied: use an administrator)",
            "restart-refused",
        )


def wait(connect: t.Callable[[], t.Any], host: str, before: Up, delay: int, down_timeout: float, up_timeout: float) -> Restart:
    """Wait until a client that was asked to restart has been started again.

    :param connect: gives a new session (a context manager) each time it is called.
    :param delay: seconds Windows waits before it shuts down.
    :param down_timeout: seconds after the delay within which the client must have gone down.
    :param up_timeout: seconds after that within which it must answer again.
    :raises ActionRefused: it did not go down, or did not come back.
    """
    began = time.monotonic()
    time.sleep(delay)
    down_until = up_until = time.monotonic() + down_timeout
    last_error: HelpdeskError | None = None
    while True:
        try:
            with connect() as session:
                after = look(session)
            if _restarted(before, after, last_error is not None):
                took = round(time.monotonic() - began, 1)
                return Restart(before.boot_time.isoformat(), after.boot_time.isoformat(), took)
            last_error = None
        except HelpdeskError as error:
            if last_error is None:
                up_until = time.monotonic() + up_timeout
            last_error = error
        if time.monotonic() >= (up_until if last_error else down_until):
            raise _overdue(host, last_error, down_timeout, up_timeout)
        time.sleep(_POLL_SECONDS)


def _overdue(host: str, last_error: HelpdeskError | None, down_timeout: float, up_timeout: float) -> ActionRefused:
    if last_error is None:
        return ActionRefused(
            host,
            "the restart",
            f"the client did not go down within {down_timeout:g} seconds, it answers and its boot time is the old one",
            "look whether a user or a program holds the shutdown back; it was asked once and is not asked again by waiting",
            "did-not-go-down",
        )
    return ActionRefused(
        host,
        "the restart",
        f"the client went down and did not come back within {up_timeout:g} seconds (last: {last_error.cause})",
        "look at its screen or power; run again when it answers",
        "did-not-come-back",
    )
