# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shells: what a command gets, when output comes, what ends it, and what Windows refuses."""

from __future__ import annotations

import asyncio
import base64
import math
import re
from typing import Any

import pytest

from lab import shells, soap
from wire_requests import SHELL_BODY, Line, command_id, fault_code, find, find_all, request, run, subcode
from wire_stub import Exit, Output, Pause, StubHost

STREAM = (soap.SHELL, "Stream")


def output(text: str) -> bytes:
    return b"".join(base64.b64decode(stream.text or "") for stream in find_all(text, *STREAM))


def pieces(text: str) -> list[bytes]:
    return [base64.b64decode(stream.text or "") for stream in find_all(text, *STREAM) if not stream.get("End")]


def state(text: str) -> str:
    return (find(text, soap.SHELL, "CommandState").get("State") or "").rpartition("/")[2]


async def started(line: Line, *events: Any, **options: str) -> str:
    line.host.scripts["it"] = list(events)
    if not line.shell_id:
        await line.create()
    return command_id(await line.command("script it", **options))


def test_a_command_gets_what_the_shell_and_the_command_say() -> None:
    async def scenario() -> dict[str, Any]:
        line = Line(StubHost())
        body = (
            "<rsp:Shell><rsp:Environment><rsp:Variable Name='A b'> c=d </rsp:Variable></rsp:Environment>"
            "<rsp:WorkingDirectory>C:\\Temp</rsp:WorkingDirectory></rsp:Shell>"
        )
        await line.create(body, options={"WINRS_CODEPAGE": "65001", "WINRS_NOPROFILE": "TRUE"})
        arguments = "<rsp:Arguments>a &amp; b</rsp:Arguments><rsp:Arguments>c</rsp:Arguments>"
        command = f"<rsp:CommandLine><rsp:Command>echo</rsp:Command>{arguments}</rsp:CommandLine>"
        await line.raw(request("Command", command, selectors={"ShellId": line.shell_id}, options={"WINRS_SKIP_CMD_SHELL": "TRUE"}))
        return line.host.calls[0]

    assert run(scenario()) == {
        "command_line": "echo a & b c",
        "code_page": 65001,
        "environment": {"A b": " c=d "},
        "directory": "C:\\Temp",
        "skip_cmd": True,
        "user": "helpdesk",
    }


def test_without_a_code_page_the_host_decides() -> None:
    async def scenario() -> dict[str, Any]:
        line = Line(StubHost())
        await line.create()
        await line.command("echo x")
        return line.host.calls[0]

    assert run(scenario())["code_page"] is None


def test_a_code_page_that_is_no_number_is_refused() -> None:
    assert subcode(run(Line(StubHost()).create(options={"WINRS_CODEPAGE": "latin"}))) == "w:InvalidOptions"


def test_what_a_command_does_happens_at_command_not_at_receive() -> None:
    async def scenario() -> list[str]:
        line = Line(StubHost())
        await line.create()
        await line.command("echo x")
        return line.host.ended

    assert run(scenario()) == ["echo x"]


def test_output_is_cut_at_the_pipe_and_inside_characters() -> None:
    text = ("\u00e4" * 20000).encode()

    async def scenario() -> list[bytes]:
        line = Line(StubHost())
        identifier = await started(line, Output("stdout", b"x"), Output("stdout", text), Exit(0))
        return pieces((await line.receive(identifier)).text)

    got = run(scenario())
    assert b"".join(got) == b"x" + text
    assert got[0] == b"x" and len(got) > 3
    with pytest.raises(UnicodeDecodeError):
        got[1].decode()


