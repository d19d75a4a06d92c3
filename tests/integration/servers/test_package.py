# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`hotfix_package_info` on packages with every defect, and `hotfix_files` with each of them: what is not right is not written.

Each package belongs to a host of its own, so that two plays judge them all; nothing answers at any of these hosts.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import typing as t
from pathlib import Path

import pytest
import yaml
from server_plays import each

from controller import Controller, Run
from lab.servers import layout
from lab.servers.layout import Drive
from lab.servers.specification import read
from packages import builds
from packages.builds import NAMES
from packages.make import make

X86_USER = ("x86", "Wuser32.exe")
EVERY = [(platform, name) for platform in ("alpha", "x86") for name in NAMES]
NEW_YEAR_2020 = 1_577_836_800


@dataclasses.dataclass
class Case:
    """A package and what has to be said of it.

    :ivar make: arguments of `packages.make.make`.
    :ivar statuses: of the files that do not have `status`.
    :ivar words: what the message of each file of `statuses` has to have in it, or of all files if there are none.
    :ivar options: of the modules.
    """

    make: dict[str, t.Any]
    status: str = "match"
    statuses: dict[tuple[str, str], str] = dataclasses.field(default_factory=dict)
    words: str = ""
    options: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    change: t.Callable[[Path], None] | None = None
    usable: bool = False


def restamp(path: Path) -> None:
    """What a copy does that does not keep times."""
    for file in path.glob("*/*"):
        os.utime(file, (NEW_YEAR_2020, NEW_YEAR_2020))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def one(status: str, words: str, defect: str, **more: t.Any) -> Case:
    """One file is spoilt, Wuser32.exe for x86."""
    return Case({"defect": defect}, statuses={X86_USER: status}, words=words, **more)


def wrong_names(status: str) -> dict[tuple[str, str], str]:
    return {(platform, "Wchat32.exe"): status for platform in ("x86", "alpha")}


OTHER_SIZE = {pair: "mismatch" for pair in EVERY if pair != X86_USER}
CASES: dict[str, Case] = {
    "right": Case({}, usable=True),
    "linked": Case({"compiler": None}, usable=True),
    "german": Case({"language": "de"}, options={"language": "de"}, usable=True),
    "german-as-english": Case(
        {"language": "de"},
        statuses={X86_USER: "undetermined", ("alpha", "Wuser32.exe"): "later"},
        words="",
    ),
    "folders": Case({"folders": {"x86": "Intel", "alpha": "ALPHA"}}, usable=True),
    "i386": Case({"folders": {"x86": "i386"}, "platforms": ("x86",)}, usable=True),
    "only-alpha": Case(
        {"platforms": ("alpha",)},
        statuses={("x86", name): "missing" for name in NAMES},
        words="is not there",
        options={"platforms": ["x86", "alpha"]},
    ),
    "older": Case({"defect": "older"}, status="older", words="is older than Q229097"),
    "later": Case({"defect": "later"}, status="later", usable=True, words="is later than Q229097"),
    "restamped": Case({"defect": "restamped"}, statuses=OTHER_SIZE, words="another size"),
    "copied-today": Case(
        {}, status="later", statuses={X86_USER: "undetermined"}, words="Q192788", change=restamp, options={"platforms": ["x86"]}
    ),
    "old-file": one("older", "is older than Q229097", "old-file"),
    "swapped": Case({"defect": "swapped"}, status="mismatch", words="wrong folder"),
    "wrong-machine": one("mismatch", "is a program for alpha", "wrong-machine"),
    "text": one("mismatch", "is a text file", "text"),
    "text-of-size": one("mismatch", "is a text file", "text-of-size"),
    "truncated": one("mismatch", "was cut off", "truncated"),
    "headless": one("mismatch", "is no Windows program", "headless"),
    "empty": one("mismatch", "has no byte", "empty"),
    "longer": one("mismatch", "170,736 bytes", "longer"),
    "symlink": one("mismatch", "is a symbolic link", "symlink"),
    "dangling": one("mismatch", "is a symbolic link", "dangling"),
    "directory": one("mismatch", "is a directory", "directory"),
    "missing": one("missing", "is not there", "missing"),
    "misnamed": Case({"defect": "misnamed"}, statuses=wrong_names("misnamed"), words="Chat32.exe is: "),
    "both-names": Case({"defect": "both-names"}, usable=True),
    "upper": Case({"defect": "upper"}, usable=True),
    "lower": Case({"defect": "lower"}, usable=True),
    "twice": one("mismatch", "more than once", "twice"),
    "extra": Case({"defect": "extra"}, usable=True),
    "other-clock": Case({"defect": "other-clock"}, usable=True),
    "rounded": Case({"defect": "rounded"}, usable=True),
    "other-day": Case({"defect": "other-day"}, status="older", words="is older than"),
    "no-platform": Case({"defect": "no-platform"}),
}
if os.geteuid():
    CASES["unreadable"] = one("undetermined", "cannot be read", "unreadable")
