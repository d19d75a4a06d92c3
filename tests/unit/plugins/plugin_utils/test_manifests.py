# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A manifest of a user's own: what is wrong with it is told with its place, and none reaches outside of the SMS directory."""

from __future__ import annotations

import copy
import datetime as dt
import typing as t

import pytest
import yaml
from ansible_collections.sms.helpdesk.plugins.plugin_utils._attribute_table import parse_date, parse_size, parse_time
from ansible_collections.sms.helpdesk.plugins.plugin_utils._manifest import ManifestError, load
from ansible_collections.sms.helpdesk.plugins.plugin_utils._windows_names import fault_of_name, fault_of_path
from hypothesis import given
from hypothesis import strategies as st

MANIFEST: dict[str, t.Any] = {
    "format": 1,
    "hotfix": "Q216552",
    "platforms": {"x86": {"folders": ["x86"], "directory": "X86.bin", "machine": 0x14C}},
    "components": {"clients": {"directory": r"Site.srv\Maincfg.box\Client.src\{platform}", "replica": "{platform}"}},
    "files": {"Smsrun32.exe": {"component": "clients"}},
    "tables": {"en": [{"date": "01/22/99", "time": "3:26pm", "size": "326 KB", "file": "smsrun32.EXE", "platform": "X86"}]},
}


def changed(*path: t.Any, value: t.Any) -> str:
    data = copy.deepcopy(MANIFEST)
    place = data
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return yaml.safe_dump(data)


def test_one_that_is_right() -> None:
    catalogue = load(yaml.safe_dump(MANIFEST))
    (row,) = catalogue.tables["en"].values()
    assert (row.file, row.platform, row.time) == ("Smsrun32.exe", "x86", dt.datetime(1999, 1, 22, 15, 26))
    assert row.size.allows(333_824 + 1024)
    assert not row.size.allows(333_824 + 1025)
    assert catalogue.tolerance == dt.timedelta(hours=24)


ESCAPES = [
    r"..\{platform}", r"Site.srv\..\..\{platform}", r"\{platform}", r"\\server\share\{platform}", r"C:\{platform}", r"C:{platform}",
    "/etc/{platform}", r"Site.srv\{platform}\..\x", r"Site.srv\{platform}:stream", r"CON\{platform}", r"Site.srv\nul.txt\{platform}",
    r"LPT1 .x\{platform}", r"Site.srv.\{platform}", r"Site.srv \{platform}", r"Site.srv\\{platform}",
    r"a*b\{platform}", "a\x00b\\{platform}",
    r"sms.helpdesk\{platform}", r"Site.srv\fixed", r"{platform}\{platform}",
]  # fmt: skip


@pytest.mark.parametrize("directory", ESCAPES)
@pytest.mark.parametrize("key", ["directory", "replica"])
def test_none_reaches_outside(key: str, directory: str) -> None:
    with pytest.raises(ManifestError):
        load(changed("components", "clients", key, value=directory))


@pytest.mark.parametrize("name", ["..", "a/b", "a\\b", "CON", "com1.exe", "a:b", "x.", " x", "x\x01", "", "a" * 256, "LPT\u00b9"])
def test_no_name_of_a_file_is_a_path_or_a_device(name: str) -> None:
    with pytest.raises(ManifestError):
        load(changed("files", value={name: {"component": "clients"}}))
    assert fault_of_name(name)


