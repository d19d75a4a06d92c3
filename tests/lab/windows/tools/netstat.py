# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""netstat: the switches, the order and the columns of every version, as the recordings show them."""

from __future__ import annotations

import functools
import ipaddress
import typing as t

from ..sockets import OWN, Socket
from ..versions import Version

if t.TYPE_CHECKING:
    from ..shell.call import Call, Steps

_PROTOCOLS = ("tcp", "tcpv6", "udp", "udpv6", "ip", "ipv6", "icmp", "icmpv6")
_PORT_NAMES = {
    20: "ftp-data", 21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 53: "domain", 67: "bootps", 68: "bootpc", 80: "http", 88: "kerberos",
    110: "pop3", 123: "ntp", 135: "epmap", 137: "netbios-ns", 138: "netbios-dgm", 139: "netbios-ssn", 143: "imap", 161: "snmp",
    389: "ldap", 443: "https", 445: "microsoft-ds", 500: "isakmp", 636: "ldaps", 993: "imaps", 1433: "ms-sql-s", 1900: "ssdp",
    2701: "sms-rcinfo", 2702: "sms-remctrl", 2703: "sms-chat", 2704: "sms-xfer", 3389: "ms-wbt-server", 3702: "ws-discovery",
    4500: "ipsec-msft", 5355: "llmnr", 5985: "wsman", 5986: "wsmans",
}  # fmt: skip
_NO_OWNER = " Can not obtain ownership information\n"


def switches_of(version: Version) -> str:
    """The letters a version's netstat knows."""
    letters = "aenprs"
    if version.release >= (5, 1):
        letters += "bov"
    if version.release >= (6, 0):
        letters = letters.replace("v", "") + "ft"
    if version.release >= (6, 2):
        letters += "xy"
    return letters + ("q" if version.netstat_bound else "")


def run(call: Call) -> Steps:
    """The program."""
    state = call.host.settings["netstat"]
    options = _options(call)
    if state == "failing":
        # Synthetic: a netstat that cannot ask the network stack.
        yield call.err("Initialization failed: 10106\n")
        return 1
    if options is None or state == "usage":
        yield call.out(_usage(call.host.version))
        return 1
    letters, protocol, interval = options
    if "b" in letters and not call.elevated:
        yield call.out("The requested operation requires elevation.\n")
        return 1
    while True:
        yield call.out(_text(call, letters, protocol, state == "empty"))
        if not interval:
            return 0
        yield call.pause(interval)


def _options(call: Call) -> tuple[str, str, int] | None:
    """Letters, protocol and interval; None where the usage is due."""
    known = switches_of(call.host.version)
    letters, protocol, interval = "", "", 0
    words = call.argv
    while words:
        word = words.pop(0)
        if word[:1] in "-/" and len(word) > 1:
            for letter in word[1:].lower():
                if letter not in known:
                    return None
                letters += letter
                if letter == "p":
                    protocol = words.pop(0).lower() if words else ""
                    if protocol not in _PROTOCOLS:
                        return None
        elif word.isdigit() and int(word):
            interval = int(word)
        else:
            return None
    # Statistics and the newer columns are not modelled.
    return None if set(letters) & set("stxyv") else (letters, protocol, interval)


def _text(call: Call, letters: str, protocol: str, empty: bool) -> str:
    if "r" in letters:
        return _routes(call)
    if "e" in letters:
        return f"Interface Statistics\n\n{'Received':>35}{'Sent':>16}\n\nBytes{918273645:>30}{192837465:>16}\n"
    language, version = call.host.description.language, call.host.version
    pids = "o" in letters
    lines = [f"\n{language.netstat_title}\n\n{language.netstat_header.rstrip() if not pids else language.netstat_header + 'PID'}\n"]
    if empty:
        return lines[0]
    own = call.host.lan_address
    computer = call.host.computer_name
    numeric = "n" in letters
    indent = " " * language.netstat_indent
    states = language.states
    for pid, socket in _rows(call, letters, protocol):
        address = own if socket.address == OWN else socket.address
        if numeric or not version.netstat_names_local:
            local = f"{address}:{socket.port}"
        else:
            local = f"{computer}:{_PORT_NAMES.get(socket.port, socket.port)}"
        foreign = _foreign(socket, numeric, computer, version, own)
        # A column that is too narrow is followed by two blanks.
        local = f"{local:<22}" if len(local) < 22 else local + " "
        foreign = f"{foreign:<22}" if len(foreign) < 22 else foreign + " "
        if pids:
            state = states.get(socket.state, socket.state)
            lines.append(f"{indent}{socket.protocol:<5}  {local} {foreign} {state:<15} {pid}\n")
        elif socket.state:
            lines.append(f"{indent}{socket.protocol:<5}  {local} {foreign} {states.get(socket.state, socket.state)}\n")
        else:
            lines.append(f"{indent}{socket.protocol:<5}  {local} {foreign} \n")
        if "b" in letters:
            lines.append(_owner(call, pid))
    return "".join(lines)


