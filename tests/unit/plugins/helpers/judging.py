# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence of a machine in a few words, and its judgement."""

from __future__ import annotations

import typing as t

from ansible_collections.sms.helpdesk.plugins.plugin_utils._conflicts import Evidence, Judgement, Owner, judge
from ansible_collections.sms.helpdesk.plugins.plugin_utils._netsh import PortRange, PortRanges
from ansible_collections.sms.helpdesk.plugins.plugin_utils._netstat import parse
from ansible_collections.sms.helpdesk.plugins.plugin_utils._ports import Requirement, from_set
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.netstat_tables import Row, table, tcp, udp

AGENT = frozenset({"wuser32.exe"})
WINDOWS_10 = (10, 0, 19045)
WINDOWS_7 = (6, 1, 7601)
# A listing of a working Windows always has these.
USUAL = [tcp("0.0.0.0:135", 564), tcp("0.0.0.0:445", 4), udp("0.0.0.0:500", 900)]
OLD = [row._replace(pid=None) for row in USUAL]
NONE_RESERVED: dict[str, list[PortRange]] = {"tcp": [], "udp": []}
BACKUP = Owner(2316, "known", "backupd.exe", "C:\\Program Files\\Backup\\backupd.exe", ("BackupAgent",))
WUSER = Owner(1200, "known", "Wuser32.EXE", "C:\\WINNT\\Wuser32.exe")
GONE = Owner(2316, "exited")
UNNAMED = Owner(2316, "unknown")


def judged(
    rows: list[Row] | None,
    *owners: Owner,
    wanted: t.Sequence[Requirement] | None = None,
    expected: frozenset[str] = AGENT,
    excluded: dict[str, list[PortRange]] | None = None,
    dynamic: dict[str, PortRange] | None = None,
    version: tuple[int, ...] | None = WINDOWS_10,
    **more: t.Any,
) -> Judgement:
    """Judge a listing with these rows beside the usual ones; None for no listing at all."""
    listing = parse(table(rows)) if rows is not None else None
    evidence = Evidence(
        endpoints=None if listing is None else listing.endpoints,
        owners={owner.pid: owner for owner in owners if owner.pid is not None},
        ranges=PortRanges(NONE_RESERVED if excluded is None else excluded, dynamic or {}),
        os_version=version,
        unreadable=[] if listing is None else listing.unreadable,
        **more,
    )
    return judge(from_set("original") if wanted is None else wanted, evidence, expected)


def statuses(judgement: Judgement) -> dict[str, str]:
    """What is not free."""
    return {f"{entry['port']}/{entry['protocol']}": entry["status"] for entry in judgement.ports if entry["status"] != "free"}


def shown(judgement: Judgement) -> list[tuple[t.Any, ...]]:
    return [(each["port"], each["protocol"], each["kind"], each["pid"], each["process"]) for each in judgement.conflicts]
