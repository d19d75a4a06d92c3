# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending a conversation from another thread, and what a session then still does."""

from __future__ import annotations

import socket
import threading
import types
import typing as t

import pytest
import requests
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import Unreachable
from ansible_collections.sms.helpdesk.plugins.plugin_utils._watch import Watch
from ansible_collections.sms.helpdesk.plugins.plugin_utils._watched_http import prepare
from ansible_collections.sms.helpdesk.plugins.plugin_utils._winrm import Session
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.wsman import Transport, created, deleted, done, fault, started

SHELL_GONE = 0x8033805B


class WatchedTransport(Transport):
    """A transport that pywinrm's private method is asked for."""

    def _send_message_request(self, _session: t.Any, _request: t.Any) -> None:
        raise AssertionError("everything is scripted")


def watched(*steps: tuple[str, t.Any]) -> tuple[Session, Transport, Watch]:
    """A session that somebody watches."""
    transport, watch = WatchedTransport(*steps), Watch(5.0)
    protocol = types.SimpleNamespace(transport=transport, operation_timeout_sec=20, read_timeout_sec=30)
    return Session(protocol, "pc07", watch), transport, watch


class TestWatch:
    def test_the_first_reason_stays(self) -> None:
        watch = Watch(5.0)
        assert watch.reason is None
        watch.end("host-deadline")
        watch.end("run-deadline")
        assert watch.reason == "host-deadline"

    def test_a_pause_ends_with_it(self) -> None:
        watch = Watch(5.0)
        timer = threading.Timer(0.05, watch.end, ("host-deadline",))
        timer.start()
        watch.pause(600)
        timer.join()

    def test_hanging_up_ends_a_read_and_closed_sockets_are_forgotten(self) -> None:
        watch = Watch(5.0)
        ours, theirs = socket.socketpair()
        closed, _other = socket.socketpair()
        watch.add(closed)
        closed.close()
        watch.add(ours)
        timer = threading.Timer(0.05, watch.hang_up)
        timer.start()
        with ours, theirs:
            assert ours.recv(1) == b""
        timer.join()
        assert watch.cut
        watch.hang_up()


class TestSession:
    """Nothing but the Delete is posted when the time is over."""

    def test_the_shell_is_deleted(self) -> None:
        session, wire, watch = watched(("Create", created()), ("Delete", deleted()))
        with session, pytest.raises(Unreachable) as caught:
            session.open()
            watch.end("host-deadline")
            session.run("ver")
        wire.assert_used_up()
        assert caught.value.reason == "host-deadline"

    def test_nothing_is_posted_without_a_shell(self) -> None:
        session, wire, watch = watched()
        watch.end("run-deadline")
        with session, pytest.raises(Unreachable):
            session.open()
        assert wire.posted == []

    def test_a_shell_whose_answer_was_lost_is_deleted_by_the_name_we_gave_it(self) -> None:
        session, wire, _watch = watched(("Create", requests.ConnectionError("cut")), ("Delete", deleted()))
        with session, pytest.raises(Unreachable):
            session.open()
        wire.assert_used_up()
        name = wire.requests[0].body[0].get("ShellId") or "none"
        assert f'Name="ShellId">{name}<' in wire.requests[1].text

    def test_a_shell_that_is_made_after_we_have_gone_is_waited_for(self) -> None:
        gone = fault(SHELL_GONE, "w:InvalidSelectors")
        session, wire, watch = watched(("Create", requests.Timeout("cut")), ("Delete", gone), ("Delete", gone), ("Delete", deleted()))
        send = wire.send_message

        def cut_off(message: t.Any) -> bytes:
            if not watch.cut:
                watch.end("run-deadline")
                watch.hang_up()
            return send(message)

        wire.send_message = cut_off  # type: ignore[method-assign]
        with session, pytest.raises(Unreachable) as caught:
            session.open()
        wire.assert_used_up()
        assert caught.value.reason == "run-deadline"

    def test_a_refused_shell_needs_no_delete(self) -> None:
        session, wire, _watch = watched(("Create", fault(5, "w:AccessDenied")))
        with session, pytest.raises(Unreachable):
            session.open()
        wire.assert_used_up()

    def test_the_name_the_service_gives_is_used(self) -> None:
        session, wire, _watch = watched(
            ("Create", created("OTHER")), ("Command", started()), ("Receive", done(b"x")), ("Delete", deleted())
        )
        with session:
            assert session.run("ver").stdout == b"x"
        wire.assert_used_up()
        assert all('Name="ShellId">OTHER<' in request.text for request in wire.requests[1:])


class TestPreparedSessions:
    """What the adapter changes of a session of requests."""

    def test_requests_are_copies_of_the_first_with_another_body(self) -> None:
        session = requests.Session()
        session.auth = requests.auth.HTTPBasicAuth("user", "secret")
        prepare(session, Watch(5.0), tls=False)
        prepare(session, Watch(5.0), tls=False)
        url = "http://10.0.0.7:5985/wsman"
        first = session.prepare_request(requests.Request("POST", url))
        second = session.prepare_request(requests.Request("POST", url, data=b"four"))
        assert (first.body, second.body) == (None, b"four")
        assert second.headers["Content-Length"] == "4"
        assert second.headers["Authorization"] == first.headers["Authorization"]
        assert second.url == first.url
        second.headers["Content-Type"] = "changed"
        assert "Content-Type" not in session.prepare_request(requests.Request("POST", url, data=b"x")).headers

    def test_an_authentication_that_looks_at_every_request_gets_every_request(self) -> None:
        seen: list[t.Any] = []

        class Auth(requests.auth.AuthBase):
            def __call__(self, request: t.Any) -> t.Any:
                seen.append(request.body)
                return request

        session = requests.Session()
        session.auth = Auth()
        prepare(session, Watch(5.0), tls=False)
        for body in (b"1", b"2"):
            session.prepare_request(requests.Request("POST", "http://10.0.0.7/wsman", data=body))
        assert seen == [b"1", b"2"]
