# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One service: read, remembered, changed. What is sent to the client, and what its answers mean."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _service
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import ActionRefused, QueryRefused
from ansible_collections.sms.helpdesk.plugins.plugin_utils._service import MEMORY_KEY, NAME, Memory, Service, ServiceControl
from ansible_collections.sms.helpdesk.plugins.plugin_utils._winrm import CommandResult
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.clock import Clock
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.sessions import Script

READ = "query: SELECT "
REFUSED = QueryRefused("pc07", "the WMI query for Win32_Service", "access was denied", "use an administrator", "access-denied")
QC = (
    "[SC] QueryServiceConfig SUCCESS\r\n\r\nSERVICE_NAME: Wuser32\r\n        TYPE               : 10  WIN32_OWN_PROCESS \r\n"
    "        START_TYPE         : 2   AUTO_START  (DELAYED)\r\n        ERROR_CONTROL      : 1   NORMAL\r\n"
    "        BINARY_PATH_NAME   : C:\\WINNT\\wuser32.exe \r\n        SERVICE_START_NAME : LocalSystem\r\n"
)
QUERY = (
    "\r\nSERVICE_NAME: Wuser32 \r\n        TYPE               : 10  WIN32_OWN_PROCESS  \r\n        STATE              : 4  RUNNING \r\n"
    "                                (STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN)\r\n        WIN32_EXIT_CODE    : 0  (0x0)\r\n"
)


def row(state: str = "Running", start_mode: str | None = "Auto", pid: str | None = "1200") -> list[dict[str, str | None]]:
    return [{"Name": "Wuser32", "State": state, "StartMode": start_mode, "PathName": "C:\\WINNT\\wuser32.exe", "ProcessId": pid}]


def control(*steps: tuple[str, t.Any], timeout: float = 10) -> tuple[ServiceControl, Script]:
    script = Script(*steps)
    return ServiceControl(script, "Wuser32", timeout), script


@pytest.fixture(name="clock", autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_service, "time", clock)
    return clock


class TestNames:
    @pytest.mark.parametrize(
        "name", ["", " ", "a b", "Wuser32;", "a'b", 'a"b', "a&b", "a|b", "a%b", "a^b", "a\nb", "-x", "/x", "x" * 81, "ü"]
    )
    def test_what_could_leave_a_command_line_is_no_name(self, name: str) -> None:
        assert NAME.fullmatch(name) is None

    @pytest.mark.parametrize("name", ["Wuser32", "MSSQL$SQLEXPRESS", "a.b_c-d", "7zip"])
    def test_names(self, name: str) -> None:
        assert NAME.fullmatch(name)


class TestRead:
    def test_nothing_there(self) -> None:
        one, script = control((READ, []))
        assert one.read() == Service("Wuser32", False)
        script.assert_used_up()

    def test_named_properties_of_one_service(self) -> None:
        one, script = control((READ, row()))
        assert one.read() == Service("Wuser32", True, "Auto", "Running", "C:\\WINNT\\wuser32.exe", 1200)
        assert "Name = 'Wuser32'" in script.asked[0]
        assert "*" not in script.asked[0]

    @pytest.mark.parametrize("pid", [None, "", "x"])
    def test_without_a_process(self, pid: str | None) -> None:
        one, _script = control((READ, row("Stopped", None, pid)))
        assert one.read() == Service("Wuser32", True, "", "Stopped", "C:\\WINNT\\wuser32.exe", 0)

    def test_by_sc_where_wmi_is_refused(self) -> None:
        one, script = control((READ, REFUSED), ("run: sc qc Wuser32 & sc query Wuser32", QC + QUERY))
        assert one.read() == Service("Wuser32", True, "Auto", "Running")
        script.assert_used_up()

    def test_by_sc_in_german(self) -> None:
        text = (QC + QUERY).replace("START_TYPE ", "STARTTYP   ").replace("STATE ", "STATUS").replace("TYPE ", "TYP  ")
        one, _script = control((READ, REFUSED), ("run: sc qc", text.encode("cp850")))
        assert one.read() == Service("Wuser32", True, "Auto", "Running")

    @pytest.mark.parametrize(
        ("start", "state", "expected"),
        [
            ("4   DISABLED", "1  STOPPED", ("Disabled", "Stopped")),
            ("3   DEMAND_START", "3  STOP_PENDING", ("Manual", "Stop Pending")),
            ("2   AUTO_START", "2  START_PENDING", ("Auto", "Start Pending")),
        ],
    )
    def test_by_sc_in_other_states(self, start: str, state: str, expected: tuple[str, str]) -> None:
        text = (QC + QUERY).replace("2   AUTO_START  (DELAYED)", start).replace("4  RUNNING", state)
        one, _script = control((READ, REFUSED), ("run: sc qc", text))
        service = one.read()
        assert (service.start_mode, service.state) == expected

    def test_by_sc_and_not_there(self) -> None:
        failed = CommandResult(b"[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\r\n\r\nxxx\r\n", b"", 1060)
        one, _script = control((READ, REFUSED), ("run: sc qc", failed))
        assert one.read() == Service("Wuser32", False)

    def test_by_sc_and_refused_too(self) -> None:
        one, _script = control(
            (READ, REFUSED), ("run: sc qc", CommandResult(b"[SC] OpenService FAILED 5:\r\n\r\nAccess is denied.\r\n", b"", 5))
        )
        with pytest.raises(ActionRefused) as caught:
            one.read()
        assert "5" in str(caught.value)
        assert caught.value.reason == "service-refused"


