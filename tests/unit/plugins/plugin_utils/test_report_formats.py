# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The formats of a report, with names that want to be markup, formulas or something else; and files that are whole at any moment."""

from __future__ import annotations

import csv
import functools
import html.parser
import io
import json
import os
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _report_files as files
from ansible_collections.sms.helpdesk.plugins.plugin_utils._records import BadRecord
from ansible_collections.sms.helpdesk.plugins.plugin_utils._report import build
from ansible_collections.sms.helpdesk.plugins.plugin_utils._report_html import LIMIT, as_html
from ansible_collections.sms.helpdesk.plugins.plugin_utils._report_text import COLUMNS, as_csv, as_json, as_junit
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers import fleet_records as fleet
from defusedxml import ElementTree

TIME = "2026-11-27T09:00:00Z"
HOSTILE = build(fleet.hostile(), TIME, title="<b>{{ 7 * 7 }}</b>")
SMALL = build(fleet.small(), TIME)


class Page(html.parser.HTMLParser):
    """Elements and their attributes, and what stands in script elements."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "script":
            self.scripts.append(data)


class TestHtml:
    @pytest.mark.parametrize("report", [HOSTILE, SMALL, build([], TIME)], ids=["hostile", "small", "empty"])
    def test_holds_nothing_that_a_client_made_and_asks_nobody(self, report: dict[str, t.Any]) -> None:
        page = as_html(report)
        parsed = Page(page)
        assert [attributes for tag, attributes in parsed.elements if tag == "script"] == [{"type": "application/json", "id": "data"}, {}]
        assert not {"img", "b0", "iframe", "link", "object"} & {tag for tag, _attributes in parsed.elements}
        for tag, attributes in parsed.elements:
            assert not [name for name in attributes if name.startswith("on") or name in ("src", "style")], tag
            assert (attributes.get("href") or "#").startswith("#")
        assert b"49" not in page.split(b"</title>")[0].split(b"<title>")[1]

    def test_the_data_is_one_whole_script_element(self) -> None:
        data = json.loads(Page(as_html(HOSTILE)).scripts[0])
        names = {row[0] for row in data["rows"]}
        assert "<script>alert(1)</script>" in names
        assert "pc\\u202egpj.exe\\u2066" in names, "direction marks are shown, not obeyed"
        assert len(data["rows"]) == len(HOSTILE["records"])

    def test_names_of_all_languages_are_there(self) -> None:
        page = as_html(SMALL).decode()
        assert "東京-端末01" in page and "München-Süd-07" in page

    @pytest.mark.parametrize(
        ("fail_on", "said"),
        [([], "No policy"), (["stale"], "Policy not met"), (["conflict", "stale"], "Policy not met"), (["failed"], "Policy not met")],
    )
    def test_the_policy_is_told(self, fail_on: list[str], said: str) -> None:
        assert said in as_html(build(fleet.small(), TIME, fail_on=fail_on)).decode()
        assert "Policy met" in as_html(build([], TIME)).decode()

    def test_ten_thousand_clients_fit_in_a_mail(self) -> None:
        page = as_html(build(fleet.large(), TIME))
        assert len(page) <= LIMIT == 5_000_000
        assert len(json.loads(Page(page).scripts[0])["rows"]) == 10_000

    def test_evidence_is_cut_if_it_would_not_fit(self) -> None:
        records = fleet.large(6000)
        for number, record in enumerate(records):
            record["warnings"] = [f"{number} {'w' * 600}" for _line in range(3)]
            record["details"] = {"agent": {"path": f"{number}{'p' * 300}"}}
        page = as_html(build(records, TIME))
        assert len(page) <= LIMIT
        assert "Details are cut" in page.decode()


class TestCsv:
    @staticmethod
    def rows(report: dict[str, t.Any]) -> list[list[str]]:
        return list(csv.reader(io.StringIO(as_csv(report).decode("utf-8-sig"), newline="")))

    def test_one_line_for_each_record_under_its_titles(self) -> None:
        rows = self.rows(SMALL)
        assert rows[0] == list(COLUMNS)
        assert [row[0] for row in rows[1:]] == [record["host"] for record in SMALL["records"]]
        assert as_csv(SMALL).startswith(b"\xef\xbb\xbf")

    @pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", " =1", "＝1", "\n=1"])  # noqa: RUF001
    def test_no_cell_is_a_formula(self, start: str) -> None:
        records = [{**record, "host": f"{start}{number}", "message": start} for number, record in enumerate(fleet.small())]
        for row in self.rows(build(records, TIME))[1:]:
            for cell in (row[0], row[COLUMNS.index("message")]):
                assert cell.startswith("'")

    def test_a_line_break_makes_no_line(self) -> None:
        records = [{**fleet.small()[0], "message": "one\r\ntwo\x00"}]
        assert len(self.rows(build(records, TIME))) == 2


class TestJunit:
    @pytest.mark.parametrize("report", [HOSTILE, SMALL, build([], TIME)], ids=["hostile", "small", "empty"])
    def test_counts_are_those_of_the_cases(self, report: dict[str, t.Any]) -> None:
        root = ElementTree.fromstring(as_junit(report))
        for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(root.get(name, -1)) == len(list(root.iter(tag)))

    def test_the_policy_turns_it_red(self) -> None:
        def outcomes(fail_on: list[str], host: str) -> dict[str, str]:
            root = ElementTree.fromstring(as_junit(build(fleet.small(), TIME, fail_on=fail_on)))
            cases = [case for case in root.iter("testcase") if case.get("classname") == f"client.{host}"]
            return {str(case.get("name")): case[0].tag if len(case) else "passed" for case in cases}

        found = outcomes(["conflict"], "pc03")
        assert (found["state"], found["udp 1762"], found["tcp 1762"], len(found)) == ("failure", "failure", "passed", 17)
        assert outcomes(["conflict"], "pc02")["state"] == "skipped"
        assert outcomes(["vulnerable"], "pc02")["state"] == "failure"
        assert outcomes([], "pc03")["udp 1762"] == "skipped"
        assert outcomes(["unreachable"], "pc04") == {"state": "error"}
        assert outcomes(["conflict"], "pc09") == {"state": "skipped"}

    def test_characters_that_xml_has_not_are_shown(self) -> None:
        records = [{**fleet.small()[0], "host": "a\x00\x1b\ud800]]>"}]
        assert "a\\x00\\x1b\\ud800]]>" in ElementTree.tostring(ElementTree.fromstring(as_junit(build(records, TIME)))).decode().replace(
            "&gt;", ">"
        )


def contents(**made: bytes) -> dict[str, t.Callable[[], bytes]]:
    return {name: functools.partial(bytes, content) for name, content in made.items()}


class TestFiles:
    def test_the_report_before_is_kept_and_what_belongs_to_it_goes(self, tmp_path: Path) -> None:
        place = tmp_path / "deep" / "reports"
        files.write(place, contents(html=b"1", csv=b"1"))
        files.write(place, contents(html=b"2", json=b"2"))
        assert {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()} == {"report.html": b"2", "report.json": b"2"}
        assert {path.name: path.read_bytes() for path in (place / "previous").iterdir()} == {"report.html": b"1", "report.csv": b"1"}
        files.write(place, contents(html=b"3"))
        assert {path.name: path.read_bytes() for path in (place / "previous").iterdir()} == {"report.html": b"2", "report.json": b"2"}

    def test_what_a_killed_run_had_prepared_goes_and_what_another_prepares_stays(self, tmp_path: Path) -> None:
        for name, age in ((".report-old", 7200), (".report-new", 0)):
            (tmp_path / name).write_bytes(b"half")
            os.utime(tmp_path / name, (time.time() - age,) * 2)
        files.write(tmp_path, contents(html=b"1"))
        assert sorted(path.name for path in tmp_path.iterdir()) == [".report-new", "report.html"]

    @pytest.mark.parametrize("broken", ["fsync", "replace"])
    def test_a_run_that_breaks_off_leaves_what_was_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
        files.write(tmp_path, contents(html=b"old", json=b"old"))
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

        def fail(*_arguments: t.Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, broken, fail)
        with pytest.raises(OSError, match="No space"):
            files.write(tmp_path, contents(html=b"new", json=b"new"))
        monkeypatch.undo()
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before

    @pytest.mark.parametrize(
        "content", ["", "{", "[]", "7", '{"records": [7], "created": "x"}', '{"records": [], "schema_version": 2}', "\x00"]
    )
    def test_what_cannot_be_compared_with_is_no_report_before(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "report.json").write_text(content, encoding="utf-8")
        assert files.previous_of(tmp_path) is None

    def test_a_report_is(self, tmp_path: Path) -> None:
        files.write(tmp_path, contents(json=as_json(SMALL)))
        found = files.previous_of(tmp_path)
        assert found is not None and found["created"] == TIME
        assert build(fleet.small(), TIME, previous=found)["changes"] == {"since": TIME, "hosts": []}

    def test_one_that_is_only_html_is_one_too(self, tmp_path: Path) -> None:
        files.write(tmp_path, contents(html=as_html(SMALL)))
        found = files.previous_of(tmp_path)
        assert found is not None and found["created"] == TIME
        assert build(fleet.small(), TIME, previous=found)["changes"] == {"since": TIME, "hosts": []}

    @pytest.mark.parametrize("content", ["", "<html>", '<time datetime="x"><script type="application/json" id="data">{}</script>'])
    def test_other_html_is_none(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "report.html").write_text(content, encoding="utf-8")
        assert files.previous_of(tmp_path) is None

    @pytest.mark.parametrize("content", [7, "x", {}, {"records": {}}, {"records": [], "schema_version": 9}])
    def test_what_holds_no_records_is_refused(self, content: t.Any) -> None:
        with pytest.raises(BadRecord):
            files.records_of(content)
