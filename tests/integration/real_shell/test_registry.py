# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of a client, written and read by Wine's reg.exe; and Sms.ini as Wine's cmd.exe prints it."""

from __future__ import annotations

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _client_facts, _protocol, _registry
from ansible_collections.sms.helpdesk.plugins.plugin_utils._registry import Value
from ansible_collections.sms.helpdesk.plugins.plugin_utils._text import decode
from wine_client import HOST, RealShell

from controller import Controller

KEY = r"HKLM\SOFTWARE\helpdesk test\A & B (c)"
REMOTE_CONTROL = r"HKLM\SOFTWARE\Microsoft\SMS\Client Services\Remote Control"


@pytest.mark.parametrize(
    "value",
    [
        Value("REG_SZ", "-IP"),
        Value("REG_SZ", "a & b | c > d ^ e"),
        Value("REG_SZ", "ends with \\"),
        Value("REG_SZ", "ü é"),
        Value("REG_EXPAND_SZ", "-L0"),
        Value("REG_MULTI_SZ", ["Domain Admins", "Help Desk"]),
        Value("REG_DWORD", 1),
    ],
)
def test_a_value_comes_back_as_it_went(shell: RealShell, value: Value) -> None:
    assert shell.run(_registry.add(KEY, "Some name", value)).exit_code == 0
    keys = _registry.parse(decode(shell.run(_registry.query(KEY)).stdout))
    assert _registry.get(keys, KEY, "some NAME") == value
    assert shell.run(_registry.delete(KEY, "Some name")).exit_code == 0
    assert _registry.get(_registry.parse(decode(shell.run(_registry.query(KEY)).stdout)), KEY, "Some name") is None


def test_a_tree_is_deleted_and_what_is_not_there_is_nothing(shell: RealShell) -> None:
    shell.run(_registry.add(KEY + r"\below", "n", Value("REG_SZ", "x")))
    found = _registry.parse(decode(shell.run(_registry.query(KEY, recursive=True)).stdout))
    assert _registry.get(found, KEY + r"\below", "n") == Value("REG_SZ", "x")
    assert shell.run(_registry.delete(KEY)).exit_code == 0
    assert _registry.parse(decode(shell.run(_registry.query(KEY)).stdout)) == {}


def test_the_composite_command_of_the_status(shell: RealShell) -> None:
    shell.run(_registry.add(REMOTE_CONTROL + r"\Parameters", "CommandLine", Value("REG_SZ", "-IP")))
    shell.path(r"C:\Sms.ini").write_bytes(b"[SMS]\r\nSiteCode=ABC\r\n[local]\r\nSetupPhase=verifying_files")
    try:
        found = _client_facts.read_printed(shell.run(_client_facts.command("Wuser32")).stdout)
    finally:
        shell.path(r"C:\Sms.ini").unlink()
        shell.run(_registry.delete(r"HKLM\SOFTWARE\Microsoft\SMS"))
    assert found.complete
    assert found.processor == "AMD64"
    assert not found.sms_2_directory
    assert [(each.path, each.facts and each.facts.phase) for each in found.ini_files] == [(r"C:\Sms.ini", "verify_files")]
    assert _client_facts.protocol_of(found.keys)["value"] == "ip"


def test_a_client_without_anything(controller: Controller) -> None:
    found = controller.tasks({"sms.helpdesk.client_status_info": {}}).of(HOST, "client_status_info")
    assert (found["outcome"], found["state"], found["reason"]) == ("ok", "not_applicable", "no-sms"), found


def test_the_workaround_there_and_back(shell: RealShell, controller: Controller) -> None:
    """Its service is not there, so nothing is restarted."""
    shell.run(_registry.add(REMOTE_CONTROL + r"\Parameters", "CommandLine", Value("REG_EXPAND_SZ", "-ip")))

    def now() -> tuple[_protocol.Settings, _protocol.Memory]:
        return _protocol.read(decode(shell.run(_protocol.command()).stdout))[:2]

    before = now()
    task = {"sms.helpdesk.remote_control_protocol": {"protocol": "netbios", "lana": 4}}
    found = controller.tasks(task).of(HOST, "remote_control_protocol")
    assert (found["outcome"], found["changed"]) == ("ok", True), found
    settings, memory = now()
    assert (settings.command_line, settings.override) == (Value("REG_EXPAND_SZ", "-L4"), Value("REG_DWORD", 1))
    assert (memory.before, memory.restart) == (before[0]._replace(key=None), False)
    assert controller.tasks(task).of(HOST, "remote_control_protocol")["changed"] is False
    task["sms.helpdesk.remote_control_protocol"] = {"protocol": "ip"}
    assert controller.tasks(task).of(HOST, "remote_control_protocol")["changed"] is True
    assert now() == before
