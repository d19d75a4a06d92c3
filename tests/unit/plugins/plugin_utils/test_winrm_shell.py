# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands over WS-Management: pieces, polls, quotas, shells that vanish, and that nothing is left open."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _winrm
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import CommandTimeout, Unreachable
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers import recordings
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.clock import Clock
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.wsman import (
    COMMAND,
    SHELL,
    created,
    deleted,
    done,
    enumerated,
    envelope,
    fault,
    fragment,
    received,
    session,
    signalled,
    started,
    wmi_error,
)

TIMED_OUT = fault(2150858793, "w:TimedOut", "Der WS-Verwaltungsdienst kann den Vorgang nicht abschließen.")
SHELL_GONE = fault(2150858843, "w:InvalidSelectors", "Неверные селекторы")
OPERATIONS = fault(2150859174, "w:InternalError", "15 concurrent operations")
OPERATIONS_OTHER_SHAPE = wmi_error(2150859174)
SHELLS = wmi_error(2150859173, "5 concurrent shells")
SHELLS_OTHER_SHAPE = fault(2150859173, "w:QuotaLimit")
SHELL_NAMESPACE = "{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}"


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_winrm, "time", clock)
    return clock


class TestOneCommand:
    def test_four_posts_and_nothing_left_open(self) -> None:
        client, wire = session(("Create", created()), ("Command", started()), ("Receive", done(b"hello", 3)), ("Delete", deleted()))
        with client:
            result = client.run("echo hello")
        wire.assert_used_up()
        assert (result.stdout, result.stderr, result.exit_code) == (b"hello", b"", 3)
        assert wire.closed == 1

    def test_what_is_asked(self) -> None:
        client, wire = session(("Create", created()), ("Command", started()), ("Receive", done()), ("Delete", deleted()))
        with client:
            client.run('ver & type "a<b>.txt"')
        create, command, receive, delete = wire.requests
        assert '"WINRS_CODEPAGE">65001<' in create.text
        assert command.body.find(f".//{SHELL_NAMESPACE}Command").text == 'ver & type "a<b>.txt"'  # type: ignore[union-attr]
        stream = receive.body.find(f".//{SHELL_NAMESPACE}DesiredStream")
        assert stream is not None
        assert (stream.get("CommandId"), (stream.text or "").split()) == (COMMAND, ["stdout", "stderr"])
        for request in (command, receive, delete):
            assert f'<w:Selector Name="ShellId">{SHELL}</w:Selector>' in request.text
        assert len({request.text.partition("MessageID>")[2][:45] for request in wire.requests}) == 4

    def test_the_requests_are_small(self) -> None:
        client, wire = session(("Create", created()), ("Command", started()), ("Receive", done()), ("Delete", deleted()))
        with client:
            client.run("ver")
        assert sum(len(request.text) for request in wire.requests) < 7000

    def test_two_commands_share_the_shell(self) -> None:
        steps = [("Command", started()), ("Receive", done(b"1")), ("Command", started()), ("Receive", done(b"2"))]
        client, wire = session(("Create", created()), *steps, ("Delete", deleted()))
        with client:
            assert [client.run("a").stdout, client.run("b").stdout] == [b"1", b"2"]
        wire.assert_used_up()

    def test_a_session_that_was_not_used_posts_nothing(self) -> None:
        client, wire = session()
        with client:
            pass
        assert wire.posted == []

    def test_the_shell_is_deleted_also_when_the_work_fails(self) -> None:
        client, wire = session(("Create", created()), ("Command", started()), ("Receive", done()), ("Delete", deleted()))
        with pytest.raises(KeyError), client:
            client.run("ver")
            raise KeyError
        wire.assert_used_up()

    @pytest.mark.parametrize("trouble", [SHELL_GONE, (500, ""), (401, ""), ConnectionResetError(104, "x"), b"<html>", RuntimeError("odd")])
    def test_a_delete_that_fails_is_nobodys_business(self, trouble: t.Any) -> None:
        client, wire = session(("Create", created()), ("Command", started()), ("Receive", done(b"fine")), ("Delete", trouble))
        with client:
            assert client.run("ver").stdout == b"fine"
        wire.assert_used_up()

    def test_open_twice_is_one_shell(self) -> None:
        client, wire = session(("Create", created()), ("Delete", deleted()))
        with client:
            client.open()
            client.open()
        wire.assert_used_up()

    def test_a_shell_of_winrm_1_1(self) -> None:
        answer = envelope(
            "<x:ResourceCreated><a:Address>role/anonymous</a:Address><a:ReferenceParameters><w:SelectorSet>"
            "<w:Selector Name='ShellId'>uuid:739990FF-1492-4CDD-80BB-6E07ADB06D85</w:Selector>"
            "</w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>"
        )
        client, wire = session(("Create", answer), ("Delete", deleted()))
        with client:
            client.open()
        assert ">uuid:739990FF-1492-4CDD-80BB-6E07ADB06D85<" in wire.requests[1].text


