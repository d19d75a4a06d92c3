# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small programs behind the Makefile."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import collection_tree
import debian_packages
import run_ansible_test
import run_molecule


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    place = tmp_path / "checkout"
    (place / "plugins").mkdir(parents=True)
    (place / ".gitignore").write_text("/.build/\n", encoding="utf-8")
    (place / "plugins" / "a.py").write_text("a = 1\n", encoding="utf-8")
    (place / "plugins" / "b.py").write_text("b = 1\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=place, check=True)
    subprocess.run(["git", "add", "."], cwd=place, check=True)
    return place


def test_tree_follows_the_checkout(checkout: Path) -> None:
    copy = checkout / ".build" / "copy"
    collection_tree.synchronise(checkout, copy)
    assert collection_tree.files_of(copy) == {Path(".gitignore"), Path("plugins/a.py"), Path("plugins/b.py")}

    kept = copy / "tests" / "output" / "environment"
    kept.parent.mkdir(parents=True)
    kept.touch()
    (checkout / "plugins" / "a.py").write_text("a = 2\n", encoding="utf-8")
    (checkout / "plugins" / "b.py").unlink()
    (checkout / "new.yml").write_text("---\n", encoding="utf-8")
    collection_tree.synchronise(checkout, copy)
    assert (copy / "plugins" / "a.py").read_text(encoding="utf-8") == "a = 2\n"
    assert not (copy / "plugins" / "b.py").exists()
    assert (copy / "new.yml").exists()
    assert kept.exists()


def test_settings_of_pip() -> None:
    listed = "\n".join(
        [":env:.index-url='https://mine.example/simple'", "global.index-url='https://theirs.example/simple'", "install.find-links='/a /b'"]
    )
    assert run_ansible_test.pip_settings(listed) == {
        "global": {"index-url": "https://mine.example/simple"},
        "install": {"find-links": "/a /b"},
    }


def test_steps_of_molecule() -> None:
    output = """
port > idle: Executed: Successful
DETAILS
default > create: Executed: Successful

port_audit > verify: Executed: Failed (Ansible return code was 2)
port_audit > side_effect: Executed: Missing playbook
SCENARIO RECAP
default                   : actions=1  successful=1
"""
    assert run_molecule.steps(output) == [
        ("default > create", "Executed: Successful"),
        ("port_audit > verify", "Executed: Failed (Ansible return code was 2)"),
        ("port_audit > side_effect", "Executed: Missing playbook"),
    ]


def test_debian_packages() -> None:
    text = "# a comment\nlittle-tool  sh  is always there\nother-tool  no-such-program-at-all  is not\n"
    assert debian_packages.missing(text) == ["other-tool"]
    text = "library  /bin/s*  is there\nother-library  /no/such*/file.so  is not\n"
    assert debian_packages.missing(text) == ["other-library"]


def test_every_listed_package_says_what_is_looked_for() -> None:
    rows = [line for line in debian_packages.LIST.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert rows
    assert all(len(row.split()) > 2 for row in rows)
