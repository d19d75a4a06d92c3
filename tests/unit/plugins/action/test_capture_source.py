# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A saved listing is judged on the controller; the host may be of any kind and is not contacted."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.actions import HOST, Untouchable, run
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.netstat_tables import LANGUAGES, table, tcp, udp

ROWS = [tcp("0.0.0.0:135", 564), tcp("0.0.0.0:1761", 2316), udp("0.0.0.0:1762", 1200)]
TASKS = '"wuser32.exe","1200","N/A"\r\n"backupd.exe","2316","BackupAgent"\r\n'


@pytest.fixture(name="capture")
def _capture(tmp_path: Path) -> Path:
    path = tmp_path / "captures" / "pc07.txt"
    path.parent.mkdir()
    path.write_bytes((table(ROWS, LANGUAGES[1]) + TASKS).encode("cp850"))
    return path


def judged(capture: Path, transport: str = "winrm", check_mode: bool = False, **arguments: t.Any) -> dict[str, t.Any]:
    connection = Untouchable(transport)
    result = run("port_conflict_info", {"source": "capture", "capture": str(capture), **arguments}, connection, check_mode)
    assert connection.touched == []
    return result


@pytest.mark.parametrize("transport", ["winrm", "ssh", "local"])
def test_no_connection_is_touched(capture: Path, transport: str) -> None:
    result = judged(capture, transport)
    assert (result["verdict"], result["changed"]) == ("conflict", False)
    assert [(each["port"], each["protocol"], each["process"]) for each in result["conflicts"]] == [(1761, "tcp", "backupd.exe")]


def test_check_mode_is_the_normal_mode(capture: Path) -> None:
    assert judged(capture, check_mode=True) == judged(capture)


def test_a_relative_path_is_looked_up_beside_the_playbook(capture: Path, tmp_path: Path) -> None:
    arguments = {"source": "capture", "capture": "captures/pc07.txt"}
    assert run("port_conflict_info", arguments, Untouchable(), basedir=tmp_path)["verdict"] == "conflict"


def test_the_users_own_ports_and_processes(capture: Path) -> None:
    ports = [{"port": "135", "protocol": "tcp", "purpose": "RPC"}, {"port": 1761, "protocol": "udp"}]
    result = judged(capture, ports=ports, expected_processes=[" BackupD.EXE "])
    assert [(each["port"], each["protocol"], each["purpose"], each["status"]) for each in result["ports"]] == [
        (135, "tcp", "RPC", "unknown"),
        (1761, "udp", "", "free"),
    ]
    assert judged(capture, expected_processes=["BACKUPD.exe"])["conflicts"][0]["process"] == "wuser32.exe"


def test_nothing_expected(capture: Path) -> None:
    assert [each["pid"] for each in judged(capture, expected_processes=[])["conflicts"]] == [2316, 1200]


@pytest.mark.parametrize(("port_set", "count"), [("original", 8), ("hotfix", 8), ("all", 16)])
def test_port_sets(capture: Path, port_set: str, count: int) -> None:
    assert len(judged(capture, port_set=port_set)["ports"]) == count


def test_an_empty_file_is_inconclusive_and_no_error(tmp_path: Path) -> None:
    path = tmp_path / "empty.txt"
    path.touch()
    result = judged(path)
    assert (result["verdict"], result.get("failed")) == ("inconclusive", None)
    assert result["warnings"]
    assert all(warning.startswith(f"{HOST}: ") for warning in result["warnings"])
