# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""WQL and the classes of the model, against the recordings where they are at hand."""

from __future__ import annotations

import contextlib
import datetime
import re
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wire_recordings as recordings
from lab.windows.events import WmiError
from lab.windows.host import WindowsHost
from lab.windows.wmi.wql import parse
from windows_host import make, pid_of

RECORDED_VERSIONS = {"2003": "2003", "2008": "2008r2", "2012": "2012"}


@pytest.fixture(scope="module")
def shared() -> WindowsHost:
    return make(
        "10",
        agent="original",
        processes=[{"name": "a.exe", "pid": 4712, "path": r"C:\Tools\a.exe"}, {"name": "A_b.exe", "pid": 4716, "path": r"C:\O'Neil\b.exe"}],
    )


def names(host: WindowsHost, where: str) -> list[t.Any]:
    found = host.query("root/cimv2", f"SELECT Name FROM Win32_Process WHERE {where}")
    return [instance.properties["Name"] for instance in found]


def refused(host: WindowsHost, query: str, namespace: str = "root/cimv2", user: str = "") -> int:
    with pytest.raises(WmiError) as caught:
        host.query(namespace, query, user=user)
    return caught.value.hresult


def recorded_items(name: str) -> t.Iterator[list[tuple[str, str, str, str]]]:
    text = recordings.read(name)
    for first, second in re.findall(r"<w:XmlFragment[^>]*>(.*?)</w:XmlFragment>|<p:Win32_\w+ [^>]*>(.*?)</p:Win32_\w+>", text, re.DOTALL):
        yield re.findall(r"<(?:p:)?(\w+)( xsi:nil=\"true\"/)?>(?:<(?:cim:)?(Datetime)>)?([^<]*)", first or second)


def recorded_files() -> list[str]:
    return [name for name in recordings.names("txwinrm__server_") if re.search(r"_(Process|Service|OperatingSystem)_(all|star)_", name)]


if recorded_files():

    @pytest.mark.parametrize("name", recorded_files())
    def test_properties_are_those_of_the_recording_in_its_order(name: str) -> None:
        parts = re.match(r"(txwinrm__server)_(\d+)__(Win32_\w+?)_(?:all|star)", name)
        assert parts
        year, class_name = parts.group(2), parts.group(3)
        host = make(RECORDED_VERSIONS[year])
        ours = host.query("root/cimv2", f"SELECT * FROM {class_name}")
        compared = 0
        for item in recorded_items(name):
            item = [found for found in item if found[0] != "Datetime"]
            assert [found[0] for found in item] == list(ours[0].properties)
            for instance in ours:
                for key, _nil, when, text in item:
                    value = instance.properties[key]
                    if value is None:
                        continue
                    compared += 1
                    assert bool(when) == isinstance(value, datetime.datetime) or not text, key
                    assert (text in ("true", "false")) == isinstance(value, bool) or not text, key
            break
        assert compared

    @pytest.mark.parametrize("year", sorted(RECORDED_VERSIONS))
    def test_values_that_do_not_depend_on_the_computer_are_the_recorded_ones(year: str) -> None:
        (recorded,) = recorded_items(f"txwinrm__server_{year}__Win32_OperatingSystem_all_000.txt")
        values = {key: text for key, _nil, _when, text in recorded}
        ours = make(RECORDED_VERSIONS[year]).query("root/cimv2", "SELECT * FROM Win32_OperatingSystem")[0].properties
        for key in (
            "Version",
            "BuildNumber",
            "CSDVersion",
            "SystemDirectory",
            "WindowsDirectory",
            "OSLanguage",
            "Locale",
            "OSType",
            "ProductType",
        ):
            assert str(ours[key] or "") == values[key], key


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("ProcessId = 4712", ["a.exe"]),
        ("processid='4712'", ["a.exe"]),
        ("4712 = ProcessId", ["a.exe"]),
        ("ProcessId = 4712 OR ProcessId = 4716", ["a.exe", "A_b.exe"]),
        ("Name = 'A.EXE'", ["a.exe"]),
        ('Name = "a.exe"', ["a.exe"]),
        ("Name LIKE 'a%' AND ProcessId > 4700", ["a.exe", "A_b.exe"]),
        ("Name LIKE 'a[_]b%'", ["A_b.exe"]),
        ("Name LIKE 'a_b.exe'", ["A_b.exe"]),
        ("Name LIKE '[^b-z]__xe' OR Name LIKE 'a._x[a-f]'", ["a.exe"]),
        ("NOT (ProcessId <> 4712)", ["a.exe"]),
        ("NOT ProcessId != 4712", ["a.exe"]),
        (r"ExecutablePath = 'C:\\Tools\\a.exe'", ["a.exe"]),
        (r"ExecutablePath = 'C:\\O\'Neil\\b.exe'", ["A_b.exe"]),
        ("ExecutablePath IS NULL AND ProcessId < 5", ["System Idle Process", "System"]),
        ("ExecutablePath IS NOT NULL AND ProcessId = 4", []),
        ("ExecutablePath = NULL AND ProcessId = 0", ["System Idle Process"]),
        ("ProcessId >= 4712 AND (Name = 'x' OR ProcessId <= 4712)", ["a.exe"]),
        ("ProcessId = 0x1268", ["a.exe"]),
    ],
)
def test_conditions(shared: WindowsHost, where: str, found: list[str]) -> None:
    assert names(shared, where) == found


