# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From evidence to a verdict, port by port and protocol by protocol."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._conflicts import Evidence, Owner, judge
from ansible_collections.sms.helpdesk.plugins.plugin_utils._netsh import PortRange, PortRanges
from ansible_collections.sms.helpdesk.plugins.plugin_utils._netstat import parse
from ansible_collections.sms.helpdesk.plugins.plugin_utils._ports import from_set
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.judging import (
    AGENT,
    BACKUP,
    GONE,
    NONE_RESERVED,
    OLD,
    UNNAMED,
    USUAL,
    WINDOWS_7,
    WINDOWS_10,
    WUSER,
    judged,
    shown,
    statuses,
)
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.netstat_tables import Row, table, tcp, udp
from hypothesis import given
from hypothesis import strategies as st


class TestNothingCanBeKnown:
    @pytest.mark.parametrize("rows", [None, []])
    def test_no_row_at_all(self, rows: list[Row] | None) -> None:
        judgement = judged(rows)
        assert judgement.verdict == "inconclusive"
        assert [entry["status"] for entry in judgement.ports] == ["unknown"] * 8
        assert len(judgement.warnings) == 1

    def test_nt_4_before_service_pack_3_hides_listeners(self) -> None:
        rows = [tcp("10.0.0.7:1035", None, "10.0.0.9:139", "ESTABLISHED"), udp("0.0.0.0:137"), udp("0.0.0.0:1761")]
        judgement = judged(rows, version=(4, 0), expected=frozenset(), excluded={})
        assert judgement.verdict == "conflict"
        assert {status for port, status in statuses(judgement).items() if port.endswith("tcp")} == {"unknown"}
        assert {port: status for port, status in statuses(judgement).items() if port.endswith("udp")} == {"1761/udp": "conflict"}

    @pytest.mark.parametrize("version", [(4, 0), None])
    def test_and_what_it_shows_instead_are_shadows_of_udp_sockets(self, version: tuple[int, ...] | None) -> None:
        """Q194171: a TCP line for a socket that is bound for UDP only. Without one real listener TCP is unknown."""
        judgement = judged([tcp("0.0.0.0:137"), udp("0.0.0.0:137"), tcp("0.0.0.0:138"), udp("0.0.0.0:138")], version=version, excluded={})
        assert judgement.verdict == "inconclusive"
        assert statuses(judgement) == {f"{port}/tcp": "unknown" for port in (1761, 1762, 1763, 1764)}

    @pytest.mark.parametrize("row", ["  TCP    0.0.0.0:99999          0.0.0.0:0              LISTENING       1", "  TCP    0.0.0.0:1761"])
    def test_a_lost_row_could_have_been_the_one(self, row: str) -> None:
        listing = parse(table(USUAL) + row)
        evidence = Evidence(listing.endpoints, ranges=PortRanges(NONE_RESERVED), os_version=WINDOWS_10, unreadable=listing.unreadable)
        judgement = judge(from_set("original"), evidence, AGENT)
        assert judgement.verdict == "inconclusive"
        assert statuses(judgement) == {f"{port}/tcp": "unknown" for port in (1761, 1762, 1763, 1764)}

    def test_names_no_table_knows(self) -> None:
        judgement = judged([*USUAL, tcp("PC07:backup-agent", 77, "PC07:0")])
        assert judgement.verdict == "inconclusive"
        assert set(statuses(judgement)) == {"1761/tcp", "1762/tcp", "1763/tcp", "1764/tcp"}
        assert "backup-agent" in judgement.warnings[0]

    @pytest.mark.parametrize("version", [(6, 2, 9200), (6, 3, 9600), WINDOWS_10])
    def test_excluded_ranges_that_were_not_listed_may_hold_the_port(self, version: tuple[int, ...]) -> None:
        judgement = judged(USUAL, excluded={"udp": []}, version=version)
        assert statuses(judgement) == {f"{port}/tcp": "unknown" for port in (1761, 1762, 1763, 1764)}

    @pytest.mark.parametrize("version", [(5, 1, 2600), (5, 2, 3790), WINDOWS_7])
    def test_but_older_windows_has_no_such_ranges(self, version: tuple[int, ...]) -> None:
        assert judged(USUAL, excluded={}, version=version).verdict == "clear"

    def test_or_nobody_wants_to_know(self) -> None:
        assert judged(USUAL, excluded={}, ranges_asked=False).verdict == "clear"


