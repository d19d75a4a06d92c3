# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service control manager of the model."""

from __future__ import annotations

import typing as t

import pytest

from lab.windows.host import WindowsHost
from lab.windows.versions import VERSIONS
from windows_host import make, pass_time, pid_of, rows, run

SERVICE = r"HKLM\SYSTEM\CurrentControlSet\Services\Wuser32"


def service(host: WindowsHost, name: str = "Wuser32") -> dict[str, t.Any]:
    return host.snapshot()["services"][name]


def ports(host: WindowsHost, name: str = "wuser32.exe") -> list[str]:
    return [words[1] for words in rows(run(host, "netstat -ano").text) if words[-1] == str(pid_of(host, name))]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("build", "held"), [("original", [1761, 1762]), ("hotfix", [2701, 2702])])
def test_an_idle_agent_holds_two_udp_ports(version: str, build: str, held: t.Any) -> None:
    host = make(version, agent=build)
    process = host.state.processes[pid_of(host, "wuser32.exe")]
    assert [(socket.protocol, socket.port) for socket in process.sockets] == [("UDP", port) for port in held]


def test_stopping_ends_the_process_and_frees_the_ports_and_starting_binds_them_again() -> None:
    host = make("10", agent="original")
    first = pid_of(host, "wuser32.exe")
    assert ports(host) == ["0.0.0.0:1761", "0.0.0.0:1762"]
    assert run(host, "sc stop wuser32").code == 0
    host.tick()
    assert (service(host)["state"], service(host)["pid"]) == ("Stopped", 0)
    assert first not in host.state.processes
    assert ":1761" not in run(host, "netstat -an").text
    run(host, "sc start wuser32")
    assert ports(host) == ["0.0.0.0:1761", "0.0.0.0:1762"]
    assert pid_of(host, "wuser32.exe") != first


def test_pending_states_take_their_time() -> None:
    host = make("10", agent={"build": "original", "start_seconds": 3.0, "stop_seconds": 2.0})
    run(host, "sc stop wuser32")
    assert service(host)["state"] == "Stop Pending"
    assert run(host, "sc stop wuser32").code == 1061
    assert ports(host)
    pass_time(host, 1.9)
    assert service(host)["state"] == "Stop Pending"
    pass_time(host, 0.2)
    assert service(host)["state"] == "Stopped"
    run(host, "sc start wuser32")
    assert service(host)["state"] == "Start Pending"
    pass_time(host, 3.1)
    assert service(host)["state"] == "Running"


def test_a_stop_that_hangs_and_a_start_that_fails() -> None:
    host = make("10", agent={"build": "original", "stop_hangs": True})
    assert run(host, "sc stop wuser32").code == 0
    pass_time(host, 1_000_000)
    assert service(host)["state"] == "Stop Pending"
    host = make("10", agent={"build": "original", "start_fails": 1053})
    assert service(host)["state"] == "Stopped"
    assert run(host, "sc start wuser32").code == 1053


@pytest.mark.parametrize(("reaction", "state", "held"), [("crash", "Stopped", 0), ("hang", "Start Pending", 1), ("skip", "Running", 1)])
@pytest.mark.parametrize("how", ["socket", "reserved"])
def test_an_agent_whose_port_is_taken(reaction: str, state: str, held: t.Any, how: str) -> None:
    keys: dict[str, t.Any] = {"reserved": ["udp 1762-1861"]}
    if how == "socket":
        keys = {"processes": [{"name": "taker.exe", "sockets": ["udp own:1762"]}]}
    host = make("10", agent={"build": "original", "on_conflict": reaction}, **keys)
    pass_time(host, 100_000)
    assert service(host)["state"] == state
    assert service(host)["exit_code"] == (1067 if reaction == "crash" else 0)
    assert [name for name in (p.name for p in host.state.processes.values()) if name == "Wuser32.exe"] == ["Wuser32.exe"] * held
    if held:
        assert ports(host) == ["0.0.0.0:1761"]


