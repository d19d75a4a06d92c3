# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""netstat of the model: columns, order and switches of every version and language."""

from __future__ import annotations

import re

import pytest

import wire_recordings as recordings
from lab.windows.languages import LANGUAGES
from lab.windows.versions import VERSIONS
from windows_host import make, pid_of, rows, run

_RECORDED = recordings.DIRECTORY.parent / "commands" / "inspec__netstat-anbo_select-string.txt"

OCCUPANT = {"name": "taker.exe", "pid": 4712, "sockets": ["udp 0.0.0.0:1762", "tcp *:2702", "tcp own:1763 -> 10.0.0.5:443 CLOSE_WAIT"]}


def test_the_english_table_to_the_byte() -> None:
    host = make("7", processes=[OCCUPANT], closing_sockets=["tcp own:50000 -> 10.0.0.9:80 TIME_WAIT"])
    lines = run(host, "netstat -ano").stdout.split(b"\r\n")
    assert lines[:4] == [
        b"",
        b"Active Connections",
        b"",
        b"  Proto  Local Address          Foreign Address        State           PID",
    ]
    assert b"  TCP    0.0.0.0:2702           0.0.0.0:0              LISTENING       4712" in lines
    assert b"  TCP    [::]:2702              [::]:0                 LISTENING       4712" in lines
    assert b"  TCP    192.168.80.10:1763     10.0.0.5:443           CLOSE_WAIT      4712" in lines
    assert b"  TCP    192.168.80.10:50000    10.0.0.9:80            TIME_WAIT       0" in lines
    assert b"  UDP    0.0.0.0:1762           *:*                                    4712" in lines


if _RECORDED.is_file():

    def test_rows_stand_in_the_columns_of_the_recording() -> None:
        recorded = [line[2:] for line in _RECORDED.read_text().splitlines() if re.match(r">\s+(TCP|UDP)", line)]
        assert len(recorded) > 40
        processes = [{"name": f"p{number}.exe", "sockets": [" ".join(line.split()[:2]).lower()]} for number, line in enumerate(recorded)]
        lines = run(make("2008r2", processes=processes), "netstat -ano").text.splitlines()
        written = {line[:70] for line in lines}
        assert [line[:70] for line in recorded if line[:70] not in written] == []
        assert all(re.fullmatch(r".{71}\d+", line) for line in lines[4:] if line[:70] in {line[:70] for line in recorded})