class TestNoProcessIds:
    """Windows 2000 and older cannot tell who holds a port."""

    ROWS: t.ClassVar = [*OLD, tcp("0.0.0.0:1763"), udp("0.0.0.0:1762")]

    @pytest.mark.parametrize("running", [True, None])
    def test_the_agent_may_be_the_holder(self, running: bool | None) -> None:
        judgement = judged(self.ROWS, version=(5, 0, 2195), agent_running=running, excluded={})
        assert (judgement.verdict, judgement.conflicts) == ("inconclusive", [])
        assert statuses(judgement) == {"1762/udp": "unknown", "1763/tcp": "unknown"}
        assert [("process ids" in warning, "netstat -ano" in warning) for warning in judgement.warnings] == [(True, True)] * 2

    def test_the_agent_does_not_run(self) -> None:
        judgement = judged(self.ROWS, version=(5, 0, 2195), agent_running=False, excluded={})
        assert judgement.verdict == "conflict"
        assert shown(judgement) == [(1762, "udp", "bound", None, None), (1763, "tcp", "listener", None, None)]

    def test_nothing_is_expected(self) -> None:
        judgement = judged(self.ROWS, version=(5, 0, 2195), expected=frozenset(), excluded={})
        assert statuses(judgement) == {"1762/udp": "conflict", "1763/tcp": "conflict"}

    def test_a_tcp_shadow_on_nt_4_is_no_evidence(self) -> None:
        rows = [tcp("0.0.0.0:135"), tcp("0.0.0.0:1762"), udp("0.0.0.0:1762"), udp("0.0.0.0:137")]
        judgement = judged(rows, version=(4, 0), expected=frozenset(), excluded={})
        assert statuses(judgement) == {"1762/tcp": "unknown", "1762/udp": "conflict"}
        assert any("Q194171" in warning for warning in judgement.warnings)

    def test_time_wait_is_nobody(self) -> None:
        rows = [*OLD, tcp("10.0.0.7:1761", None, "10.0.0.9:80", "TIME_WAIT"), tcp("10.0.0.7:1762", None, "10.0.0.9:80", "WARTEND")]
        assert judged(rows, version=(5, 0, 2195), expected=frozenset(), excluded={}).verdict == "clear"


class TestClear:
    @pytest.mark.parametrize(
        "row",
        [
            pytest.param(tcp("0.0.0.0:17610", 77), id="ten times the number"),
            pytest.param(tcp("0.0.0.0:176", 77), id="a tenth of it"),
            pytest.param(tcp("0.0.0.0:61761", 77), id="the number at the end"),
            pytest.param(tcp("10.0.0.7:50000", 77, "10.0.0.9:1762", "ESTABLISHED"), id="a foreign port"),
            pytest.param(tcp("10.17.61.7:135", 1761), id="a process id"),
            pytest.param(tcp("10.0.0.7:1761", 0, "10.0.0.9:80", "TIME_WAIT"), id="a connection that is over"),
            pytest.param(tcp("10.0.0.7:1761", 0, "10.0.0.9:80", "WARTEND"), id="the same in German"),
            pytest.param(udp("0.0.0.0:5000", 77, "10.0.0.9:1761"), id="a foreign UDP port"),
        ],
    )
    def test_nothing_of_ours(self, row: Row) -> None:
        judgement = judged([*USUAL, row])
        assert (judgement.verdict, statuses(judgement), judgement.conflicts, judgement.warnings) == ("clear", {}, [], [])

    def test_the_agent_at_work(self) -> None:
        rows = [
            *USUAL,
            udp("0.0.0.0:1761", 1200),
            udp("0.0.0.0:1762", 1200),
            tcp("0.0.0.0:1762", 1200),
            tcp("10.0.0.7:1762", 1200, "10.0.0.9:1045", "ESTABLISHED"),
        ]
        judgement = judged(rows, WUSER)
        assert (judgement.verdict, judgement.conflicts) == ("clear", [])
        assert statuses(judgement) == {"1761/udp": "agent", "1762/tcp": "agent", "1762/udp": "agent"}

    @pytest.mark.parametrize("name", ["wuser32.exe", "WUSER32.EXE", "Wuser32.Exe"])
    def test_in_any_letter_case(self, name: str) -> None:
        judgement = judged([*USUAL, udp("0.0.0.0:1761", 1200)], Owner(1200, "known", name))
        assert statuses(judgement) == {"1761/udp": "agent"}

    @pytest.mark.parametrize("name", ["wuser32", "wuser32.exe.exe", "xwuser32.exe", "wuser32.com"])
    def test_but_by_its_whole_name(self, name: str) -> None:
        judgement = judged([*USUAL, udp("0.0.0.0:1761", 1200)], Owner(1200, "known", name))
        assert statuses(judgement) == {"1761/udp": "conflict"}


