# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions over Ansible's own winrm connection plugin, with only the wire itself replaced."""

from __future__ import annotations

import typing as t

import pytest
import requests
import winrm.transport
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _restart, _winrm
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.actions import HOST, run
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.clock import Clock
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.netstat_tables import table, tcp, udp
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.wsman import (
    Transport,
    created,
    deleted,
    done,
    enumerated,
    fault,
    fragment,
    started,
    wmi_error,
)
from winrm.exceptions import InvalidCredentialsError

USUAL = [tcp("0.0.0.0:135", 564), tcp("0.0.0.0:445", 4), udp("0.0.0.0:500", 900)]
OPTIONS: dict[str, t.Any] = {
    "ansible_host": "10.0.0.7",
    "ansible_port": 5985,
    "ansible_user": "admin",
    "ansible_password": "secret",
    "ansible_winrm_scheme": "http",
    "ansible_winrm_transport": ["ntlm"],
}


@pytest.fixture(name="clock", autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (_winrm, _restart):
        monkeypatch.setattr(module, "time", clock)
    return clock


def connection(**options: t.Any) -> t.Any:
    """The plugin with the options of a host, as a task gets it."""
    made = connection_loader.get("ansible.builtin.winrm", PlayContext())
    made.set_options(var_options={**OPTIONS, **options, "_extras": {}})
    return made


def wire(monkeypatch: pytest.MonkeyPatch, *steps: tuple[str, t.Any]) -> Transport:
    """Answers to every post of every pywinrm transport, in this order."""
    script = Transport(*steps)

    def send(self: winrm.transport.Transport, message: str | bytes) -> bytes:
        script.endpoint = self.endpoint
        return script.send_message(message)

    def build(self: winrm.transport.Transport) -> requests.Session:
        self.session = self.session or requests.Session()
        return self.session

    monkeypatch.setattr(winrm.transport.Transport, "send_message", send)
    monkeypatch.setattr(winrm.transport.Transport, "build_session", build)
    return script


def look(*rows: t.Any) -> list[tuple[str, t.Any]]:
    """The conversation of one audit, without queries."""
    text = "Microsoft Windows [Version 6.1.7601]\r\n" + table([*USUAL, *rows])
    return [("Create", created()), ("Command", started()), ("Receive", done(text.encode()))]


class TestTrouble:
    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (requests.ConnectionError(ConnectionRefusedError(111, "x")), "refused"),
            (requests.ConnectTimeout("x"), "timeout"),
            (InvalidCredentialsError("the specified credentials were rejected by the server"), "credentials"),
            ((404, "<html>"), "not-winrm"),
            ("<html></html>", "not-winrm"),
            (fault(5, "w:AccessDenied"), "access-denied"),
        ],
    )
    @pytest.mark.parametrize("name", ["port_conflict_info", "remote_control_agent", "client_restart"])
    def test_is_unreachable_with_host_cause_and_next_step(
        self, name: str, answer: t.Any, reason: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = "Create" if name == "port_conflict_info" else "Enumerate"
        if first == "Enumerate" and reason == "access-denied":
            answer = (403, "")
        script = wire(monkeypatch, (first, answer))
        result = run(name, {"state": "restored"} if name == "remote_control_agent" else {}, connection())
        script.assert_used_up()
        assert (result["unreachable"], result["reason"], result.get("changed", False)) == (True, reason, False)
        assert result["msg"].startswith(f"{HOST}: WinRM at http://10.0.0.7:5985/wsman")
        assert result["msg"].isprintable()
        assert "secret" not in str(result)

    def test_quota_of_shells(self, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
        script = wire(monkeypatch, *[("Create", wmi_error(2150859173))] * 3)
        result = run("port_conflict_info", {}, connection())
        script.assert_used_up()
        assert (result["unreachable"], result["reason"]) == (True, "quota-shells")

    def test_a_transport_that_does_not_exist(self, monkeypatch: pytest.MonkeyPatch) -> None:
        script = wire(monkeypatch)
        result = run("port_conflict_info", {}, connection(ansible_winrm_transport=["carrier pigeon"]))
        assert (result["unreachable"], result["reason"], script.posted) == (True, "configuration", [])
        assert "carrier pigeon" in result["msg"]

    def test_the_methods_are_tried_in_the_order_of_the_user(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rejected = InvalidCredentialsError("rejected")
        script = wire(monkeypatch, ("Create", rejected), *look(), ("Delete", deleted()))
        result = run("port_conflict_info", {}, connection(ansible_winrm_transport=["basic", "ntlm"]))
        script.assert_used_up()
        assert result["verdict"] == "clear"


class TestPortConflictInfo:
    @pytest.mark.parametrize("check_mode", [False, True])
    def test_a_clean_client_costs_four_posts(self, check_mode: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        script = wire(monkeypatch, *look(), ("Delete", deleted()))
        result = run("port_conflict_info", {}, connection(), check_mode)
        script.assert_used_up()
        assert (result["verdict"], result["changed"], result["warnings"]) == ("clear", False, [])
        assert script.endpoint == "http://10.0.0.7:5985/wsman"

    def test_a_conflict_costs_two_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        process = fragment(ProcessId="2316", Name="backupd.exe", ExecutablePath="C:\\b.exe")
        script = wire(
            monkeypatch,
            *look(udp("0.0.0.0:1762", 2316)),
            ("Enumerate", enumerated([process], "", end="w")),
            ("Enumerate", enumerated([fragment(Name="BackupAgent", ProcessId="2316")], "", end="w")),
            ("Delete", deleted()),
        )
        result = run("port_conflict_info", {}, connection())
        script.assert_used_up()
        (conflict,) = result["conflicts"]
        assert (conflict["process"], conflict["path"], conflict["services"]) == ("backupd.exe", "C:\\b.exe", ["BackupAgent"])
        assert result["changed"] is False

    def test_warnings_name_the_host(self, monkeypatch: pytest.MonkeyPatch) -> None:
        script = wire(
            monkeypatch,
            *look(udp("0.0.0.0:1762", 2316)),
            ("Enumerate", fault(5, "w:AccessDenied")),
            ("Command", started()),
            ("Receive", done(b"")),
            ("Delete", deleted()),
        )
        result = run("port_conflict_info", {}, connection())
        script.assert_used_up()
        assert result["verdict"] == "inconclusive"
        assert result["warnings"]
        assert all(warning.startswith(f"{HOST}: ") for warning in result["warnings"])

    def test_the_plugin_opens_no_shell_of_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        script = wire(monkeypatch, *look(), ("Delete", deleted()))
        over = connection()
        run("port_conflict_info", {}, over)
        assert script.posted.count("Create") == 1
        assert over.shell_id is None


def service(state: str = "Running", start_mode: str = "Auto") -> tuple[str, str]:
    row = fragment(Name="Wuser32", State=state, StartMode=start_mode, PathName="C:\\WINNT\\wuser32.exe", ProcessId="0")
    return "Enumerate", enumerated([row], "", end="w")


def command(output: str = "", exit_code: int = 0) -> list[tuple[str, t.Any]]:
    return [("Command", started()), ("Receive", done(output.encode(), exit_code))]


class TestRemoteControlAgent:
    NOTHING: t.ClassVar = [("Create", created()), *command("", 1)]

    def test_check_mode_reads_and_changes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        script = wire(monkeypatch, service(), *self.NOTHING, ("Delete", deleted()))
        result = run("remote_control_agent", {"state": "disabled"}, connection(), check_mode=True, diff=True)
        script.assert_used_up()
        assert result["changed"] is True
        assert result["service"] == {"name": "Wuser32", "exists": True, "start_mode": "Disabled", "state": "Stopped"}
        assert result["remembered"] is None
        assert result["diff"] == {
            "before": {"exists": True, "start_mode": "Auto", "state": "Running"},
            "after": {"exists": True, "start_mode": "Disabled", "state": "Stopped"},
        }

    def test_disabling(self, monkeypatch: pytest.MonkeyPatch) -> None:
        script = wire(
            monkeypatch,
            service(),
            *self.NOTHING,
            *command("", 1),
            *command(),
            *command(),
            *command(),
            *command(),
            service("Stopped", "Disabled"),
            service("Stopped", "Disabled"),
            ("Delete", deleted()),
        )
        result = run("remote_control_agent", {"state": "disabled"}, connection())
        script.assert_used_up()
        commands = [request.text for request in script.requests if request.name == "Command"]
        order = ["reg query", "DelayedAutostart", "reg add", "reg add", "sc config", "sc stop"]
        assert [word for text, word in zip(commands, order, strict=True) if word in text] == order
        assert (result["changed"], result["service"]["start_mode"], "diff" in result) == (True, "Disabled", False)

    def test_a_second_time_changes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        note = "\r\nHKEY_LOCAL_MACHINE\\x\r\n    StartMode    REG_SZ    Auto\r\n    State    REG_SZ    Running\r\n"
        script = wire(monkeypatch, service("Stopped", "Disabled"), ("Create", created()), *command(note), ("Delete", deleted()))
        result = run("remote_control_agent", {"state": "disabled"}, connection())
        script.assert_used_up()
        assert result["changed"] is False
        assert result["remembered"] == {"start_mode": "Auto", "state": "Running", "delayed": False}

    def test_a_client_without_the_agent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for state in ("stopped", "disabled", "restored"):
            script = wire(monkeypatch, ("Enumerate", enumerated([], "", end="w")), *self.NOTHING, ("Delete", deleted()))
            result = run("remote_control_agent", {"state": state}, connection())
            script.assert_used_up()
            assert (result["changed"], result["service"]) == (False, {"name": "Wuser32", "exists": False})

    def test_one_that_is_to_be_started_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        script = wire(monkeypatch, ("Enumerate", enumerated([], "", end="w")), *self.NOTHING, ("Delete", deleted()))
        result = run("remote_control_agent", {"state": "started"}, connection())
        script.assert_used_up()
        assert (result["failed"], result["reason"]) == (True, "service-missing")


def booted(at: str) -> tuple[str, str]:
    return "Enumerate", enumerated([fragment(LastBootUpTime=at)], "", end="w")


class TestClientRestart:
    BEFORE: t.ClassVar = booted("2026-03-02T07:58:11.500000Z")
    USER: t.ClassVar = ("Enumerate", enumerated([fragment(UserName="ACME\\mueller")], "", end="w"))

    def test_check_mode_only_asks_for_the_boot_time_and_the_user(self, monkeypatch: pytest.MonkeyPatch) -> None:
        script = wire(monkeypatch, self.BEFORE, self.USER)
        result = run("client_restart", {}, connection(), check_mode=True)
        script.assert_used_up()
        assert (result["changed"], result["boot_time_before"]) == (True, "2026-03-02T07:58:11.500000+00:00")
        assert result["logged_on"] == "ACME\\mueller"
        assert any("ACME\\mueller" in warning for warning in result["warnings"])

    def test_one_request_and_new_sessions_until_it_is_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        script = wire(
            monkeypatch,
            self.BEFORE,
            self.USER,
            ("Create", created()),
            *command(),
            ("Delete", deleted()),
            ("Enumerate", requests.ConnectionError(ConnectionRefusedError(111, "x"))),
            booted("2026-03-05T12:01:40.250000Z"),
        )
        result = run("client_restart", {"delay": 30, "message": "Bitte speichern, Büro <Süd> & Co."}, connection())
        script.assert_used_up()
        (request,) = [each for each in script.requests if each.name == "Command"]
        line = next(request.body.iter("{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}Command")).text
        assert line == 'shutdown /r /t 30 /c "Bitte speichern, Büro <Süd> & Co."'
        assert (result["changed"], result["boot_time_after"]) == (True, "2026-03-05T12:01:40.250000+00:00")
        assert result["elapsed"] >= 30


class TestFleetSummary:
    def test_of_the_whole_play(self, capsys: pytest.CaptureFixture[str]) -> None:
        conflict = {"kind": "bound", "message": "UDP 1762 is bound by backupd.exe; stop that program."}
        hostvars = {
            "pc01": {"port_audit_result": {"verdict": "clear", "conflicts": [], "warnings": []}},
            "pc02": {"port_audit_result": {"verdict": "conflict", "conflicts": [conflict], "warnings": []}},
            "pc03": {},
        }
        result = run("fleet_summary", {}, hostvars=hostvars, ansible_play_hosts_all=["pc01", "pc02", "pc03", "pc04"])
        assert result["changed"] is False
        assert result["counts"] == {"conflict": 1, "inconclusive": 0, "clear": 1, "unreachable": 0, "failed": 0, "not audited": 2}
        assert result["hosts"]["not audited"] == ["pc03", "pc04"]
        assert "pc02: UDP 1762 is bound by backupd.exe" in capsys.readouterr().out

    def test_of_some_hosts_and_another_variable(self) -> None:
        hostvars = {"pc01": {"mine": {"failed": True, "msg": "pc01: x.", "reason": "bad-argument"}}}
        result = run("fleet_summary", {"hosts": ["pc01"], "results": "mine"}, hostvars=hostvars)
        assert (result["counts"]["failed"], result["reasons"]) == (1, {"bad-argument": 1})
