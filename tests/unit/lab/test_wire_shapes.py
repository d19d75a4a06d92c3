# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of answer of the lab against the recorded one: names, namespaces, attributes, order, texts.

The recordings lie outside the checkout; without them nothing here is defined, and the other tests hold the shapes.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import re
from typing import Any
from xml.etree import ElementTree

import pytest

import wire_recordings as recordings
from lab import soap, soap_faults
from lab.service import Answer
from wire_requests import CIMV2, SHELL_BODY, Line, command_id, find, request, run
from wire_stub import Exit, Output, Pause, StubHost

# Not compared, with the reason.
LEFT_OUT = {
    "winrb__get_omi_config_response.txt": "not Windows",
    "winrb__open_shell_omi.txt": "not Windows",
    "winrb__soap_fault_omi.txt": "not Windows",
    "txwinrm__data_subscribe__pull_resp_01.txt": "the lab has no event subscriptions",
    "txwinrm__data_subscribe__pull_resp_02.txt": "the lab has no event subscriptions",
    "txwinrm__data_subscribe__subscribe_resp.txt": "the lab has no event subscriptions",
    "pywinrm__test_wsman_fault_no_reason.txt": "made up by a test of pywinrm: s:Unknown is no fault code",
}
STACKS = {"server_2003": "1.1", "server_2008": "2.0", "server_2012": "3.0"}


def host(stack: str = "3.0", **settings: Any) -> StubHost:
    return StubHost(stack=stack, **settings)


def assert_same(answer: str, recorded: str, *, keep_text: bool = True) -> None:
    assert recordings.shape(answer, keep_text=keep_text) == recordings.shape(recorded, keep_text=keep_text)
    assert recordings.prefixes(answer) == recordings.prefixes(recorded)


def events_of(*recorded: str) -> list[Any]:
    """What a program must do for these Receive answers to come about."""
    events: list[Any] = []
    for text in recorded:
        root = ElementTree.fromstring(text)
        for stream in root.iterfind(f".//{{{soap.SHELL}}}Stream"):
            if stream.text and stream.text.strip():
                events += [Output(stream.get("Name", ""), base64.b64decode(stream.text)), Pause(0)]
        code = root.findtext(f".//{{{soap.SHELL}}}ExitCode")
        events.append(Exit(int(code)) if code else Pause(3600))
    return events


async def converse(stack: str, recorded: dict[str, list[str]]) -> dict[str, list[Answer]]:
    """Create, Command, as many Receives as recorded, Signal, Delete."""
    line = Line(host(stack))
    receives = [text for text in recorded.get("Receive", []) if "ReceiveResponse" in text]
    line.host.scripts["recorded"] = events_of(*receives)
    answers: dict[str, list[Answer]] = {"Create": [await line.create()]}
    answers["Command"] = [await line.command("script recorded")]
    identifier = command_id(answers["Command"][0])
    command = line.service.shells.get(line.shell_id, "helpdesk").commands[identifier]
    answers["Receive"] = []
    for text in receives:
        if answers["Receive"]:
            command._advance()  # instead of waiting for the pause to end
        while command.exit_code is None and ("ExitCode" in text or len(command.chunks) < text.count("<rsp:Stream")):
            await asyncio.sleep(0)
        answers["Receive"].append(await line.receive(identifier))
    answers["Signal"] = [await line.signal(identifier)]
    answers["Delete"] = [await line.delete()]
    return answers


