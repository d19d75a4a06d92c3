# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets of records for reports, small and large, with the names nobody wants; what the modules return is made by the modules' own code."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.sms.helpdesk.plugins.plugin_utils._audit import Question, audit_capture
from ansible_collections.sms.helpdesk.plugins.plugin_utils._ports import from_set
from ansible_collections.sms.helpdesk.plugins.plugin_utils._records import Record, merge, of_client, of_package, of_replication, of_staging

from .netstat_tables import table, tcp, udp

TIME = "2026-11-27T07:30:00Z"
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>document.title='broken out'</script>",
    "\"><img src=x onerror=alert(1)>'",
    "pc\u202egpj.exe\u2066",
    "{{ 7 * 7 }}",
    "=HYPERLINK(\"http://x\")",
    "x" * 300,
    "Zählerstelle-Süd",
    "東京-端末01",
    "\u05d0\u05d1\u05d2-pc",
    "]]>&amp;<!--",
)  # fmt: skip


@functools.cache
def audit(kind: str, process: str = "backupd.exe", pid: int = 2316) -> dict[str, t.Any]:
    """What `port_conflict_info` returns about a client of a kind: clear, bound, listener, reserved, unknown."""
    rows = [tcp("0.0.0.0:135", 564), udp("0.0.0.0:1761", 812), udp("0.0.0.0:1762", 812 if kind != "bound" else pid)]
    if kind == "listener":
        rows.append(tcp("0.0.0.0:2702", pid))
    if kind == "unknown":
        rows = []
    text = "Microsoft Windows [Version 10.0.19045.3803]\r\n" + table(rows)
    if kind == "reserved":
        text += "\r\nProtocol tcp Port Exclusion Ranges\r\n\r\nStart    End\r\n-----    ----\r\n  1761    1860\r\n"
    text += f'"wuser32.exe","812","Wuser32"\r\n"{process}","{pid}","BackupAgent,Helper"\r\n'
    return audit_capture(text.encode(), Question(tuple(from_set("all")), frozenset({"wuser32.exe"})))


def status(state: str, build: str, pending: t.Sequence[str] = (), evidence: t.Any = None, **more: t.Any) -> dict[str, t.Any]:
    """What `client_status_info` returns about a client.

    :param evidence: what `port_conflict_info` returns about it; None if all ports are as they should be.
    """
    return {
        **(evidence or audit("clear")),
        "state": state,
        "agent_build": build,
        "pending": list(pending),
        "reason": state,
        "message": f"The agent is {build}.",
        "operating_system": {
            "name": "Microsoft Windows 7 Professional",
            "version": "6.1.7601",
            "service_pack": "Service Pack 1",
            "directory": "C:\\Windows",
            "processor": "AMD64",
            "computer_name": "PC07",
        },
        "sms": {"generation": "1.2", "site_code": "S01", "logon_server": "LOGON01"},
        "agent": {
            "path": "C:\\WINNT\\WUSER32.EXE",
            "exists": True,
            "size": 170720,
            "modified": "2000-04-03T23:41:00+00:00",
            "version": "1.20.786.0",
            "sha256": None,
            "verdict": "match",
            "message": "Wuser32.exe for x86 is the file of Q229097.",
            "swap_file": None,
            "other_files": ["C:\\WINNT\\Wchat32.exe", "C:\\WINNT\\Wslave32.exe"],
        },
        "service": {"name": "Wuser32", "exists": True, "state": "Running", "start_mode": "Auto"},
        "protocol": {
            "key": "HKLM\\SOFTWARE\\Microsoft\\SMS\\Client Services\\Remote Control",
            "command_line": "-IP",
            "value": "ip",
            "lana": None,
            "override": False,
            "override_viewers": False,
        },
        "sms_ini": {
            "path": "C:\\Sms.ini",
            "readable": True,
            "phase": "installed",
            "setup_phase": "installed",
            "copy_list_version": "891234568",
            "logon_server": "LOGON01",
        },
        "endpoints": [{"protocol": "udp", "address": "0.0.0.0", "port": port, "pid": 812} for port in (2701, 2702)],
        **more,
    }


def lost(reason: str, message: str) -> dict[str, t.Any]:
    return {"unreachable": True, "reason": reason, "msg": message, "changed": False}


