# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as JSON, as a table for spreadsheets, and as JUnit's XML. Private to the collection; pure."""

from __future__ import annotations

import csv
import io
import json
import typing as t
from xml.etree import ElementTree

from ._report import holder
from ._text import printable

COLUMNS = (
    "host", "kind", "state", "reason", "agent_build", "pending", "os_version", "conflicts", "ports", "held_by",
    "message", "warnings", "time",
)  # fmt: skip
# What a spreadsheet takes for the beginning of a formula, also in the full-width forms of East Asian input.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


def as_json(report: t.Mapping[str, t.Any]) -> bytes:
    """The whole report, a line for each record: indenting everything takes five times as long.

    It is put together as bytes: of 10,000 clients there is one copy and not three.
    """
    file = io.BytesIO()

    def write(text: str) -> None:
        # Text with half a surrogate pair, which UTF-8 has not, comes from file names of Windows.
        file.write(text.encode("utf-8", "backslashreplace"))

    write("{\n")
    for key, value in report.items():
        if key != "records":
            write(f" {json.dumps(key)}: {_json(value)},\n")
    write(' "records": [')
    for number, record in enumerate(report["records"]):
        write(f"{',' if number else ''}\n  {_json(record)}")
    write("\n ]\n}\n" if report["records"] else "]\n}\n")
    return file.getvalue()


def _json(value: t.Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def as_csv(report: t.Mapping[str, t.Any]) -> bytes:
    """One line for each record; begins with a byte order mark, or spreadsheets take it for another encoding."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for record in report["records"]:
        conflicts = record["conflicts"]
        told = {
            **record,
            "pending": ", ".join(record["pending"]),
            "conflicts": len(conflicts),
            "ports": ", ".join(f"{str(each.get('protocol')).upper()} {each.get('port')}" for each in conflicts),
            "held_by": ", ".join(dict.fromkeys(holder(each) for each in conflicts)),
            "warnings": " ".join(record["warnings"]),
        }
        writer.writerow([_cell(told[column]) for column in COLUMNS])
    return b"\xef\xbb\xbf" + file.getvalue().encode("utf-8", "backslashreplace")


def _cell(value: t.Any) -> t.Any:
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    shown = printable(value, 4000)
    return f"'{shown}" if value.lstrip(" ").startswith(_FORMULA) else shown


def as_junit(report: t.Mapping[str, t.Any]) -> bytes:
    """Every check a test case: the state of each host, and each of its ports and files.

    A state of the policy is a failure, an error if the host could not be looked at. What the policy lets pass and what could not be
    known is skipped, with the reason.
    """
    fail_on = set(report["policy"]["fail_on"])
    root = ElementTree.Element("testsuites", name=printable(report["title"]))
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for kind in dict.fromkeys(record["kind"] for record in report["records"]):
        suite = ElementTree.SubElement(root, "testsuite", name=kind, timestamp=report["created"])
        counted = dict.fromkeys(totals, 0)
        for record in report["records"]:
            if record["kind"] == kind:
                _cases(suite, record, fail_on, counted)
        for name, count in counted.items():
            suite.set(name, str(count))
            totals[name] += count
    for name, count in totals.items():
        root.set(name, str(count))
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="utf-8", xml_declaration=False) + b"\n"


def _cases(suite: ElementTree.Element, record: t.Mapping[str, t.Any], fail_on: set[str], counted: dict[str, int]) -> None:
    host, state = printable(record["host"]), record["state"]

    def case(name: str, outcome: str | None, message: str = "", kind: str = "") -> None:
        element = ElementTree.SubElement(suite, "testcase", classname=f"{record['kind']}.{host}", name=name, time="0")
        counted["tests"] += 1
        if outcome is not None:
            counted[{"failure": "failures", "error": "errors", "skipped": "skipped"}[outcome]] += 1
            attributes = {"message": message} if outcome == "skipped" else {"message": message, "type": kind}
            ElementTree.SubElement(element, outcome, attributes).text = message

    def judged(by: str) -> str:
        if by not in fail_on:
            return "skipped"
        return "error" if by in ("unreachable", "failed") else "failure"

    good = state in ("compliant", "clear", "not_applicable", "mitigated", "staged", "replicated", "usable") and state not in fail_on
    case("state", None if good else judged(state), f"{state}: {printable(record['message'], 1000)}", record["reason"] or state)
    held: dict[tuple[t.Any, t.Any], list[str]] = {}
    for conflict in record["conflicts"]:
        held.setdefault((conflict.get("port"), conflict.get("protocol")), []).append(printable(str(conflict.get("message", "")), 1000))
    for port in record["ports"]:
        name, status = f"{port.get('protocol')} {port.get('port')}", str(port.get("status"))
        if status in ("free", "agent"):
            case(name, None)
        elif status == "unknown":
            case(name, judged("unknown"), "It could not be told whether the port is free.", "unknown")
        else:
            said = held.get((port.get("port"), port.get("protocol")), [status])
            case(name, judged("conflict"), " ".join(said), status)
    for file in record["files"]:
        name, status = printable(f"{file.get('platform')} {file.get('name')}"), str(file.get("state"))
        good = status in ("staged", "replicated", "match", "later")
        case(name, None if good else judged(status), printable(str(file.get("message", status)), 1000), status)
