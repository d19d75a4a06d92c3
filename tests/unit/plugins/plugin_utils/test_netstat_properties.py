# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every listing: tables that were made up are read back, and nothing at all breaks the parser."""

from __future__ import annotations

import ipaddress

from ansible_collections.sms.helpdesk.plugins.plugin_utils._netstat import parse
from ansible_collections.sms.helpdesk.plugins.plugin_utils._text import decode
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.netstat_tables import LANGUAGES, Row, table
from hypothesis import given
from hypothesis import strategies as st

_PORT = st.integers(1, 65535)
_PID = st.integers(0, 4_000_000)
_STATES = st.sampled_from(["SYN_SENT", "ESTABLISHED", "FIN_WAIT_2", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT"])


@st.composite
def _addresses(draw: st.DrawFn) -> str:
    address = draw(st.ip_addresses())
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    zone = draw(st.sampled_from(["", "%3", "%11"]))
    return f"[{address}{zone}]"


@st.composite
def _rows(draw: st.DrawFn, pids: bool) -> Row:
    local = f"{draw(_addresses())}:{draw(_PORT)}"
    pid = draw(_PID) if pids else None
    shape = draw(st.sampled_from(["listener", "connection", "udp", "connected udp"]))
    if shape == "listener":
        foreign = "[::]:0" if local.startswith("[") else "0.0.0.0:0"
        return Row("TCP", local, foreign, "LISTENING", pid)
    if shape == "udp":
        return Row("UDP", local, "*:*", "", pid)
    foreign = f"{draw(_addresses())}:{draw(_PORT)}"
    if shape == "connected udp":
        return Row("UDP", local, foreign, "", pid)
    state = draw(_STATES)
    return Row("TCP", local, foreign, state, 0 if state == "TIME_WAIT" and pids else pid)


def _kind(row: Row) -> str | None:
    if row.protocol == "UDP":
        return "bound"
    if row.state == "LISTENING":
        return "listener"
    return None if row.state == "TIME_WAIT" or row.pid == 0 else "connection"


_TABLES = st.booleans().flatmap(lambda pids: st.lists(_rows(pids), max_size=20))
_LINES = st.sampled_from(["\r\n", "\r\r\n", "\n"])
_PAGES = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])


@given(_TABLES, st.sampled_from(LANGUAGES), _LINES)
def test_a_table_is_read_back(rows: list[Row], language: object, newline: str) -> None:
    listing = parse(table(rows, language, newline))  # type: ignore[arg-type]
    assert listing.unreadable == []
    assert [(e.protocol.upper(), e.local, e.remote, e.pid, e.kind) for e in listing.endpoints] == [
        (row.protocol, row.local, row.foreign, row.pid, _kind(row)) for row in rows
    ]
    assert [e.ports for e in listing.endpoints] == [(int(row.local.rpartition(":")[2]),) for row in rows]


@given(_TABLES, st.sampled_from(LANGUAGES), _PAGES)
def test_a_table_is_read_back_from_bytes(rows: list[Row], language: object, page: str) -> None:
    listing = parse(decode(table(rows, language).encode(page)))  # type: ignore[arg-type]
    assert [(e.local, e.kind) for e in listing.endpoints] == [(row.local, _kind(row)) for row in rows]


@given(_PORT, _PORT, _addresses(), _addresses())
def test_only_the_local_port_counts_and_only_as_a_whole(local: int, foreign: int, here: str, there: str) -> None:
    listing = parse(table([Row("TCP", f"{here}:{local}", f"{there}:{foreign}", "ESTABLISHED", foreign)]))
    assert [endpoint.ports for endpoint in listing.endpoints] == [(local,)]


@given(st.text(st.characters() | st.sampled_from("TCPUDP:.*[]%0123456789 \t\r\n>"), max_size=400))
def test_no_text_breaks_the_parser(text: str) -> None:
    listing = parse(text)
    for endpoint in listing.endpoints:
        assert endpoint.protocol in ("tcp", "udp")
        assert all(0 <= port <= 65535 for port in endpoint.ports)
        assert endpoint.kind in ("listener", "bound", "connection", None)


@given(st.binary(max_size=400))
def test_no_bytes_break_the_parser(data: bytes) -> None:
    parse(decode(data))


@given(_TABLES.filter(bool), st.data())
def test_a_table_cut_anywhere_gives_only_rows_it_had(rows: list[Row], data: st.DataObject) -> None:
    """Cut by bytes: no row becomes another one, except that the last one may have lost the end of its last number."""
    whole = table(rows).encode()
    cut = parse(decode(whole[: data.draw(st.integers(0, len(whole)))]))
    known = {(row.protocol.lower(), row.local) for row in rows}
    assert {(e.protocol, e.local) for e in cut.endpoints} <= known
    assert len(cut.endpoints) <= len(rows)