def _foreign(socket: Socket, numeric: bool, computer: str, version: Version, own: str) -> str:
    if socket.protocol == "UDP":
        if not socket.remote or not version.udp_remotes:
            return "*:*"
    elif not socket.remote:
        if not numeric:
            return f"{computer}:0"
        return "[::]:0" if socket.v6 else "0.0.0.0:0"
    remote = own if socket.remote == OWN else socket.remote
    port = socket.remote_port if numeric else _PORT_NAMES.get(socket.remote_port, socket.remote_port)
    return f"{remote}:{port}"


def _rows(call: Call, letters: str, protocol: str) -> list[tuple[int, Socket]]:
    """What the switches ask for, in Windows' order: TCP before UDP, IPv4 before IPv6, then by address and port."""
    everything, bound = "a" in letters or "q" in letters, "q" in letters
    wanted = {"tcp": ("TCP", False), "tcpv6": ("TCP", True), "udp": ("UDP", False), "udpv6": ("UDP", True)}.get(protocol)
    keyed = []
    own = call.host.lan_address
    for pid, socket in call.host.state.sockets():
        if protocol and (socket.protocol, socket.v6) != wanted:
            continue
        if socket.state == "BOUND" and not bound:
            continue
        if not everything and (socket.protocol == "UDP" or socket.state in ("LISTENING", "BOUND")):
            continue
        keyed.append(
            (
                (socket.protocol, socket.v6, _number(own if socket.address == OWN else socket.address), socket.port),
                (_number(socket.remote), socket.remote_port),
                pid,
                socket,
            )
        )
    keyed.sort(key=lambda row: row[:3])
    return [(row[2], row[3]) for row in keyed]


@functools.lru_cache(maxsize=65_536)
def _number(address: str) -> tuple[int, int]:
    """An address as what it is sorted by."""
    if not address or address == OWN:
        return (0, 0)
    plain, _percent, zone = address.strip("[]").partition("%")
    try:
        return (int(ipaddress.ip_address(plain)), int(zone or 0))
    except ValueError:
        return (0, 0)


def _owner(call: Call, pid: int) -> str:
    process = call.host.state.processes.get(pid)
    if pid in (0, 4) or process is None or not process.visible:
        return _NO_OWNER
    services = call.host.state.services_of(pid)
    component = f"  {services[0].name}\n" if services and services[0].shared else ""
    return f"{component} [{process.name}]\n"


def _routes(call: Call) -> str:
    """Synthetic: the shape of `route print`, shortened."""
    rule, own = "=" * 75, call.host.lan_address
    lines = [
        rule,
        "Interface List",
        " 11...00 15 5d 50 0a 01 ......Microsoft Hyper-V Network Adapter",
        "  1...........................Software Loopback Interface 1",
        rule,
        "",
        "IPv4 Route Table",
        rule,
        "Active Routes:",
        "Network Destination        Netmask          Gateway       Interface  Metric",
        f"          0.0.0.0          0.0.0.0     192.168.80.1   {own:>14}     25",
        "        127.0.0.0        255.0.0.0         On-link         127.0.0.1    331",
        rule,
        "Persistent Routes:",
        "  None",
    ]
    return "\n".join(lines) + "\n"


def _usage(version: Version) -> str:
    """The synopsis is Windows' own; the explanations are shortened."""
    known = switches_of(version)
    order = [letter for letter in "abefnopqrstxy" if letter in known]
    shown = " ".join("[-p proto]" if letter == "p" else f"[-{letter}]" for letter in order)
    meaning = {
        "a": "Displays all connections and listening ports.",
        "b": "Displays the executable involved in creating each connection or listening port.",
        "e": "Displays Ethernet statistics.",
        "f": "Displays Fully Qualified Domain Names for foreign addresses.",
        "n": "Displays addresses and port numbers in numerical form.",
        "o": "Displays the owning process ID associated with each connection.",
        "p": "Shows connections for the protocol specified by proto.",
        "q": "Displays all connections, listening ports, and bound nonlistening TCP ports.",
        "r": "Displays the routing table.",
        "s": "Displays per-protocol statistics.",
        "t": "Displays the current connection offload state.",
        "x": "Displays NetworkDirect connections.",
        "y": "Displays the TCP connection template for all connections.",
    }
    lines = "".join(f"  -{letter + (' proto' if letter == 'p' else ''):<12} {meaning[letter]}\n" for letter in order)
    return f"\nDisplays protocol statistics and current TCP/IP network connections.\n\nNETSTAT {shown} [interval]\n\n{lines}\n"
