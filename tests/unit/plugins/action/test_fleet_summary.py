# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of a play: which results count, and when it ends the play."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.actions import run

PENDING = {"state": "pending", "pending": ["flagged", "logon"], "conflicts": [], "message": "It waits."}
DONE = {"state": "compliant", "pending": [], "conflicts": [], "message": "It is done."}
FAILED = {"failed": True, "msg": "pc3: the share: access is denied; see to it.", "reason": "share-denied"}
LOST = {"unreachable": True, "msg": "pc4: WinRM: refused; start it.", "reason": "refused"}
HOSTS = {
    "pc1": {"status": DONE, "upgrade": PENDING},
    "pc2": {"upgrade": PENDING},
    "pc3": {"status": FAILED, "upgrade": FAILED},
    "pc4": {"upgrade": LOST},
    "pc5": {},
}


def summary(**arguments: t.Any) -> dict[str, t.Any]:
    given = {"subject": "clients", "results": ["status", "upgrade"], "hosts": list(HOSTS), **arguments}
    return run("fleet_summary", given, hostvars=HOSTS, ansible_play_hosts_all=list(HOSTS))


def test_the_first_variable_that_is_there_counts() -> None:
    found = summary()
    told = {state: hosts for state, hosts in found["hosts"].items() if hosts}
    assert told == {"compliant": ["pc1"], "pending": ["pc2"], "failed": ["pc3"], "unreachable": ["pc4"], "skipped": ["pc5"]}
    assert "Clients: 5 clients: 1 pending, 1 compliant, 1 unreachable, 1 failed, 1 skipped" in found["lines"]
    assert "  flagged, logon: pc2" in found["lines"]
    assert found["reasons"] == {"share-denied": 1, "refused": 1}


def test_of_ports_a_list_and_a_single_name() -> None:
    verdicts = {"pc1": {"a": {"verdict": "clear", "conflicts": []}}, "pc2": {"b": {"verdict": "clear", "conflicts": []}}}
    for names, clear in ((["a", "b"], 2), ("a", 1)):
        found = run("fleet_summary", {"results": names, "hosts": ["pc1", "pc2"]}, hostvars=verdicts, ansible_play_hosts_all=["pc1"])
        assert found["counts"]["clear"] == clear


@pytest.mark.parametrize(("allowed", "failed"), [(100, False), (40, False), (39.9, True), (0, True)])
def test_too_many_that_failed_end_the_play(allowed: float, failed: bool) -> None:
    found = summary(max_fail_percentage=allowed, title="This wave")
    assert found.get("failed", False) is failed
    assert found["counts"]["failed"] == 1
    if failed:
        assert found["msg"].startswith(
            f"This wave: 2 of 5 clients were not reached or failed, and {allowed:g} percent are allowed: pc4, pc3."
        )


def test_of_nobody_nothing_fails() -> None:
    assert "failed" not in summary(hosts=[], max_fail_percentage=0)


def test_many_that_wait_for_the_same_are_not_all_named() -> None:
    many = {f"pc{number:02}": {"status": PENDING} for number in range(23)}
    found = run(
        "fleet_summary", {"subject": "clients", "results": ["status"], "hosts": list(many)}, hostvars=many, ansible_play_hosts_all=[]
    )
    assert any(line.endswith("pc19 and 3 more") for line in found["lines"])
