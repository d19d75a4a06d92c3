# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules for servers return what they say they return, and every word in ``reason`` is explained."""

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _share_trouble
from ansible_collections.sms.helpdesk.tests.unit.plugins.documentation.test_modules_documented import documented
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.actions import HOST, Untouchable, run
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.servers import Site

COLLECTION = Path(__file__).resolve().parents[4]
# What Ansible adds to every result.
ADDED = {"changed", "diff", "warnings"}


@pytest.fixture(name="site")
def _site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def check(value: t.Any, described: dict[str, t.Any], where: str) -> None:
    """Every key is documented with its type, and every documented key is there."""
    kinds = {"str": str, "int": int, "bool": bool, "list": list, "dict": dict}
    if value is None:
        return
    assert isinstance(value, kinds[described["type"]]), where
    entries: list[t.Any] = value if isinstance(value, list) else [value]
    for entry in entries:
        if "contains" in described:
            assert set(entry) == set(described["contains"]), where
            for name, inner in described["contains"].items():
                check(entry[name], inner, f"{where}.{name}")
        elif described["type"] == "list":
            assert isinstance(entry, kinds[described["elements"]]), where


def check_result(module: str, arguments: dict[str, t.Any], absent: set[str]) -> dict[str, t.Any]:
    result = run(module, arguments, Untouchable("winrm"))
    assert not result.get("failed"), result
    described = documented(module, "RETURN")
    assert set(result) - ADDED == set(described) - {"reason"} - absent
    for name in set(result) - ADDED:
        check(result[name], described[name], name)
    return result


def test_of_a_package(site: Site) -> None:
    assert check_result("hotfix_package_info", {"path": str(site.package)}, set())["usable"] is True


def test_of_staging_and_restoring(site: Site) -> None:
    arguments = {"root": str(site.root), "package": str(site.package)}
    result = check_result("hotfix_files", arguments, {"replaced"})
    assert result["changed"] is True
    assert result["files"][0]["before"]
    result = check_result("hotfix_files", {"root": str(site.root), "state": "absent"}, {"replaced", "skipped_platforms"})
    assert result["changed"] is True


def test_of_replication(site: Site, tmp_path: Path) -> None:
    (tmp_path / "logon" / "X86.bin").mkdir(parents=True)
    arguments = {"root": str(tmp_path / "logon"), "site_root": str(site.root)}
    result = check_result("hotfix_replication_info", arguments, set())
    assert (result["changed"], result["replicated"]) == (False, False)


@pytest.mark.parametrize(
    ("module", "arguments", "reason"),
    [
        ("hotfix_package_info", {"path": "/nowhere"}, "package-missing"),
        ("hotfix_package_info", {"path": "/", "hotfix": "Q1"}, "manifest-missing"),
        ("hotfix_package_info", {"path": "/", "trusted_sha256": "x"}, "bad-argument"),
        ("hotfix_files", {"root": "SMS", "state": "absent"}, "bad-argument"),
        ("hotfix_files", {"root": "/nowhere", "state": "absent"}, "name-not-found"),
        ("hotfix_files", {"root": "/", "state": "absent", "port": 0}, "bad-argument"),
        ("hotfix_files", {"root": "/", "state": "absent", "layout": "logon_server"}, "bad-argument"),
        ("hotfix_files", {"root": "/", "package": "/nowhere"}, "package-missing"),
        ("hotfix_files", {"root": "/", "package": "/", "purge_backups": True}, "bad-argument"),
        ("hotfix_replication_info", {"root": "/", "site_root": "/", "wait_timeout": -1}, "bad-argument"),
        ("hotfix_replication_info", {"logon_servers": [], "site_root": "/"}, "bad-argument"),
        ("hotfix_replication_info", {"logon_servers": ["elsewhere"], "site_root": "/"}, "bad-argument"),
    ],
)
def test_bad_input_is_told_with_host_and_reason(module: str, arguments: dict[str, t.Any], reason: str) -> None:
    result = run(module, arguments, Untouchable("winrm"))
    assert (result["failed"], result["reason"]) == (True, reason)
    assert result["msg"].startswith(f"{HOST}: ")
    assert result["msg"].endswith(".")


def reasons() -> set[str]:
    """The words the code for servers gives: the table of troubles, and the last argument of every error."""
    found = {each.reason for name, each in vars(_share_trouble).items() if isinstance(each, _share_trouble.Trouble)}
    for name in (
        "_destinations",
        "_manifest",
        "_package",
        "_replication",
        "_server_action",
        "_share_trouble",
        "_shares",
        "_smb_share",
        "_staging",
        "_writing",
    ):
        tree = ast.parse((COLLECTION / "plugins" / "plugin_utils" / f"{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            called = getattr(node, "func", None)
            if getattr(called, "id", getattr(called, "attr", "")) in ("BadInput", "ShareTrouble"):
                last = t.cast(ast.Call, node).args[-1]
                if isinstance(last, ast.Constant):
                    found.add(str(last.value))
    return found


def test_every_reason_is_in_the_guide() -> None:
    guide = (COLLECTION / "docs" / "staging_the_hotfix.md").read_text(encoding="utf-8")
    assert len(reasons()) > 30
    assert {reason for reason in reasons() if f"`{reason}`" not in guide} == set()
