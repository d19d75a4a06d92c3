# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listings in every shape Windows and the people who save them give to `netstat`."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._netstat import Endpoint, parse
from ansible_collections.sms.helpdesk.plugins.plugin_utils._text import decode
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers import recordings
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.netstat_tables import LANGUAGES, Language, table, tcp, udp

ROWS = [
    tcp("0.0.0.0:135", 1044),
    tcp("0.0.0.0:445", 4),
    tcp("10.0.0.7:1761", 2316),
    tcp("10.0.0.7:17610", 2316),
    tcp("10.0.0.7:50123", 2316, "10.0.0.9:1762", "ESTABLISHED"),
    tcp("10.0.0.7:1763", 5120, "10.0.0.9:443", "CLOSE_WAIT"),
    tcp("10.0.0.7:1764", 0, "10.0.0.9:443", "TIME_WAIT"),
    tcp("[::]:445", 4, "[::]:0"),
    tcp("[fe80::1c2d:3e4f:5a6b:7c8d%11]:2701", 3344, "[fe80::1%11]:50000", "ESTABLISHED"),
    udp("0.0.0.0:1762", 2316),
    udp("0.0.0.0:56309", 7312, "162.159.136.232:443"),
    udp("[fe80::1c2d:3e4f:5a6b:7c8d%11]:1900", 1388),
]
KINDS = ["listener"] * 4 + ["connection", "connection", None, "listener", "connection"] + ["bound"] * 3


def only(text: str) -> Endpoint:
    """The one endpoint of a listing."""
    listing = parse(text)
    assert (len(listing.endpoints), listing.unreadable) == (1, [])
    return listing.endpoints[0]


class TestNoTable:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "\r\n\r\n",
            "\0\0\0\0",
            "'netstat' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n",
            "The requested operation requires elevation.\r\n",
            'Der Befehl "netstat" ist entweder falsch geschrieben oder\r\nkonnte nicht gefunden werden.\r\n',
            "\r\nActive Connections\r\n\r\n  Proto  Local Address          Foreign Address        State           PID\r\n",
            "  TCP and UDP are protocols; see also: netstat -s\r\nUDP Statistics for IPv4\r\nTCP Statistics for IPv4\r\n",
            "[netstat.exe]\r\n RpcSs\r\n",
            "  IPv4    0.0.0.0:1761    0.0.0.0:0    LISTENING    12\r\n",
            "  ICMP    0.0.0.0:*    0.0.0.0:0\r\n",
        ],
    )
    def test_nothing_is_found_and_nothing_is_lost(self, text: str) -> None:
        listing = parse(text)
        assert (listing.endpoints, listing.unreadable, listing.has_pids) == ([], [], False)

    def test_the_usage_of_an_old_netstat_is_no_table(self) -> None:
        usage = (
            "\r\nDisplays protocol statistics and current TCP/IP network connections.\r\n\r\n"
            "NETSTAT [-a] [-e] [-n] [-s] [-p proto] [-r] [interval]\r\n\r\n"
            "  -a            Displays all connections and listening ports.\r\n"
            "  -p proto      Shows connections for the protocol specified by proto; proto\r\n"
            "                may be TCP or UDP.  If used with the -s option to display\r\n"
            "                TCP, UDP, or IP.\r\n"
            "                TCP or UDP: the default.\r\n"
        )
        assert parse(usage).endpoints == []