TRUSTING = {"trusted-list": True, "trusted-mapping": True, "distrusted": False}


@dataclasses.dataclass
class Judged:
    """What the two plays said, and what lay on each server before and afterwards."""

    packages: dict[str, Path]
    info: Run
    files: Run
    before: dict[str, dict[str, t.Any]]
    after: dict[str, dict[str, t.Any]]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    place = tmp_path_factory.mktemp("packages")
    packages: dict[str, Path] = {}
    options: dict[str, dict[str, t.Any]] = {}
    for name, case in CASES.items():
        packages[name] = make(place / name, **{"compiler": False, **case.make})
        options[name] = case.options
        if case.change:
            case.change(packages[name])
    # The hotfix's own files with a late date, which nothing but a hash proves.
    for name in TRUSTING:
        packages[name] = make(place / name, platforms=("x86",), compiler=False)
        restamp(packages[name])
    hashes = [sha256(packages["trusted-list"] / "x86" / name) for name in NAMES]
    options["trusted-list"] = {"trusted_sha256": hashes}
    options["trusted-mapping"] = {"trusted_sha256": {"x86/wuser32.exe": hashes[NAMES.index("Wuser32.exe")].upper()}}
    options["distrusted"] = {"trusted_sha256": {"Wuser32.exe": [hashes[0]]}}
    trees = tmp_path_factory.mktemp("servers")
    server = read({"servers": [{"name": "site", "platforms": ["x86", "alpha"]}]}).servers["site"]
    hosts: dict[str, t.Any] = {}
    for name, path in packages.items():
        Drive(server, trees / name).build()
        hosts[name] = {"package": str(path), "root": str(trees / name / "SMS"), "options": options[name]}
    inventory = place / "inventory.yml"
    common = {"ansible_connection": "winrm", "ansible_host": "127.0.0.1", "ansible_port": 1}
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": common}}), encoding="utf-8")
    before = layout.snapshot(trees)
    common_options = {name: f"{{{{ options.{name} | default(omit) }}}}" for name in ("language", "platforms", "trusted_sha256")}
    controller = Controller(tmp_path_factory.mktemp("controller"), inventory)
    info = controller.tasks({"sms.helpdesk.hotfix_package_info": {"path": "{{ package }}", **common_options}}, hosts="all")
    untouched = layout.snapshot(trees)
    files = controller.tasks(
        {"sms.helpdesk.hotfix_files": {"root": "{{ root }}", "package": "{{ package }}", **common_options}}, hosts="all"
    )
    assert untouched == before
    return Judged(packages, info, files, before, layout.snapshot(trees))


def statuses(result: dict[str, t.Any]) -> dict[tuple[str, str], str]:
    return {(file["platform"], file["name"]): file["status"] for file in result["files"]}


@pytest.mark.parametrize("name", CASES)
def test_every_file_is_judged(judged: Judged, name: str) -> None:
    case, result = CASES[name], judged.info.of(name, "hotfix_package_info")
    assert (result["outcome"], result["changed"]) == ("ok", False)
    found = statuses(result)
    if name == "no-platform":
        assert found == {}
    else:
        platforms = case.options.get("platforms") or case.make.get("platforms") or ("x86", "alpha")
        assert set(found) == {(platform, file) for platform in platforms for file in NAMES}
    assert found == {pair: case.statuses.get(pair, case.status) for pair in found}
    assert result["usable"] is case.usable
    problems = [file["message"] for file in result["files"] if file["status"] not in ("match", "later")]
    assert result["problems"] == problems


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.words])
def test_every_defect_has_a_sentence_of_its_own(judged: Judged, name: str) -> None:
    case, result = CASES[name], judged.info.of(name, "hotfix_package_info")
    wanted = case.statuses or statuses(result)
    messages = [file["message"] for file in result["files"] if (file["platform"], file["name"]) in wanted]
    assert messages
    for message in messages:
        assert case.words in message
        assert message.count("\n") == 0 and message.endswith(".")


@pytest.mark.parametrize("name", [*CASES, *TRUSTING])
def test_what_is_not_usable_is_not_written(judged: Judged, name: str) -> None:
    usable = CASES[name].usable if name in CASES else TRUSTING[name]
    result = judged.files.of(name, "hotfix_files")
    before, after = ({path: e for path, e in tree.items() if path.startswith(f"{name}/")} for tree in (judged.before, judged.after))
    if usable:
        assert (result["outcome"], result["changed"]) == ("ok", True), result
        assert before != after
    else:
        assert (result["outcome"], result["changed"], result["reason"]) == ("failed", False, "package-not-usable")
        assert result["msg"].startswith(f"{name}: ") and str(judged.packages[name]) in result["msg"]
        assert before == after


