# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles take what they say they take, and playbooks are thin."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _argspec

COLLECTION = Path(__file__).resolve().parents[4]
ROLES = sorted(path.name for path in (COLLECTION / "roles").iterdir() if path.is_dir())
_ROLE_TASKS = ("ansible.builtin.import_role", "ansible.builtin.include_role")
PLAYBOOKS = sorted((COLLECTION / "playbooks").glob("*.yml"))


def load(*parts: str) -> t.Any:
    return yaml.safe_load(COLLECTION.joinpath(*parts).read_text(encoding="utf-8"))


def options(role: str) -> dict[str, t.Any]:
    return t.cast(dict[str, t.Any], load("roles", role, "meta", "argument_specs.yml")["argument_specs"]["main"]["options"])


def test_there_are_roles_and_playbooks() -> None:
    assert "port_audit" in ROLES
    assert "detect" in [path.stem for path in PLAYBOOKS]


@pytest.mark.parametrize("role", ROLES)
class TestRoles:
    def test_defaults_are_those_of_the_specification(self, role: str) -> None:
        specified = {name: option["default"] for name, option in options(role).items() if "default" in option}
        assert load("roles", role, "defaults", "main.yml") == specified

    def test_options_have_the_name_of_the_role_in_front_and_a_description(self, role: str) -> None:
        for name, option in options(role).items():
            assert name.startswith(f"{role}_")
            assert option.get("description"), name
            assert option.get("type"), name

    def test_there_is_something_to_read(self, role: str) -> None:
        text = (COLLECTION / "roles" / role / "README.md").read_text(encoding="utf-8")
        assert f"# {role}" in text
        assert f"sms.helpdesk.{role}" in text
        assert "check mode" in text.lower()

    def test_tasks_use_no_option_that_is_not_specified(self, role: str) -> None:
        known = set(options(role))
        for path in sorted((COLLECTION / "roles" / role / "tasks").glob("*.yml")):
            used = set(re.findall(rf"(?<![\w.]){role}_\w+", path.read_text(encoding="utf-8")))
            used -= {name for name in used if name.endswith("_result")}  # what is registered
            assert used <= known, path.name

    def test_every_option_is_used(self, role: str) -> None:
        text = "".join(path.read_text(encoding="utf-8") for path in (COLLECTION / "roles" / role / "tasks").glob("*.yml"))
        assert not [name for name in options(role) if name not in text]

    def test_every_task_has_a_name_and_a_full_module_name(self, role: str) -> None:
        def check(tasks: list[dict[str, t.Any]]) -> None:
            for task in tasks:
                assert task.get("name")
                for key in ("block", "rescue", "always"):
                    check(task.get(key, []))
                actions = [key for key in task if "." in key]
                assert len(actions) == ("block" not in task)

        for path in (COLLECTION / "roles" / role / "tasks").glob("*.yml"):
            check(yaml.safe_load(path.read_text(encoding="utf-8")))


class TestPortAuditTakesWhatItsModuleTakes:
    @pytest.mark.parametrize("name", sorted(_argspec.PORT_CONFLICT_INFO["argument_spec"]))
    def test_option(self, name: str) -> None:
        specified = _argspec.PORT_CONFLICT_INFO["argument_spec"][name]
        option = {key: value for key, value in options("port_audit")[f"port_audit_{name}"].items() if key != "description"}
        for suboption in option.get("options", {}).values():
            suboption.pop("description")
        assert option == specified


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_playbooks_are_thin(path: Path) -> None:
    for play in yaml.safe_load(path.read_text(encoding="utf-8")):
        assert play["name"]
        assert play["hosts"] != "all"
        assert "default('all')" not in play["hosts"]
        assert play["gather_facts"] is False
        tasks = [*play.get("pre_tasks", []), *play.get("tasks", []), *play.get("post_tasks", [])]
        named = [each["role"] for each in play.get("roles", [])]
        named += [task[key]["name"] for task in tasks for key in task if key in _ROLE_TASKS]
        assert len(named) == 1
        assert named[0] in {f"sms.helpdesk.{role}" for role in ROLES}
        assert len(tasks) <= 2
        assert all(sum("." in key for key in task) == 1 for task in tasks)
