# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Upgrade.bat is run, how, and what is made of it."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _upgrade
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import ActionRefused, CommandTimeout
from ansible_collections.sms.helpdesk.plugins.plugin_utils._winrm import CommandResult
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.sessions import Script

HOST = "pc07"
WANTED = _upgrade.Wanted(None, "SMS_SHR", "Upgrade.bat", False, False, None)
INI = {"path": r"C:\Sms.ini", "phase": "installed", "setup_phase": "installed", "logon_server": "LOGON01", "logon_servers": ["LOGON02"]}
TAKEN = {"port": 2702, "message": "UDP 2702 is bound by other.exe."}
NOW = datetime.datetime(2026, 11, 27, 9, 0, 0, tzinfo=datetime.timezone.utc)
PLACE = r"C:\Windows\sms.helpdesk\20261127T090000Z"
MAP = r"net use S: \\LOGON01\SMS_SHR /persistent:no"
REPLICATED = {"servers": [{"name": "logon01", "root": r"\\10.0.0.1\SMS_SHR", "status": "replicated"}]}


def standing(**changes: t.Any) -> dict[str, t.Any]:
    """What `client_status_info` says of a client that needs the hotfix, with `changes`."""
    found = {"state": "vulnerable", "agent_build": "original", "pending": [], "message": "It is old.", "sms_ini": INI, "conflicts": []}
    return {**found, "protocol": {"key": r"HKLM\SOFTWARE\Microsoft\SMS\Client Services\Remote Control"}, **changes}


def refused(reason: str) -> t.Any:
    return pytest.raises(ActionRefused, check=lambda error: error.reason == reason)


class TestWhetherItIsNeeded:
    @pytest.mark.parametrize(
        ("status", "wanted", "reason"),
        [
            (standing(agent_build="undetermined"), WANTED, "build-undetermined"),
            (standing(agent_build="absent"), WANTED, "build-undetermined"),
            (standing(conflicts=[TAKEN]), WANTED, "port-taken"),
            (standing(sms_ini=None), WANTED, "no-logon-server"),
            (standing(sms_ini={**INI, "logon_server": "", "logon_servers": []}), WANTED, "no-logon-server"),
            (standing(sms_ini={**INI, "logon_server": "a & b"}), WANTED, "bad-argument"),
            (standing(), WANTED._replace(require_replicated=True), "not-replicated"),
            (standing(), WANTED._replace(require_replicated=True, logon_server="L2", replication=REPLICATED), "not-replicated"),
        ],
    )
    def test_refused(self, status: dict[str, t.Any], wanted: _upgrade.Wanted, reason: str) -> None:
        with refused(reason):
            _upgrade.decide(HOST, wanted, status)

    @pytest.mark.parametrize(
        ("status", "wanted", "action", "server"),
        [
            (standing(state="not_applicable", agent_build="absent"), WANTED._replace(force=True), "not-applicable", "LOGON01"),
            (standing(state="conflict", agent_build="absent", conflicts=[TAKEN]), WANTED, "not-applicable", "LOGON01"),
            (standing(state="compliant", agent_build="hotfix"), WANTED, "not-needed", "LOGON01"),
            (standing(state="pending", pending=["restart"]), WANTED, "not-needed", "LOGON01"),
            (standing(state="pending", pending=["flagged", "download"]), WANTED, "already-flagged", "LOGON01"),
            (standing(), WANTED, "run", "LOGON01"),
            (standing(), WANTED._replace(logon_server="L2"), "run", "L2"),
            (standing(sms_ini={**INI, "logon_server": ""}), WANTED, "run", "LOGON02"),
            (standing(conflicts=[{**TAKEN, "port": 1762}]), WANTED, "run", "LOGON01"),
            (standing(conflicts=[TAKEN]), WANTED._replace(force=True), "run", "LOGON01"),
            (standing(agent_build="hotfix"), WANTED._replace(force=True), "run", "LOGON01"),
            (standing(), WANTED._replace(require_replicated=True, replication=REPLICATED), "run", "LOGON01"),
        ],
    )
    def test_decided(self, status: dict[str, t.Any], wanted: _upgrade.Wanted, action: str, server: str) -> None:
        decision = _upgrade.decide(HOST, wanted, status)
        assert (decision.action, decision.logon_server) == (action, server)


class TestWhatIsKept:
    def test_what_is_there(self) -> None:
        session = Script((f'run: md "%windir%\\sms.helpdesk\\{NOW:%Y%m%dT%H%M%SZ}"', f"{PLACE}\r\nSms.ini\r\nRemote Control.reg\r\n"))
        assert _upgrade.snapshot(session, standing(), NOW) == PLACE

    def test_of_a_client_without_either_nothing_is_missed(self) -> None:
        session = Script(("run: md", f"{PLACE}\r\n"))
        assert _upgrade.snapshot(session, standing(sms_ini=None, protocol={"key": None}), NOW) == PLACE
        assert "type" not in session.asked[0]
        assert "reg export" not in session.asked[0]

    def test_what_could_not_be_kept_ends_it(self) -> None:
        session = Script(("run: md", CommandResult(f"{PLACE}\r\nSms.ini\r\n".encode(), b"ERROR: Access is denied.\r\n", 0)))
        with pytest.raises(ActionRefused, match=r"remote control\.reg could not be kept: ERROR: Access is denied"):
            _upgrade.snapshot(session, standing(), NOW)


