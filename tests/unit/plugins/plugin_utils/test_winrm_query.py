# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""WQL over WS-Management, paged as Windows 2003, 2008 R2 and 2012 page."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _winrm
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import QueryRefused, Unreachable
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers import recordings
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.clock import Clock
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.wsman import (
    Surprise,
    created,
    deleted,
    done,
    enumerated,
    envelope,
    fault,
    fragment,
    pulled,
    session,
    started,
    wmi_error,
)
from winrm.exceptions import InvalidCredentialsError

WQL = "SELECT ProcessId, Name FROM Win32_Process WHERE ProcessId = 4 OR Name < 'x&y'"
IDLE, SYSTEM, AGENT = (
    fragment(ProcessId=pid, Name=name) for pid, name in (("0", "System Idle Process"), ("4", "System"), ("9", "wuser32.exe"))
)
NAMES = ["System Idle Process", "System", "wuser32.exe"]


@pytest.fixture(name="clock", autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_winrm, "time", clock)
    return clock


def asked(*steps: tuple[str, t.Any], wql: str = WQL) -> list[dict[str, str | None]]:
    client, wire = session(*steps)
    with client:
        rows = client.query(wql)
    wire.assert_used_up()
    return rows


class TestPaging:
    def test_windows_2003_answers_at_once_with_an_empty_context(self) -> None:
        assert [row["Name"] for row in asked(("Enumerate", enumerated([IDLE, SYSTEM, AGENT], "", end="w")))] == NAMES

    def test_windows_2008_and_2012_give_one_and_then_the_rest(self) -> None:
        rows = asked(
            ("Enumerate", enumerated([IDLE], "uuid:1")), ("Pull", pulled([SYSTEM], "uuid:2")), ("Pull", pulled([AGENT], None, end="n"))
        )
        assert [row["Name"] for row in rows] == NAMES

    def test_every_page_is_asked_for_with_the_context_of_the_one_before(self) -> None:
        client, wire = session(
            ("Enumerate", enumerated([IDLE], "uuid:1")), ("Pull", pulled([SYSTEM], "uuid:2")), ("Pull", pulled([AGENT], None, end="n"))
        )
        with client:
            client.query(WQL)
        assert [">uuid:1<" in wire.requests[1].text, ">uuid:2<" in wire.requests[2].text] == [True, True]
        filtered = next(wire.requests[0].body.iter("{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}Filter"))
        assert (filtered.text, filtered.get("Dialect")) == (WQL, "http://schemas.microsoft.com/wbem/wsman/1/WQL")
        assert "wmi/root/cimv2/*" in wire.requests[0].text
        assert "OptimizeEnumeration" in wire.requests[0].text

    @pytest.mark.parametrize("end", ["w", "n"])
    @pytest.mark.parametrize("items", ["w", "n"])
    def test_both_namespaces(self, end: str, items: str) -> None:
        rows = asked(("Enumerate", enumerated([], "uuid:1", items=items)), ("Pull", pulled([AGENT], "uuid:2", end=end, items=items)))
        assert [row["Name"] for row in rows] == ["wuser32.exe"]

    def test_no_row_at_all(self) -> None:
        assert asked(("Enumerate", enumerated([], "", end="w"))) == []
        assert asked(("Enumerate", enumerated([], "uuid:1")), ("Pull", pulled([], None, end="n"))) == []

    def test_an_empty_page_in_between(self) -> None:
        rows = asked(
            ("Enumerate", enumerated([], "uuid:1")),
            ("Pull", pulled([IDLE], "uuid:2")),
            ("Pull", pulled([], "uuid:3")),
            ("Pull", pulled([SYSTEM, AGENT], None, end="n")),
        )
        assert [row["Name"] for row in rows] == NAMES

    def test_a_page_without_a_context_leaves_the_last_one_valid(self) -> None:
        rows = asked(
            ("Enumerate", enumerated([IDLE], "uuid:1")), ("Pull", pulled([SYSTEM], None)), ("Pull", pulled([AGENT], None, end="n"))
        )
        assert [row["Name"] for row in rows] == NAMES

    def test_an_answer_that_says_nothing_ends_it(self) -> None:
        assert asked(("Enumerate", envelope("<n:EnumerateResponse/>"))) == []
        assert asked(("Enumerate", enumerated([IDLE], "uuid:1")), ("Pull", envelope(""))) != []

    def test_no_shell_is_needed(self) -> None:
        client, wire = session(("Enumerate", enumerated([AGENT], "", end="w")))
        with client:
            client.query(WQL)
        assert wire.posted == ["Enumerate"]

    def test_a_context_is_sent_back_as_it_came(self) -> None:
        client, wire = session(("Enumerate", enumerated([], "a&amp;b&lt;c")), ("Pull", pulled([], None, end="n")))
        with client:
            client.query(WQL)
        assert ">a&amp;b&lt;c<" in wire.requests[1].text

    def test_pages_without_end_are_not_followed_for_ever(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        """A client that always promises more must not keep a worker busy until somebody ends it."""

        client, wire = session()
        pages = itertools.chain([enumerated([], "uuid:1")], itertools.repeat(pulled([AGENT], "uuid:1"), 20_000))
        clock.step = 1.0

        def page(_message: str) -> bytes:
            text = next(pages, None)
            if text is None:
                raise Surprise("twenty thousand pages were followed for twenty thousand seconds")
            return text.encode()

        monkeypatch.setattr(wire, "send_message", page)
        with pytest.raises((QueryRefused, Unreachable)):
            client.query(WQL)


class TestValues:
    def test_null_empty_and_text(self) -> None:
        (row,) = asked(("Enumerate", enumerated([fragment(A=None, B="", C=" x ", D="ä<&>", E="true")], "", end="w")))
        assert row == {"A": None, "B": "", "C": " x ", "D": "ä<&>", "E": "true"}

    @pytest.mark.parametrize(
        "cell",
        [
            "<At><Datetime>2013-04-15T16:28:44.7884Z</Datetime></At>",
            '<At><cim:Datetime xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common">2013-04-15T16:28:44.7884Z</cim:Datetime></At>',
            "<At>2013-04-15T16:28:44.7884Z</At>",
        ],
    )
    def test_dates(self, cell: str) -> None:
        assert asked(("Enumerate", enumerated([f"<w:XmlFragment>{cell}</w:XmlFragment>"], "", end="w"))) == [
            {"At": "2013-04-15T16:28:44.7884Z"}
        ]

    def test_whole_instances(self) -> None:
        space = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_Process"
        whole = (
            f'<q:Win32_Process xmlns:q="{space}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="q:Win32_Process_Type">'
            '<q:Name>System</q:Name><q:ExecutablePath xsi:nil="true"/></q:Win32_Process>'
        )
        assert asked(("Enumerate", enumerated([whole], "", end="w"))) == [{"Name": "System", "ExecutablePath": None}]

    @pytest.mark.parametrize(("server", "kind"), [("2003", "Process"), ("2008", "Process"), ("2012", "Process"), ("2008", "Service")])
    def test_recorded_pages(self, server: str, kind: str) -> None:
        """Whole enumerations of real hosts where they are at hand; those above have their shapes."""
        pages = [data.decode() for data in recordings.found(f"wsman/txwinrm__server_{server}__Win32_{kind}_all_*.txt")]
        if pages:
            rows = asked(*[("Pull" if page else "Enumerate", text) for page, text in enumerate(pages)])
            assert len(rows) == sum(text.count("<w:XmlFragment ") for text in pages) > 20
            by_name = {row["Name"]: row for row in rows}
            if kind == "Process":
                assert by_name["System Idle Process"]["ExecutablePath"] is None
                assert by_name["System"]["ProcessId"] == "4"
                assert {row["WindowsVersion"] for row in rows} == {{"2003": "5.2.3790", "2008": "6.1.7601", "2012": "6.2.9200"}[server]}


class TestRefusals:
    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (fault(2150858778, "n:CannotProcessFilter", "text", 2150858778), "class-missing"),
            (fault(2150858778, "n:CannotProcessFilter"), "class-missing"),
            (fault(2150859046, "w:InternalError", "text", 0x80041010), "class-missing"),
            (fault(2150859046, "w:InternalError", "text", 0x8004100E), "class-missing"),
            (fault(5, "w:AccessDenied", "Zugriff verweigert"), "access-denied"),
            (fault(2147942405, "w:AccessDenied"), "access-denied"),
            (fault(2150859046, "w:InternalError", "text", 0x80041003), "access-denied"),
            (fault(2150859046, "w:InternalError", "text", 0x80041004), "wmi-broken"),
            (fault(2150858793, "w:TimedOut"), "timeout"),
            (fault(2150858752, "a:DestinationUnreachable"), "resource-missing"),
            (fault(1234, "w:InternalError"), "fault"),
        ],
    )
    def test_the_query_is_refused_and_the_client_is_not(self, answer: t.Any, reason: str) -> None:
        for steps in ([("Enumerate", answer)], [("Enumerate", enumerated([IDLE], "uuid:1")), ("Pull", answer)]):
            client, wire = session(*steps)
            with client, pytest.raises(QueryRefused) as caught:
                client.query(WQL)
            wire.assert_used_up()
            assert (caught.value.reason, caught.value.unreachable) == (reason, False)
            assert "Win32_Process" in str(caught.value)

    @pytest.mark.parametrize("quota", [fault(2150859174, "w:InternalError"), wmi_error(2150859174)])
    def test_a_quota_is_waited_for(self, quota: t.Any, clock: Clock) -> None:
        assert len(asked(("Enumerate", quota), ("Enumerate", quota), ("Enumerate", enumerated([AGENT], "", end="w")))) == 1
        assert len(clock.slept) == 2

    def test_but_not_for_ever(self) -> None:
        client, wire = session(*[("Enumerate", wmi_error(2150859174))] * 3)
        with client, pytest.raises(Unreachable) as caught:
            client.query(WQL)
        wire.assert_used_up()
        assert caught.value.reason == "quota-operations"

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (InvalidCredentialsError("rejected"), "access-denied"),
            ((403, ""), "access-denied"),
            (ConnectionResetError(104, "reset"), "reset"),
            ((500, "<html>"), "not-winrm"),
            ("", "not-winrm"),
        ],
    )
    def test_once_a_shell_is_open_whatever_fails_is_wmi(self, answer: t.Any, reason: str) -> None:
        client, wire = session(
            ("Create", created()), ("Command", started()), ("Receive", done()), ("Enumerate", answer), ("Delete", deleted())
        )
        with client:
            client.run("ver")
            with pytest.raises(QueryRefused) as caught:
                client.query(WQL)
        wire.assert_used_up()
        assert caught.value.reason == reason

    @pytest.mark.parametrize(("answer", "reason"), [(InvalidCredentialsError("rejected"), "credentials"), ((403, ""), "access-denied")])
    def test_without_a_shell_it_is_that_of_the_house(self, answer: t.Any, reason: str) -> None:
        client, wire = session(("Enumerate", answer))
        with client, pytest.raises(Unreachable) as caught:
            client.query(WQL)
        wire.assert_used_up()
        assert caught.value.reason == reason
