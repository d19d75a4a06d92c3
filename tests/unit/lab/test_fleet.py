# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleet files: what they may say, what is wrong with a wrong one, and that many hosts cost little."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lab import fleet
from lab.fleet import Fleet, FleetError
from windows_host import rows, run

FLEETS = sorted((Path(fleet.__file__).parent / "fleets").glob("*.yml"))


@pytest.mark.parametrize("path", FLEETS, ids=lambda path: path.stem)
def test_the_fleets_that_come_along(path: Path) -> None:
    loaded = fleet.load(path)
    assert loaded.name == path.stem
    assert len({host.address for host in loaded.hosts.values()}) == len(loaded.hosts)
    for host in list(loaded.hosts.values())[:50]:
        assert host.accepting
        assert host.snapshot()["processes"]


def test_the_demo_tells_its_story() -> None:
    hosts = fleet.load(FLEETS[[path.stem for path in FLEETS].index("demo")]).hosts
    assert len(hosts) == 12
    states = {name: host.snapshot()["services"]["Wuser32"]["state"] for name, host in hosts.items()}
    assert {name for name, state in states.items() if state == "Stopped"} == {"sales-01", "developer-01", "buero-01", "finance-01"}
    assert any(words[:2] == ["TCP", "0.0.0.0:1761"] and words[-1] == "4" for words in rows(run(hosts["web-01"], "netstat -ano").text))


def test_the_bench_is_clean_and_of_the_promised_size() -> None:
    hosts = fleet.load(FLEETS[[path.stem for path in FLEETS].index("bench")]).hosts
    assert len(hosts) == 200
    first, last = hosts["bench-001"], hosts["bench-200"]
    found = rows(run(first, "netstat -ano").text)
    assert 55 <= len(found) <= 65
    agent = first.snapshot()["services"]["Wuser32"]["pid"]
    ports = {int(words[1].rpartition(":")[2]): words[-1] for words in found}
    assert {port: pid for port, pid in ports.items() if port in range(1761, 1765) or port in range(2701, 2705)} == {
        1761: str(agent),
        1762: str(agent),
    }
    assert last.state is first.state
    assert (first.address, last.address) == ("127.0.1.1", "127.0.1.200")
    assert last.computer_name == "BENCH-200"


def test_counted_hosts_share_until_one_changes() -> None:
    hosts = Fleet.from_data({"hosts": [{"name": "pc-{n}", "count": 3, "agent": "original"}]}).hosts
    assert list(hosts) == ["pc-1", "pc-2", "pc-3"]
    run(hosts["pc-2"], r"sc stop wuser32 & reg add HKLM\SOFTWARE\Acme /v X /d 1 /f & echo x>C:\x.txt")
    hosts["pc-2"].change({"settings": {"wmi": "denied"}})
    for name in ("pc-1", "pc-3"):
        state = hosts[name].snapshot()
        assert state["services"]["Wuser32"]["state"] == "Running"
        assert r"HKEY_LOCAL_MACHINE\SOFTWARE\Acme" not in state["registry"]
        assert r"C:\x.txt" not in state["files"]
        assert state["settings"]["wmi"] == "ok"
    assert hosts["pc-2"].snapshot()["services"]["Wuser32"]["state"] == "Stopped"


def test_restarting_one_of_many_leaves_the_others_alone() -> None:
    hosts = Fleet.from_data({"fleet": {"boot_seconds": 0, "shutdown_seconds": 0}, "hosts": [{"name": "pc", "count": 2}]}).hosts
    run(hosts["pc-1"], "shutdown /r /t 0")
    for _round in range(5):
        hosts["pc-1"].tick()
    assert (hosts["pc-1"].boot_count, hosts["pc-2"].boot_count) == (2, 1)
    assert list(hosts["pc-1"].state.processes) != list(hosts["pc-2"].state.processes)


def test_addresses_follow_each_other_and_leave_out_those_given() -> None:
    hosts = Fleet.from_data(
        {
            "fleet": {"first_address": "127.0.9.254"},
            "hosts": [{"name": "a", "address": "127.0.10.1"}, {"name": "b"}, {"name": "c"}, {"name": "d-{n:03}", "count": 2}],
        }
    ).hosts
    assert {name: host.address for name, host in hosts.items()} == {
        "a": "127.0.10.1",
        "b": "127.0.9.254",
        "c": "127.0.10.2",
        "d-001": "127.0.10.3",
        "d-002": "127.0.10.4",
    }


def test_defaults_lie_below_and_mappings_are_merged() -> None:
    hosts = Fleet.from_data(
        {
            "defaults": {"version": "7", "winrm": {"users": {"a": "1"}, "https": True}, "reserved": ["tcp 1-2"]},
            "hosts": [{"name": "one"}, {"name": "two", "winrm": {"users": {"b": "2"}}, "reserved": []}],
        }
    ).hosts
    assert hosts["one"].version.key == "7"
    assert (hosts["two"].winrm.users, hosts["two"].winrm.https) == ({"a": "1", "b": "2"}, True)
    assert len(hosts["one"].state.excluded["tcp"]) == 1
    assert hosts["two"].state.excluded["tcp"] == ()