class TestOutput:
    @pytest.mark.parametrize("cut", range(1, 6))
    def test_pieces_cut_anywhere_even_inside_a_character(self, cut: int) -> None:
        data = "ÖÖ€".encode()
        client, wire = session(
            ("Create", created()),
            ("Command", started()),
            ("Receive", received(("stdout", data[:cut]))),
            ("Receive", received(("stdout", data[cut:]), ("stderr", b"e"), exit_code=0)),
            ("Delete", deleted()),
        )
        with client:
            result = client.run("x")
        assert (result.stdout.decode(), result.stderr) == ("ÖÖ€", b"e")
        wire.assert_used_up()

    def test_streams_are_told_apart_and_kept_in_order(self) -> None:
        answer = received(("stdout", b"1"), ("stderr", b"a"), ("stdout", b"2"), ("stderr", b"b"), ("stdout", b""), exit_code=0)
        client, _wire = session(("Create", created()), ("Command", started()), ("Receive", answer), ("Delete", deleted()))
        with client:
            result = client.run("x")
        assert (result.stdout, result.stderr) == (b"12", b"ab")

    @pytest.mark.parametrize(
        ("code", "expected"), [("0", 0), ("1", 1), ("-1073741819", -1073741819), (" 7 ", 7), ("", -1), ("x", -1), ("9" * 5000, -1)]
    )
    def test_exit_codes(self, code: str, expected: int) -> None:
        answer = received(exit_code=code)
        client, _wire = session(("Create", created()), ("Command", started()), ("Receive", answer), ("Delete", deleted()))
        with client:
            assert client.run("x").exit_code == expected

    def test_recorded_conversations(self) -> None:
        """Whole conversations of real hosts where they are at hand; all above have their shapes."""
        for name, stdout, code in (("winrs_standard", b"hi", 0), ("client_execute_cmd", b"Volume in drive C", 0)):
            answers = [data.decode() for data in recordings.found(f"wsman/pypsrp__{name}_0[0-4]_*_response.txt")]
            if answers:
                client, wire = session(("Create", answers[0]), ("Command", answers[1]), ("Receive", answers[2]), ("Delete", answers[4]))
                with client:
                    result = client.run("x")
                wire.assert_used_up()
                assert stdout in result.stdout
                assert result.exit_code == code
        parts = [data.decode() for data in recordings.found("wsman/txwinrm__data_shell__*.txt")]
        if parts:
            command, create, first, second = parts
            client, wire = session(("Create", create), ("Command", command), ("Receive", first), ("Receive", second), ("Delete", deleted()))
            with client:
                assert b'"(PDH-CSV 4.0)"' in client.run("typeperf").stdout
            wire.assert_used_up()


