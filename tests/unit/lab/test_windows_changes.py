# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at the true state of a host and changing it while it runs."""

from __future__ import annotations

import json
import typing as t

import pytest

from lab.windows.reading import FleetError
from windows_host import make, pid_of, run


def test_the_snapshot_is_json_and_tells_what_the_host_hides() -> None:
    host = make("10", agent="original", wmi="denied", netstat="missing", processes=[{"name": "gone.exe", "vanished": True}])
    state = json.loads(json.dumps(host.snapshot()))
    assert {process["name"]: process["visible"] for process in state["processes"]}["gone.exe"] is False
    assert state["settings"] == {"wmi": "denied", "netstat": "missing", "netsh": "ok", "tasklist": "ok"}
    agent = state["services"]["Wuser32"]
    assert (agent["state"], agent["start_mode"]) == ("Running", "Auto")
    (process,) = [process for process in state["processes"] if process["pid"] == agent["pid"]]
    assert process["sockets"] == ["udp 0.0.0.0:1761", "udp 0.0.0.0:1762"]
    assert state["registry"][r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Wuser32"]["Start"] == {"type": "REG_DWORD", "data": 2}
    assert state["files"][r"C:\Windows\Wuser32.exe"]["size"] == 170_720


def test_changes() -> None:
    host = make("10", agent="original")
    host.change(
        {
            "start_processes": [{"name": "new.exe", "pid": 4712, "sockets": ["tcp *:99"]}],
            "add_sockets": [{"process": 4, "sockets": ["tcp 0.0.0.0:1761"]}],
            "remove_sockets": ["udp 0.0.0.0:1762"],
            "add_reservations": ["tcp 2701-2800"],
            "services": {"Wuser32": {"start_mode": "Manual"}, "Spooler": {"state": "Stopped"}},
            "registry": {r"HKLM\SOFTWARE\Acme": {"Number": 5, "Text": "x"}},
            "files": {r"C:\Temp\a.txt": "hello"},
            "settings": {"wmi": "broken"},
            "logged_on": "anna",
        }
    )
    text = run(host, "netstat -ano").text
    assert text.count(":99 ") == 2
    assert "0.0.0.0:1761           0.0.0.0:0              LISTENING       4\n" in text
    assert ":1762 " not in text
    assert "2701        2800" in run(host, "netsh int ipv4 show excludedportrange tcp").text
    state = host.snapshot()
    assert (state["services"]["Wuser32"]["start_mode"], state["services"]["Spooler"]["state"]) == ("Manual", "Stopped")
    assert run(host, r"type C:\Temp\a.txt").text == "hello"
    assert "0x5" in run(host, r"reg query HKLM\SOFTWARE\Acme").text
    assert state["settings"]["wmi"] == "broken"
    assert state["logged_on"] == "anna"
    host.change({"kill_processes": ["new.exe"], "remove_reservations": ["tcp 2701-2800"], "services": {"Spooler": {"state": "Running"}}})
    host.change({"registry": {r"HKLM\SOFTWARE\Acme": {"Text": None}}, "files": {r"C:\Temp\a.txt": None}})
    state = host.snapshot()
    assert 4712 not in [process["pid"] for process in state["processes"]]
    assert state["reservations"]["tcp"] == []
    assert state["services"]["Spooler"]["pid"] == pid_of(host, "spoolsv.exe")
    assert "Text" not in state["registry"][r"HKEY_LOCAL_MACHINE\SOFTWARE\Acme"]


@pytest.mark.parametrize(
    "patch",
    [
        {"nonsense": 1},
        {"start_processes": [{"pid": 5}]},
        {"start_processes": [{"name": "x", "pid": 4}]},
        {"kill_processes": ["nothing.exe"]},
        {"add_sockets": [{"process": 99999, "sockets": []}]},
        {"add_sockets": [{"process": 4, "sockets": ["tcp 1.2.3.4"]}]},
        {"remove_sockets": ["what"]},
        {"add_reservations": ["tcp many"]},
        {"services": {"Nothing": {}}},
        {"services": {"Wuser32": {"state": "Sleeping"}}},
        {"registry": {"HKXX\\a": {}}},
        {"settings": {"wmi": "odd"}},
        {"power": "sideways"},
        [],
    ],
)
def test_a_patch_that_makes_no_sense_changes_nothing(patch: t.Any) -> None:
    host = make("10", agent="original")
    before = host.snapshot()
    if isinstance(patch, dict):
        patch = {"logged_on": "somebody", **patch}
    with pytest.raises(FleetError, match="pc1"):
        host.change(patch)
    assert host.snapshot() == before