@pytest.mark.parametrize(
    ("version", "stack", "shells", "operations", "envelope"),
    [("2003", "1.1", 5, 15, 150), ("7", "2.0", 5, 15, 150), ("2012", "3.0", 30, 1500, 500)],
)
def test_winrm_is_as_the_version_has_it(version: str, stack: str, shells: int, operations: int, envelope: int) -> None:
    settings = Fleet.from_data({"hosts": [{"name": "a", "version": version}]}).hosts["a"].winrm
    assert (settings.stack, settings.max_shells_per_user, settings.max_operations_per_user, settings.max_envelope_kb) == (
        stack,
        shells,
        operations,
        envelope,
    )
    assert settings.authentication == {"ntlm", "negotiate"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("hosts: []", ["hosts"]),
        ("hosts: 5", ["hosts", "list"]),
        ("[]", ["fleet file", "mapping"]),
        ("hots: []", ["hots", "hosts"]),
        ("hosts: [{version: '7'}]", ["host number 1", "name"]),
        ("hosts: [{name: a}, {name: a}]", ["host 'a'", "name"]),
        ("hosts: [{name: a, langauge: de}]", ["host 'a'", "langauge", "language"]),
        ("hosts: [{name: a, language: dee}]", ["host 'a'", "language", "dee"]),
        ("hosts: [{name: a, version: 95}]", ["host 'a'", "version", "95"]),
        ("hosts: [{name: a, count: 0}]", ["host 'a'", "count"]),
        ("hosts: [{name: a, count: many}]", ["host 'a'", "count", "many"]),
        ("hosts: [{name: a, count: 100000}, {name: b}]", ["host 'b'", "count"]),
        ("hosts: [{name: a, code_page: 1}]", ["host 'a'", "code_page"]),
        ("hosts: [{name: a, address: 10.0.0.1}]", ["host 'a'", "address", "10.0.0.1"]),
        ("hosts: [{name: a, address: x}]", ["host 'a'", "address"]),
        ("hosts: [{name: a, address: 127.0.0.9}, {name: b, address: 127.0.0.9}]", ["host 'b'", "address", "'a'"]),
        ("hosts: [{name: a, agent: wuser}]", ["host 'a'", "agent", "wuser"]),
        ("hosts: [{name: a, agent: {build: original, colour: red}}]", ["host 'a'", "agent", "colour"]),
        ("hosts: [{name: a, processes: [{name: x, sockets: ['tcp 1761']}]}]", ["host 'a'", "processes", "sockets", "tcp 1761"]),
        ("hosts: [{name: a, processes: [{name: x, sockets: ['tcp 0.0.0.0:70000']}]}]", ["host 'a'", "70000"]),
        ("hosts: [{name: a, processes: [{name: x, sockets: ['udp 0.0.0.0:7 LISTENING']}]}]", ["host 'a'", "UDP"]),
        ("hosts: [{name: a, processes: [{name: x, sockets: ['tcp 0.0.0.0:7 SLEEPING']}]}]", ["host 'a'", "SLEEPING"]),
        ("hosts: [{name: a, processes: [{pid: 5}]}]", ["host 'a'", "processes", "name"]),
        ("hosts: [{name: a, services: [{name: x, start: sometimes}]}]", ["host 'a'", "services", "start"]),
        ("hosts: [{name: a, reserved: [tcp 5-1]}]", ["host 'a'", "reserved"]),
        ("hosts: [{name: a, dynamic: {sctp: 1-2}}]", ["host 'a'", "dynamic"]),
        ("hosts: [{name: a, wmi: closed}]", ["host 'a'", "wmi", "closed"]),
        ("hosts: [{name: a, winrm: {authentication: [kerberos]}}]", ["host 'a'", "winrm", "kerberos"]),
        ("hosts: [{name: a, winrm: {http: maybe}}]", ["host 'a'", "winrm", "http"]),
        ("hosts: [{name: a, registry: {Software: {x: y}}}]", ["host 'a'", "registry", "Software"]),
        ("hosts: [{name: a, restart: {boot_seconds: -1}}]", ["host 'a'", "restart", "boot_seconds"]),
        ("fleet: {speed: 0}\nhosts: [{name: a}]", ["fleet", "speed"]),
        ("fleet: {first_address: 10.0.0.1}\nhosts: [{name: a}]", ["fleet", "first_address"]),
    ],
)
def test_a_wrong_file_gets_one_sentence_that_names_the_place(text: str, parts: list[str]) -> None:
    with pytest.raises(FleetError) as caught:
        Fleet.from_data(yaml.safe_load(text))
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_errors_of_a_file_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "broken.yml"
    for content in (b"hosts: [{", b"\xff\xfe\x00", b"hosts: []"):
        path.write_bytes(content)
        with pytest.raises(FleetError, match=r"broken\.yml: \S") as caught:
            fleet.load(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(FleetError, match="nowhere"):
        fleet.load(tmp_path / "nowhere.yml")
