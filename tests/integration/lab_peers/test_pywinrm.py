# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""pywinrm as it is: Session over every transport it has without Kerberos."""

from __future__ import annotations

from typing import Any

import pytest
import winrm
from peers_fleet import PASSWORD, USER
from winrm.exceptions import InvalidCredentialsError, WinRMOperationTimeoutError, WinRMTransportError, WSManFaultError

from lab.client import Lab


def session(lab: Lab, host: str, scheme: str, transport: str, password: str = PASSWORD, **details: Any) -> winrm.Session:
    return winrm.Session(lab.endpoint(host, scheme), auth=(USER, password), transport=transport, ca_trust_path=str(lab.ca), **details)


@pytest.mark.parametrize(
    ("host", "scheme", "transport"),
    [
        ("pc-default", "http", "ntlm"),
        ("pc-default", "https", "ntlm"),
        ("pc-open", "http", "basic"),
        ("pc-open", "https", "basic"),
        ("pc-open", "http", "plaintext"),
        ("pc-open", "https", "ssl"),
        ("pc-old", "http", "basic"),
        ("pc-old", "http", "ntlm"),
        ("pc-seven", "http", "ntlm"),
    ],
)
def test_run_cmd(lab: Lab, host: str, scheme: str, transport: str) -> None:
    result = session(lab, host, scheme, transport).run_cmd("echo", ["hello"])
    assert (result.status_code, result.std_out.strip(), result.std_err) == (0, b"hello", b"")


def test_ntlm_costs_eight_posts(lab: Lab) -> None:
    """Three to log on, five for the command: what a real Windows takes."""
    before = lab.counters("pc-default")
    session(lab, "pc-default", "http", "ntlm").run_cmd("hostname")
    after = lab.counters("pc-default")
    assert after["posts"] - before["posts"] == 8
    assert after["connections"] - before["connections"] == 1


def test_exit_code_and_error_output(lab: Lab) -> None:
    result = session(lab, "pc-default", "http", "ntlm").run_cmd("nonsense-program")
    assert result.status_code == 1
    assert b"'nonsense-program' is not recognized as an internal or external command" in result.std_err


def test_powershell_is_not_there(lab: Lab) -> None:
    result = session(lab, "pc-default", "http", "ntlm").run_ps("Get-Process")
    assert result.status_code == 1
    assert b"is not recognized" in result.std_err


@pytest.mark.parametrize(("scheme", "transport"), [("http", "ntlm"), ("https", "ntlm"), ("http", "basic"), ("https", "basic")])
def test_a_wrong_password(lab: Lab, scheme: str, transport: str) -> None:
    with pytest.raises(InvalidCredentialsError):
        session(lab, "pc-open", scheme, transport, "wrong").run_cmd("hostname")


def test_basic_where_it_is_not_allowed(lab: Lab) -> None:
    with pytest.raises(InvalidCredentialsError):
        session(lab, "pc-default", "http", "basic").run_cmd("hostname")


def test_ntlm_without_message_encryption_is_refused(lab: Lab) -> None:
    with pytest.raises(WinRMTransportError, match="500"):
        session(lab, "pc-default", "http", "ntlm", message_encryption="never").run_cmd("hostname")


def test_unknown_shell(lab: Lab) -> None:
    with pytest.raises(WSManFaultError) as caught:
        session(lab, "pc-default", "http", "ntlm").protocol.run_command("00000000-0000-0000-0000-000000000000", "hostname")
    assert caught.value.wsman_fault_code == 0x8033805B


def test_timed_out_receives_are_retried_by_the_client(lab: Lab) -> None:
    lab.fault("pc-open", "timed-out", on="Receive", times=3)
    try:
        result = session(lab, "pc-open", "http", "basic").run_cmd("echo", ["patience"])
    finally:
        lab.clear_faults("pc-open")
    assert result.std_out.strip() == b"patience"


def test_a_single_receive_reports_the_timeout(lab: Lab) -> None:
    protocol = session(lab, "pc-open", "http", "basic").protocol
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "echo", ["x"])
    lab.fault("pc-open", "timed-out", on="Receive")
    try:
        with pytest.raises(WinRMOperationTimeoutError):
            protocol.get_command_output_raw(shell, command)
    finally:
        lab.clear_faults("pc-open")
        protocol.cleanup_command(shell, command)
        protocol.close_shell(shell)
    assert lab.counters("pc-open")["shells_open"] == 0


def test_environment_directory_and_code_page(lab: Lab) -> None:
    protocol = session(lab, "pc-default", "http", "ntlm").protocol
    shell = protocol.open_shell(codepage=65001, env_vars={"HELP": "d\u00e9sk"}, working_directory="C:\\Windows")
    try:
        command = protocol.run_command(shell, "echo %HELP% & cd")
        output, _errors, code = protocol.get_command_output(shell, command)
        protocol.cleanup_command(shell, command)
    finally:
        protocol.close_shell(shell)
    assert (output.decode("utf-8").split(), code) == (["d\u00e9sk", "C:\\Windows"], 0)