@pytest.mark.parametrize("socket", ["tcp 0.0.0.0:1762", "udp [::]:1762", "tcp own:50000 -> 10.0.0.1:1762", "udp 0.0.0.0:17620"])
def test_what_does_not_take_the_port(socket: str) -> None:
    host = make("10", agent="original", processes=[{"name": "other.exe", "sockets": [socket]}])
    assert service(host)["state"] == "Running"


def test_an_administered_range_lets_in_whoever_asks_for_the_port() -> None:
    host = make("10", agent="original", reserved=["udp 1761-1764 administered"])
    assert service(host)["state"] == "Running"


def test_start_types_live_in_the_registry_and_sc_sets_both() -> None:
    host = make("10", agent="original")
    assert run(host, "sc config wuser32 start= disabled").text == "[SC] ChangeServiceConfig SUCCESS\n"
    assert "REG_DWORD    0x4" in run(host, rf"reg query {SERVICE} /v Start").text
    assert service(host)["start_mode"] == "Disabled"
    assert service(host)["state"] == "Running"
    run(host, "sc stop wuser32")
    assert run(host, "sc start wuser32").code == 1058
    run(host, "sc config wuser32 start= demand")
    assert service(host)["start_mode"] == "Manual"
    assert run(host, "sc start wuser32").code == 0


def test_the_registry_alone_is_not_noticed_before_the_next_start() -> None:
    host = make("10", agent="original")
    run(host, rf"reg add {SERVICE} /v Start /t REG_DWORD /d 4 /f")
    assert service(host)["start_mode"] == "Auto"
    host.change({"power": "restart"})
    pass_time(host, 10)
    pass_time(host, 10)
    assert host.boot_count == 2
    assert (service(host)["start_mode"], service(host)["state"]) == ("Disabled", "Stopped")


def test_services_share_a_process_until_the_last_one_stops() -> None:
    host = make("7", processes=[{"name": "svchost.exe", "pid": 4000, "command_line": "svchost -k X", "services": ["One", "Two"]}])
    assert run(host, 'tasklist /svc /fo csv /nh /fi "pid eq 4000"').text == '"svchost.exe","4000","One,Two"\n'
    run(host, "sc stop one")
    host.tick()
    assert host.state.services_of(4000)[0].name == "Two"
    run(host, "sc stop two")
    host.tick()
    assert 4000 not in host.state.processes


def test_dependencies_are_started_and_missed() -> None:
    needs = {"name": "Upper", "path": r"C:\u.exe", "start": "manual", "depends": ["Lower"]}
    host = make("10", services=[needs, {"name": "Lower", "path": r"C:\l.exe", "start": "manual"}])
    assert run(host, "sc start upper").code == 0
    host.tick()
    assert service(host, "Lower")["state"] == "Running"
    assert run(host, "sc stop lower").code == 1051
    assert run(make("10", services=[needs]), "sc start upper").code == 1075
    run(host, "sc stop upper & sc stop lower & sc config lower start= disabled")
    assert run(host, "sc start upper").code == 1068


def test_create_and_delete() -> None:
    host = make("10")
    assert run(host, r'sc create Acme binPath= "C:\Acme\acme.exe -s" start= auto').text == "[SC] CreateService SUCCESS\n"
    assert r"C:\Acme\acme.exe -s" in run(host, "sc qc acme").text
    run(host, "sc start acme")
    assert pid_of(host, "acme.exe")
    assert run(host, "sc delete acme").text == "[SC] DeleteService SUCCESS\n"
    assert run(host, "sc delete acme").code == 1072
    run(host, "sc stop acme")
    assert run(host, "sc query acme").code == 1060
    assert run(host, r"reg query HKLM\SYSTEM\CurrentControlSet\Services\Acme").code == 1


def test_killing_a_process_stops_its_services_with_an_error() -> None:
    host = make("10", agent="original")
    host.change({"kill_processes": ["wuser32.exe"]})
    assert service(host)["exit_code"] == 1067
    assert service(host)["state"] == "Stopped"