class TestRowsThatCannotBeRead:
    """A row that is lost could be the one that matters, so it is never passed over in silence."""

    @pytest.mark.parametrize(
        "row",
        [
            "  TCP    0.0.0.0:99999          0.0.0.0:0              LISTENING       12",
            "  TCP    0.0.0.0:65536          0.0.0.0:0              LISTENING       12",
            "  TCP    0.0.0.0:17x1           0.0.0.0:0              LISTENING       12",
            "  TCP    0.0.0.0:               0.0.0.0:0              LISTENING       12",
            "  TCP    :1761                  0.0.0.0:0              LISTENING       12",
            "  UDP    0.0.0.0:*              *:*                                    12",
            "  TCP    0.0.0.0:١٧٦١           0.0.0.0:0              LISTENING       12",
        ],
    )
    def test_no_port(self, row: str) -> None:
        text = table([tcp("0.0.0.0:135", 1044)]) + row + "\r\n"
        listing = parse(text)
        assert ([endpoint.ports for endpoint in listing.endpoints], listing.unreadable) == ([(135,)], [row.strip()])

    @pytest.mark.parametrize(
        "row",
        [
            "  TCP    0.0.0.0:1761",
            "  TCP    0.0.0.0:1761           ",
            "  TCP    0.0.0.0:1761           0.0.0.",
            "  UDP    0.0.0.0:1762           *",
            "  TCP    [fe80::1c2d:3e4f:5a6b:7c8d%11]:1761",
        ],
    )
    def test_cut_off_or_wrapped_behind_the_local_address(self, row: str) -> None:
        listing = parse(table([tcp("0.0.0.0:135", 1044)]) + row)
        assert ([endpoint.ports for endpoint in listing.endpoints], listing.unreadable) == ([(135,)], [row.strip()])


@pytest.mark.parametrize("newline", ["\r\n", "\r\r\n", "\n"], ids=["crlf", "crcrlf", "lf"])
@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
class TestLanguages:
    def test_with_process_ids(self, language: Language, newline: str) -> None:
        listing = parse(table(ROWS, language, newline))
        assert [endpoint.kind for endpoint in listing.endpoints] == KINDS
        assert [endpoint.pid for endpoint in listing.endpoints] == [row.pid for row in ROWS]
        assert [endpoint.local for endpoint in listing.endpoints] == [row.local for row in ROWS]
        assert [endpoint.remote for endpoint in listing.endpoints] == [row.foreign for row in ROWS]
        assert (listing.unreadable, listing.has_pids) == ([], True)

    def test_without_process_ids(self, language: Language, newline: str) -> None:
        listing = parse(table([row._replace(pid=None) for row in ROWS], language, newline))
        assert [endpoint.kind for endpoint in listing.endpoints] == KINDS
        assert {endpoint.pid for endpoint in listing.endpoints} == {None}
        assert (listing.unreadable, listing.has_pids) == ([], False)


class TestBytes:
    """What arrives is bytes, and the code page may be any."""

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp850"])
    @pytest.mark.parametrize("language", [LANGUAGES[0], LANGUAGES[1], LANGUAGES[5]], ids=lambda language: language.name)
    def test_encodings_of_the_west(self, language: Language, encoding: str) -> None:
        listing = parse(decode(table(ROWS, language).encode(encoding)))
        assert [endpoint.kind for endpoint in listing.endpoints] == KINDS

    @pytest.mark.parametrize(("name", "encoding"), [("Russian", "cp866"), ("Japanese", "cp932"), ("Korean", "cp949"), ("Chinese", "cp936")])
    def test_code_pages_of_the_east(self, name: str, encoding: str) -> None:
        language = next(language for language in LANGUAGES if language.name == name)
        for text in (table(ROWS, language).encode(encoding), table(ROWS, language).encode("utf-16")):
            assert [endpoint.kind for endpoint in parse(decode(text)).endpoints] == KINDS

    def test_german_of_code_page_850_is_read_as_such(self) -> None:
        data = b"  TCP    0.0.0.0:1761           0.0.0.0:0              ABH\x99REN         2316\r\n"
        endpoint = only(decode(data))
        assert (endpoint.ports, endpoint.kind, endpoint.state, endpoint.pid) == ((1761,), "listener", "ABHÖREN", 2316)

    def test_output_cut_inside_a_character_loses_nothing_before(self) -> None:
        text = table(ROWS, LANGUAGES[1]).encode() + "  TCP    0.0.0.0:9            0.0.0.0:0              ABHÖ".encode()[:-1]
        assert [endpoint.kind for endpoint in parse(decode(text)).endpoints][: len(KINDS)] == KINDS


