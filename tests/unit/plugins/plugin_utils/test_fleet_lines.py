# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet in lines a person reads: counts, conflicts worst first, then whoever could not be judged."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._summary import STATES, fleet_records, reasons, state_of, summarise
from hypothesis import given
from hypothesis import strategies as st

NASTY = 'pc\r\nFAKE: clear\x1b[2J\u202e{{ lookup("pipe", "id") }}'


def conflict(kind: str = "listener", port: int = 1761, who: str = "backupd.exe") -> dict[str, t.Any]:
    return {"kind": kind, "port": port, "message": f"TCP {port} is held ({kind}) by {who}; stop that program."}


def result(verdict: str, *conflicts: dict[str, t.Any], warnings: t.Sequence[str] = ()) -> dict[str, t.Any]:
    return {"changed": False, "verdict": verdict, "conflicts": list(conflicts), "ports": [], "warnings": list(warnings)}


def unreachable(reason: str = "refused", message: str = "pc03: WinRM at x: it was refused; start it.") -> dict[str, t.Any]:
    return {"unreachable": True, "msg": message, "reason": reason}


class TestStates:
    @pytest.mark.parametrize(
        ("answer", "state"),
        [
            (None, "not audited"),
            ({}, "not audited"),
            ("text", "not audited"),
            ([], "not audited"),
            ({"skipped": True}, "not audited"),
            ({"verdict": "odd"}, "not audited"),
            ({"verdict": "unreachable"}, "unreachable"),
            ({"failed": True, "msg": "x"}, "failed"),
            ({"failed": True, "verdict": "clear"}, "failed"),
            (unreachable(), "unreachable"),
            (result("clear"), "clear"),
            (result("inconclusive"), "inconclusive"),
            (result("conflict", conflict()), "conflict"),
        ],
    )
    def test_of_one_host(self, answer: t.Any, state: str) -> None:
        if answer == {"verdict": "unreachable"}:
            assert state_of(answer) in STATES
        else:
            assert state_of(answer) == state


class TestFleet:
    RESULTS: t.ClassVar = {
        "pc01": result("clear"),
        "pc02": result("conflict", conflict("connection", 1764)),
        "pc03": unreachable(),
        "pc04": result("conflict", conflict("bound", 1762), conflict("listener", 1761)),
        "pc05": result("inconclusive", warnings=["pc05: netstat gave no row"]),
        "pc06": result("conflict", conflict("reserved", 1763)),
        "pc07": {"failed": True, "msg": "pc07: the argument ports: it is empty; list ports.", "reason": "bad-argument"},
        "pc08": None,
        "pc09": result("conflict", conflict("listener", 1761)),
    }

    def test_counts_and_names(self) -> None:
        summary = summarise(self.RESULTS)
        assert summary["counts"] == {"conflict": 4, "inconclusive": 1, "clear": 1, "unreachable": 1, "failed": 1, "not audited": 1}
        assert summary["hosts"]["conflict"] == ["pc02", "pc04", "pc06", "pc09"]
        assert sum(summary["counts"].values()) == len(self.RESULTS)

    def test_the_counts_come_first(self) -> None:
        lines = [line for line in summarise(self.RESULTS)["lines"] if line]
        assert "9 clients" in lines[0]
        assert "4 conflict" in lines[0]

    def test_one_line_a_conflict_worst_first(self) -> None:
        lines = [line.strip() for line in summarise(self.RESULTS)["lines"] if "is held" in line]
        assert [(line[:4], line.partition("TCP ")[2][:4]) for line in lines] == [
            ("pc04", "1761"),
            ("pc04", "1762"),
            ("pc09", "1761"),
            ("pc06", "1763"),
            ("pc02", "1764"),
        ]

    def test_whoever_could_not_be_judged_with_the_reason(self) -> None:
        text = "\n".join(summarise(self.RESULTS)["lines"])
        assert "netstat gave no row" in text
        assert "it was refused" in text
        assert "the argument ports" in text
        assert "pc08" in text
        assert "pc01" not in text

    def test_reasons_are_counted(self) -> None:
        assert reasons({**self.RESULTS, "pc10": unreachable("credentials"), "pc11": unreachable()}) == {
            "refused": 2,
            "bad-argument": 1,
            "credentials": 1,
        }

    def test_nobody(self) -> None:
        summary = summarise({})
        assert set(summary["counts"].values()) == {0}
        assert any("0 clients" in line for line in summary["lines"])

    def test_hosts_that_were_not_audited_share_a_line(self) -> None:
        assert "  pc01, pc02" in summarise({"pc01": None, "pc02": {}})["lines"]

    def test_one(self) -> None:
        assert any("1 client:" in line for line in summarise({"pc01": result("clear")})["lines"])


class TestStrangers:
    @pytest.mark.parametrize(
        "results",
        [
            {NASTY: result("conflict", conflict(who=NASTY))},
            {NASTY: unreachable(message=NASTY)},
            {NASTY: result("inconclusive", warnings=[NASTY])},
            {NASTY: None},
        ],
    )
    def test_cannot_add_lines_or_move_the_cursor(self, results: dict[str, t.Any]) -> None:
        for line in summarise(results)["lines"]:
            assert line.isprintable()

    @given(st.dictionaries(st.text(max_size=10), st.sampled_from([None, {}, {"failed": True}, result("clear"), unreachable()]), max_size=8))
    def test_every_fleet_adds_up(self, results: dict[str, t.Any]) -> None:
        summary = summarise(results)
        assert sum(summary["counts"].values()) == len(results)
        assert sorted(name for names in summary["hosts"].values() for name in names) == sorted(results)


class TestRecordsOfAFleet:
    """What `fleet_audit` returned, by host; anything else has none."""

    @pytest.mark.parametrize(
        "result",
        [
            None,
            "text",
            [],
            {},
            {"records": None},
            {"records": {"a": 1}},
            {"records": "text"},
            {"verdict": "clear"},
            {"records": [None, 1, {}, {"host": "a"}]},
        ],
    )
    def test_none(self, result: t.Any) -> None:
        assert fleet_records(result) == {}

    def test_by_host(self) -> None:
        records = [{"inventory_hostname": "a", "verdict": "clear"}, {"inventory_hostname": "b", "reason": "refused", "unreachable": True}]
        assert fleet_records({"records": records}) == {"a": records[0], "b": records[1]}