@pytest.mark.parametrize(
    "query",
    [
        "",
        "SELECT",
        "SELECT * FROM",
        "SELECT Name Win32_Process",
        "SELECT Name, FROM Win32_Process",
        "SELECT Nothing FROM Win32_Process",
        "SELECT Name FROM Win32_Process WHERE",
        "SELECT Name FROM Win32_Process WHERE Nothing = 1",
        "SELECT Name FROM Win32_Process WHERE Name",
        "SELECT Name FROM Win32_Process WHERE Name = a",
        "SELECT Name FROM Win32_Process WHERE Name = 'a",
        "SELECT Name FROM Win32_Process WHERE (Name = 'a'",
        "SELECT Name FROM Win32_Process WHERE Name LIKE 4",
        "SELECT Name FROM Win32_Process WHERE ProcessId = 'many'",
        "SELECT Name FROM Win32_Process WHERE Name IS 4",
        "SELECT Name FROM Win32_Process; DROP",
        "SELECT count(*) FROM Win32_Process",
        "SELECT Name FROM Win32_Process ORDER BY Name",
        "ASSOCIATORS OF {Win32_Process.Handle=4}",
    ],
)
def test_what_is_no_query(shared: WindowsHost, query: str) -> None:
    assert refused(shared, query) == 0x80041017


def test_unknown_classes_and_namespaces(shared: WindowsHost) -> None:
    assert refused(shared, "SELECT * FROM Win32_Nothing") == 0x80041010
    assert refused(shared, "SELECT * FROM Win32_Process", "root/nothing") == 0x8004100E
    assert refused(shared, "SELECT * FROM MSFT_NetTCPConnection", "root/standardcimv2") == 0x80041010
    assert refused(make("7"), "SELECT * FROM MSFT_NetTCPConnection", "root/StandardCimv2") == 0x8004100E
    for namespace in ("root/cimv2", r"ROOT\CIMV2", "Root/CIMv2"):
        assert shared.query(namespace, "SELECT Name FROM Win32_ComputerSystem")[0].properties == {"Name": "PC1"}


@pytest.mark.parametrize(("state", "hresult"), [("denied", 0x80041003), ("broken", 0x80041004), ("missing-class", 0x80041010)])
def test_wmi_that_does_not_work(state: str, hresult: int) -> None:
    host = make("10", wmi=state)
    assert refused(host, "SELECT Name FROM Win32_Process") == hresult
    if state == "missing-class":
        assert host.query("root/cimv2", "SELECT Version FROM Win32_OperatingSystem")


def test_only_administrators_may_ask() -> None:
    host = make("10", administrators=["boss"])
    assert refused(host, "SELECT Name FROM Win32_Process", user="helpdesk") == 0x80041003
    assert host.query("root/cimv2", "SELECT Name FROM Win32_Process", user="Boss")


def test_a_projection_has_its_columns_only_in_the_order_of_the_class(shared: WindowsHost) -> None:
    (found,) = shared.query("root/cimv2", "select processid, NAME from win32_process where ProcessId=4712")
    assert list(found.properties.items()) == [("Name", "a.exe"), ("ProcessId", 4712)]
    assert (found.class_name, found.namespace, found.whole) == ("Win32_Process", "root/cimv2", False)
    (found,) = shared.query("root/cimv2", "select * from Win32_Process where Win32_Process.ProcessId=4712")
    assert found.whole
    assert len(found.properties) == 45


def test_services_name_their_process(shared: WindowsHost) -> None:
    pid = pid_of(shared, "wuser32.exe")
    (found,) = shared.query(
        "root/cimv2", f"SELECT Name, State, StartMode, PathName, DesktopInteract FROM Win32_Service WHERE ProcessId = {pid}"
    )
    assert found.properties == {
        "DesktopInteract": True,
        "Name": "Wuser32",
        "PathName": r"C:\Windows\Wuser32.exe",
        "StartMode": "Auto",
        "State": "Running",
    }
    assert shared.query("root/cimv2", "SELECT Name FROM Win32_Service WHERE Started = TRUE AND Name = 'Spooler'")
    assert not shared.query("root/cimv2", "SELECT Name FROM Win32_Service WHERE Started = TRUE AND Name = 'BITS'")
    assert "DelayedAutoStart" in shared.query("root/cimv2", "SELECT * FROM Win32_Service")[0].properties
    assert "DelayedAutoStart" not in make("7").query("root/cimv2", "SELECT * FROM Win32_Service")[0].properties


def test_files_have_size_time_and_version(shared: WindowsHost) -> None:
    (found,) = shared.query(
        "root/cimv2", r"SELECT FileSize, LastModified, Version FROM CIM_DataFile WHERE Name = 'C:\\Windows\\Wuser32.exe'"
    )
    assert found.properties["FileSize"] == "170720"
    assert found.properties["LastModified"].date() == datetime.date(1998, 10, 5)
    (found,) = shared.query("root/cimv2", r"SELECT Name, Hidden FROM CIM_DataFile WHERE Drive='C:' AND Path='\\' AND FileName='sms'")
    assert found.properties == {"Hidden": True, "Name": r"c:\sms.ini"}


def test_creation_dates_lie_after_the_boot(shared: WindowsHost) -> None:
    boot = shared.query("root/cimv2", "SELECT LastBootUpTime FROM Win32_OperatingSystem")[0].properties["LastBootUpTime"]
    dates = [i.properties["CreationDate"] for i in shared.query("root/cimv2", "SELECT CreationDate FROM Win32_Process WHERE ProcessId > 4")]
    assert all(boot < date < shared.clock.now() for date in dates)


@given(st.text(alphabet="SELECT *FROM Win32_Process WHERE Name=<>!'\"\\()%1 LIKEANDORNOTISNULL", max_size=60))
def test_a_query_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(WmiError):
        parse(text)
