# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""netstat in every shape that was seen in the wild; the samples are written for these tests."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._netstat import Endpoint, parse
from ansible_collections.sms.helpdesk.plugins.plugin_utils._text import decode
from hypothesis import given
from hypothesis import strategies as st

# title, header, state of a listener, state of a closing connection; the indent of a row
LANGUAGES = {
    "en": (
        "Active Connections",
        "Proto  Local Address          Foreign Address        State           PID",
        "LISTENING",
        "TIME_WAIT",
        "  ",
    ),
    "de": ("Aktive Verbindungen", "Proto  Lokale Adresse         Remoteadresse          Status           PID", "ABHÖREN", "WARTEND", "  "),
    "de-mangled": ("Aktive Verbindungen", "Proto  Lokale Adresse  Remoteadresse  Status  PID", "ABH™REN", "WARTEND", "  "),
    "de-lost": ("Aktive Verbindungen", "Proto  Lokale Adresse  Remoteadresse  Status  PID", "ABH?REN", "WARTEND", "  "),
    "fr": ("Connexions actives", "Proto  Adresse locale         Adresse distante       État", "LISTENING", "TIME_WAIT", "  "),
    "es": (
        "Conexiones activas",
        "Proto  Dirección local          Dirección remota        Estado           PID",
        "LISTENING",
        "TIME_WAIT",
        "  ",
    ),
    "pt": (
        "Conexões ativas",
        "Proto  Endereço local          Endereço externo        Estado           PID",
        "LISTENING",
        "TIME_WAIT",
        "  ",
    ),
    "ru": (
        "Активные подключения",
        "Имя    Локальный адрес        Внешний адрес          Состояние       PID",
        "LISTENING",
        "TIME_WAIT",
        "  ",
    ),
    "ko": ("활성 연결", "프로토콜  로컬 주소           외부 주소              상태            PID", "LISTENING", "TIME_WAIT", "  "),
    "ja": (
        "アクティブな接続",
        "プロトコル  ローカル アドレス          外部アドレス        状態            PID",
        "LISTENING",
        "TIME_WAIT",
        "     ",
    ),
    "zh": ("活动连接", "协议  本地地址          外部地址        状态           PID", "LISTENING", "TIME_WAIT", "  "),
}


def render(rows: t.Iterable[tuple[str, str, str, str, int | None]], language: str = "en", newline: str = "\r\n") -> str:
    """A listing as Windows prints it: rows are protocol, local, foreign, state (or ''), process id (or None)."""
    title, header, _listening, _closing, indent = LANGUAGES[language]
    lines = ["", title, "", f"{indent}{header}"]
    for protocol, local, remote, state, pid in rows:
        lines.append(f"{indent}{protocol:<6} {local:<22} {remote:<22} {state:<15} {'' if pid is None else pid}".rstrip())
    return newline.join([*lines, ""])


def one(text: str) -> Endpoint:
    """The only endpoint of a listing."""
    listing = parse(text)
    assert len(listing.endpoints) == 1, listing
    return listing.endpoints[0]


@pytest.mark.parametrize(
    "text", ["", "\r\n", "Zugriff verweigert", "TCP", "  TCP", "  TCP  a  b", "TCP and UDP are protocols: both.", "\0" * 50]
)
def test_what_is_no_row_is_passed_over(text: str) -> None:
    assert parse(text).endpoints == []


@pytest.mark.parametrize("row", ["  TCP    0.0.0.0:99999          0.0.0.0:0              LISTENING", "  UDP    0.0.0.0:*   *:*"])
def test_a_row_that_cannot_be_read_is_counted(row: str) -> None:
    listing = parse(row)
    assert (listing.endpoints, listing.unreadable) == ([], [row.strip()])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r\r\n"])
def test_a_listener_needs_no_word(language: str, newline: str) -> None:
    state = LANGUAGES[language][2]
    endpoint = one(render([("TCP", "0.0.0.0:1762", "0.0.0.0:0", state, 1234)], language, newline))
    assert (endpoint.kind, endpoint.ports, endpoint.address, endpoint.pid) == ("listener", (1762,), "0.0.0.0", 1234)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_closing_connection_is_held_by_nobody(language: str) -> None:
    state = LANGUAGES[language][3]
    assert one(render([("TCP", "10.0.0.5:1761", "10.0.0.9:443", state, 0)], language)).kind is None
    assert one(render([("TCP", "10.0.0.5:1761", "10.0.0.9:443", state, None)], language)).kind is None


def test_german_as_code_page_850() -> None:
    data = render([("TCP", "0.0.0.0:135", "0.0.0.0:0", "ABHÖREN", 900)], "de").encode("cp850")
    assert b"ABH\x99REN" in data
    assert one(decode(data)).state == "ABHÖREN"


