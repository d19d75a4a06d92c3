# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SMS client of the model: mapped shares, Upgrade.bat, logon, restart."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import Any

import pytest

from lab.windows.host import WindowsHost
from lab.windows.reading import FleetError
from windows_host import make, pass_time, pid_of, run

SHARE = r"\\LOGON01\SMS_SHR"
MAP = rf"net use S: {SHARE} /persistent:no"
UPGRADE = rf"{MAP} & S: & Upgrade.bat & C: & net use S: /delete /y"


def client(share: dict[str, Any] | None = None, **keys: Any) -> WindowsHost:
    return make("2003", agent="original", shares={SHARE: share or {}}, sms={"logon_server": "LOGON01", **keys.pop("sms", {})}, **keys)


def ini(host: WindowsHost) -> dict[str, str]:
    file = host.state.files.get(r"C:\Sms.ini")
    assert file is not None
    return dict(line.split("=", 1) for line in (file.content or b"").decode().splitlines() if "=" in line)


def ports(host: WindowsHost) -> list[int]:
    return sorted(socket.port for socket in host.state.processes[pid_of(host, "Wuser32.exe")].sockets)


def restart(host: WindowsHost) -> None:
    assert run(host, "shutdown /r /t 0").code == 0
    pass_time(host, 20)
    pass_time(host, 20)
    assert host.accepting


def agent_file(host: WindowsHost, more: str = "") -> Any:
    return host.state.files.get(rf"{host.version.windows}\Wuser32.exe{more}")


class TestShares:
    @pytest.mark.parametrize("bad", [{"LOGON01": {}}, {SHARE: {"state": "odd"}}, {SHARE: {"script": "odd"}}, {SHARE: {"odd": 1}}])
    def test_a_fleet_file_that_is_wrong(self, bad: dict[str, Any]) -> None:
        with pytest.raises(FleetError):
            make(shares=bad)

    @pytest.mark.parametrize(
        ("state", "unc", "code"),
        [
            ("denied", SHARE, 5),
            ("no-server", SHARE, 53),
            ("no-share", SHARE, 67),
            ("ok", r"\\LOGON01\other", 67),
            ("ok", r"\\other\SMS_SHR", 53),
        ],
    )
    def test_what_cannot_be_mapped(self, state: str, unc: str, code: int) -> None:
        host = client({"state": state})
        result = run(host, f"net use S: {unc}")
        assert (result.code, result.error.splitlines()[0]) == (2, f"System error {code} has occurred.")
        assert run(host, "S:").code == 1
        assert host.snapshot()["drives"] == {}

    def test_map_use_and_unmap(self) -> None:
        host = client()
        result = run(host, rf"{MAP} & S: & cd & dir /b & type cl_nt.txt & if exist upgrade.BAT echo there")
        assert result.code == 0
        assert "S:\\\n" in result.text
        assert "Upgrade.bat\n" in result.text
        assert "CopyListVersion=2" in result.text
        assert "there" in result.text
        assert host.snapshot()["drives"] == {"s:": SHARE.lower()}
        assert run(host, MAP).error.startswith("System error 85")
        assert SHARE.lower() in run(host, "net use").text
        assert run(host, "net use S: /delete /y").code == 0
        assert run(host, "net use S: /delete").code == 2
        assert run(host, "S:").error == "The system cannot find the drive specified.\n"

    def test_a_directory_of_this_machine(self, tmp_path: Path) -> None:
        (tmp_path / "X86.bin").mkdir()
        (tmp_path / "note.txt").write_text("first")
        host = client({"directory": str(tmp_path)})
        assert run(host, rf"{MAP} >nul & type S:\NOTE.txt & net use S: /delete >nul").text == "first"
        (tmp_path / "note.txt").write_text("second")
        assert run(host, rf"{MAP} >nul & type S:\NOTE.txt & dir /b S:\x86.bin 2>nul").text == "second"

    def test_drives_do_not_survive_a_restart(self) -> None:
        host = client()
        run(host, MAP)
        restart(host)
        assert host.snapshot()["drives"] == {}


class TestUpgrade:
    def test_it_only_flags(self) -> None:
        host = client()
        result = run(host, UPGRADE)
        assert (result.code, "Phase 1 complete" in result.text) == (0, True)
        assert (ini(host)["SetupPhase"], ini(host)["CopyListVersion"], ports(host)) == ("verify_files", "2", [1761, 1762])
        assert host.state.files.get(r"C:\Sms.ini").attributes == "HS"  # type: ignore[union-attr]

    def test_success_is_said_by_one_that_did_nothing(self) -> None:
        host = client({"script": "says-so"})
        assert "Phase 1 complete" in run(host, UPGRADE).text
        assert ini(host)["SetupPhase"] == "installed"

    def test_one_that_asks_waits_for_ever(self) -> None:
        assert run(client({"script": "asks"}), UPGRADE).code == -1

    def test_exit_codes_come_out(self) -> None:
        assert run(client({"script": "fails"}), rf"{MAP} >nul & S: & S:\Upgrade.bat").code == 3

    def test_without_a_client_nothing_is_flagged(self) -> None:
        host = make("10", shares={SHARE: {}})
        assert "no SMS client" in run(host, UPGRADE).error