@given(st.text(max_size=40))
def test_a_path_without_a_fault_stays_below(path: str) -> None:
    if fault_of_path(path) is None:
        parts = path.replace("/", "\\").split("\\")
        assert all(part and part.strip(". ") and ":" not in part for part in parts)
        assert not {"..", "."} & set(parts)


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        (("format",), 2, "format"),
        (("format",), True, "format"),
        (("hotfix",), "../x", "hotfix"),
        (("platforms",), {}, "platforms"),
        (("platforms", "x86", "machine"), "0x14c", "machine"),
        (("platforms", "x86", "folders"), [], "folder"),
        (("platforms", "x86", "folders"), ["a/b"], "a/b"),
        (("platforms", "x86", "speed"), 1, "speed"),
        (("files", "Smsrun32.exe", "component"), "nothing", "nothing"),
        (("files", "Smsrun32.exe", "aliases"), {"smsrun32.exe": "same"}, "smsrun32.exe"),
        (("tables",), {"en": []}, "row"),
        (("tables", "en", 0, "date"), "21/12/00", "month"),
        (("tables", "en", 0, "date"), "soon", "soon"),
        (("tables", "en", 0, "size"), "8,1012", "8,1012"),
        (("tables", "en", 0, "size"), 326, "326"),
        (("tables", "en", 0, "time"), "13:00p", "13:00p"),
        (("tables", "en", 0, "platform"), "mips", "mips"),
        (("tables", "en", 0, "file"), "Other.exe", "Other.exe"),
        (("or_later",), {"tolerance_hours": -1}, "tolerance_hours"),
        (("or_later",), {"tolerance_hours": 999}, "tolerance_hours"),
        (("unfixable_platforms",), {"x86": {"directory": "Mips.bin", "message": "none"}}, "x86"),
        (("other_products",), [{"version": "2.0"}], "product"),
        (("surprise",), 1, "surprise"),
    ],
)
def test_what_is_wrong_is_named(path: tuple[t.Any, ...], value: t.Any, word: str) -> None:
    with pytest.raises(ManifestError, match=word.replace(".", r"\.").replace("/", "/")):
        load(changed(*path, value=value))


@pytest.mark.parametrize(
    "text",
    ["", "- 1", "format: [", "a: &x 1\nb: *x", "format: 1\nformat: 1", "1: 2", "!!python/object:os.system {}", "x" * 1_000_001, "\x00"],
)
def test_what_is_no_manifest(text: str) -> None:
    with pytest.raises(ManifestError):
        load(text)


@given(st.text(max_size=200))
def test_any_text_is_a_manifest_or_an_error(text: str) -> None:
    with pytest.raises(ManifestError):
        load(text)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("3/23/00", (2000, 3, 23)),
        ("03/23/2000", (2000, 3, 23)),
        ("03/1/99", (1999, 3, 1)),
        ("14-Dec-2001", (2001, 12, 14)),
        ("01-Mar-01", (2001, 3, 1)),
    ],
)
def test_dates_as_the_articles_print_them(text: str, date: tuple[int, int, int]) -> None:
    assert parse_date(text) == dt.date(*date)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("09:27p", (21, 27)), ("3:26pm", (15, 26)), ("7:22PM", (19, 22)), ("08:18 PM", (20, 18)), ("03:45 P.M.", (15, 45)),
        ("18:13", (18, 13)), ("5:39:46", (5, 39, 46)), ("00:21a", (0, 21)), ("12:20a", (0, 20)), ("12:55p", (12, 55)),
        ("xx:xx", None), ("", None),
    ],
)  # fmt: skip
def test_times_as_the_articles_print_them(text: str, time: tuple[int, ...] | None) -> None:
    assert parse_time(text) == (None if time is None else dt.time.fromisoformat(":".join(f"{part:02}" for part in time)))


@pytest.mark.parametrize("text", ["24:00", "9:60", "13:00a", "00:10p", "noon", "9"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "exact", "slack"),
    [
        ("649,488", 649_488, 0), ("800528", 800_528, 0), ("16,256b", 16_256, 0), ("283,104 bytes", 283_104, 0), ("326 KB", 333_824, 1024),
        ("18KB", 18_432, 1024), ("29K", 29_696, 1024), ("14.5 KB", 14_848, 102), ("1.61 MB", 1_688_207, 10_486),
    ],
)  # fmt: skip
def test_sizes_as_the_articles_print_them(text: str, exact: int, slack: int) -> None:
    size = parse_size(text)
    assert (size.bytes, size.slack) == (exact, slack)


@given(st.integers(0, 10**9 - 1))
def test_a_size_with_commas_is_exact(number: int) -> None:
    assert parse_size(f"{number:,}") == (number, 0)
    assert parse_size(str(number)) == (number, 0)
