# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One restart: asked for once, believed only when the client has been up for a shorter time than it would be without."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _restart
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import ActionRefused, HelpdeskError, QueryRefused, Unreachable
from ansible_collections.sms.helpdesk.plugins.plugin_utils._restart import (
    Restart,
    is_another_boot,
    logged_on,
    look,
    parse_time,
    request,
    wait,
)
from ansible_collections.sms.helpdesk.plugins.plugin_utils._winrm import CommandResult
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.clock import Clock
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.sessions import Script

QUERY = "query: SELECT LastBootUpTime, LocalDateTime FROM Win32_OperatingSystem"
SHUTDOWN = 'run: shutdown /r /t 5 /c "Save your work."'
BEFORE = "2026-03-02T07:58:11.500000Z"
AFTER = "2026-03-05T12:01:40.250000Z"
REFUSED = QueryRefused("pc07", "the WMI query for Win32_OperatingSystem", "WMI does not work", "repair it", "wmi-broken")


def lost(reason: str = "refused") -> Unreachable:
    return Unreachable("pc07", "WinRM at http://10.0.0.7:5985/wsman", "the connection was refused", "start WinRM there", reason)


def booted(at: str, now: str | None = None) -> tuple[str, list[dict[str, str | None]]]:
    return QUERY, [{"LastBootUpTime": at, "LocalDateTime": now}]


class Client:
    """Gives one session after the other: the request, then one for every look."""

    def __init__(self, request: Script, *looks: str | tuple[str, str] | HelpdeskError) -> None:
        self.scripts = [request]
        self.looks = list(looks)
        self.looked = 0

    def connect(self) -> Script:
        if self.looked == 0:
            self.looked = 1
            return self.scripts[0]
        self.looked += 1
        # The last answer stays.
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, Unreachable):
            raise look
        if isinstance(look, HelpdeskError):
            self.scripts.append(Script((QUERY, look)))
        else:
            self.scripts.append(Script(booted(look) if isinstance(look, str) else booted(*look)))
        return self.scripts[-1]


def asking(answer: t.Any = 0, before: str = BEFORE, now: str | None = None) -> Script:
    return Script(booted(before, now), (SHUTDOWN, answer))


@pytest.fixture(name="clock", autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_restart, "time", clock)
    return clock


def run(client: Client, down: float = 60, up: float = 120) -> Restart:
    try:
        with client.connect() as session:
            before = look(session)
            request(session, "Save your work.", 5)
        return wait(client.connect, "pc07", before, 5, down, up)
    finally:
        requests = [asked for script in client.scripts for asked in script.asked if asked.startswith("run:")]
        assert len(requests) <= 1, "it was asked twice"
        assert requests == [asked for script in client.scripts for asked in script.once], "the session might ask twice"
        for script in client.scripts:
            script.assert_used_up()
            assert script.closed == 1


class TestBootTime:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-03-02T07:58:11.500000Z", "2026-03-02T07:58:11.500000+00:00"),
            ("2026-03-02T07:58:11.5Z", "2026-03-02T07:58:11.500000+00:00"),
            ("2026-03-02T07:58:11.4999999Z", "2026-03-02T07:58:11.499999+00:00"),
            ("2026-03-02T07:58:11Z", "2026-03-02T07:58:11+00:00"),
            ("2026-03-02T07:58:11.5+01:00", "2026-03-02T07:58:11.500000+01:00"),
            ("20130415202756.905393+000", "2013-04-15T20:27:56.905393+00:00"),
            ("20130415202756.905393-420", "2013-04-15T20:27:56.905393-07:00"),
            ("20130415202756.905393+120", "2013-04-15T20:27:56.905393+02:00"),
        ],
    )
    def test_forms(self, text: str, expected: str) -> None:
        assert look(Script(booted(text))).boot_time.isoformat() == expected

    @pytest.mark.parametrize("rows", [[], [{}], [{"LastBootUpTime": None}], [{"LastBootUpTime": ""}]])
    def test_no_answer(self, rows: list[dict[str, str | None]]) -> None:
        with pytest.raises(QueryRefused):
            look(Script((QUERY, rows)))

    @pytest.mark.parametrize(
        "text", ["yesterday", "2026-13-45T07:58:11Z", "20261345202756.905393+000", "2026-03-02", "9" * 500, "\x1b[31m"]
    )
    def test_an_answer_that_is_no_time(self, text: str) -> None:
        with pytest.raises(QueryRefused) as caught:
            look(Script(booted(text)))
        assert len(str(caught.value)) < 400

    @pytest.mark.parametrize(
        ("booted_at", "now", "seconds"),
        [
            ("2026-03-02T07:58:11Z", "2026-03-02T08:58:11Z", 3600),
            ("2026-03-02T07:58:11Z", "2026-03-02T09:58:11+01:00", 3600),
            ("20260302075811.000000+000", "20260302095811.000000+060", 3600),
            ("2026-03-02T07:58:11", "2026-03-02T07:58:12", 1),
        ],
    )
    def test_how_long_it_has_been_up(self, booted_at: str, now: str, seconds: float) -> None:
        assert look(Script(booted(booted_at, now))).uptime == datetime.timedelta(seconds=seconds)

    @pytest.mark.parametrize("now", [None, "", "soon"])
    def test_is_not_known_where_the_client_does_not_tell_its_time(self, now: str | None) -> None:
        assert look(Script(booted("2026-03-02T07:58:11Z", now))).uptime is None