class TestMemory:
    KEY: t.ClassVar = "HKLM\\SOFTWARE\\sms.helpdesk.Wuser32"

    @staticmethod
    def listing(start_mode: str = "Auto", state: str = "Running", kind: str = "REG_SZ") -> str:
        values = f"    StartMode    {kind}    {start_mode}\r\n    State    REG_SZ    {state}\r\n"
        return f"\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\sms.helpdesk.Wuser32\r\n{values}\r\n"

    def test_one_key_of_its_own(self) -> None:
        assert MEMORY_KEY + "Wuser32" == self.KEY

    @pytest.mark.parametrize("state", ["Running", "Stopped"])
    @pytest.mark.parametrize("start_mode", ["Auto", "Manual", "Disabled"])
    def test_is_read_back(self, start_mode: str, state: str) -> None:
        one, script = control((f'run: reg query "{self.KEY}"', self.listing(start_mode, state)))
        assert one.remembered() == Memory(start_mode, state)
        script.assert_used_up()

    def test_in_the_columns_of_windows_xp(self) -> None:
        head = "\r\n! REG.EXE VERSION 3.0\r\n\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\sms.helpdesk.Wuser32\r\n"
        one, _script = control(("run: reg query", head + "\tStartMode\tREG_SZ\tManual\r\n\tState\tREG_SZ\tStopped\r\n\r\n"))
        assert one.remembered() == Memory("Manual", "Stopped")

    @pytest.mark.parametrize(
        "answer",
        [
            CommandResult(b"", b"ERROR: The system was unable to find the specified registry key or value.\r\n", 1),
            "",
            listing("Auto").partition("    State")[0],
            listing("format c:"),
            listing("Auto", "Odd"),
            listing("0x2", "Running", "REG_DWORD"),
        ],
    )
    def test_missing_or_damaged_is_none(self, answer: t.Any) -> None:
        one, _script = control(("run: reg query", answer))
        assert one.remembered() is None

    @pytest.mark.parametrize(
        ("state", "kept"),
        [
            ("Running", "Running"),
            ("Start Pending", "Running"),
            ("Continue Pending", "Running"),
            ("Stopped", "Stopped"),
            ("Stop Pending", "Stopped"),
        ],
    )
    def test_what_is_on_its_way_counts_as_there(self, state: str, kept: str) -> None:
        one, script = control(
            (f'run: reg add "{self.KEY}" /v StartMode /t REG_SZ /d "Manual" /f', 0),
            (f'run: reg add "{self.KEY}" /v State /t REG_SZ /d "{kept}" /f', 0),
        )
        one.remember(Service("Wuser32", True, "Manual", state))
        script.assert_used_up()

    ASKS: t.ClassVar = 'run: reg query "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Wuser32" /v DelayedAutostart'

    @pytest.mark.parametrize("separator", ["    ", "\t"])
    def test_a_delayed_start_is_kept(self, separator: str) -> None:
        text = "\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\Wuser32\r\n    " + separator.join(
            ["DelayedAutostart", "REG_DWORD", "0x1"]
        )
        one, script = control(
            (self.ASKS, text + "\r\n\r\n"),
            (f'run: reg add "{self.KEY}" /v Delayed /t REG_SZ /d "yes" /f', 0),
            (f'run: reg add "{self.KEY}" /v StartMode /t REG_SZ /d "Auto" /f', 0),
            (f'run: reg add "{self.KEY}" /v State', 0),
        )
        one.remember(Service("Wuser32", True, "Auto", "Running"))
        script.assert_used_up()

    @pytest.mark.parametrize(
        "answer",
        [CommandResult(b"", b"ERROR: The system was unable to find ...", 1), "    DelayedAutostart    REG_DWORD    0x0\r\n", "0x1\r\n"],
    )
    def test_a_plain_automatic_one_leaves_no_word_of_that(self, answer: t.Any) -> None:
        one, script = control((self.ASKS, answer), (f'run: reg add "{self.KEY}" /v StartMode', 0), ("run: reg add", 0))
        one.remember(Service("Wuser32", True, "Auto", "Running"))
        script.assert_used_up()

    @pytest.mark.parametrize(("start_mode", "delayed"), [("Auto", True), ("Manual", False)])
    def test_and_is_read_back(self, start_mode: str, delayed: bool) -> None:
        one, _script = control(("run: reg query", self.listing(start_mode) + "    Delayed    REG_SZ    yes\r\n"))
        assert one.remembered() == Memory(start_mode, "Running", delayed)

    def test_what_cannot_be_written_is_an_error(self) -> None:
        one, script = control(("run: reg query", 1), ("run: reg add", 1))
        with pytest.raises(ActionRefused) as caught:
            one.remember(Service("Wuser32", True, "Auto", "Running"))
        assert caught.value.reason == "service-refused"
        script.assert_used_up()

    def test_forgetting(self) -> None:
        one, script = control((f'run: reg delete "{self.KEY}" /f', 0), ("run: reg delete", 1))
        one.forget()
        with pytest.raises(ActionRefused):
            one.forget()
        script.assert_used_up()


