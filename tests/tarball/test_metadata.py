# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the metadata says agrees with itself and with the content."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]

# Distribution on the package index -> the name it is imported by, where they differ.
IMPORTED_AS = {"pywinrm": "winrm"}
# What pywinrm requires itself, so that it is there whenever pywinrm is.
BROUGHT_BY_PYWINRM = {"requests", "requests_ntlm", "spnego", "urllib3", "xmltodict"}
# What ansible-core requires itself.
BROUGHT_BY_ANSIBLE = {"yaml", "jinja2"}
# Relative links of documents are for readers of the repository; readers on Galaxy have none.
LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)")


def data(name: str) -> Any:
    return yaml.safe_load((CHECKOUT / name).read_text(encoding="utf-8"))


def requirements(name: str) -> list[str]:
    lines = (CHECKOUT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_every_module_is_in_the_action_group() -> None:
    modules = sorted(path.stem for path in (CHECKOUT / "plugins" / "modules").glob("*.py"))
    assert data("meta/runtime.yml")["action_groups"]["helpdesk"] == modules


def test_this_version_has_release_notes() -> None:
    assert data("galaxy.yml")["version"] in data("changelogs/changelog.yaml")["releases"]


def test_execution_environments_get_what_the_collection_requires() -> None:
    named = data("meta/execution-environment.yml")["dependencies"]["python"]
    assert requirements(named) == requirements("requirements.txt")


def test_requirements_are_lower_bounds() -> None:
    for line in requirements("requirements.txt"):
        assert re.fullmatch(r"[a-z0-9_-]+ >= [0-9.]+", line), line


def test_plugins_import_nothing_that_is_not_required() -> None:
    required = {IMPORTED_AS.get(name, name) for name in (line.split()[0] for line in requirements("requirements.txt"))}
    allowed = required | BROUGHT_BY_PYWINRM | BROUGHT_BY_ANSIBLE | set(sys.stdlib_module_names) | {"ansible"}
    imported = {}
    for path in (CHECKOUT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported.update({alias.name.split(".", maxsplit=1)[0]: path for alias in node.names})
            elif isinstance(node, ast.ImportFrom) and not node.level:
                assert node.module
                imported[node.module.split(".", maxsplit=1)[0]] = path
    assert {name: path for name, path in imported.items() if name not in allowed} == {}
    assert required <= set(imported)


def test_links_of_the_readme_are_absolute() -> None:
    """Galaxy and Automation Hub show it away from the repository."""
    links = LINK.findall((CHECKOUT / "README.md").read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not link.startswith("https://")] == []


def test_links_into_the_repository_lead_somewhere() -> None:
    repository = data("galaxy.yml")["repository"]
    for document in [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md")), *sorted((CHECKOUT / "roles").glob("*/README.md"))]:
        for link in LINK.findall(document.read_text(encoding="utf-8")):
            path = re.match(rf"{re.escape(repository)}/(?:blob|tree)/main/([^#]+)", link)
            if path:
                assert (CHECKOUT / path[1]).exists(), f"{document.name}: {link}"
            elif "://" not in link and not link.startswith("#"):
                assert (document.parent / link.partition("#")[0]).exists(), f"{document.name}: {link}"


def test_ignore_files_are_empty() -> None:
    """ansible-test and ansible-lint find nothing that would have to be ignored."""
    assert not list((CHECKOUT / "tests" / "sanity").glob("ignore*"))
    assert data(".ansible-lint")["skip_list"] == []
    assert data(".ansible-lint")["profile"] == "production"


def test_every_role_has_what_galaxy_asks_for() -> None:
    roles = [path for path in (CHECKOUT / "roles").iterdir() if path.is_dir()]
    assert roles
    for role in roles:
        assert (role / "README.md").is_file(), role
        assert data(f"roles/{role.name}/meta/argument_specs.yml")["argument_specs"]["main"]["short_description"], role


def test_defaults_of_roles_equal_their_specification() -> None:
    for path in sorted((CHECKOUT / "roles").glob("*/meta/argument_specs.yml")):
        options = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
        defaults = yaml.safe_load((path.parents[1] / "defaults" / "main.yml").read_text(encoding="utf-8"))
        assert {name: option["default"] for name, option in options.items() if "default" in option} == defaults, path
