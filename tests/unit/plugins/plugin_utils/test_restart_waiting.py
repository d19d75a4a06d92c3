# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One restart: asked for once, believed only when the boot time says so."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _restart
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import ActionRefused, HelpdeskError, QueryRefused, Unreachable
from ansible_collections.sms.helpdesk.plugins.plugin_utils._restart import Restart, boot_time, restart
from ansible_collections.sms.helpdesk.plugins.plugin_utils._winrm import CommandResult
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.clock import Clock
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.sessions import Script

QUERY = "query: SELECT LastBootUpTime FROM Win32_OperatingSystem"
SHUTDOWN = 'run: shutdown /r /t 5 /c "Save your work."'
BEFORE = "2026-03-02T07:58:11.500000Z"
AFTER = "2026-03-05T12:01:40.250000Z"
REFUSED = QueryRefused("pc07", "the WMI query for Win32_OperatingSystem", "WMI does not work", "repair it", "wmi-broken")


def lost(reason: str = "refused") -> Unreachable:
    return Unreachable("pc07", "WinRM at http://10.0.0.7:5985/wsman", "the connection was refused", "start WinRM there", reason)


def booted(at: str) -> tuple[str, list[dict[str, str | None]]]:
    return QUERY, [{"LastBootUpTime": at}]


class Client:
    """Gives one session after the other: the request, then one for every look."""

    def __init__(self, request: Script, *looks: str | HelpdeskError) -> None:
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
            self.scripts.append(Script(booted(look)))
        return self.scripts[-1]


def asking(answer: t.Any = 0, before: str = BEFORE) -> Script:
    return Script(booted(before), (SHUTDOWN, answer))


@pytest.fixture(name="clock", autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_restart, "time", clock)
    return clock


def run(client: Client, down: float = 60, up: float = 120) -> Restart:
    try:
        return restart(client.connect, "pc07", "Save your work.", 5, down, up)
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
        assert boot_time(Script(booted(text))).isoformat() == expected

    @pytest.mark.parametrize("rows", [[], [{}], [{"LastBootUpTime": None}], [{"LastBootUpTime": ""}]])
    def test_no_answer(self, rows: list[dict[str, str | None]]) -> None:
        with pytest.raises(QueryRefused):
            boot_time(Script((QUERY, rows)))

    @pytest.mark.parametrize(
        "text", ["yesterday", "2026-13-45T07:58:11Z", "20261345202756.905393+000", "2026-03-02", "9" * 500, "\x1b[31m"]
    )
    def test_an_answer_that_is_no_time(self, text: str) -> None:
        with pytest.raises(QueryRefused) as caught:
            boot_time(Script(booted(text)))
        assert len(str(caught.value)) < 400


class TestBeforeTheRequest:
    def test_a_client_that_cannot_be_reached_is_not_waited_for(self, clock: Clock) -> None:
        def connect() -> Script:
            raise lost()

        with pytest.raises(Unreachable):
            restart(connect, "pc07", "Save your work.", 5, 60, 120)
        assert clock.slept == []

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
