# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""JUnit files of the stages of `make test`: written for what is no pytest, and counted for all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

DIRECTORY = Path(__file__).resolve().parents[2] / ".build" / "reports"

# What ansible-test says of a sanity test for a kind of file that the collection has none of. Every other reason means
# that something should have been tested and was not.
NOT_APPLICABLE = "No tests applicable."


@dataclasses.dataclass
class Case:
    """One test that is no pytest.

    :param output: what it printed, kept if it failed.
    :param seconds: how long it took.
    """

    name: str
    passed: bool
    output: str
    seconds: float


@dataclasses.dataclass
class Count:
    """Names of tests, by what came of them."""

    passed: list[str] = dataclasses.field(default_factory=list)
    failed: list[str] = dataclasses.field(default_factory=list)
    skipped: list[str] = dataclasses.field(default_factory=list)

    def add(self, other: Count) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def write(stage: str, cases: Iterable[Case]) -> None:
    """Write the report of a stage."""
    suite = ElementTree.Element("testsuite", name=stage)
    for case in cases:
        element = ElementTree.SubElement(suite, "testcase", classname=stage, name=case.name, time=f"{case.seconds:.3f}")
        if not case.passed:
            # XML has no way at all to say most control characters, and tools colour their output with them.
            printable = "".join(character for character in case.output if character >= " " or character in "\n\t")
            ElementTree.SubElement(element, "failure", message=f"{case.name} failed").text = printable
    path = DIRECTORY / stage / f"{stage}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def count(directory: Path) -> Count:
    """Count the test cases of all JUnit files of a directory."""
    total = Count()
    for path in sorted(directory.glob("*.xml")):
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            name = "::".join(filter(None, (case.get("classname"), case.get("name"))))
            skipped = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                total.failed.append(name)
            elif skipped is None:
                total.passed.append(name)
            elif (skipped.text or "").strip() != NOT_APPLICABLE:
                total.skipped.append(name)
    return total