class TestTime:
    def test_polls_without_output_are_normal(self, clock: Clock) -> None:
        client, wire = session(
            ("Create", created()),
            ("Command", started()),
            ("Receive", TIMED_OUT),
            ("Receive", received(("stdout", b"1"))),
            ("Receive", TIMED_OUT),
            ("Receive", TIMED_OUT),
            ("Receive", done(b"2")),
            ("Delete", deleted()),
        )
        with client:
            assert client.run("x").stdout == b"12"
        wire.assert_used_up()
        assert clock.slept == []

    @pytest.mark.parametrize("answer", [TIMED_OUT, received(("stdout", b"."))])
    def test_a_command_that_does_not_end_is_told_to_end(self, clock: Clock, answer: t.Any) -> None:
        clock.step = 20.0
        client, wire = session(
            ("Create", created()),
            ("Command", started()),
            ("Receive", answer),
            ("Receive", answer),
            ("Signal", signalled()),
            ("Delete", deleted()),
        )
        with client, pytest.raises(CommandTimeout) as caught:
            client.run("x", deadline=40.0)
        wire.assert_used_up()
        assert "signal/terminate" in wire.requests[4].text
        assert COMMAND in wire.requests[4].text
        assert (caught.value.reason, caught.value.unreachable) == ("command-timeout", False)
        assert "pc07" in str(caught.value)

    def test_a_flood_is_stopped(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_winrm, "_OUTPUT_LIMIT", 100)
        flood = received(("stdout", b"x" * 101))
        client, wire = session(
            ("Create", created()), ("Command", started()), ("Receive", flood), ("Signal", signalled()), ("Delete", deleted())
        )
        with client, pytest.raises(CommandTimeout) as caught:
            client.run("x")
        wire.assert_used_up()
        assert caught.value.reason == "output-limit"
        assert "100 bytes" in str(caught.value)

    @pytest.mark.parametrize(("limit", "shown"), [(10, "10 bytes"), (2048, "2 KiB"), (1024 * 1024, "1 MiB")])
    def test_a_limit_of_its_own_keeps_what_was_printed(self, clock: Clock, limit: int, shown: str) -> None:
        first, second = received(("stdout", b"a" * limit)), received(("stdout", b"b"), ("stderr", b"odd"))
        client, wire = session(
            ("Create", created()),
            ("Command", started()),
            ("Receive", first),
            ("Receive", second),
            ("Signal", signalled()),
            ("Delete", deleted()),
        )
        with client, pytest.raises(CommandTimeout) as caught:
            client.run("x", limit=limit)
        wire.assert_used_up()
        assert shown in str(caught.value)
        assert (caught.value.stdout, caught.value.stderr) == (b"a" * limit + b"b", b"odd")

    def test_a_command_that_does_not_end_in_time_keeps_it_too(self, clock: Clock) -> None:
        clock.step = 20.0
        client, wire = session(
            ("Create", created()),
            ("Command", started()),
            ("Receive", received(("stdout", b"Overwrite (Yes/No/All)? "))),
            ("Receive", TIMED_OUT),
            ("Signal", signalled()),
            ("Delete", deleted()),
        )
        with client, pytest.raises(CommandTimeout) as caught:
            client.run("x", deadline=40.0)
        wire.assert_used_up()
        assert (caught.value.stdout, caught.value.stderr) == (b"Overwrite (Yes/No/All)? ", b"")


class TestLookingBeforeTheEnd:
    """What a command has started can be told only as long as it runs."""

    ROWS = enumerated([fragment(ProcessId="4")], None, "w")

    def test_is_done_before_the_signal(self, clock: Clock) -> None:
        clock.step = 20.0
        client, wire = session(
            ("Create", created()),
            ("Command", started()),
            ("Receive", TIMED_OUT),
            ("Enumerate", self.ROWS),
            ("Signal", signalled()),
            ("Delete", deleted()),
        )
        seen: list[t.Any] = []
        with client, pytest.raises(CommandTimeout):
            client.run("x", deadline=20.0, overrun=lambda: seen.extend(client.query("SELECT ProcessId FROM Win32_Process")))
        wire.assert_used_up()
        assert seen == [{"ProcessId": "4"}]

    def test_also_when_the_connection_was_cut(self) -> None:
        client, wire = session(
            ("Create", created()),
            ("Command", started()),
            ("Receive", ConnectionResetError(104, "x")),
            ("Enumerate", self.ROWS),
            ("Signal", signalled()),
            ("Delete", deleted()),
        )
        seen: list[t.Any] = []
        with client, pytest.raises(Unreachable) as caught:
            client.run("x", once=True, overrun=lambda: seen.extend(client.query("SELECT ProcessId FROM Win32_Process")))
        wire.assert_used_up()
        assert caught.value.reason == "reset"
        assert len(seen) == 1

    def test_and_what_goes_wrong_there_is_not_the_error(self, clock: Clock) -> None:
        clock.step = 20.0
        client, wire = session(
            ("Create", created()),
            ("Command", started()),
            ("Receive", TIMED_OUT),
            ("Enumerate", fault(5, "w:AccessDenied")),
            ("Signal", signalled()),
            ("Delete", deleted()),
        )

        def look() -> None:
            client.query("SELECT ProcessId FROM Win32_Process")

        with client, pytest.raises(CommandTimeout):
            client.run("x", deadline=20.0, overrun=look)
        wire.assert_used_up()

    def test_but_not_after_a_command_that_has_ended(self) -> None:
        client, wire = session(("Create", created()), ("Command", started()), ("Receive", done()), ("Delete", deleted()))
        called: list[int] = []
        with client:
            client.run("x", overrun=lambda: called.append(1))
        wire.assert_used_up()
        assert called == []