class TestWhiteSpace:
    @pytest.mark.parametrize(
        "row",
        [
            "TCP 0.0.0.0:1761 0.0.0.0:0 LISTENING 2316",
            "     TCP         0.0.0.0:1761           0.0.0.0:0              LISTENING       2316   ",
            "\tTCP\t0.0.0.0:1761\t0.0.0.0:0\tLISTENING\t2316",
            ">   TCP    0.0.0.0:1761             0.0.0.0:0              LISTENING       2316",
            "> TCP 0.0.0.0:1761 0.0.0.0:0 LISTENING 2316",
            "  tcp    0.0.0.0:1761           0.0.0.0:0              LISTENING       2316",
        ],
    )
    def test_one_row(self, row: str) -> None:
        endpoint = only(row)
        assert (endpoint.protocol, endpoint.address, endpoint.ports, endpoint.pid) == ("tcp", "0.0.0.0", (1761,), 2316)
        assert endpoint.kind == "listener"

    def test_windows_2000_with_collapsed_blanks_and_empty_lines(self) -> None:
        text = (
            "Microsoft Windows 2000 [Version 5.00.2195]\r\n\r\nActive Connections\r\n\r\nProto Local Address Foreign Address State\r\n\r\n"
            "TCP 0.0.0.0:135 0.0.0.0:0 LISTENING\r\n\r\nTCP 10.0.0.7:1763 10.0.0.9:139 ESTABLISHED\r\n\r\n"
            "TCP 10.0.0.7:1764 10.0.0.9:139 TIME_WAIT\r\n\r\nUDP 0.0.0.0:1762 *:* \r\n\r\n"
        )
        listing = parse(text)
        assert [(e.ports[0], e.kind, e.pid) for e in listing.endpoints] == [
            (135, "listener", None),
            (1763, "connection", None),
            (1764, None, None),
            (1762, "bound", None),
        ]
        assert not listing.has_pids

    def test_rows_between_other_output(self) -> None:
        text = "C:\\>ver\r\n\r\n" + table([tcp("0.0.0.0:1761", 12)]) + "\r\nC:\\>echo done\r\ndone\r\n" + table([udp("0.0.0.0:1762", 12)])
        assert [endpoint.ports for endpoint in parse(text).endpoints] == [(1761,), (1762,)]