class TestKnownBoots:
    KNOWN = parse_time("2026-03-02T07:58:11.5Z")

    @pytest.mark.parametrize("seconds", [-29, -1, 0, 0.016, 29])
    def test_the_same(self, seconds: float) -> None:
        assert self.KNOWN is not None
        assert not is_another_boot(self.KNOWN + datetime.timedelta(seconds=seconds), self.KNOWN)

    @pytest.mark.parametrize("seconds", [-4000, -31, 31, 86400])
    def test_another_also_if_the_clock_went_back(self, seconds: float) -> None:
        assert self.KNOWN is not None
        assert is_another_boot(self.KNOWN + datetime.timedelta(seconds=seconds), self.KNOWN)


class TestTheUser:
    QUERY: t.ClassVar = "query: SELECT UserName FROM Win32_ComputerSystem"

    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            ([{"UserName": "EXAMPLE\\anna"}], "EXAMPLE\\anna"),
            ([{"UserName": None}], None),
            ([{"UserName": ""}], None),
            ([{}], None),
            ([], None),
            (REFUSED, None),
            ([{"UserName": "a\x1b[2Jb"}], "a\\x1b[2Jb"),
        ],
    )
    def test_who_is_logged_on(self, rows: t.Any, expected: str | None) -> None:
        assert logged_on(Script((self.QUERY, rows))) == expected


class TestBeforeTheRequest:
    def test_without_a_boot_time_nothing_is_restarted(self, clock: Clock) -> None:
        with pytest.raises(QueryRefused):
            run(Client(Script((QUERY, REFUSED))))
        assert clock.slept == []

    @pytest.mark.parametrize("code", [1, 5, 1191])
    def test_a_refusal_tells_the_number(self, code: int, clock: Clock) -> None:
        with pytest.raises(ActionRefused) as caught:
            run(Client(asking(code)))
        assert caught.value.reason == "restart-refused"
        assert str(code) in str(caught.value)
        assert clock.slept == []

    @pytest.mark.parametrize("reason", ["credentials", "access-denied", "quota-shells", "quota-operations", "tls-certificate"])
    def test_a_request_that_was_not_let_in_was_not_made(self, reason: str, clock: Clock) -> None:
        with pytest.raises(Unreachable):
            run(Client(asking(lost(reason))))
        assert clock.slept == []


class TestRestarts:
    def test_down_and_up_again(self, clock: Clock) -> None:
        client = Client(asking(), BEFORE, lost(), lost("timeout"), lost("reset"), AFTER)
        done = run(client)
        assert (done.boot_time_before, done.boot_time_after) == ("2026-03-02T07:58:11.500000+00:00", "2026-03-05T12:01:40.250000+00:00")
        assert done.elapsed == clock.now - 1000.0
        assert clock.slept[0] == 5

    def test_so_quickly_that_nobody_saw_it_down(self) -> None:
        assert run(Client(asking(), BEFORE, AFTER)).boot_time_after.startswith("2026-03-05")

    @pytest.mark.parametrize("code", [1190, 1115])
    def test_somebody_else_asked_before(self, code: int) -> None:
        run(Client(asking(CommandResult(b"", b"A system shutdown has already been scheduled.(1190)", code)), lost(), AFTER))

    @pytest.mark.parametrize("reason", ["reset", "timeout", "refused", "no-route", "shell-gone"])
    def test_it_goes_down_before_it_can_answer(self, reason: str) -> None:
        run(Client(asking(lost(reason)), lost(), AFTER))

    def test_a_client_that_had_just_been_started(self) -> None:
        run(Client(asking(before="2026-03-05T12:01:20Z"), lost(), "2026-03-05T12:01:40Z"))

    def test_wmi_needs_a_while_after_the_start(self) -> None:
        run(Client(asking(), lost(), REFUSED, REFUSED, AFTER))