class TestQuotas:
    @pytest.mark.parametrize("quota", [SHELLS, SHELLS_OTHER_SHAPE, OPERATIONS, OPERATIONS_OTHER_SHAPE])
    def test_a_shell_is_asked_for_again_after_a_pause(self, clock: Clock, quota: t.Any) -> None:
        client, wire = session(("Create", quota), ("Create", created()), ("Delete", deleted()))
        with client:
            client.open()
        wire.assert_used_up()
        assert len(clock.slept) == 1

    @pytest.mark.parametrize(
        ("quota", "reason"),
        [
            (SHELLS, "quota-shells"),
            (SHELLS_OTHER_SHAPE, "quota-shells"),
            (OPERATIONS, "quota-operations"),
            (OPERATIONS_OTHER_SHAPE, "quota-operations"),
        ],
    )
    def test_but_not_for_ever(self, clock: Clock, quota: t.Any, reason: str) -> None:
        client, wire = session(*[("Create", quota)] * 3)
        with client, pytest.raises(Unreachable) as caught:
            client.open()
        wire.assert_used_up()
        assert caught.value.reason == reason
        assert len(clock.slept) == 2
        assert clock.slept == sorted(clock.slept)

    @pytest.mark.parametrize("quota", [OPERATIONS, OPERATIONS_OTHER_SHAPE])
    def test_operations_of_a_shell_are_freed_with_it(self, clock: Clock, quota: t.Any) -> None:
        client, wire = session(
            ("Create", created()),
            ("Command", quota),
            ("Delete", deleted()),
            ("Create", created("SECOND")),
            ("Command", started()),
            ("Receive", done(b"late")),
            ("Delete", deleted()),
        )
        with client:
            assert client.run("x").stdout == b"late"
        wire.assert_used_up()
        assert ">SECOND<" in wire.requests[-1].text