class TestColumns:
    def test_offload_state_behind_the_process_id(self) -> None:
        text = (
            "  Proto  Local Address          Foreign Address        State           PID      Offload State\r\n"
            "  TCP    0.0.0.0:1761           0.0.0.0:0              LISTENING       2316     InHost      \r\n"
            "  TCP    10.0.0.7:50000         10.0.0.9:443           ESTABLISHED     77       InHost      \r\n"
        )
        assert [(e.kind, e.pid, e.state) for e in parse(text).endpoints] == [
            ("listener", 2316, "LISTENING"),
            ("connection", 77, "ESTABLISHED"),
        ]

    def test_offload_state_without_process_ids(self) -> None:
        endpoint = only("  TCP    0.0.0.0:1761           0.0.0.0:0              LISTENING       InHost      ")
        assert (endpoint.kind, endpoint.pid) == ("listener", None)

    def test_a_process_id_is_no_port_and_a_port_is_no_process_id(self) -> None:
        endpoint = only("  UDP    0.0.0.0:5355           *:*                                    1761")
        assert (endpoint.ports, endpoint.pid, endpoint.kind) == ((5355,), 1761, "bound")

    def test_a_connected_udp_socket_of_windows_11(self) -> None:
        endpoint = only("  UDP    0.0.0.0:1762           162.159.136.232:443                    7312")
        assert (endpoint.kind, endpoint.remote, endpoint.pid) == ("bound", "162.159.136.232:443", 7312)

    @pytest.mark.parametrize("state", ["BOUND", "LISTENING"])
    def test_a_bound_socket_of_windows_10_holds_its_port(self, state: str) -> None:
        endpoint = only(f"  TCP    10.0.0.7:1761          0.0.0.0:0              {state:<15} 2316")
        assert (endpoint.kind, endpoint.pid) == ({"BOUND": "bound", "LISTENING": "listener"}[state], 2316)

    def test_zones_and_mapped_addresses(self) -> None:
        text = table(
            [
                udp("[fe80::1c2d:3e4f:5a6b:7c8d%11]:1762", 1388),
                tcp("[::ffff:10.0.0.7]:1761", 12, "[::]:0"),
                tcp("[::1]:1763", 13, "[::1]:50000", "ESTABLISHED"),
            ]
        )
        assert [(e.address, e.ports) for e in parse(text).endpoints] == [
            ("[fe80::1c2d:3e4f:5a6b:7c8d%11]", (1762,)),
            ("[::ffff:10.0.0.7]", (1761,)),
            ("[::1]", (1763,)),
        ]

    def test_every_state_of_a_live_connection_counts(self) -> None:
        states = ["SYN_SENT", "SYN_RECEIVED", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT", "CLOSING", "LAST_ACK"]
        rows = [tcp("10.0.0.7:1761", 12, "10.0.0.9:80", state) for state in states]
        assert [(e.kind, e.state) for e in parse(table(rows)).endpoints] == [("connection", state) for state in states]


class TestNames:
    """Without -n netstat prints names for computers and services."""

    def test_windows_nt_and_2000(self) -> None:
        text = (
            "  Proto  Local Address          Foreign Address        State\r\n"
            "  TCP    PC07:1761              PC07:0                 LISTENING\r\n"
            "  TCP    PC07:nbsession         SRV1:1037              ESTABLISHED\r\n"
            "  TCP    pc07:sms-rcinfo        pc07.corp.example:0    LISTENING\r\n"
            "  UDP    PC07:SMS-CHAT          *:*\r\n"
            "  UDP    PC07:nbname            *:*\r\n"
        )
        listing = parse(text)
        assert [(e.ports, e.kind) for e in listing.endpoints] == [
            ((1761,), "listener"),
            ((139,), "connection"),
            ((2701,), "listener"),
            ((2703,), "bound"),
            ((137,), "bound"),
        ]
        assert listing.unreadable == []

    @pytest.mark.parametrize("name", ["sms-remctrl", "sms-xfer"])
    def test_two_names_are_ambiguous(self, name: str) -> None:
        assert set(only(f"  TCP    PC07:{name}       PC07:0       LISTENING").ports) == {2702, 2704}

    def test_an_unknown_name_could_be_any_port(self) -> None:
        endpoint = only("  TCP    PC07:backup-agent      PC07:0                 LISTENING")
        assert (endpoint.ports, endpoint.kind) == ((), "listener")

    def test_an_unknown_foreign_name_is_a_connection(self) -> None:
        endpoint = only("  TCP    PC07:1763              SRV1:backup-agent      ESTABLISHED     12")
        assert (endpoint.kind, endpoint.remote) == ("connection", "SRV1:backup-agent")

    def test_foreign_names_never_count_as_local(self) -> None:
        assert only("  TCP    PC07:1035              SRV1:sms-rcinfo        ESTABLISHED     12").ports == (1035,)


class TestOwnersInTheListing:
    """`-b` prints a component and a program below each row."""

    TEXT = (
        "  Proto  Local Address          Foreign Address        State           PID\r\n"
        "  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       564\r\n  RpcSs\r\n [svchost.exe]\r\n"
        "  TCP    0.0.0.0:1761           0.0.0.0:0              LISTENING       2316\r\n [Backup Agent.exe]\r\n"
        "  TCP    0.0.0.0:445            0.0.0.0:0              LISTENING       4\r\n Can not obtain ownership information\r\n"
        "  TCP    10.0.0.7:1763          10.0.0.9:443           ESTABLISHED     900\r\n"
        "  C:\\WINDOWS\\system32\\WS2_32.dll\r\n  C:\\WINDOWS\\system32\\RPCRT4.dll\r\n  -- unknown component(s) --\r\n  [lsass.exe]\r\n"
        "  UDP    0.0.0.0:1762           *:*                                    1764\r\n  TermService\r\n [svchost.exe]\r\n"
    )

    def test_programs_and_components(self) -> None:
        assert [(e.ports[0], e.pid, e.program, e.component) for e in parse(self.TEXT).endpoints] == [
            (135, 564, "svchost.exe", "RpcSs"),
            (1761, 2316, "Backup Agent.exe", None),
            (445, 4, None, None),
            (1763, 900, "lsass.exe", None),
            (1762, 1764, "svchost.exe", "TermService"),
        ]

    def test_a_program_is_never_given_to_another_row(self) -> None:
        text = (
            "  TCP    0.0.0.0:99999          0.0.0.0:0              LISTENING       12\r\n [broken.exe]\r\n"
            "  TCP    0.0.0.0:1761           0.0.0.0:0              LISTENING       13\r\n [first.exe]\r\n [second.exe]\r\n"
        )
        assert [(e.ports, e.program) for e in parse(text).endpoints] == [((1761,), "first.exe")]

    def test_select_string_with_context(self) -> None:
        text = (
            "\r\n>   TCP    0.0.0.0:22             0.0.0.0:0              LISTENING       1264\r\n   [sshd.exe]\r\n"
            ">   TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       564\r\n    RpcSs\r\n"
            ">   UDP    0.0.0.0:514            *:*                                    1120\r\n   [Syslogd_Service.exe]\r\n\r\n"
        )
        assert [(e.ports[0], e.program, e.component) for e in parse(text).endpoints] == [
            (22, "sshd.exe", None),
            (135, None, "RpcSs"),
            (514, "Syslogd_Service.exe", None),
        ]

    def test_what_was_recorded(self) -> None:
        """The recorded listing where it is at hand; the sample above has its shape."""
        for data in recordings.found("commands/inspec__netstat-anbo_select-string.txt"):
            listing = parse(decode(data))
            assert (len(listing.endpoints), listing.unreadable) == (49, [])
            assert {e.kind for e in listing.endpoints if e.protocol == "tcp"} == {"listener"}
            assert all(e.pid for e in listing.endpoints)
            owners = {e.local: (e.program, e.component, e.pid) for e in listing.endpoints}
            assert owners["0.0.0.0:3389"] == (None, "TermService", 1764)
            assert owners["0.0.0.0:161"] == ("snmp.exe", None, 3004)
            assert owners["[::]:445"] == (None, None, 4)


def test_many_rows() -> None:
    rows = [tcp(f"10.{i // 250}.{i % 250}.1:{i % 65535 + 1}", i, "10.0.0.9:443", "ESTABLISHED") for i in range(1, 20001)]
    listing = parse(table(rows))
    assert len(listing.endpoints) == 20000
    assert [(e.ports, e.pid) for e in listing.endpoints] == [((i % 65535 + 1,), i) for i in range(1, 20001)]


@pytest.mark.parametrize(
    "noise", ["TCP " * 5000, "TCP    " + "0.0.0.0:1 " * 20000, "[" * 50000, " " * 100000 + "TCP", "TCP " + ":" * 100000]
)
def test_hostile_lines_are_no_burden(noise: str) -> None:
    before, after = tcp("0.0.0.0:1761", 12), udp("0.0.0.0:1762", 12)
    found = parse(table([before]) + noise + "\r\n" + table([after])).endpoints
    kept: list[t.Any] = [endpoint.local for endpoint in found if endpoint.ports in ((1761,), (1762,))]
    assert kept == ["0.0.0.0:1761", "0.0.0.0:1762"]