def test_a_wrong_name_is_installed_under_neither(judged: Judged) -> None:
    result = judged.info.of("misnamed", "hotfix_package_info")
    told = [file for file in result["files"] if file["status"] == "misnamed"]
    assert [file["path"] for file in told] == [str(judged.packages["misnamed"] / platform / "Chat32.exe") for platform in ("alpha", "x86")]
    assert all("rename it to Wchat32.exe" in file["message"] for file in told)
    assert not [path for path in judged.after if path.lower().endswith("/chat32.exe")]


def test_beside_the_right_name_the_wrong_one_is_left_out(judged: Judged) -> None:
    assert any("Chat32.exe" in warning for warning in judged.info.of("both-names", "hotfix_package_info")["warnings"])
    assert not [path for path in judged.after if path.lower().endswith("/chat32.exe")]


def test_what_lies_in_the_package_beside_the_hotfix_is_told_and_left(judged: Judged) -> None:
    assert any("Readme.txt" in warning for warning in judged.info.of("extra", "hotfix_package_info")["warnings"])
    assert not [path for path in judged.after if path.lower().endswith("readme.txt")]


def test_a_package_without_folders_says_what_it_needs(judged: Judged) -> None:
    result = judged.info.of("no-platform", "hotfix_package_info")
    assert any("x86" in warning and "alpha" in warning for warning in result["warnings"])


def test_a_hash_decides_whatever_the_date_says(judged: Judged) -> None:
    found = {name: statuses(judged.info.of(name, "hotfix_package_info")) for name in TRUSTING}
    assert found["trusted-list"] == {("x86", name): "match" for name in NAMES}
    assert found["trusted-mapping"][X86_USER] == "match"
    assert found["distrusted"][X86_USER] == "mismatch"
    assert {found["trusted-mapping"]["x86", name] for name in NAMES if name != "Wuser32.exe"} == {"later"}


def test_the_language_a_file_belongs_to_is_told(judged: Judged) -> None:
    result = judged.info.of("german-as-english", "hotfix_package_info")
    message = next(file["message"] for file in result["files"] if (file["platform"], file["name"]) == X86_USER)
    assert "'de'" in message


@pytest.mark.parametrize("name", ["right", "linked"])
def test_facts_are_those_of_the_files(judged: Judged, name: str) -> None:
    for file in judged.info.of(name, "hotfix_package_info")["files"]:
        path = Path(file["path"])
        expected = builds.file(file["name"], file["platform"])
        assert path == judged.packages[name] / file["platform"] / file["name"]
        assert (file["size"], file["sha256"], file["machine"]) == (expected.size, sha256(path), file["platform"])
        assert file["file_version"] == "1.2.0.0"
        assert file["expected"]["label"] == "786"
        assert file["component"] == ("administrator" if file["name"] == "Sightnt.dll" else "clients")


def test_names_and_folders_in_any_case_are_staged_under_the_server_s_names(judged: Judged) -> None:
    for name in ("upper", "lower", "folders"):
        assert {path for path in judged.after if path.startswith(f"{name}/") and "/sms.helpdesk/" not in path} == {
            path for path in judged.before if path.startswith(f"{name}/")
        }


WRONG: dict[str, tuple[dict[str, t.Any], str | None, str]] = {
    "no package": ({"path": "nowhere"}, "package-missing", "nowhere"),
    "a file": ({"path": "book.yml"}, "package-missing", "is no directory"),
    "a language": ({"path": ".", "language": "fr"}, "bad-argument", "has only de, en"),
    "a platform": ({"path": ".", "platforms": ["mips"]}, "bad-argument", "has no 'mips'"),
    "no platform": ({"path": ".", "platforms": []}, "bad-argument", "it is empty"),
    "a platform twice": ({"path": ".", "platforms": ["x86", "X86"]}, "bad-argument", "it has a name twice"),
    "a hotfix": ({"path": ".", "hotfix": "Q000000"}, "manifest-missing", "name one of Q229097"),
    "no hash": ({"path": ".", "trusted_sha256": ["abc"]}, "bad-argument", "'abc' is no sha256"),
    "a hash of no file": ({"path": ".", "trusted_sha256": {"Chat32.exe": "0" * 64}}, "bad-argument", "'Chat32.exe' names no file"),
    "an option": ({"path": ".", "paths": "."}, None, "paths"),
}


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, t.Any]]:
    place = tmp_path_factory.mktemp("wrong")
    inventory = place / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": {"here": {"ansible_connection": "winrm"}}}}), encoding="utf-8")
    cases = {name: arguments for name, (arguments, _reason, _words) in WRONG.items()}
    return each(Controller(place, inventory), "hotfix_package_info", cases, "here")


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(wrong: dict[str, dict[str, t.Any]], name: str) -> None:
    _arguments, reason, words = WRONG[name]
    result = wrong[name]
    assert (result["outcome"], result.get("reason")) == ("failed", reason)
    assert words in result["msg"]
