# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments that cannot be worked with end a task before the client is touched, in one sentence."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.actions import HOST, Untouchable, run


def refused(name: str, arguments: dict[str, t.Any], basedir: Path | None = None) -> str:
    """The message of a task that must fail without having looked at its connection."""
    connection = Untouchable("winrm")
    try:
        result = run(name, arguments, connection, basedir=basedir)
    except AnsibleError as error:
        message = str(error)
    else:
        assert result.get("failed") is True
        assert "unreachable" not in result
        assert not result.get("changed")
        assert result["reason"]
        message = result["msg"]
        assert message.startswith(f"{HOST}: ")
        assert message.endswith(".")
    assert connection.touched == []
    assert "Traceback" not in message
    assert "\n" not in message.strip()
    return message


class TestPortConflictInfo:
    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            ({"ports": []}, "empty"),
            ({"ports": [{"port": 0}]}, "0"),
            ({"ports": [{"port": -5}]}, "-5"),
            ({"ports": [{"port": 70000}]}, "70000"),
            ({"ports": [{"port": "65536"}]}, "65536"),
            ({"ports": [{"port": "seventeen"}]}, "seventeen"),
            ({"ports": [{"port": 17.5}]}, "17.5"),
            ({"ports": [{"protocol": "tcp"}]}, "port"),
            ({"ports": [{"port": 1761, "protocol": "tcp/udp"}]}, "tcp/udp"),
            ({"ports": [{"port": 1761, "protocol": "TCP"}]}, "TCP"),
            ({"ports": [{"port": 1761, "protocl": "tcp"}]}, "protocl"),
            ({"ports": [{"port": 1761}, {"port": 1761}]}, "1761/tcp"),
            ({"ports": [{"port": 1761, "protocol": "udp"}, {"port": 1761}]}, "1761/udp"),
            ({"ports": [1761]}, "1761"),
            ({"ports": {"port": 1761}}, "ports"),
            ({"port_set": "old"}, "old"),
            ({"source": "file"}, "file"),
            ({"source": "capture"}, "capture"),
            ({"expected_processes": {"name": "x"}}, "expected_processes"),
            ({"reserved_ranges": "perhaps"}, "perhaps"),
            ({"port_sets": "all"}, "port_sets"),
        ],
    )
    def test_wrong_arguments_are_named(self, arguments: dict[str, t.Any], named: str) -> None:
        assert named in refused("port_conflict_info", arguments)

    def test_a_missing_capture(self, tmp_path: Path) -> None:
        message = refused("port_conflict_info", {"source": "capture", "capture": "no/such.txt"}, tmp_path)
        assert str(tmp_path / "no/such.txt") in message

    def test_a_capture_that_is_a_directory(self, tmp_path: Path) -> None:
        assert str(tmp_path) in refused("port_conflict_info", {"source": "capture", "capture": str(tmp_path)})

    def test_a_capture_without_a_name(self, tmp_path: Path) -> None:
        assert "capture" in refused("port_conflict_info", {"source": "capture", "capture": ""}, tmp_path)

    def test_a_capture_of_absurd_size(self, tmp_path: Path) -> None:
        path = tmp_path / "huge.txt"
        with path.open("wb") as file:
            file.truncate(2**40)
        assert "64 MiB" in refused("port_conflict_info", {"source": "capture", "capture": str(path)})


class TestRemoteControlAgent:
    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            ({}, "state"),
            ({"state": "gone"}, "gone"),
            ({"state": "started", "service": ""}, "service"),
            ({"state": "started", "service": 'x" & del *'}, "service"),
            ({"state": "started", "service": "Remote Control Agent"}, "Remote Control Agent"),
            ({"state": "started", "timeout": 0}, "0"),
            ({"state": "started", "timeout": "soon"}, "soon"),
            ({"state": "started", "name": "Wuser32"}, "name"),
        ],
    )
    def test_wrong_arguments_are_named(self, arguments: dict[str, t.Any], named: str) -> None:
        assert named in refused("remote_control_agent", arguments)


class TestClientRestart:
    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            ({"delay": -1}, "delay"),
            ({"delay": "soon"}, "soon"),
            ({"down_timeout": 0}, "down_timeout"),
            ({"up_timeout": 0}, "up_timeout"),
            ({"message": 'say "hello"'}, "message"),
            ({"message": "100 %PATH%"}, "message"),
            ({"message": "two\nlines"}, "message"),
            ({"message": "x" * 513}, "512"),
            ({"since_boot": "yesterday"}, "yesterday"),
            ({"since_boot": ""}, "since_boot"),
            ({"since_boot": "2026-13-01T00:00:00"}, "2026-13-01"),
            ({"once_for": ""}, "once_for"),
            ({"once_for": "a & del"}, "a & del"),
            ({"once_for": "x" * 101}, "once_for"),
            ({"once_for": "a", "since_boot": "2026-03-02T07:58:11"}, "mutually exclusive"),
            ({"force": True}, "force"),
        ],
    )
    def test_wrong_arguments_are_named(self, arguments: dict[str, t.Any], named: str) -> None:
        assert named in refused("client_restart", arguments)


@pytest.mark.parametrize(
    ("name", "arguments"), [("port_conflict_info", {}), ("remote_control_agent", {"state": "restored"}), ("client_restart", {})]
)
@pytest.mark.parametrize("transport", ["ssh", "local", "psrp", "paramiko_ssh", "network_cli"])
class TestOtherConnections:
    def test_one_clear_error(self, name: str, arguments: dict[str, t.Any], transport: str) -> None:
        connection = Untouchable(transport)
        result = run(name, arguments, connection)
        assert (result["failed"], result["reason"], result.get("changed", False)) == (True, "connection-plugin", False)
        assert "unreachable" not in result
        for part in (HOST, transport, "winrm", "ansible_connection"):
            assert part in result["msg"]
        assert connection.touched == []
