# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results to records, records of several reports to one, and what a report says of them."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _records as records
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _report as report
from ansible_collections.sms.helpdesk.plugins.plugin_utils._report_html import KINDS, STATES, STEPS
from ansible_collections.sms.helpdesk.plugins.plugin_utils._report_text import as_json
from ansible_collections.sms.helpdesk.plugins.plugin_utils._summary import summarise
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers import fleet_records as fleet

COLLECTION = Path(__file__).resolve().parents[4]
SCHEMA = json.loads((COLLECTION / "docs" / "compliance_report.schema.json").read_text(encoding="utf-8"))
LATER = "2026-11-27T09:00:00Z"


def client(result: t.Any, host: str = "pc01", time: str = fleet.TIME) -> records.Record:
    return records.of_client(host, [result], time)


class TestClients:
    @pytest.mark.parametrize(
        ("result", "state", "reason"),
        [
            (None, "skipped", None),
            ({"skipped": True, "verdict": "clear"}, "skipped", None),
            ({}, "skipped", None),
            ({"verdict": "odd"}, "skipped", None),
            ("text", "skipped", None),
            ({"failed": True, "msg": "m"}, "failed", "other"),
            ({"failed": True, "msg": "m", "reason": "command-timeout"}, "failed", "command-timeout"),
            (fleet.lost("tls-certificate", "m"), "unreachable", "tls-certificate"),
            (fleet.audit("clear"), "clear", None),
            (fleet.audit("unknown"), "unknown", None),
            (fleet.audit("bound"), "conflict", None),
            (fleet.status("vulnerable", "original"), "vulnerable", "vulnerable"),
            (fleet.status("not_applicable", "absent"), "not_applicable", "not_applicable"),
        ],
    )
    def test_state_and_reason(self, result: t.Any, state: str, reason: str | None) -> None:
        record = client(result)
        assert (record["state"], record["reason"]) == (state, reason)

    def test_what_says_more_goes_before(self) -> None:
        both = [fleet.status("pending", "original", ["restart"]), fleet.audit("bound")]
        assert records.of_client("pc01", both, fleet.TIME)["state"] == "pending"
        assert records.of_client("pc01", [None, *both[1:]], fleet.TIME)["state"] == "conflict"
        assert records.of_client("pc01", [{"failed": True, "msg": "m"}, both[1]], fleet.TIME)["state"] == "conflict"

    def test_the_evidence_is_kept(self) -> None:
        result = fleet.audit("bound")
        record = client(result)
        assert record["conflicts"] == result["conflicts"]
        assert record["ports"] == result["ports"]
        assert record["os_version"] == "10.0.19045.3803"


class TestServers:
    def test_what_would_not_be_touched_is_staged(self) -> None:
        def state(*actions: str) -> str:
            return str(records.of_staging("s", "site_server", fleet.staging(*actions), None, fleet.TIME)["state"])

        assert state("unchanged", "kept_later") == "staged"
        assert state("unchanged", "created") == "not_staged"
        assert state() == "not_staged"
        assert records.of_staging("s", "site_server", None, None, fleet.TIME)["state"] == "skipped"
        assert records.of_staging("s", "site_server", None, fleet.replication(), fleet.TIME)["state"] == "unknown"

    @pytest.mark.parametrize("result", [fleet.lost("dns", "m"), {**fleet.lost("dns", "m"), "unreachable": True}])
    def test_one_that_cannot_be_asked_says_why(self, result: dict[str, t.Any]) -> None:
        record = records.of_staging("s", "site_server", result, None, fleet.TIME)
        assert (record["state"], record["reason"]) == ("unreachable", "dns")

    def test_logon_servers(self) -> None:
        found = records.of_replication(
            fleet.replication(("a", "replicated"), ("b", "stale"), ("c", "missing"), ("d", "unreachable")), LATER
        )
        assert [(each["host"], each["state"], each["reason"]) for each in found] == [
            ("a", "replicated", None),
            ("b", "stale", None),
            ("c", "not_staged", None),
            ("d", "unreachable", "timeout"),
        ]
        assert [len(each["files"]) for each in found] == [1, 1, 1, 0]
        assert records.of_replication({"failed": True, "msg": "m"}, LATER) == []

    def test_package(self) -> None:
        assert records.of_package("p", {"usable": False, "files": [], "problems": ["It is old."]}, LATER)["message"] == "It is old."
        assert records.of_package("p", {"failed": True, "msg": "m", "reason": "package-missing"}, LATER)["reason"] == "package-missing"