class TestConflicts:
    @pytest.mark.parametrize(
        ("row", "kind", "remote"),
        [
            (tcp("0.0.0.0:1762", 2316), "listener", ""),
            (tcp("[::]:1762", 2316, "[::]:0"), "listener", ""),
            (udp("0.0.0.0:1762", 2316), "bound", ""),
            (udp("0.0.0.0:1762", 2316, "10.0.0.9:443"), "bound", "10.0.0.9:443"),
            (tcp("10.0.0.7:1762", 2316, "10.0.0.9:443", "ESTABLISHED"), "connection", "10.0.0.9:443"),
            (tcp("10.0.0.7:1762", 2316, "10.0.0.9:443", "SYN_SENT"), "connection", "10.0.0.9:443"),
            (tcp("10.0.0.7:1762", 2316, "10.0.0.9:443", "CLOSE_WAIT"), "connection", "10.0.0.9:443"),
            (tcp("PC07:1762", 2316, "SRV1:backup-agent", "ESTABLISHED"), "connection", "SRV1:backup-agent"),
        ],
    )
    def test_kinds(self, row: Row, kind: str, remote: str) -> None:
        judgement = judged([*USUAL, row], BACKUP)
        (conflict,) = judgement.conflicts
        assert judgement.verdict == "conflict"
        assert statuses(judgement) == {f"1762/{row.protocol.lower()}": "conflict"}
        assert {key: value for key, value in conflict.items() if key not in ("endpoints", "message", "dynamic_range")} == {
            "port": 1762,
            "protocol": row.protocol.lower(),
            "purpose": "Remote Control",
            "kind": kind,
            "address": row.local.rpartition(":")[0],
            "remote": remote,
            "pid": 2316,
            "process": "backupd.exe",
            "path": "C:\\Program Files\\Backup\\backupd.exe",
            "services": ["BackupAgent"],
        }

    def test_both_address_families_are_one_conflict_with_two_endpoints(self) -> None:
        judgement = judged([*USUAL, tcp("0.0.0.0:1761", 2316), tcp("[::]:1761", 2316, "[::]:0")], BACKUP)
        (conflict,) = judgement.conflicts
        assert [each["address"] for each in conflict["endpoints"]] == ["0.0.0.0", "[::]"]

    def test_a_listener_and_its_connections_are_one_conflict(self) -> None:
        rows = [*USUAL, tcp("10.0.0.7:1761", 2316, "10.0.0.9:5000", "ESTABLISHED"), tcp("0.0.0.0:1761", 2316)]
        (conflict,) = judged(rows, BACKUP).conflicts
        assert (conflict["kind"], conflict["address"], len(conflict["endpoints"])) == ("listener", "0.0.0.0", 2)

    def test_two_processes_are_two_conflicts(self) -> None:
        judgement = judged([*USUAL, udp("10.0.0.7:1762", 2316), udp("10.0.0.8:1762", 2400)], BACKUP, Owner(2400, "known", "other.exe"))
        assert [(each["port"], each["pid"]) for each in judgement.conflicts] == [(1762, 2316), (1762, 2400)]

    def test_two_protocols_are_two_conflicts(self) -> None:
        judgement = judged([*USUAL, udp("0.0.0.0:1762", 2316), tcp("0.0.0.0:1762", 2316)], BACKUP)
        assert [(each["port"], each["protocol"]) for each in judgement.conflicts] == [(1762, "tcp"), (1762, "udp")]

    def test_the_agent_does_not_excuse_a_stranger_on_the_same_port(self) -> None:
        judgement = judged([*USUAL, udp("0.0.0.0:1762", 1200), udp("10.0.0.7:1762", 2316)], WUSER, BACKUP)
        assert statuses(judgement) == {"1762/udp": "conflict"}
        assert [each["pid"] for each in judgement.conflicts] == [2316]
        (entry,) = [each for each in judgement.ports if each["status"] == "conflict"]
        assert [each["pid"] for each in entry["endpoints"]] == [1200, 2316]

    def test_nor_in_the_other_protocol(self) -> None:
        judgement = judged([*USUAL, udp("0.0.0.0:1762", 1200), tcp("0.0.0.0:1762", 2316)], WUSER, BACKUP)
        assert statuses(judgement) == {"1762/udp": "agent", "1762/tcp": "conflict"}

    def test_after_the_agent_was_disabled_it_is_a_stranger_too(self) -> None:
        judgement = judged([*USUAL, udp("0.0.0.0:1762", 1200)], WUSER, expected=frozenset())
        assert statuses(judgement) == {"1762/udp": "conflict"}

    def test_a_connection_and_time_wait_on_the_same_port(self) -> None:
        rows = [*USUAL, tcp("10.0.0.7:1761", 0, "10.0.0.9:80", "TIME_WAIT"), tcp("10.0.0.7:1761", 2316, "10.0.0.9:81", "ESTABLISHED")]
        (conflict,) = judged(rows, BACKUP).conflicts
        assert (conflict["kind"], len(conflict["endpoints"])) == ("connection", 1)