def replication(*servers: tuple[str, str]) -> dict[str, t.Any]:
    """What `hotfix_replication_info` returns: (name, status)."""
    return {
        "replicated": all(status == "replicated" for _name, status in servers),
        "servers": [
            {
                "name": name,
                "status": status,
                "done": 3,
                "total": 3,
                "message": f"{status}.",
                "reason": "timeout" if status == "unreachable" else None,
            }
            for name, status in servers
        ],
        "files": [
            {"server": name, "name": "Wuser32.exe", "platform": "x86", "status": status, "message": f"Wuser32.exe for x86 is {status}."}
            for name, status in servers
            if status != "unreachable"
        ],
    }


def staging(*actions: str) -> dict[str, t.Any]:
    """What `hotfix_files` predicts."""
    return {"files": [{"name": "Wuser32.exe", "platform": "x86", "action": action, "message": f"It is {action}."} for action in actions]}


def small() -> list[Record]:
    """Twelve clients, five servers and a package."""
    results: dict[str, t.Any] = {
        "pc01": status("compliant", "hotfix"),
        "pc02": status("vulnerable", "original"),
        "pc03": audit("bound", "cardreader.exe", 4712),
        "pc04": lost("refused", "pc04: WinRM at http://10.1.2.14:5985/wsman: the connection was refused; start WinRM there."),
        "pc05": status("pending", "original", ["restart", "logon"]),
        "pc06": audit("unknown"),
        "pc07": audit("listener", "svchost.exe", 3388),
        "pc08": audit("clear"),
        "pc09": None,
        "pc10": audit("reserved"),
        "München-Süd-07": status("mitigated", "original"),
        "東京-端末01": {"failed": True, "reason": "command-timeout", "msg": "東京-端末01: netstat: it did not end within 60 s; run again."},
    }
    records = [of_client(host, [result], TIME) for host, result in results.items()]
    records += [
        of_staging("siteserver", "site_server", staging("unchanged", "kept_later"), None, TIME),
        of_staging("console-01", "admin_console", staging("unchanged", "replaced"), None, TIME),
        *of_replication(replication(("logon-01", "replicated"), ("logon-02", "stale"), ("logon-03", "unreachable")), TIME),
        of_package("files/Q229097", {"usable": True, "files": [], "problems": []}, TIME),
    ]
    return merge(records)


def hostile() -> list[Record]:
    """Clients whose names, programs and messages want to be something else."""
    records = []
    for number, name in enumerate(HOSTILE):
        record = of_client(name, [audit("listener", "placeholder.exe", 1000 + number)], TIME)
        for conflict in record["conflicts"]:
            conflict.update(process=name, path=f"C:\\{name}", services=[name], message=f"{name}; {name}")
        record["warnings"] = [name]
        records.append(record)
        records.append(of_client(f"lost {name}", [lost(name, f"{name}: {name}")], TIME))
    return merge(records)


def large(count: int = 10_000) -> list[Record]:
    """A fleet in which one client in eight is in trouble, and no two sentences are the same."""
    programs = ("svchost.exe", "backupd.exe", "cardreader.exe", "scansync.exe", "licensed.exe", "voip.exe", "tomcat9.exe", "oracle.exe")
    records = []
    for number in range(count):
        host = f"pc{number:05d}.branch{number % 97:02d}.example.com"
        case = number % 40
        result: t.Any = audit("clear")
        if case in (3, 11):
            result = audit("listener" if case == 3 else "bound", programs[(number // 40) % len(programs)], 1000 + number % 800)
        elif case == 17:
            address = f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"
            reason = ("refused", "timeout", "dns", "credentials", "tls-certificate")[(number // 40) % 5]
            result = lost(reason, f"{host}: WinRM at http://{address}:5985/wsman: no answer came in time; check that it is switched on.")
        elif case == 23:
            result = audit("unknown")
        elif case == 29:
            result = audit("reserved")
        elif case % 4 == 0:
            result = status("compliant", "hotfix")
        elif case % 4 == 1:
            result = status("vulnerable", "original")
        elif case == 38:
            result = status("pending", "hotfix", ["restart"])
        elif case == 39:
            result = None
        records.append(of_client(host, [result], TIME))
    return merge(records)