def test_tcp_comes_before_udp_ipv4_before_ipv6_and_addresses_are_sorted_as_numbers() -> None:
    host = make(
        "10",
        processes=[{"name": "a.exe", "sockets": ["tcp 9.0.0.1:5", "tcp 10.0.0.1:4", "tcp 10.0.0.1:30", "tcp [::1]:1", "udp 10.0.0.1:9"]}],
    )
    found = [(words[0], words[1]) for words in rows(run(host, "netstat -an").text)]
    kinds = [(kind, local.startswith("[")) for kind, local in found]
    assert kinds == sorted(kinds)
    mine = [local for kind, local in found if local in ("9.0.0.1:5", "10.0.0.1:4", "10.0.0.1:30", "[::1]:1")]
    assert mine == ["9.0.0.1:5", "10.0.0.1:4", "10.0.0.1:30", "[::1]:1"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_keeps_the_words_of_a_row(language: str) -> None:
    text = run(make("10", language=language, processes=[OCCUPANT]), "netstat -ano").text
    title, header = text.splitlines()[1], text.splitlines()[3]
    assert title == LANGUAGES[language].netstat_title
    assert header.endswith("PID")
    row = next(words for words in rows(text) if words[1] == "0.0.0.0:2702")
    assert row[:3] == ["TCP", "0.0.0.0:2702", "0.0.0.0:0"]
    assert row[3] == ("ABHÖREN" if language == "de" else "LISTENING")
    assert row[4] == "4712"


def test_german_state_words_arrive_in_the_code_page_of_the_shell() -> None:
    host = make("xp", language="de", processes=[OCCUPANT])
    assert b"ABH\x99REN" in run(host, "netstat -an", code_page=850).stdout
    assert "ABHÖREN".encode() in run(host, "netstat -an", code_page=65001).stdout
    assert b"SCHLIESSEN_WARTEN" in run(host, "netstat -an", code_page=850).stdout
    assert b"ABHREN" not in run(host, "netstat -an", code_page=866).stdout
    assert b"ABH?REN" in run(host, "netstat -an", code_page=866).stdout


def test_japanese_rows_are_indented_by_five() -> None:
    lines = run(make("10", language="ja"), "netstat -an").text.splitlines()
    assert {line[:8] for line in lines[4:] if line.strip()} == {"     TCP", "     UDP"}


def test_windows_2000_does_not_know_process_ids() -> None:
    host = make("2000", processes=[OCCUPANT])
    refused = run(host, "netstat -ano")
    assert (refused.code, rows(refused.text)) == (1, [])
    assert "NETSTAT [-a] [-e] [-n] [-p proto] [-r] [-s] [interval]" in refused.text
    assert ["UDP", "0.0.0.0:1762", "*:*"] in rows(run(host, "netstat -an").text)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_each_version_knows(version: str) -> None:
    host = make(version, processes=[OCCUPANT, {"name": "b.exe", "pid": 5000, "sockets": ["tcp 0.0.0.0:1 BOUND"]}])
    release = VERSIONS[version].release
    for letters, since in (("o", (5, 1)), ("b", (5, 1)), ("f", (6, 0)), ("q", (10, 0)), ("z", (99, 0))):
        assert (run(host, f"netstat -an{letters}").code == 0) == (release >= since), letters
    bound = [words for words in rows(run(host, "netstat -an").text) if words[1] == "0.0.0.0:1"]
    assert bound == []
    if release >= (10, 0):
        assert ["TCP", "0.0.0.0:1", "0.0.0.0:0", "BOUND", "5000"] in rows(run(host, "netstat -qno").text)


@pytest.mark.parametrize(
    ("version", "shown"), [("10", "*:*"), ("2019", "*:*"), ("11", "162.159.136.232:443"), ("2025", "162.159.136.232:443")]
)
def test_the_other_end_of_a_udp_socket_is_shown_since_windows_11(version: str, shown: bool) -> None:
    host = make(version, processes=[{"name": "a.exe", "pid": 88, "sockets": ["udp 0.0.0.0:56309 -> 162.159.136.232:443"]}])
    assert ["UDP", "0.0.0.0:56309", shown, "88"] in rows(run(host, "netstat -ano").text)


def test_names_instead_of_numbers() -> None:
    host = make("10", processes=[{"name": "a.exe", "sockets": ["tcp own:2701 -> 10.0.0.5:443", "tcp own:7 -> 10.0.0.5:2701"]}])
    found = rows(run(host, "netstat -a").text)
    assert ["TCP", "0.0.0.0:135", "PC1:0", "LISTENING"] in found
    assert ["TCP", "192.168.80.10:2701", "10.0.0.5:https", "ESTABLISHED"] in found
    assert ["TCP", "192.168.80.10:7", "10.0.0.5:sms-rcinfo", "ESTABLISHED"] in found
    assert ["TCP", "PC1:epmap", "PC1:0", "LISTENING"] in rows(run(make("xp"), "netstat -a").text)


def test_without_a_only_connections_and_p_picks_a_protocol() -> None:
    host = make("10", processes=[OCCUPANT])
    assert {words[3] for words in rows(run(host, "netstat -n").text)} == {"CLOSE_WAIT"}
    assert {(words[0], words[1][0] == "[") for words in rows(run(host, "netstat -anp udpv6").text)} == {("UDP", True)}
    assert run(host, "netstat -p nothing").code == 1


def test_b_needs_elevation_and_names_programs_and_services() -> None:
    host = make("10", administrators=["helpdesk"], processes=[OCCUPANT])
    denied = run(host, "netstat -abn", user="guest")
    assert (denied.text, denied.code) == ("The requested operation requires elevation.\n", 1)
    lines = run(host, "netstat -abno").text.splitlines()
    at = next(number for number, line in enumerate(lines) if "0.0.0.0:1762" in line)
    assert lines[at + 1] == " [taker.exe]"
    at = next(number for number, line in enumerate(lines) if "0.0.0.0:135 " in line)
    assert lines[at + 1 : at + 3] == ["  RpcEptMapper", " [svchost.exe]"]
    at = next(number for number, line in enumerate(lines) if "0.0.0.0:445 " in line)
    assert lines[at + 1] == " Can not obtain ownership information"


def test_an_interval_repeats_until_it_is_stopped() -> None:
    host = make("10")
    events = host.execute("netstat -an 3", code_page=65001, user="helpdesk")
    kinds = [type(next(events)).__name__ for _count in range(4)]
    assert kinds == ["Output", "Pause", "Output", "Pause"]
    events.close()


@pytest.mark.parametrize(("state", "code"), [("failing", 1), ("empty", 0), ("usage", 1), ("missing", 1), ("hanging", -1)])
def test_a_netstat_that_does_not_work_lists_nothing(state: str, code: int) -> None:
    result = run(make("10", netstat=state), "netstat -ano")
    assert (rows(result.text), result.code) == ([], code)


def test_zones_and_a_vanished_owner() -> None:
    host = make("10", processes=[{"name": "gone.exe", "vanished": True, "pid": 77, "sockets": ["udp [fe80::1%4]:1764"]}])
    assert "  UDP    [fe80::1%4]:1764       *:*                                    77\n" in run(host, "netstat -ano").text
    assert "gone.exe" not in run(host, "tasklist").text
    assert host.query("root/cimv2", "SELECT Name FROM Win32_Process WHERE ProcessId = 77") == []


def test_many_rows() -> None:
    host = make("10", processes=[{"name": "a.exe", "sockets": [{"socket": "tcp own:5000 -> 10.0.0.9:443", "count": 20000}]}])
    found = rows(run(host, "netstat -ano").text)
    mine = [words for words in found if words[2] == "10.0.0.9:443"]
    assert len(mine) == 20000
    assert {words[4] for words in mine} == {str(pid_of(host, "a.exe"))}