class TestOwners:
    def test_the_kernel(self) -> None:
        (conflict,) = judged([*USUAL, tcp("0.0.0.0:1761", 4)]).conflicts
        assert (conflict["pid"], conflict["process"]) == (4, "System")
        assert "PID 4" in conflict["message"]
        assert "kernel" in conflict["message"]

    def test_a_process_that_has_gone(self) -> None:
        (conflict,) = judged([*USUAL, udp("0.0.0.0:1761", 2316)], GONE).conflicts
        assert (conflict["pid"], conflict["process"], conflict["path"], conflict["services"]) == (2316, None, None, [])
        assert "2316" in conflict["message"]
        assert "exited" in conflict["message"]

    def test_a_svchost_names_its_services(self) -> None:
        owner = Owner(2316, "known", "svchost.exe", "C:\\Windows\\System32\\svchost.exe", ("Dnscache", "TapiSrv"))
        (conflict,) = judged([*USUAL, udp("0.0.0.0:1761", 2316)], owner).conflicts
        assert conflict["services"] == ["Dnscache", "TapiSrv"]
        assert "Dnscache, TapiSrv" in conflict["message"]

    @pytest.mark.parametrize("owners", [[UNNAMED], []])
    def test_a_name_that_cannot_be_read_may_be_the_agents(self, owners: list[Owner]) -> None:
        judgement = judged([*USUAL, udp("0.0.0.0:1761", 2316)], *owners)
        assert (judgement.verdict, judgement.conflicts) == ("inconclusive", [])
        (entry,) = [each for each in judgement.ports if each["status"] != "free"]
        assert entry["status"] == "unknown"
        assert [(each["address"], each["pid"], each["process"]) for each in entry["endpoints"]] == [("0.0.0.0", 2316, None)]
        assert any("2316" in warning for warning in judgement.warnings)

    def test_unless_nothing_is_expected(self) -> None:
        judgement = judged([*USUAL, udp("0.0.0.0:1761", 2316)], UNNAMED, expected=frozenset())
        assert shown(judgement) == [(1761, "udp", "bound", 2316, None)]

    def test_a_listener_without_a_process_is_no_free_port(self) -> None:
        judgement = judged([*USUAL, tcp("0.0.0.0:1761", 0)])
        assert (judgement.verdict, statuses(judgement)) == ("inconclusive", {"1761/tcp": "unknown"})
        assert "names no process" in judgement.warnings[0]

    def test_a_stranger_counts_also_beside_an_unknown(self) -> None:
        judgement = judged([*USUAL, udp("0.0.0.0:1761", 2400), udp("10.0.0.7:1761", 2316)], BACKUP)
        assert (judgement.verdict, statuses(judgement)) == ("conflict", {"1761/udp": "conflict"})