class TestVanishingShells:
    def test_one_new_shell(self) -> None:
        client, wire = session(
            ("Create", created("FIRST")),
            ("Command", SHELL_GONE),
            ("Delete", SHELL_GONE),
            ("Create", created("SECOND")),
            ("Command", started()),
            ("Receive", done(b"back")),
            ("Delete", deleted()),
        )
        with client:
            assert client.run("x").stdout == b"back"
        wire.assert_used_up()
        assert [">SECOND<" in request.text for request in wire.requests] == [False, False, False, False, True, True, True]

    def test_not_two(self) -> None:
        client, wire = session(
            ("Create", created()),
            ("Command", SHELL_GONE),
            ("Delete", SHELL_GONE),
            ("Create", created()),
            ("Command", SHELL_GONE),
            ("Delete", SHELL_GONE),
        )
        with client, pytest.raises(Unreachable) as caught:
            client.run("x")
        assert caught.value.reason == "shell-gone"
        wire.assert_used_up()

    def test_while_the_output_is_read(self) -> None:
        client, wire = session(
            ("Create", created("FIRST")),
            ("Command", started()),
            ("Receive", SHELL_GONE),
            ("Signal", SHELL_GONE),
            ("Delete", SHELL_GONE),
            ("Create", created("SECOND")),
            ("Command", started()),
            ("Receive", done(b"again")),
            ("Delete", deleted()),
        )
        with client:
            assert client.run("x").stdout == b"again"
        wire.assert_used_up()

    @pytest.mark.parametrize("trouble", [SHELL_GONE, OPERATIONS])
    def test_a_command_that_may_be_sent_once_is_not_sent_twice(self, trouble: t.Any) -> None:
        client, wire = session(("Create", created()), ("Command", trouble), ("Delete", deleted()))
        with pytest.raises(Unreachable), client:
            client.run("shutdown /r", once=True)
        wire.assert_used_up()

    def test_nor_when_only_its_output_is_lost(self) -> None:
        client, wire = session(
            ("Create", created()), ("Command", started()), ("Receive", SHELL_GONE), ("Signal", SHELL_GONE), ("Delete", SHELL_GONE)
        )
        with pytest.raises(Unreachable), client:
            client.run("shutdown /r", once=True)
        assert wire.posted.count("Command") == 1


class TestFaults:
    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (fault(5, "w:AccessDenied", "Zugriff verweigert"), "access-denied"),
            (fault(2147942405, "w:InternalError"), "access-denied"),
            (fault(None, "w:AccessDenied"), "access-denied"),
            (fault(2147942402, "w:InternalError"), "program-missing"),
            (fault(2150858817, "w:SchemaValidationError"), "fault"),
            (fault(87, "w:InvalidParameter"), "fault"),
            (fault(2150858767, "a:InvalidMessageInformationHeader"), "fault"),
            (fault(None, ""), "fault"),
            ((500, envelope("<s:Fault><s:Code><s:Value>s:Unknown</s:Value></s:Code></s:Fault>")), "fault"),
            ((500, envelope("<s:Fault/>")), "fault"),
        ],
    )
    def test_by_number_and_never_by_text(self, answer: t.Any, reason: str) -> None:
        for steps in ([("Create", answer)], [("Create", created()), ("Command", answer), ("Delete", deleted())]):
            client, wire = session(*steps)
            with client, pytest.raises(Unreachable) as caught:
                client.run("x")
            wire.assert_used_up()
            assert (caught.value.reason, caught.value.unreachable) == (reason, True)
            assert str(caught.value).startswith("pc07: ")

    def test_words_of_another_fault_in_the_text_mean_nothing(self) -> None:
        misleading = "TimedOut 2150858793 quota AccessDenied The maximum number of concurrent operations for this user has been exceeded"
        client, _wire = session(("Create", fault(2150858817, "w:SchemaValidationError", misleading)))
        with client, pytest.raises(Unreachable) as caught:
            client.open()
        assert caught.value.reason == "fault"

    def test_recorded_faults(self) -> None:
        """Where they are at hand: each is told by its number."""
        expected = {
            "txwinrm__data_error__max_concurrent": "quota-operations",
            "winrb__wmi_error_v2": "quota-shells",
            "pywinrm__test_wsman_fault_wmi_error_detail": "quota-operations",
            "pywinrm__test_wsman_fault_known_fault": "timeout",
            "pypsrp__fault_winrs_bad_cmd_id_02_w-InvalidSelectors_2150858843": "shell-gone",
            "pypsrp__fault_winrs_no_cmd_shell_01_w-InternalError_2147942402": "program-missing",
            "pypsrp__fault_winrs_fail_poll_process_01_w-InvalidParameter_87": "fault",
            "pywinrm__test_wsman_fault_no_reason": "fault",
            "winrb__soap_fault_omi": "fault",
        }
        for name, reason in expected.items():
            for data in recordings.found(f"wsman/{name}.txt"):
                client, _wire = session(("Create", created()), ("Command", (500, data.decode())), ("Delete", deleted()))
                with client, pytest.raises(Unreachable) as caught:
                    client.run("x", once=True)
                assert (name, caught.value.reason) == (name, reason)