class TestMerge:
    def test_the_newest_counts_wherever_it_stands(self) -> None:
        old, new = client(fleet.audit("bound")), client(fleet.audit("clear"), time=LATER)
        assert records.merge([old, new]) == records.merge([new, old]) == [new]

    def test_times_of_other_zones_are_compared_as_times(self) -> None:
        given = [
            {"host": "a", "kind": "client", "state": "clear", "time": time}
            for time in ("2026-11-27T10:30:00+02:00", "2026-11-27T09:00:00Z")
        ]
        (newest,) = records.merge(records.adopt(each, LATER) for each in reversed(given))
        assert newest["time"] == "2026-11-27T09:00:00Z"
        assert records.adopt({"host": "a", "time": "2026-11-27T09:00:00.5"}, LATER)["time"] == "2026-11-27T09:00:00Z"

    def test_of_equals_the_last_counts(self) -> None:
        one, other = client(fleet.audit("bound")), client(fleet.audit("clear"))
        assert records.merge([one, other]) == [other]

    def test_one_that_was_skipped_counts_only_alone(self) -> None:
        seen, skipped = client(fleet.audit("bound")), client(None, time=LATER)
        assert records.merge([seen, skipped]) == [seen]
        assert records.merge([skipped]) == [skipped]

    def test_a_host_of_two_kinds_has_two(self) -> None:
        server = records.of_staging("pc01", "site_server", None, None, LATER)
        assert len(records.merge([client(None), server])) == 2

    def test_slices_are_the_whole(self) -> None:
        whole = fleet.small()
        assert records.merge([*whole[10:], *whole[:5], *whole[5:10]]) == whole

    def test_a_report_is_read_as_it_was_written(self) -> None:
        written = json.loads(as_json(report.build(fleet.small(), LATER)))
        assert [records.adopt(each, LATER) for each in written["records"]] == fleet.small()

    @pytest.mark.parametrize(
        ("raw", "state"),
        [
            ({"host": "pc01", **{k: v for k, v in fleet.audit("bound").items() if k != "host"}}, "conflict"),
            ({"inventory_hostname": "pc01", **fleet.audit("bound")}, "conflict"),
            ({"inventory_hostname": "pc01", **fleet.lost("dns", "m")}, "unreachable"),
            ({"host": "pc01", **fleet.lost("dns", "m")}, "unreachable"),
            ({"host": "pc01"}, "skipped"),
        ],
    )
    def test_what_an_audit_of_many_hosts_returned(self, raw: dict[str, t.Any], state: str) -> None:
        record = records.adopt(raw, LATER)
        assert (record["host"], record["state"], record["time"]) == ("pc01", state, LATER)

    @pytest.mark.parametrize(
        "bad",
        [
            None, 1, "text", [], {}, {"host": ""}, {"host": 7}, {"host": "a", "kind": "cat"}, {"host": "a", "kind": "client"},
            {"host": "a", "kind": "client", "state": "staged"}, {"host": "a", "kind": [], "state": []}, {"host": "a", "time": 5},
            {"host": "a", "time": "soon"}, {"host": {"os_version": "10"}}, {"name": "a"},
            {"host": "a", "kind": "client", "state": "clear", "ports": "none"},
            {"host": "a", "kind": "client", "state": "clear", "ports": [1]},
            {"host": "a", "kind": "client", "state": "clear", "warnings": "x"},
            {"host": "a", "kind": "client", "state": "clear", "message": 1},
            {"host": "a", "kind": "client", "state": "clear", "details": []}, {"host": "a", "verdict": "clear", "ports": {}},
            {"host": "a", "kind": "client", "state": "clear", "pending": 3},
            {"host": "a", "kind": "client", "state": "conflict", "conflicts": [{"port": 1761}]},
            {"host": "a", "kind": "client", "state": "clear", "ports": [{"port": "many"}]},
            {"host": "a", "kind": "client", "state": "clear", "ports": [{"port": 1, "endpoints": [1]}]},
        ],
    )  # fmt: skip
    def test_what_is_no_record_is_refused(self, bad: t.Any) -> None:
        with pytest.raises(records.BadRecord):
            records.adopt(bad, LATER)


