# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing that failed, was skipped or did not run passes for a success."""

from __future__ import annotations

from pathlib import Path

import pytest

import reports
import run_stages

JUNIT = """<?xml version="1.0"?>
<testsuites><testsuite>
  <testcase classname="sanity" name="good"/>
  <testcase classname="sanity" name="bad"><failure>text</failure></testcase>
  <testcase classname="sanity" name="broken"><error>text</error></testcase>
  <testcase classname="sanity" name="left out"><skipped message="no shellcheck"/></testcase>
  <testcase classname="sanity" name="nothing of the kind"><skipped>No tests applicable.</skipped></testcase>
</testsuite></testsuites>
"""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(reports, "DIRECTORY", tmp_path)
    return tmp_path


def test_count(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text(JUNIT, encoding="utf-8")
    counted = reports.count(tmp_path)
    assert counted.passed == ["sanity::good"]
    assert counted.failed == ["sanity::bad", "sanity::broken"]
    assert counted.skipped == ["sanity::left out"]


def test_what_is_written_is_counted(directory: Path) -> None:
    reports.write("lint", [reports.Case("ruff", True, "", 0.1), reports.Case("mypy", False, "\x1b[31mred\x00", 0.2)])
    counted = reports.count(directory / "lint")
    assert (counted.passed, counted.failed) == (["lint::ruff"], ["lint::mypy"])


@pytest.mark.parametrize(
    ("status", "count", "strict", "wrong"),
    [
        (0, reports.Count(passed=["a"]), True, []),
        (0, reports.Count(passed=["a"], skipped=["b"]), False, []),
        (0, reports.Count(passed=["a"], skipped=["b"]), True, ["skipped: b"]),
        (1, reports.Count(passed=["a"], failed=["b"]), False, ["failed: b"]),
        (1, reports.Count(passed=["a"]), False, ["ended with status 1"]),
        (0, reports.Count(), False, ["not a single test ran"]),
    ],
)
def test_judge(status: int, count: reports.Count, strict: bool, wrong: list[str]) -> None:
    assert run_stages.judge(status, count, strict=strict) == wrong


@pytest.mark.parametrize(
    ("environment", "strict"), [({}, False), ({"CI": "true"}, True), ({"SMS_HELPDESK_STRICT": "1"}, True), ({"CI": "false"}, False)]
)
def test_strict(environment: dict[str, str], strict: bool) -> None:
    assert run_stages.is_strict(environment) is strict