@pytest.mark.parametrize(
    ("row", "kind", "ports", "pid"),
    [
        ("  TCP    [::]:445               [::]:0                 LISTENING       4", "listener", (445,), 4),
        ("  TCP    [::1]:8009             [::]:0                 LISTENING       77", "listener", (8009,), 77),
        ("  UDP    [fe80::1c2d:3e4f:5a6b:7c8d%11]:1900  *:*                                    1432", "bound", (1900,), 1432),
        ("  UDP    0.0.0.0:56309          162.159.136.232:443                    4040", "bound", (56309,), 4040),
        ("  TCP    10.0.0.5:50123         10.0.0.9:1762          ESTABLISHED     12", "connection", (50123,), 12),
        ("  TCP    10.0.0.5:1763          10.0.0.9:443           SYN_SENT        12", "connection", (1763,), 12),
        ("  TCP    0.0.0.0:1761           0.0.0.0:0              BOUND           12", "bound", (1761,), 12),
        ("  TCP    0.0.0.0:80             0.0.0.0:0              LISTENING       4        InHost", "listener", (80,), 4),
        ("TCP 0.0.0.0:1761 0.0.0.0:0 LISTENING", "listener", (1761,), None),
        (">   TCP    0.0.0.0:22             0.0.0.0:0              LISTENING       1264", "listener", (22,), 1264),
        ("\tTCP\t0.0.0.0:22\t0.0.0.0:0\tLISTENING\t1264", "listener", (22,), 1264),
        ("  TCP    DESKTOP-1:sms-rcinfo   DESKTOP-1:0            LISTENING", "listener", (2701,), None),
        ("  TCP    DESKTOP-1:49700        server:https           ESTABLISHED     99", "connection", (49700,), 99),
        ("  UDP    DESKTOP-1:sms-xfer     *:*", "bound", (2704, 2702), None),
        ("  TCP    DESKTOP-1:vendor-thing DESKTOP-1:0            LISTENING", "listener", (), None),
    ],
)
def test_single_rows(row: str, kind: str, ports: tuple[int, ...], pid: int | None) -> None:
    endpoint = one(row)
    assert (endpoint.kind, endpoint.ports, endpoint.pid) == (kind, ports, pid)


def test_windows_2000_has_no_process_ids() -> None:
    listing = parse(
        "Active Connections\n\nProto Local Address Foreign Address State\n\nTCP a:epmap a:0 LISTENING\n\nUDP 0.0.0.0:1761 *:*\n"
    )
    assert (len(listing.endpoints), listing.has_pids) == (2, False)


def test_programs_of_the_b_switch_belong_to_the_row_above() -> None:
    listing = parse(
        "  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       564\r\n"
        "  RpcSs\r\n [svchost.exe]\r\n"
        "  TCP    0.0.0.0:445            0.0.0.0:0              LISTENING       4\r\n"
        " Can not obtain ownership information\r\n"
        "  UDP    0.0.0.0:1762           *:*                                    2316\r\n"
        " [backupd.exe]\r\n"
    )
    assert [(e.program, e.component) for e in listing.endpoints] == [("svchost.exe", "RpcSs"), (None, None), ("backupd.exe", None)]


addresses = st.sampled_from(["0.0.0.0", "127.0.0.1", "10.20.30.40", "[::]", "[::1]", "[fe80::1c2d:3e4f:5a6b:7c8d%11]"])
ports = st.integers(1, 65535)
pids = st.integers(1, 4_000_000)
listeners = st.tuples(st.just("TCP"), addresses, ports, st.just("0"), pids)
connections = st.tuples(st.just("TCP"), addresses, ports, ports.map(str), pids)
datagrams = st.tuples(st.just("UDP"), addresses, ports, st.just("*"), pids)


@given(st.lists(st.one_of(listeners, connections, datagrams), max_size=30), st.sampled_from(sorted(LANGUAGES)))
def test_what_is_printed_is_read_back(rows: list[tuple[str, str, int, str, int]], language: str) -> None:
    listening = LANGUAGES[language][2]
    printed = [
        (
            protocol,
            f"{address}:{port}",
            "*:*" if remote == "*" else f"{address}:{remote}",
            "" if protocol == "UDP" else listening if remote == "0" else "ESTABLISHED",
            pid,
        )
        for protocol, address, port, remote, pid in rows
    ]
    listing = parse(render(printed, language))
    assert listing.unreadable == []
    assert [(e.protocol.upper(), e.address, e.ports[0], e.pid, e.kind) for e in listing.endpoints] == [
        (protocol, address, port, pid, "bound" if protocol == "UDP" else "listener" if remote == "0" else "connection")
        for protocol, address, port, remote, pid in rows
    ]


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    parse(decode(data))


@given(st.text(alphabet=" \tTCPUDP0123456789.:[]*%>\r\nabc", max_size=200))
def test_no_text_raises_and_ports_are_ports(text: str) -> None:
    assert all(0 <= port <= 65535 for endpoint in parse(text).endpoints for port in endpoint.ports)


def test_twenty_thousand_rows() -> None:
    rows = [("TCP", f"10.0.{i // 250}.{i % 250}:{1024 + i}", "10.0.0.9:443", "ESTABLISHED", i + 1) for i in range(20000)]
    assert len(parse(render(rows)).endpoints) == 20000


def recordings() -> pathlib.Path | None:
    """Where the recordings of real Windows lie, if they do."""
    import os

    named = os.environ.get("SMS_HELPDESK_RECORDINGS")
    for place in [pathlib.Path(named)] if named else [parent.parent / "shared" / "recordings" for parent in pathlib.Path(__file__).parents]:
        if (place / "commands").is_dir():
            return place / "commands"
    return None


RECORDED = recordings()
if RECORDED is not None:

    def test_recorded_listing_of_inspec() -> None:
        listing = parse(decode((RECORDED / "inspec__netstat-anbo_select-string.txt").read_bytes()))  # type: ignore[operator]
        assert listing.unreadable == []
        assert len(listing.endpoints) == 49
        assert {e.kind for e in listing.endpoints if e.protocol == "tcp"} == {"listener"}
        assert next(e for e in listing.endpoints if e.ports == (22,)).program == "sshd.exe"
