# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restart does to a host of the model; it shuts down for 1 second and boots for 5 here."""

from __future__ import annotations

import pytest

from lab.windows.host import WindowsHost
from windows_host import TurnedClock, make, pass_time, pid_of, run


def restart(host: WindowsHost) -> None:
    assert run(host, "shutdown /r /t 0").code == 0
    pass_time(host, 1.1)
    pass_time(host, 5.1)
    assert host.accepting


def test_the_phases_of_a_restart() -> None:
    host = make("10")
    assert run(host, 'shutdown /r /t 30 /c "Maintenance"').stdout == b""
    assert host.snapshot()["pending_restart"] == {"kind": "restart", "delay": 30, "message": "Maintenance"}
    pass_time(host, 29.9)
    assert host.accepting
    assert run(host, "shutdown /r").code == 1190
    pass_time(host, 0.2)
    assert host.accepting
    assert run(host, "shutdown /r").code == 1115
    pass_time(host, 0.5)
    assert not host.accepting
    assert host.snapshot()["power"] == "closing"
    pass_time(host, 0.5)
    assert host.snapshot()["power"] == "booting"
    assert host.snapshot()["processes"] == []
    pass_time(host, 4.8)
    assert not host.accepting
    pass_time(host, 0.2)
    assert host.accepting
    assert host.snapshot()["pending_restart"] is None


def test_boot_time_and_count_change() -> None:
    host = make("10", logged_on="anna")
    before = host.query("root/cimv2", "SELECT LastBootUpTime FROM Win32_OperatingSystem")[0].properties["LastBootUpTime"]
    restart(host)
    after = host.query("root/cimv2", "SELECT LastBootUpTime FROM Win32_OperatingSystem")[0].properties["LastBootUpTime"]
    assert (after - before).total_seconds() > 3 * 86400
    assert host.boot_count == 2
    assert host.logged_on == ""


def test_processes_come_back_with_new_ids_and_manual_ones_do_not() -> None:
    host = make(
        "10",
        agent="original",
        processes=[
            {"name": "daily.exe", "pid": 4712, "sockets": ["udp 0.0.0.0:1763"]},
            {"name": "once.exe", "pid": 4716, "at_boot": False, "sockets": ["udp 0.0.0.0:1764"]},
        ],
    )
    before = {process.name: process.pid for process in host.state.processes.values()}
    restart(host)
    after = {process.name: process.pid for process in host.state.processes.values()}
    assert after["daily.exe"] != 4712
    assert after["Wuser32.exe"] != before["Wuser32.exe"]
    assert after["lsass.exe"] != before["lsass.exe"]
    assert (after["System"], after["System Idle Process"]) == (4, 0)
    assert "once.exe" not in after
    text = run(host, "netstat -an").text
    assert ":1763 " in text
    assert ":1764 " not in text


def test_the_agent_finds_its_port_free_when_the_taker_is_gone() -> None:
    taker = {"name": "taker.exe", "at_boot": False, "sockets": ["udp 0.0.0.0:1762"]}
    host = make("10", agent="original", processes=[taker])
    assert host.snapshot()["services"]["Wuser32"]["state"] == "Stopped"
    restart(host)
    assert host.snapshot()["services"]["Wuser32"]["state"] == "Running"


def test_disabled_services_stay_down_and_what_is_on_disk_stays() -> None:
    host = make("10", agent="original")
    run(host, "sc config wuser32 start= disabled & sc config spooler start= demand")
    run(host, r"reg add HKLM\SOFTWARE\Acme /v X /d 1 /f & echo hi>C:\kept.txt")
    run(host, "netsh int ipv4 add excludedportrange tcp 3000 10")
    restart(host)
    services = host.snapshot()["services"]
    assert (services["Wuser32"]["start_mode"], services["Wuser32"]["state"]) == ("Disabled", "Stopped")
    assert (services["Spooler"]["state"], services["EventLog"]["state"]) == ("Stopped", "Running")
    assert run(host, r"reg query HKLM\SOFTWARE\Acme /v X & type C:\kept.txt").code == 0
    assert host.snapshot()["reservations"]["tcp"] == [{"start": 3000, "end": 3009, "administered": True}]


@pytest.mark.parametrize("first", ["shutdown /r /t 20", "shutdown -r -t 20", "shutdown /s /t 20 /f"])
def test_only_one_shutdown_at_a_time(first: str) -> None:
    host = make("10")
    assert run(host, first).code == 0
    again = run(host, "shutdown /r /t 5")
    assert (again.code, again.error) == (1190, "A system shutdown has already been scheduled.(1190)\n")
    assert run(host, "shutdown /a").code == 0
    assert run(host, "shutdown -a").code == 1116
    pass_time(host, 100)
    assert host.accepting
    assert host.boot_count == 1


def test_shutdown_needs_rights_and_a_known_switch() -> None:
    host = make("10", administrators=["boss"])
    denied = run(host, "shutdown /r /t 0")
    assert (denied.code, denied.error) == (5, "Access is denied.(5)\n")
    assert run(make("10"), "shutdown /r /nonsense").code == 1
    assert run(make("10"), "shutdown").text.startswith("Usage: shutdown")
    assert "is not recognized" in run(make("2000"), "shutdown /r").error


def test_the_default_delay_is_thirty_seconds_of_the_host() -> None:
    host = make("10", clock=TurnedClock(speed=10.0))
    run(host, "shutdown /r")
    pass_time(host, 2.9)
    assert run(host, "shutdown /a").code == 0
    run(host, "shutdown /r")
    pass_time(host, 3.1)
    assert run(host, "shutdown /a").code == 1116
    pass_time(host, 0.5)
    assert not host.accepting


def test_a_host_that_does_not_go_down_and_one_that_does_not_come_back() -> None:
    host = make("10", restart={"goes_down": False})
    run(host, "shutdown /r /t 0")
    pass_time(host, 1000)
    assert (host.accepting, host.boot_count) == (True, 1)
    assert run(host, "shutdown /r /t 0").code == 1115
    host = make("10", restart={"comes_back": False})
    run(host, "shutdown /r /t 0")
    pass_time(host, 1000)
    pass_time(host, 1000)
    assert host.snapshot()["power"] == "off"
    host = make("10")
    run(host, "shutdown /s /t 0")
    pass_time(host, 1000)
    assert host.snapshot()["power"] == "off"
    host.change({"power": "on"})
    pass_time(host, 6)
    assert host.accepting


def test_a_command_that_waits_during_the_restart_leaves_nothing_behind() -> None:
    host = make("10")
    events = host.execute("ping -n 9 127.0.0.1 >nul", code_page=65001, user="helpdesk")
    next(events)
    restart(host)
    before = set(host.state.processes)
    events.close()
    assert set(host.state.processes) == before
    assert pid_of(host, "lsass.exe") in before