def conversation(prefix: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in recordings.names(prefix):
        match = re.search(r"_(Create|Command|Receive|Signal|Delete)_response", name)
        if match:
            found.setdefault(match.group(1), []).append(recordings.read(name))
    return found


def rows_of(texts: list[str]) -> tuple[str, list[dict[str, Any]]]:
    """Class name (empty for fragments) and rows of recorded Enumerate and Pull answers."""
    rows, class_name = [], ""
    for text in texts:
        root = ElementTree.fromstring(text)
        for items in root.iter():
            if items.tag.rpartition("}")[2] != "Items":
                continue
            for item in items:
                local = item.tag.rpartition("}")[2]
                class_name = "" if local == "XmlFragment" else local
                rows.append({member.tag.rpartition("}")[2]: value_of(member) for member in item})
    return class_name, rows


def value_of(member: ElementTree.Element) -> Any:
    if member.get(f"{{{soap.INSTANCE}}}nil") == "true":
        return None
    if len(member):
        text = (member[0].text or "").rstrip("Z")
        whole, _dot, fraction = text.partition(".")
        moment = datetime.datetime.fromisoformat(whole)
        return moment.replace(microsecond=int((fraction + "000000")[:6]) if fraction else 0)
    return member.text or ""


FAULTS = {
    "pypsrp__fault_psrp_is_alive_invalid_selectors_04_w-InvalidSelectors_2150858843.txt": "unknown_shell",
    "pypsrp__fault_psrp_is_alive_other_wsman_error_03_a-InvalidMessageInformationHeader_2150858767.txt": "invalid_timeout",
    "pypsrp__fault_winrs_bad_cmd_id_02_w-InvalidSelectors_2150858843.txt": "unknown_command",
    "pypsrp__fault_winrs_fail_poll_process_01_w-InvalidParameter_87.txt": "invalid_parameter",
    "pypsrp__fault_winrs_no_cmd_shell_01_w-InternalError_2147942402.txt": "program_missing",
    "pypsrp__winrs_operation_timeout_03_Receive_response.txt": "timed_out",
    "pypsrp__winrs_operation_timeout_04_Receive_response.txt": "timed_out",
    "pywinrm__test_wsman_fault_known_fault.txt": "timed_out",
    "pywinrm__test_wsman_fault_must_understand.txt": "must_understand",
    "pywinrm__test_wsman_fault_with_wsmanfault.txt": "schema",
    "pywinrm__test_wsman_fault_wmi_error_detail.txt": "operations_3",
    "txwinrm__data_error__max_concurrent.txt": "operations_2",
    "winrb__soap_fault_v1.txt": "class_missing_1",
    "winrb__soap_fault_v2.txt": "class_missing_2",
    "winrb__wmi_error_v2.txt": "shells_3",
}
# The author of pywinrm replaced the texts of these.
ANONYMISED = {name for name in FAULTS if name.startswith("pywinrm__")}


async def provoke(what: str) -> Answer:
    """Make the lab give one fault by asking for it the way the recorded client did."""
    line = Line(host())
    if what == "unknown_shell":
        line.shell_id = "00000000-0000-0000-0000-000000000000"
        return await line.delete()
    if what == "invalid_timeout":
        return await line.create(timeout="PT-1S")
    if what == "schema":
        return await line.raw(request("Create", "<rsp:Other/>"))
    if what == "must_understand":
        header = '<w:ResourceUri s:mustUnderstand="true">x</w:ResourceUri>'
        return await line.raw(request("Create", SHELL_BODY, header=header))
    if what.startswith("class_missing"):
        line = Line(host("1.1" if what.endswith("1") else "2.0"))
        line.host.class_name = "Win32_Service"
        return await line.enumerate('Select * from Win32_Processa where name="sshd.exe"')
    if what.startswith("operations"):
        line = Line(host("2.0" if what.endswith("2") else "3.0", max_operations_per_user=15))
        await line.create()
        for _count in range(15):
            await line.command("echo x")
        return await line.command("echo x")
    if what == "shells_3":
        line = Line(host())
        for _count in range(30):
            await line.create()
        return await line.create()
    await line.create()
    if what == "unknown_command":
        return await line.signal("11111111-1111-1111-1111-111111111111")
    if what == "invalid_parameter":
        return await line.receive("11111111-1111-1111-1111-111111111111")
    if what == "program_missing":
        return await line.command("missing powershell.exe", WINRS_SKIP_CMD_SHELL="TRUE")
    assert what == "timed_out"
    line.host.scripts["slow"] = [Pause(60)]
    return await line.receive(command_id(await line.command("script slow")), timeout="PT0.05S")


if recordings.PRESENT:

    @pytest.mark.parametrize("prefix", ["client_execute_cmd", "winrs_noprofile", "winrs_standard", "winrs_stderr_rc", "winrs_unicode"])
    def test_shell_conversation_of_a_later_windows(prefix: str) -> None:
        recorded = conversation(f"pypsrp__{prefix}")
        answers = run(converse("3.0", {action: texts[:1] for action, texts in recorded.items()}))
        assert set(recorded) == set(answers)
        for action, given in answers.items():
            assert_same(given[0].text, recorded[action][0])
            if len(recorded[action]) > 1 and action != "Receive":
                # The second half of client_execute_cmd has the same shapes, with other output.
                assert_same(given[0].text, recorded[action][1])

    def test_shell_conversation_with_timeouts() -> None:
        recorded = conversation("pypsrp__winrs_operation_timeout")
        answers = run(converse("3.0", recorded))
        receives = [text for text in recorded["Receive"] if "ReceiveResponse" in text]
        assert len(receives) == 2
        for given, text in zip(answers["Receive"], receives, strict=True):
            assert_same(given.text, text)

    def test_shell_conversation_in_two_receives() -> None:
        create, command, first, second = (
            recordings.read(f"txwinrm__data_shell__{name}.txt")
            for name in ("create_resp", "command_resp", "receive_resp_01", "receive_resp_02")
        )
        answers = run(converse("3.0", {"Receive": [first, second]}))
        for given, text in zip(
            (answers["Create"][0], answers["Command"][0], *answers["Receive"]), (create, command, first, second), strict=True
        ):
            assert_same(given.text, text)

    @pytest.mark.parametrize(("name", "stack"), [("winrb__open_shell_v1.txt", "1.1"), ("winrb__open_shell_v2.txt", "2.0")])
    def test_create_of_the_older_stacks(name: str, stack: str) -> None:
        answer = run(Line(host(stack)).create())
        assert_same(answer.text, recordings.read(name))
        prefix = "uuid:" if stack == "1.1" else ""
        assert re.fullmatch(prefix + r"[0-9A-F-]{36}", find(answer.text, soap.WSMAN, "Selector").text or "")

    @pytest.mark.parametrize(("name", "stack"), [("winrm4j__recording_win7.txt", "2.0"), ("winrm4j__recording_win12.txt", "3.0")])
    def test_recorded_requests_get_the_recorded_answers(name: str, stack: str) -> None:
        text = recordings.read(name)
        root = ElementTree.fromstring(re.sub(r"<!DOCTYPE.*?\]>", "", text, flags=re.DOTALL))

        async def replay() -> int:
            line, known = Line(host(stack)), dict[str, str]()
            for item in root:
                sent = ElementTree.tostring(item[0][0], encoding="unicode")
                sent = sent.replace("${messageId}", "uuid:6F1B8C0E-0000-0000-0000-000000000001").replace("${serviceUrl}", "http://pc/wsman")
                for recorded_id, own_id in known.items():
                    sent = sent.replace(recorded_id, own_id)
                answer = await line.raw(sent.encode())
                recorded = ElementTree.tostring(item[1][0], encoding="unicode")
                assert recordings.shape(answer.text) == recordings.shape(recorded), item[0].get("action")
                for tag in (f"{{{soap.WSMAN}}}Selector", f"{{{soap.SHELL}}}CommandId"):
                    old, new = item[1].find(f".//{tag}"), ElementTree.fromstring(answer.text).find(f".//{tag}")
                    if old is not None and new is not None:
                        known[old.text or ""] = new.text or ""
            return len(root)

        assert run(replay()) == 5

    @pytest.mark.parametrize("name", sorted(FAULTS))
    def test_fault(name: str) -> None:
        answer = run(provoke(FAULTS[name]))
        assert answer.fault and answer.status == 500
        recorded = recordings.read(name)
        if name == "pywinrm__test_wsman_fault_with_wsmanfault.txt":
            recorded = recorded.replace("uuid.761", "uuid:761")
        assert_same(answer.text, recorded, keep_text=name not in ANONYMISED)

    SERIES = sorted({name.rpartition("_")[0] for name in recordings.names("txwinrm__server")})

    @pytest.mark.parametrize("series", SERIES)
    def test_enumeration_answers_are_the_recorded_ones_page_for_page(series: str) -> None:
        """Same rows in, same pages out, byte for byte but for the ids."""
        texts = [recordings.read(name) for name in recordings.names(series + "_")]
        whole_name, rows = rows_of(texts)
        class_name = series.split("__")[2].rpartition("_")[0]
        columns = "*" if whole_name else ", ".join(rows[0])

        async def ask() -> list[str]:
            stub = host(STACKS[series.split("__")[1]])
            stub.rows, stub.class_name = rows, class_name
            line = Line(stub)
            answers = [await line.enumerate(f"select {columns} from {class_name}")]
            while context := find(answers[-1].text, soap.ENUMERATION, "EnumerationContext").text if _more(answers[-1].text) else "":
                answers.append(await line.pull(context))
            return [answer.text for answer in answers]

        given = run(ask())
        identifier = re.compile(r"uuid:[0-9A-F-]{36}|uuid:[0-9a-f-]{36}")
        assert [identifier.sub("ID", text) for text in given] == [identifier.sub("ID", text) for text in texts]

    def test_every_recording_is_compared_or_left_out_for_a_reason() -> None:
        compared = set(FAULTS) | set(LEFT_OUT)
        compared |= {name for name in recordings.names() if re.search(r"_(Create|Command|Receive|Signal|Delete)_response", name)}
        compared |= set(recordings.names("txwinrm__server")) | set(recordings.names("txwinrm__data_shell"))
        compared |= set(recordings.names("winrm4j__")) | set(recordings.names("winrb__open_shell"))
        assert set(recordings.names()) <= compared


def _more(text: str) -> bool:
    return "<n:EnumerationContext>uuid:" in text


def test_faults_carry_the_address_the_client_used() -> None:
    answer = run(provoke("timed_out"))
    assert find(answer.text, soap_faults.FAULT_NAMESPACE, "WSManFault").get("Machine") == "127.77.0.1"


def test_enumeration_resource_is_not_shell() -> None:
    answer = run(Line(host()).raw(request("Create", SHELL_BODY, resource=CIMV2)))
    assert answer.fault