class TestLogonAndRestart:
    def flagged(self, share: dict[str, Any] | None = None, **keys: Any) -> WindowsHost:
        host = client(share, **keys)
        run(host, UPGRADE)
        return host

    def test_a_restart_alone_downloads_nothing(self) -> None:
        host = self.flagged()
        restart(host)
        assert (ini(host)["SetupPhase"], ports(host)) == ("verify_files", [1761, 1762])

    def test_a_logon_downloads_and_the_next_restart_makes_it_live(self) -> None:
        host = self.flagged()
        host.change({"logged_on": "anna"})
        assert ini(host)["SetupPhase"] == "installed"
        assert agent_file(host, "$sms00$").modified.year == 2000
        assert (agent_file(host).modified.year, ports(host)) == (1998, [1761, 1762])
        restart(host)
        assert (agent_file(host, "$sms00$"), agent_file(host).modified.year, ports(host)) == (None, 2000, [2701, 2702])

    def test_an_automatic_logon(self) -> None:
        host = self.flagged(sms={"autologon": "anna"})
        restart(host)
        assert ini(host)["SetupPhase"] == "installed"
        restart(host)
        assert ports(host) == [2701, 2702]

    def test_an_agent_that_does_not_run_is_replaced_at_once(self) -> None:
        host = self.flagged()
        host.change({"services": {"Wuser32": {"state": "Stopped"}}})
        host.change({"logged_on": "anna"})
        assert (agent_file(host, "$sms00$"), agent_file(host).modified.year) == (None, 2000)

    def test_a_program_of_sms_keeps_everything_as_it_is(self) -> None:
        host = self.flagged(processes=[{"name": "Pcmsvc32.exe", "path": r"C:\MS\SMS\BIN\Pcmsvc32.exe"}])
        host.change({"logged_on": "anna"})
        assert ini(host)["SetupPhase"] == "verifying_files"

    def test_a_file_that_is_missing_on_the_server(self) -> None:
        host = self.flagged({"holds": "nothing"})
        host.change({"logged_on": "anna"})
        assert (ini(host)["SetupPhase"], ini(host)["FilesNotDownloaded"]) == ("verify_files", "Wchat32.exe")

    def test_an_old_build_on_the_server_changes_nothing(self) -> None:
        host = self.flagged({"holds": "original"})
        host.change({"logged_on": "anna"})
        restart(host)
        assert (ini(host)["SetupPhase"], ports(host)) == ("installed", [1761, 1762])

    def test_one_that_is_stuck(self) -> None:
        host = self.flagged(sms={"stuck": True})
        host.change({"logged_on": "anna"})
        assert ini(host)["SetupPhase"] == "verify_files"

    def test_the_files_of_a_real_directory(self, tmp_path: Path) -> None:
        (tmp_path / "X86.bin").mkdir()
        when = datetime.datetime(2000, 4, 3, 23, 41, tzinfo=datetime.timezone.utc).timestamp()
        for name in ("Wuser32.exe", "Wchat32.exe", "Wslave32.exe"):
            (tmp_path / "X86.bin" / name).write_bytes(b"MZ" + bytes(998))
            os.utime(tmp_path / "X86.bin" / name, (when, when))
        host = self.flagged({"directory": str(tmp_path)})
        run(host, r"echo SetupPhase=verify_files> nul")
        host.change({"files": {r"C:\Sms.ini": "[Local]\r\nSetupPhase=verify_files\r\n[Servers]\r\nCurrentLogonServer=LOGON01\r\n"}})
        host.change({"logged_on": "anna"})
        assert (agent_file(host, "$sms00$").size, ini(host)["SetupPhase"]) == (1000, "installed")


@pytest.mark.parametrize(("command_line", "held"), [("-L0", []), ("-IPX", []), ("-ip", [1761, 1762])])
def test_an_agent_that_does_not_speak_ip_holds_no_port(command_line: str, held: list[int]) -> None:
    host = client()
    key = r"HKLM\SOFTWARE\Microsoft\SMS\Client Services\Remote Control\Parameters"
    run(host, rf'reg add "{key}" /v CommandLine /t REG_SZ /d "{command_line}" /f')
    assert ports(host) == [1761, 1762]
    run(host, "net stop wuser32 & net start wuser32")
    assert ports(host) == held
    run(host, rf'reg add "{key}" /v CommandLine /t REG_SZ /d "-IP" /f & net stop wuser32 & net start wuser32')
    assert ports(host) == [1761, 1762]


def test_reg_export() -> None:
    host = client()
    key = r"HKLM\SOFTWARE\Microsoft\SMS\Client Services\Remote Control"
    assert run(host, rf'reg export "{key}" C:\saved.reg').code == 0
    saved = host.state.files.get(r"C:\saved.reg")
    assert saved is not None
    text = (saved.content or b"").decode("utf-16")
    assert r"[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SMS\Client Services\Remote Control\Parameters]" in text
    assert '"CommandLine"="-IP"' in text
    assert run(host, rf'reg export "{key}" C:\saved.reg').code == -1
    assert run(host, rf'reg export "{key}" C:\saved.reg /y').code == 0
    assert run(host, r"reg export HKLM\SOFTWARE\none C:\other.reg").code == 1
    assert run(host, rf'reg export "{key}" C:\nowhere\other.reg').code == 1