class TestReport:
    REPORT: t.ClassVar = report.build(fleet.small(), LATER)

    @pytest.mark.parametrize("made", [[], fleet.small(), fleet.hostile()], ids=["empty", "small", "hostile"])
    def test_follows_its_schema(self, made: list[records.Record]) -> None:
        jsonschema.Draft202012Validator.check_schema(SCHEMA)
        before = report.build(made[1:], fleet.TIME)
        for built in (report.build(made, LATER), report.build(made, LATER, previous=before)):
            jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(as_json(built)))

    def test_the_schema_knows_every_kind_and_state_and_step(self) -> None:
        described = SCHEMA["$defs"]["record"]
        assert described["properties"]["kind"]["enum"] == list(records.STATES) == list(KINDS)
        named = [set(each["then"]["properties"]["state"]["enum"]) for each in described["allOf"][:3]]
        assert named == [set(records.CLIENT_STATES), set(records.SERVER_STATES), set(records.PACKAGE_STATES)]
        assert set(STATES) == set.union(*named)
        steps = SCHEMA["properties"]["summary"]["properties"]["progress"]["items"]["properties"]["step"]["enum"]
        assert steps == [each["step"] for each in self.REPORT["summary"]["progress"]] == list(STEPS)
        assert SCHEMA["$id"] == report.SCHEMA

    def test_counts(self) -> None:
        counts = self.REPORT["summary"]["clients"]
        assert counts["total"] == sum(counts[state] for state in records.CLIENT_STATES) == 12
        assert counts["conflict"] == 3
        assert self.REPORT["summary"]["servers"]["total"] == 5

    def test_the_policy_decides(self) -> None:
        assert self.REPORT["policy"]["failing"] == ["pc02", "pc03", "pc07", "pc10"]
        affected = report.build(fleet.small(), LATER, fail_on=["conflict"])
        assert affected["policy"]["failing"] == ["pc03", "pc07", "pc10"]
        assert any("advises to fix only the systems that are affected" in step for step in affected["summary"]["next_steps"])
        assert report.build(fleet.small(), LATER, fail_on=[])["policy"]["passed"] is True
        assert "logon-02" in report.build(fleet.small(), LATER, fail_on=["stale"])["policy"]["failing"]

    def test_who_takes_the_ports(self) -> None:
        assert self.REPORT["summary"]["processes"][0] == {
            "process": "cardreader.exe",
            "hosts": 1,
            "ports": [{"port": 1762, "protocol": "udp"}],
        }

    def test_every_judged_client_counts_once_for_each_port(self) -> None:
        judged = sum(bool(each["ports"]) for each in fleet.small())
        for row in self.REPORT["summary"]["ports"]:
            assert sum(row[status] for status in ("free", "agent", "conflict", "reserved", "unknown")) == judged

    def test_progress(self) -> None:
        assert [(each["step"], each["done"], each["total"]) for each in self.REPORT["summary"]["progress"]] == [
            ("staged", 1, 2),
            ("replicated", 1, 3),
            ("upgraded", 1, 4),
            ("pending_restart", 1, 4),
            ("verified", 1, 4),
        ]
        assert {each["done"] for each in report.build([], LATER)["summary"]["progress"]} == {None}

    def test_what_has_changed(self) -> None:
        before = report.build([client(fleet.audit("bound")), client(fleet.audit("clear"), "gone")], fleet.TIME)
        after = report.build([client(fleet.audit("clear")), client(fleet.audit("clear"), "new")], LATER, previous=before)
        assert after["changes"] == {
            "since": fleet.TIME,
            "hosts": [
                {"host": "gone", "kind": "client", "before": "clear", "after": None},
                {"host": "new", "kind": "client", "before": None, "after": "clear"},
                {"host": "pc01", "kind": "client", "before": "conflict", "after": "clear"},
            ],
        }

    def test_the_terminal_says_what_fleet_summary_says(self) -> None:
        results = {
            "a": fleet.audit("bound"),
            "b": fleet.audit("clear"),
            "c": fleet.audit("unknown"),
            "d": fleet.lost("dns", "d: no name."),
            "e": None,
        }
        said = summarise(results)
        made = [client(result, host) for host, result in results.items()]
        counts = report.build(made, LATER)["summary"]["clients"]
        same = {"conflict": "conflict", "inconclusive": "unknown", "clear": "clear", "unreachable": "unreachable", "failed": "failed"}
        assert {state: counts[name] for state, name in {**same, "not audited": "skipped"}.items()} == said["counts"]
        lines = report.terminal(made)
        assert lines[1] == "Compliance: 5 clients: 1 conflict, 1 unknown, 1 clear, 1 unreachable, 1 skipped"
        words = {"Inconclusive": "Unknown", "Not audited": "Skipped"}
        expected = [next((line.replace(a, b, 1) for a, b in words.items() if line.startswith(a)), line) for line in said["lines"][2:]]
        assert lines[2:] == expected