class TestNoRestart:
    def test_it_did_not_go_down(self, clock: Clock) -> None:
        with pytest.raises(ActionRefused) as caught:
            run(Client(asking(), BEFORE), down=60, up=1000)
        assert caught.value.reason == "did-not-go-down"
        assert "60 seconds" in str(caught.value)
        assert 65 <= clock.now - 1000 <= 70

    def test_it_did_not_come_back(self, clock: Clock) -> None:
        with pytest.raises(ActionRefused) as caught:
            run(Client(asking(), BEFORE, lost()), down=1000, up=120)
        assert caught.value.reason == "did-not-come-back"
        assert "120 seconds" in str(caught.value)
        assert "refused" in str(caught.value)
        assert 125 <= clock.now - 1000 <= 132

    @pytest.mark.parametrize("seconds", [-4000, -40, -2, -0.016, 0.016, 2, 20])
    def test_a_clock_that_was_set_is_no_restart(self, seconds: float) -> None:
        moved = datetime.datetime(2026, 3, 2, 7, 58, 11, 500000) + datetime.timedelta(seconds=seconds)
        with pytest.raises(ActionRefused) as caught:
            run(Client(asking(), BEFORE, moved.isoformat() + "Z"))
        assert caught.value.reason == "did-not-go-down"

    @pytest.mark.parametrize("seconds", [-0.016, 0.016, 1])
    def test_nor_is_a_lost_connection_and_a_clock_that_is_kept_right(self, seconds: float) -> None:
        moved = datetime.datetime(2026, 3, 2, 7, 58, 11, 500000) + datetime.timedelta(seconds=seconds)
        with pytest.raises(ActionRefused) as caught:
            run(Client(asking(), lost("timeout"), moved.isoformat() + "Z"))
        assert caught.value.reason == "did-not-go-down"

    def test_both_failures_are_told_in_one_sentence(self) -> None:
        for looks in ([BEFORE], [lost()]):
            with pytest.raises(ActionRefused) as caught:
                run(Client(asking(), *looks))
            text = str(caught.value)
            assert text.isprintable()
            assert text.startswith("pc07: the restart: ")
            assert text.endswith(".")
            assert not caught.value.unreachable


class TestClocks:
    """The client tells its own time, so that a clock that is set or wrong neither hides a restart nor looks like one."""

    BEFORE, NOW = "2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z"

    def client(self, *looks: tuple[str, str] | HelpdeskError) -> Client:
        return Client(asking(0, self.BEFORE, self.NOW), *looks)

    @pytest.mark.parametrize(
        ("booted_at", "now"),
        [
            ("2026-03-02T09:00:20Z", "2026-03-02T09:00:30Z"),
            # The battery of the clock is flat: it went back to the day it was made.
            ("2002-01-01T00:00:00Z", "2002-01-01T00:00:10Z"),
            ("2026-03-02T07:30:00Z", "2026-03-02T07:30:10Z"),
            # It was an hour slow, and is right since the restart.
            ("2026-03-02T10:00:20Z", "2026-03-02T10:00:30Z"),
        ],
    )
    @pytest.mark.parametrize("seen_down", [True, False])
    def test_a_restart(self, clock: Clock, booted_at: str, now: str, seen_down: bool) -> None:
        clock.step = 5.0
        done = run(self.client(*([lost()] if seen_down else []), (booted_at, now)))
        assert parse_time(done.boot_time_after) == parse_time(booted_at)

    @pytest.mark.parametrize(
        ("booted_at", "now"),
        [
            # Windows moves the boot time along with the clock ...
            ("2026-03-02T07:00:00Z", "2026-03-02T08:00:30Z"),
            ("2026-03-02T08:00:40Z", "2026-03-02T09:01:30Z"),
            # ... but it need not.
            ("2026-03-02T08:00:00Z", "2026-03-02T07:00:30Z"),
            ("2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z"),
            ("2026-03-02T08:00:00.9Z", "2026-03-02T09:00:20Z"),
        ],
    )
    @pytest.mark.parametrize("seen_down", [True, False])
    def test_no_restart(self, booted_at: str, now: str, seen_down: bool) -> None:
        with pytest.raises(ActionRefused) as caught:
            run(self.client(*([lost()] if seen_down else []), (booted_at, now)), down=10)
        assert caught.value.reason == "did-not-go-down"

    def test_two_restarts_soon_after_another(self, clock: Clock) -> None:
        clock.step = 0.5
        run(Client(asking(0, "2026-03-02T09:00:00Z", "2026-03-02T09:00:01Z"), ("2026-03-02T09:00:08Z", "2026-03-02T09:00:09Z")))
