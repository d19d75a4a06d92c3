# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""pypsrp as it is: WSMan, WinRS and Process, and WQL through its enumerate and pull."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from peers_fleet import PASSWORD, USER
from pypsrp.client import Client
from pypsrp.exceptions import AuthenticationError, WSManFaultError
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import NAMESPACES, WSMan

from lab.client import Lab

CIMV2 = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*"


def wsman(lab: Lab, host: str, scheme: str = "http", **details: Any) -> WSMan:
    given: dict[str, Any] = {"auth": "negotiate", "password": PASSWORD, "cert_validation": str(lab.ca), **details}
    return WSMan(lab.address(host), port=lab.state[f"{scheme}_port"], ssl=scheme == "https", username=USER, **given)


CONNECTIONS = [
    ("pc-default", "http", {"auth": "negotiate", "encryption": "always"}),
    ("pc-default", "http", {"auth": "ntlm", "encryption": "auto"}),
    ("pc-default", "https", {"auth": "negotiate"}),
    ("pc-default", "https", {"auth": "ntlm"}),
    ("pc-open", "http", {"auth": "basic", "encryption": "never"}),
    ("pc-open", "https", {"auth": "basic"}),
    ("pc-old", "http", {"auth": "ntlm"}),
    ("pc-seven", "http", {"auth": "negotiate"}),
]


@pytest.mark.parametrize(("host", "scheme", "details"), CONNECTIONS)
def test_a_process_in_a_shell(lab: Lab, host: str, scheme: str, details: dict[str, Any]) -> None:
    with wsman(lab, host, scheme, **details) as connection, WinRS(connection) as shell:
        process = Process(shell, "cmd.exe", ["/c", "echo", "hello"])
        process.invoke()
        process.signal(SignalCode.CTRL_C)
        assert (process.rc, process.stdout.strip(), process.stderr) == (0, b"hello", b"")


def query(connection: WSMan, wql: str) -> list[dict[str, str | None]]:
    """What a user of pypsrp writes for lack of a WQL helper."""
    body = ElementTree.Element(f"{{{NAMESPACES['wsen']}}}Enumerate")
    ElementTree.SubElement(body, f"{{{NAMESPACES['wsman']}}}OptimizeEnumeration")
    ElementTree.SubElement(body, f"{{{NAMESPACES['wsman']}}}MaxElements").text = "500"
    ElementTree.SubElement(body, f"{{{NAMESPACES['wsman']}}}Filter", Dialect="http://schemas.microsoft.com/wbem/wsman/1/WQL").text = wql
    answer = connection.enumerate(CIMV2, body)[0]
    rows = []
    while True:
        for items in answer.iter():
            if items.tag.endswith("}Items"):
                rows += [{value.tag.rpartition("}")[2]: value.text for value in item} for item in items]
        context = answer.find("wsen:EnumerationContext", namespaces=NAMESPACES)
        if context is None or not context.text:
            return rows
        body = ElementTree.Element(f"{{{NAMESPACES['wsen']}}}Pull")
        ElementTree.SubElement(body, f"{{{NAMESPACES['wsen']}}}EnumerationContext").text = context.text
        ElementTree.SubElement(body, f"{{{NAMESPACES['wsen']}}}MaxElements").text = "500"
        answer = connection.pull(CIMV2, body)[0]


@pytest.mark.parametrize("host", ["pc-default", "pc-open", "pc-old", "pc-seven"])
@pytest.mark.parametrize("columns", ["Name, ProcessId", "*"])
def test_wql(lab: Lab, host: str, columns: str) -> None:
    with wsman(lab, host) as connection:
        rows = query(connection, f"select {columns} from Win32_Process")
    assert len(rows) > 5
    assert {"Name", "ProcessId"} <= set(rows[0])
    assert len({row["ProcessId"] for row in rows}) == len(rows)


def test_a_class_that_does_not_exist(lab: Lab) -> None:
    with wsman(lab, "pc-default") as connection, pytest.raises(WSManFaultError) as caught:
        query(connection, "select * from Win32_Nothing")
    assert caught.value.code == 2150858778


def test_a_program_that_does_not_exist(lab: Lab) -> None:
    with wsman(lab, "pc-default") as connection, WinRS(connection) as shell:
        process = Process(shell, "nonsense-program.exe", no_shell=True)
        with pytest.raises(WSManFaultError) as caught:
            process.invoke()
    assert (caught.value.code, caught.value.provider) == (2147942402, "Shell cmd plugin")


def test_polling_a_process_that_was_not_started(lab: Lab) -> None:
    with wsman(lab, "pc-default") as connection, WinRS(connection) as shell, pytest.raises(WSManFaultError) as caught:
        Process(shell, "cmd.exe").poll_invoke()
    assert (caught.value.code, caught.value.provider_fault) == (87, "The parameter is incorrect.")


def test_shell_options(lab: Lab) -> None:
    options: dict[str, Any] = {"name": "shell 1", "idle_time_out": 60, "working_directory": "C:\\Windows", "environment": {"A": "b"}}
    with wsman(lab, "pc-default") as connection, WinRS(connection, **options) as shell:
        assert (shell.name, shell.idle_time_out) == ("shell 1", "PT60.000S")
        process = Process(shell, "cmd.exe", ["/c", "echo %A% & cd"])
        process.invoke()
        process.signal(SignalCode.TERMINATE)
        assert process.stdout.split() == [b"b", b"C:\\Windows"]


def test_a_wrong_password(lab: Lab) -> None:
    with pytest.raises(AuthenticationError), wsman(lab, "pc-default", password="wrong") as connection:
        WinRS(connection).open()


def test_no_powershell_endpoint(lab: Lab) -> None:
    client = Client(
        lab.address("pc-default"),
        port=lab.state["http_port"],
        ssl=False,
        username=USER,
        password=PASSWORD,
        auth="negotiate",
        encryption="always",
    )
    with client, pytest.raises(WSManFaultError) as caught:
        client.execute_ps("1")
    assert caught.value.code == 2150858811


def test_execute_cmd(lab: Lab) -> None:
    with Client(lab.address("pc-open"), port=lab.state["http_port"], ssl=False, username=USER, password=PASSWORD, auth="ntlm") as client:
        output, errors, code = client.execute_cmd("ver")
    assert (code, errors) == (0, "")
    assert "Windows" in output