class TestChanges:
    @pytest.mark.parametrize(("mode", "word"), [("Auto", "auto"), ("Manual", "demand"), ("Disabled", "disabled")])
    def test_start_types(self, mode: str, word: str) -> None:
        one, script = control((f"run: sc config Wuser32 start= {word}", 0))
        one.set_start_mode(mode)
        script.assert_used_up()

    def test_a_delayed_automatic_start(self) -> None:
        one, script = control(("run: sc config Wuser32 start= delayed-auto", 0))
        one.set_start_mode("Auto", True)
        script.assert_used_up()

    def test_a_restart_stops_and_starts(self) -> None:
        one, script = control(("run: sc stop Wuser32", 0), (READ, row("Stopped")), ("run: sc start Wuser32", 0), (READ, row("Running")))
        one.restart(Service("Wuser32", True, "Auto", "Running"))
        script.assert_used_up()

    def test_a_restart_of_one_on_its_way_up_waits_first(self) -> None:
        one, script = control(
            (READ, row("Start Pending")),
            (READ, row("Running")),
            ("run: sc stop Wuser32", 0),
            (READ, row("Stopped")),
            ("run: sc start Wuser32", 0),
            (READ, row("Running")),
        )
        one.restart(Service("Wuser32", True, "Auto", "Start Pending"))
        script.assert_used_up()

    def test_a_restart_of_one_that_has_stopped_is_a_start(self) -> None:
        one, script = control(("run: sc start Wuser32", 0), (READ, row("Running")))
        one.restart(Service("Wuser32", True, "Auto", "Stopped"))
        script.assert_used_up()

    @pytest.mark.parametrize("code", [0, 1061, 1062])
    def test_stopping_waits_until_it_has_stopped(self, code: int, clock: Clock) -> None:
        one, script = control(
            ("run: sc stop Wuser32", code), (READ, row("Stop Pending")), (READ, row("Stop Pending")), (READ, row("Stopped", pid="0"))
        )
        one.stop()
        script.assert_used_up()
        assert len(clock.slept) == 2

    @pytest.mark.parametrize("code", [0, 1056])
    def test_starting_waits_until_it_runs(self, code: int) -> None:
        one, script = control(("run: sc start Wuser32", code), (READ, row("Start Pending")), (READ, row("Running")))
        one.start()
        script.assert_used_up()

    def test_but_not_longer_than_allowed(self) -> None:
        one, script = control(("run: sc stop Wuser32", 0), *[(READ, row("Stop Pending"))] * 3, timeout=2)
        with pytest.raises(ActionRefused) as caught:
            one.stop()
        script.assert_used_up()
        assert caught.value.reason == "service-timeout"
        for part in ("pc07", "Wuser32", "Stop Pending", "Stopped", "2 seconds"):
            assert part in str(caught.value)

    @pytest.mark.parametrize(
        ("act", "command"), [("stop", "sc stop"), ("start", "sc start"), ("disable", "sc config Wuser32 start= disabled")]
    )
    @pytest.mark.parametrize("code", [5, 1052, 1058, 1072])
    def test_refusals_tell_the_number_of_windows(self, act: str, command: str, code: int) -> None:
        one, script = control((f"run: {command}", code))
        calls: dict[str, t.Callable[[], None]] = {"stop": one.stop, "start": one.start, "disable": lambda: one.set_start_mode("Disabled")}
        with pytest.raises(ActionRefused) as caught:
            calls[act]()
        script.assert_used_up()
        assert (caught.value.reason, caught.value.unreachable) == ("service-refused", False)
        assert str(code) in str(caught.value)