class TestReserved:
    BLOCK: t.ClassVar = {"tcp": [PortRange(1661, 1760), PortRange(1761, 1860)], "udp": []}

    def test_a_block_of_hyper_v(self) -> None:
        judgement = judged(USUAL, excluded=self.BLOCK)
        assert judgement.verdict == "conflict"
        assert statuses(judgement) == {f"{port}/tcp": "reserved" for port in (1761, 1762, 1763, 1764)}
        first = judgement.conflicts[0]
        assert (first["kind"], first["pid"], first["process"], first["services"], first["endpoints"]) == ("reserved", None, None, [], [])
        assert "1761-1860" in first["message"]

    def test_a_range_of_the_administrator_counts_and_says_so(self) -> None:
        judgement = judged(USUAL, excluded={"tcp": [], "udp": [PortRange(1762, 1762, True)]})
        assert statuses(judgement) == {"1762/udp": "reserved"}
        assert "administrator" in judgement.conflicts[0]["message"]

    @pytest.mark.parametrize("span", [PortRange(1661, 1760), PortRange(1765, 1800)])
    def test_ranges_beside_ours(self, span: PortRange) -> None:
        assert judged(USUAL, excluded={"tcp": [span], "udp": [span]}).verdict == "clear"

    def test_not_asked_for(self) -> None:
        assert judged(USUAL, excluded=self.BLOCK, ranges_asked=False).verdict == "clear"

    def test_who_holds_a_reserved_port_is_the_news(self) -> None:
        judgement = judged([*USUAL, tcp("0.0.0.0:1761", 1200), tcp("0.0.0.0:1762", 2316)], WUSER, BACKUP, excluded=self.BLOCK)
        assert statuses(judgement) == {"1761/tcp": "agent", "1762/tcp": "conflict", "1763/tcp": "reserved", "1764/tcp": "reserved"}

    def test_reserved_is_known_also_where_sockets_are_not(self) -> None:
        judgement = judged(None, excluded=self.BLOCK)
        assert judgement.verdict == "conflict"
        assert set(statuses(judgement).values()) == {"reserved", "unknown"}


_OWN = st.sampled_from([1761, 1762, 1763, 1764, 17610, 135])
_HOLDER = st.sampled_from([0, 4, 1200, 2316, 2400, 2500])


@st.composite
def _sockets(draw: st.DrawFn) -> Row:
    port, pid = draw(_OWN), draw(_HOLDER)
    return draw(
        st.sampled_from(
            [
                tcp(f"0.0.0.0:{port}", pid),
                udp(f"0.0.0.0:{port}", pid),
                tcp(f"10.0.0.7:{port}", pid, "10.0.0.9:1761", "ESTABLISHED"),
                tcp(f"10.0.0.7:{port}", 0, "10.0.0.9:1761", "TIME_WAIT"),
            ]
        )
    )


@given(st.lists(_sockets(), max_size=12), st.sampled_from([AGENT, frozenset()]), st.booleans())
def test_the_verdict_follows_from_the_parts(rows: list[Row], expected: frozenset[str], reserved: bool) -> None:
    """For every mixture: one entry a requirement, statuses and conflicts agree, the verdict is what design says."""
    excluded = {"tcp": [PortRange(1763, 1764)] if reserved else [], "udp": []}
    judgement = judged([*USUAL, *rows], WUSER, BACKUP, GONE._replace(pid=2400), expected=expected, excluded=excluded)
    wanted = from_set("original")
    assert [(entry["port"], entry["protocol"]) for entry in judgement.ports] == [(need.port, need.protocol) for need in wanted]
    guilty = {(each["port"], each["protocol"]) for each in judgement.conflicts}
    assert guilty == {(entry["port"], entry["protocol"]) for entry in judgement.ports if entry["status"] in ("conflict", "reserved")}
    held = {(row.protocol.lower(), int(row.local.rpartition(":")[2])) for row in rows if row.state != "TIME_WAIT" and row.pid}
    for entry in judgement.ports:
        if entry["status"] in ("free", "reserved"):
            assert (entry["protocol"], entry["port"]) not in held
            assert entry["endpoints"] == []
        if entry["status"] == "agent":
            assert {each["process"] for each in entry["endpoints"]} == {"Wuser32.EXE"}
    unknown = any(entry["status"] == "unknown" for entry in judgement.ports)
    assert judgement.verdict == ("conflict" if judgement.conflicts else "inconclusive" if unknown else "clear")
    assert bool(judgement.warnings) == unknown
