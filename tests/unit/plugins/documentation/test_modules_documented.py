# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation says what the code does: options, defaults, choices and return values, name by name."""

from __future__ import annotations

import ast
import importlib
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _argspec
from ansible_collections.sms.helpdesk.plugins.plugin_utils._audit import Question, audit_capture
from ansible_collections.sms.helpdesk.plugins.plugin_utils._conflicts import Evidence, judge
from ansible_collections.sms.helpdesk.plugins.plugin_utils._netstat import parse
from ansible_collections.sms.helpdesk.plugins.plugin_utils._ports import from_set
from ansible_collections.sms.helpdesk.plugins.plugin_utils._restart import Restart
from ansible_collections.sms.helpdesk.plugins.plugin_utils._service import Memory, Service
from ansible_collections.sms.helpdesk.plugins.plugin_utils._summary import STATES, summarise
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.netstat_tables import table, tcp, udp

COLLECTION = Path(__file__).resolve().parents[4]
MODULES = sorted(path.stem for path in (COLLECTION / "plugins" / "modules").glob("*.py") if path.stem != "__init__")
# What an option may have beside its description, in the documentation and in the specification.
FACTS = ("type", "elements", "required", "default", "choices")


def text_of(module: str, name: str) -> str:
    """A constant of a stub, which is read and not run."""
    tree = ast.parse((COLLECTION / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            assert isinstance(node.value, ast.Constant)
            return str(node.value.value)
    raise AssertionError(f"{module} has no {name}")


def documented(module: str, name: str) -> t.Any:
    """A constant of a stub as data; the documentation with the options of its fragments, as ansible-doc shows it."""
    data = yaml.safe_load(text_of(module, name))
    if name == "DOCUMENTATION":
        for fragment in data["extends_documentation_fragment"]:
            data["options"] = {**fragment_of(fragment)["options"], **data.get("options", {})}
    return data


def fragment_of(name: str) -> dict[str, t.Any]:
    """A documentation fragment by its full name."""
    _namespace, _collection, file, part = f"{name}.documentation".split(".")[:4]
    source = importlib.import_module(f"ansible_collections.sms.helpdesk.plugins.doc_fragments.{file}")
    return t.cast(dict[str, t.Any], yaml.safe_load(getattr(source.ModuleDocFragment, part.upper())))


def spec_of(module: str) -> dict[str, t.Any]:
    return t.cast(dict[str, t.Any], getattr(_argspec, module.upper()))


def facts(option: dict[str, t.Any], inner: str) -> dict[str, t.Any]:
    """What can be compared; `inner` is what the suboptions are called."""
    found = {key: option[key] for key in FACTS if key in option}
    found["choices"] = list(found.get("choices", []))
    found.setdefault("required", False)
    found["options"] = {name: facts(each, inner) for name, each in option.get(inner, {}).items()}
    return found


def test_there_are_modules() -> None:
    assert {"port_conflict_info", "remote_control_agent", "client_restart", "fleet_summary"} <= set(MODULES)


def test_every_action_has_a_module_and_the_other_way() -> None:
    assert sorted(path.stem for path in (COLLECTION / "plugins" / "action").glob("*.py") if path.stem != "__init__") == MODULES


def test_every_specification_belongs_to_a_module() -> None:
    assert {name.lower() for name in vars(_argspec) if name.isupper() and not name.startswith("_")} == set(MODULES)


def test_the_action_group_has_them_all() -> None:
    runtime = yaml.safe_load((COLLECTION / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert sorted(next(iter(runtime["action_groups"].values()))) == MODULES


@pytest.mark.parametrize("module", MODULES)
class TestOptions:
    def test_are_those_of_the_specification(self, module: str) -> None:
        options = documented(module, "DOCUMENTATION")["options"]
        specified = spec_of(module)["argument_spec"]
        assert {name: facts(each, "suboptions") for name, each in options.items()} == {
            name: facts(each, "options") for name, each in specified.items()
        }

    def test_are_used_by_the_action(self, module: str) -> None:
        action = importlib.import_module(f"ansible_collections.sms.helpdesk.plugins.action.{module}")
        assert spec_of(module) is action.ActionModule.ARGUMENTS

    def test_have_descriptions(self, module: str) -> None:
        def check(options: dict[str, t.Any]) -> None:
            for name, option in options.items():
                assert option.get("description"), name
                check(option.get("suboptions", {}))

        check(documented(module, "DOCUMENTATION")["options"])

    def test_what_one_requires_of_another_is_told(self, module: str) -> None:
        for key, value, required in spec_of(module).get("required_if", []):
            for name in required:
                text = yaml.safe_dump(documented(module, "DOCUMENTATION")["options"][name]["description"], width=9999)
                assert f"O({key}={value})" in text

    def test_the_examples_use_them(self, module: str) -> None:
        options = set(documented(module, "DOCUMENTATION")["options"])
        tasks = documented(module, "EXAMPLES")
        used = [task[f"sms.helpdesk.{module}"] or {} for task in tasks if f"sms.helpdesk.{module}" in task]
        assert used
        assert {name for arguments in used for name in arguments} <= options

    def test_the_stub_only_documents(self, module: str) -> None:
        tree = ast.parse((COLLECTION / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8"))
        imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
        assert [getattr(node, "module", "") for node in imports] == ["__future__"]
        assert not [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))]


@pytest.mark.parametrize("module", MODULES)
class TestReturnValues:
    def test_have_all_that_a_reader_needs(self, module: str) -> None:
        def check(values: dict[str, t.Any], top: bool) -> None:
            for name, value in values.items():
                assert value.get("description"), name
                assert value.get("type"), name
                assert not top or value.get("returned"), name
                assert "sample" in value or "contains" in value or value.get("elements") == "dict", name
                assert (value["type"] == "list") == ("elements" in value), name
                check(value.get("contains", {}), False)

        check(documented(module, "RETURN"), True)

    def test_errors_have_a_reason(self, module: str) -> None:
        if module != "fleet_summary":
            assert documented(module, "RETURN")["reason"]["returned"] in ("failure", "always")


class TestKeysOfPortConflictInfo:
    RETURN: t.ClassVar = documented("port_conflict_info", "RETURN")

    @staticmethod
    def answer() -> dict[str, t.Any]:
        """One with every kind of conflict."""
        rows = [
            tcp("0.0.0.0:135", 564),
            tcp("0.0.0.0:1761", 2316),
            udp("0.0.0.0:1762", 2316),
            tcp("10.0.0.7:1763", 2316, "10.0.0.9:80", "ESTABLISHED"),
        ]
        ranges = "\r\nProtocol tcp Port Exclusion Ranges\r\n\r\nStart    End\r\n-----    ----\r\n  1764    1764\r\n"
        text = "Microsoft Windows [Version 10.0.19045.3803]\r\n" + table(rows) + ranges + '"backupd.exe","2316","BackupAgent"\r\n'
        return audit_capture(text.encode(), Question(tuple(from_set("all")), frozenset({"wuser32.exe"})))

    def test_of_the_result(self) -> None:
        assert set(self.answer()) == set(self.RETURN) - {"reason"}

    @pytest.mark.parametrize("key", ["conflicts", "ports"])
    def test_of_the_entries_of_a_list(self, key: str) -> None:
        entries = self.answer()[key]
        assert entries
        for entry in entries:
            assert set(entry) == set(self.RETURN[key]["contains"])

    def test_of_the_host(self) -> None:
        assert set(self.answer()["host"]) == set(self.RETURN["host"]["contains"])

    def test_of_the_endpoints(self) -> None:
        wanted = set(self.RETURN["ports"]["contains"]["endpoints"]["contains"])
        answer = self.answer()
        endpoints = [each for entry in (*answer["ports"], *answer["conflicts"]) for each in entry["endpoints"]]
        assert endpoints
        assert all(set(each) == wanted for each in endpoints)

    def test_every_kind_and_status_is_named(self) -> None:
        answer = self.answer()
        kinds = {each["kind"] for each in answer["conflicts"]}
        assert kinds == {"listener", "bound", "connection", "reserved"}
        text = str(self.RETURN["conflicts"]["contains"]["kind"]["description"])
        assert all(f"V({kind})" in text for kind in kinds)
        statuses = str(self.RETURN["ports"]["contains"]["status"]["description"])
        assert all(f"V({status})" in statuses for status in ("free", "agent", "conflict", "reserved", "unknown"))

    def test_types_are_those_of_the_values(self) -> None:
        kinds = {"str": str, "int": int, "bool": bool, "list": list, "dict": dict}

        def check(values: dict[str, t.Any], described: dict[str, t.Any]) -> None:
            for name, value in values.items():
                if value is not None:
                    assert isinstance(value, kinds[described[name]["type"]]), name

        answer = self.answer()
        check(answer, self.RETURN)
        check(answer["host"], self.RETURN["host"]["contains"])
        for key in ("conflicts", "ports"):
            for entry in answer[key]:
                check(entry, self.RETURN[key]["contains"])

    def test_the_sample_message_is_a_real_one(self) -> None:
        """The sentence in the documentation is what the code says for the values beside it."""
        from ansible_collections.sms.helpdesk.plugins.plugin_utils._conflicts import Owner

        contains = self.RETURN["conflicts"]["contains"]
        sample = {name: value["sample"] for name, value in contains.items() if "sample" in value}
        owner = Owner(sample["pid"], "known", sample["process"], sample["path"], tuple(sample["services"]))
        listing = parse(table([tcp("0.0.0.0:135", 4), udp(f"{sample['address']}:{sample['port']}", sample["pid"])]))
        (conflict,) = judge(from_set("original"), Evidence(listing.endpoints, {owner.pid or 0: owner}), frozenset()).conflicts
        assert {name: conflict[name] for name in sample} == sample


class TestKeysOfTheOthers:
    def test_of_a_restart(self) -> None:
        assert set(Restart._fields) | {"logged_on"} == set(documented("client_restart", "RETURN")) - {"reason"}

    def test_of_the_agent(self) -> None:
        described = documented("remote_control_agent", "RETURN")
        assert {"name", *Service("Wuser32", True, "Auto", "Running").shown()} == set(described["service"]["contains"])
        assert set(Memory._fields) == set(described["remembered"]["contains"])

    def test_of_the_summary(self) -> None:
        described = documented("fleet_summary", "RETURN")
        assert set(described) == {*summarise({}), "reasons"}
        assert set(described["counts"]["sample"]) == set(STATES)