def test_output_above_the_envelope_needs_several_receives() -> None:
    data = bytes(range(256)) * 1000

    async def scenario() -> list[str]:
        line = Line(StubHost())
        identifier = await started(line, Output("stdout", data), Exit(3))
        answers = [await line.receive(identifier)]
        while state(answers[-1].text) == "Running":
            answers.append(await line.receive(identifier))
        return [answer.text for answer in answers]

    answers = run(scenario())
    assert len(answers) > 3
    assert all(len(text) <= 153600 // 2 for text in answers)
    assert b"".join(output(text) for text in answers) == data
    assert find(answers[-1], soap.SHELL, "ExitCode").text == "3"


def test_streams_keep_their_order() -> None:
    async def scenario() -> list[tuple[str | None, bytes]]:
        line = Line(StubHost())
        identifier = await started(
            line, Output("stdout", b"a"), Output("stderr", b"b"), Output("stdout", b"c"), Output("stdout", b"d"), Exit(0)
        )
        text = (await line.receive(identifier)).text
        return [(stream.get("Name"), base64.b64decode(stream.text or "")) for stream in find_all(text, *STREAM) if not stream.get("End")]

    assert run(scenario()) == [("stdout", b"a"), ("stderr", b"b"), ("stdout", b"cd")]


def test_an_exit_code_is_unsigned() -> None:
    async def scenario() -> str:
        line = Line(StubHost())
        return (await line.receive(await started(line, Exit(-1)))).text

    assert find(run(scenario()), soap.SHELL, "ExitCode").text == "4294967295"


def test_receive_waits_and_answers_as_soon_as_there_is_output() -> None:
    """A Receive that waited for its own end would be a TimedOut fault."""

    async def scenario() -> tuple[bytes, str]:
        line = Line(StubHost())
        identifier = await started(line, Pause(0.05), Output("stdout", b"late"), Pause(math.inf))
        answer = await line.receive(identifier, timeout="PT30S")
        return output(answer.text), state(answer.text)

    assert run(scenario()) == (b"late", "Running")


def test_timeout_leaves_the_command_running() -> None:
    async def scenario() -> tuple[int, str]:
        line = Line(StubHost())
        identifier = await started(line, Pause(0.3), Exit(5))
        code = fault_code(await line.receive(identifier, timeout="PT0.01S"))
        return code, find((await line.receive(identifier)).text, soap.SHELL, "ExitCode").text or ""

    assert run(scenario()) == (2150858793, "5")


@pytest.mark.parametrize("timeout", ["PT-1S", "20", "PT", ""])
def test_a_timeout_that_is_none_is_refused(timeout: str) -> None:
    assert fault_code(run(Line(StubHost()).create(timeout=timeout))) == 2150858767


@pytest.mark.parametrize(("text", "seconds"), [("PT20S", 20), ("PT1M0.5S", 60.5), ("P0DT0H0M20S", 20), ("PT60.000S", 60), ("P1D", 86400)])
def test_durations(text: str, seconds: float) -> None:
    assert soap.parse_duration(text) == seconds


def test_terminate_ends_the_program_and_forgets_the_command() -> None:
    async def scenario() -> tuple[list[str], int, int]:
        line = Line(StubHost())
        identifier = await started(line, Pause(math.inf))
        await line.signal(identifier)
        return line.host.ended, fault_code(await line.signal(identifier)), fault_code(await line.receive(identifier))

    assert run(scenario()) == (["script it"], 2150858843, 87)


def test_terminate_wakes_a_waiting_receive() -> None:
    async def scenario() -> int:
        line = Line(StubHost())
        identifier = await started(line, Pause(math.inf))
        waiting = asyncio.ensure_future(line.receive(identifier, timeout="PT60S"))
        await asyncio.sleep(0)
        await line.signal(identifier)
        return fault_code(await waiting)

    assert run(scenario()) == 995


def test_control_c_ends_the_program_and_its_output_can_be_read() -> None:
    async def scenario() -> tuple[bytes, str]:
        line = Line(StubHost())
        identifier = await started(line, Output("stdout", b"so far"), Pause(math.inf))
        await line.signal(identifier, "ctrl_c")
        text = (await line.receive(identifier)).text
        return output(text), find(text, soap.SHELL, "ExitCode").text or ""

    assert run(scenario()) == (b"so far", str(0xC000013A))


def test_an_unknown_signal_is_refused() -> None:
    async def scenario() -> int:
        line = Line(StubHost())
        return fault_code(await line.signal(await started(line, Pause(math.inf)), "explode"))

    assert run(scenario()) == 87


def test_delete_ends_what_runs_in_the_shell() -> None:
    async def scenario() -> tuple[list[str], int]:
        line = Line(StubHost())
        await started(line, Pause(math.inf))
        assert not (await line.delete()).fault
        return line.host.ended, fault_code(await line.command("echo x"))

    assert run(scenario()) == (["script it"], 2150858843)


def test_a_shell_belongs_to_its_user() -> None:
    table = shells.Shells()
    shell = shells.Shell("ID", "one", {})
    table.add(shell)
    assert table.get("id", "one") is shell
    with pytest.raises(Exception, match="InvalidSelectors"):
        table.get("ID", "two")


def test_an_idle_shell_is_gone() -> None:
    async def scenario() -> tuple[str, int, int]:
        line = Line(StubHost(max_shells_per_user=1))
        body = SHELL_BODY.replace("<rsp:Shell>", "<rsp:Shell><rsp:IdleTimeOut>PT60S</rsp:IdleTimeOut>")
        answer = await line.create(body)
        shell = line.service.shells.get(line.shell_id, "helpdesk")
        shell.touched -= 61
        gone = fault_code(await line.command("echo x"))
        await line.create()
        return find(answer.text, soap.SHELL, "IdleTimeOut").text or "", gone, len(line.service.shells)

    assert run(scenario()) == ("PT60.000S", 2150858843, 1)


def test_the_shell_quota_counts_open_shells_only() -> None:
    async def scenario() -> tuple[int, bool]:
        line = Line(StubHost(max_shells_per_user=2))
        await line.create()
        await line.create()
        code = fault_code(await line.create())
        await line.delete()
        return code, (await line.create()).fault

    assert run(scenario()) == (2150859173, False)


def test_an_operation_is_given_back_with_the_shell_only() -> None:
    async def scenario() -> tuple[int, bool]:
        line = Line(StubHost(max_operations_per_user=2))
        await line.create()
        for _count in range(2):
            await line.signal(command_id(await line.command("echo x")))
        code = fault_code(await line.command("echo x"))
        await line.delete()
        await line.create()
        return code, (await line.command("echo x")).fault

    assert run(scenario()) == (2150859174, False)


@pytest.mark.parametrize("stack", ["1.1", "2.0"])
def test_the_shell_quota_of_older_stacks(stack: str) -> None:
    async def scenario() -> int:
        line = Line(StubHost(stack=stack, max_shells_per_user=0))
        return fault_code(await line.create())

    assert run(scenario()) == 2150859173


def test_a_restart_forgets_the_shells() -> None:
    async def scenario() -> tuple[int, int]:
        line = Line(StubHost())
        await line.create()
        line.host.boot_count += 1
        return fault_code(await line.command("echo x")), line.counters.shells_open

    assert run(scenario()) == (2150858843, 0)


def test_input_is_accepted_until_the_end_was_reported() -> None:
    async def scenario() -> tuple[bool, int]:
        line = Line(StubHost())
        identifier = await started(line, Exit(0))
        body = f'<rsp:Send><rsp:Stream Name="stdin" CommandId="{identifier}" End="true">eA==</rsp:Stream></rsp:Send>'
        early = await line.raw(request("Send", body, selectors={"ShellId": line.shell_id}))
        await line.receive(identifier)
        late = await line.raw(request("Send", body, selectors={"ShellId": line.shell_id}))
        return early.fault, fault_code(late)

    assert run(scenario()) == (False, 2150858843)


def test_a_later_windows_takes_the_ids_the_client_proposes() -> None:
    wanted = "aaaaaaaa-0000-0000-0000-000000000001"

    async def scenario(stack: str) -> tuple[str, str]:
        line = Line(StubHost(stack=stack))
        await line.create(SHELL_BODY.replace("<rsp:Shell>", f'<rsp:Shell ShellId="{wanted}">'))
        body = f'<rsp:CommandLine CommandId="{wanted}"><rsp:Command>echo</rsp:Command></rsp:CommandLine>'
        answer = await line.raw(request("Command", body, selectors={"ShellId": line.shell_id}))
        return line.shell_id, command_id(answer)

    assert run(scenario("3.0")) == (wanted.upper(), wanted.upper())
    assert wanted.upper() not in run(scenario("2.0"))


@pytest.mark.parametrize(
    ("action", "resource", "code"),
    [
        ("Create", "http://schemas.microsoft.com/powershell/Microsoft.PowerShell", 2150858811),
        ("Create", soap.WMI + "root/cimv2/Win32_Process", 2150858801),
        ("Get", soap.CMD_SHELL, 2150858801),
        ("Enumerate", soap.CMD_SHELL, 2150858801),
        ("Receive", soap.WMI + "root/cimv2/*", 2150858811),
        ("Get", "http://schemas.microsoft.com/wbem/wsman/1/config/nothing", 2150858811),
        ("http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Connect", soap.CMD_SHELL, 2150858753),
        ("urn:nothing", soap.CMD_SHELL, 2150858753),
    ],
)
def test_what_is_not_known_is_refused(action: str, resource: str, code: int) -> None:
    assert fault_code(run(Line(StubHost()).raw(request(action, SHELL_BODY, resource=resource)))) == code


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<not xml", 2150858819),
        (b'<!DOCTYPE x [<!ENTITY e "x">]><x>&e;</x>', 2150858819),
        (b'<?xml version="1.0" encoding="utf-7"?><x/>', 2150858819),
        (b"<x/>", 2150858817),
        (b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>', 2150858817),
    ],
)
def test_bodies_that_are_no_request(content: bytes, code: int) -> None:
    assert fault_code(run(Line(StubHost()).raw(content))) == code


@pytest.mark.parametrize("name", ["Action", "MessageID"])
def test_addressing_headers_are_required(name: str) -> None:
    content = re.sub(rf"(<a:{name}[^>]*>)[^<]*", r"\1", request("Create", SHELL_BODY).decode()).encode()
    assert fault_code(run(Line(StubHost()).raw(content))) == 2150858769


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_utf_16_as_windows_sends_it(encoding: str) -> None:
    content = request("Create", SHELL_BODY).decode().encode(encoding)
    assert not run(Line(StubHost()).raw(content)).fault


def test_a_request_above_the_envelope_of_the_service() -> None:
    line = Line(StubHost(max_envelope_kb=1))
    assert subcode(run(line.create(SHELL_BODY + "<!--" + "x" * 1024 + "-->"))) == "w:EncodingLimit"


def test_faults_speak_the_language_of_the_host() -> None:
    async def scenario(language: str) -> tuple[str | None, str | None]:
        line = Line(StubHost(language=language))
        await line.create()
        text = find((await line.receive("nothing")).text, soap.SOAP, "Text")
        return text.get(soap.XML_LANG), text.text

    assert run(scenario("de-DE")) == ("de-DE", "Falscher Parameter. ")
    assert run(scenario("en-US"))[0] == "en-US"