class TestTheRun:
    def run(self, *steps: tuple[str, t.Any], drive: str | None = None, server: str = "LOGON01") -> tuple[_upgrade.Ran, Script]:
        session = Script(*steps)
        with _upgrade.mapped(session, server, "SMS_SHR", drive) as letter:
            ran = _upgrade.run_script(session, letter, "Upgrade.bat", 5)
        session.assert_used_up()
        return ran, session

    @pytest.mark.parametrize(
        ("code", "reason"),
        [(5, "share-denied"), (53, "share-not-found"), (67, "share-not-found"), (1219, "share-denied"), (1312, "share-denied"),
         (1326, "share-denied"), (64, "share-refused")],
    )  # fmt: skip
    def test_a_share_that_cannot_be_mapped(self, code: int, reason: str) -> None:
        text = f"Systemfehler {code} aufgetreten.\r\n\r\nZugriff verweigert\r\n".encode()
        with refused(reason) as raised:
            self.run((f"run: {MAP}", CommandResult(b"", text, 2)))
        assert rf"\\LOGON01\SMS_SHR: it cannot be mapped on the client, Windows error {code}" in str(raised.value)

    def test_the_next_letter_if_one_is_in_use(self) -> None:
        in_use = CommandResult(b"", b"System error 85 has occurred.\r\n", 2)
        ran, session = self.run(
            ("run: net use S: ", in_use), ("run: net use R: ", 0), ("run: R: & R:\\Upgrade.bat", "done\r\n"), ("run: net use R: /delete", 0)
        )
        assert ran == _upgrade.Ran(0, "done", "", None)
        assert session.once == session.asked[:3]

    def test_only_the_letter_that_was_asked_for(self) -> None:
        with refused("drive-in-use"):
            self.run(("run: net use X: ", CommandResult(b"", b"System error 85 has occurred.\r\n", 2)), drive="X")

    def test_the_drive_goes_also_after_a_script_that_was_ended(self) -> None:
        late = CommandTimeout(HOST, "the command", "it did not end", "-", "command-timeout", b"Continue?\r\n", b"")
        ran, _session = self.run((f"run: {MAP}", 0), ("run: S: & S:\\Upgrade.bat", late), ("run: net use S: /delete /y", 0))
        assert ran == _upgrade.Ran(None, "Continue?", "", "it did not end")

    def test_the_shell_goes_if_the_drive_cannot(self) -> None:
        late = CommandTimeout(HOST, "the command", "it did not end", "-", "command-timeout")
        _ran, session = self.run((f"run: {MAP}", 0), ("run: S: & S:\\Upgrade.bat", 3), ("run: net use S: /delete /y", late))
        assert session.closed == 1

    def test_much_output_is_shortened_in_the_middle(self) -> None:
        lines = "\r\n".join(f"line {number}" for number in range(2000))
        ran, _session = self.run((f"run: {MAP}", 0), ("run: S:", lines), ("run: net use S: /delete", 0))
        assert ran.stdout.startswith("line 0\nline 1\n")
        assert ran.stdout.endswith("line 1999")
        assert len(ran.stdout) < 4100


class TestWhatCameOfIt:
    @pytest.mark.parametrize(
        "after",
        [
            standing(state="pending", pending=["flagged", "download", "logon"]),
            standing(state="pending", pending=["restart"]),
            standing(state="compliant", agent_build="hotfix"),
        ],
    )
    def test_the_client_tells(self, after: dict[str, t.Any]) -> None:
        assert _upgrade.trouble_of(HOST, "Upgrade.bat", _upgrade.Ran(1, "", "", None), after) is None

    def test_success_in_the_text_proves_nothing(self) -> None:
        trouble = _upgrade.trouble_of(HOST, "Upgrade.bat", _upgrade.Ran(0, "Phase 1 complete\n", "", None), standing())
        assert trouble is not None
        assert trouble.reason == "not-flagged"
        assert "said 'Phase 1 complete', and Sms.ini still says SetupPhase=installed" in str(trouble)

    def test_a_script_that_was_ended(self) -> None:
        flagged = standing(state="pending", pending=["flagged"])
        trouble = _upgrade.trouble_of(HOST, "Upgrade.bat", _upgrade.Ran(None, "", "", "it did not end within 5 seconds"), flagged)
        assert trouble is not None
        assert trouble.reason == "script-ended"
