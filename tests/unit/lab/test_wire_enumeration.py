# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""WQL over Enumerate, Pull and Release."""

from __future__ import annotations

import datetime
from typing import Any
from xml.etree import ElementTree

import pytest

from lab import enumeration, soap
from lab.windows.events import Instance
from wire_requests import CIMV2, WQL, Line, fault_code, find, find_all, request, run, subcode
from wire_stub import StubHost

WMI_PROCESS = soap.WMI + "root/cimv2/Win32_Process"
QUERY = "select Handle, Name from Win32_Process"


def host(rows: int = 1, stack: str = "3.0", **settings: Any) -> StubHost:
    stub = StubHost(stack=stack, **settings)
    stub.rows = [{"Handle": str(number), "Name": f"program{number}.exe"} for number in range(rows)]
    return stub


def context(text: str) -> str:
    element = ElementTree.fromstring(text).find(f".//{{{soap.ENUMERATION}}}EnumerationContext")
    return (element.text or "") if element is not None else ""


def items(text: str) -> int:
    root = ElementTree.fromstring(text)
    return sum(len(element) for element in root.iter() if element.tag.rpartition("}")[2] == "Items")


async def pages(line: Line, query: str = QUERY, **details: Any) -> list[int]:
    """Number of items per answer, down to the last."""
    answer = await line.enumerate(query, **{key: value for key, value in details.items() if key != "maximum"})
    counts = [items(answer.text)]
    while context(answer.text):
        answer = await line.pull(context(answer.text), **{key: value for key, value in details.items() if key != "optimize"})
        counts.append(items(answer.text))
    assert "EndOfSequence" in answer.text
    return counts


@pytest.mark.parametrize(
    ("rows", "stack", "expected"), [(0, "3.0", [0]), (1, "3.0", [1]), (2, "3.0", [1, 1]), (5, "2.0", [1, 4]), (5, "1.1", [5])]
)
def test_pages(rows: int, stack: str, expected: list[int]) -> None:
    assert run(pages(Line(host(rows, stack)))) == expected


def test_without_optimization_the_first_answer_is_a_context() -> None:
    assert run(pages(Line(host(3)), optimize=False)) == [0, 3]


def test_pages_fill_the_envelope_counted_in_utf_16() -> None:
    async def scenario() -> list[tuple[int, int]]:
        line = Line(host(900))
        answer = await line.enumerate(QUERY, envelope=100_000)
        found = []
        while context(answer.text):
            answer = await line.pull(context(answer.text), envelope=100_000)
            found.append((len(answer.text), items(answer.text)))
        return found

    found = run(scenario())
    assert sum(count for _length, count in found) == 899
    assert all(length <= 50_000 for length, _count in found)
    assert all(length > 49_000 for length, _count in found[:-1])


def test_pull_without_a_maximum_gives_one_item() -> None:
    assert run(pages(Line(host(3)), maximum=None)) == [1, 1, 1]


def test_an_item_above_the_envelope_is_a_fault() -> None:
    stub = host(2)
    stub.rows[1]["Name"] = "x" * 20_000

    async def scenario() -> int:
        line = Line(stub)
        answer = await line.enumerate(QUERY, envelope=32_768)
        return fault_code(await line.pull(context(answer.text), envelope=32_768))

    assert run(scenario()) == 2150858824


def test_a_context_is_good_for_one_pull_of_its_user() -> None:
    async def scenario() -> list[str]:
        line = Line(host(9))
        first = context((await line.enumerate(QUERY)).text)
        await line.pull(first, maximum=2)
        return [subcode(await line.pull(first)), subcode(await line.pull("uuid:none")), subcode(await line.pull(first, action="Release"))]

    assert run(scenario()) == ["n:InvalidEnumerationContext"] * 3


def test_release_gives_the_operation_back() -> None:
    async def scenario() -> tuple[int, bool, bool]:
        line = Line(host(9, max_operations_per_user=1))
        answer = await line.enumerate(QUERY)
        refused = fault_code(await line.enumerate(QUERY))
        released = await line.pull(context(answer.text), action="Release")
        return refused, released.fault, (await line.enumerate(QUERY)).fault

    assert run(scenario()) == (2150859174, False, False)


def test_a_class_uri_without_a_filter_asks_for_everything() -> None:
    answer = run(Line(host()).enumerate("", resource=WMI_PROCESS))
    element = find(answer.text, WMI_PROCESS, "Win32_Process")
    assert element.get(f"{{{soap.INSTANCE}}}type") == "p:Win32_Process_Type"
    assert [child.tag for child in element] == [f"{{{WMI_PROCESS}}}Handle", f"{{{WMI_PROCESS}}}Name"]


def test_named_properties_come_as_a_fragment() -> None:
    fragment = find(run(Line(host()).enumerate(QUERY)).text, soap.WSMAN, "XmlFragment")
    assert [(child.tag, child.text) for child in fragment] == [("Handle", "0"), ("Name", "program0.exe")]


@pytest.mark.parametrize(
    ("details", "code"),
    [
        ({"query": "", "resource": CIMV2}, 2150858778),
        ({"query": QUERY, "dialect": "http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf"}, 2150858777),
        ({"query": QUERY, "extra": "<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>"}, 2150858886),
        ({"query": QUERY, "extra": "<w:MaxElements>0</w:MaxElements>"}, 2150858817),
        ({"query": QUERY, "resource": soap.WMI + "root/cimv2/bad class"}, 2150858811),
        ({"query": QUERY, "resource": "winrm/config/listener"}, 2150858811),
        ({"query": "select * from Win32_Nothing"}, 2150858778),
    ],
)
def test_refused(details: dict[str, Any], code: int) -> None:
    assert fault_code(run(Line(host()).enumerate(details.pop("query"), **details))) == code


def test_enumerate_without_its_element() -> None:
    assert fault_code(run(Line(host()).raw(request("Enumerate", resource=CIMV2)))) == 2150858817
    assert fault_code(run(Line(host()).raw(request("Pull", resource=CIMV2)))) == 2150858817


@pytest.mark.parametrize("stack", ["1.1", "2.0", "3.0"])
@pytest.mark.parametrize(
    ("hresult", "code", "kind"),
    [
        (0x80041010, 2150858778, "n:CannotProcessFilter"),
        (0x80041017, 2150858778, "n:CannotProcessFilter"),
        (0x8004100E, 2150858752, "a:DestinationUnreachable"),
        (0x80041003, 5, "w:AccessDenied"),
        (0x80070005, 2147942405, "w:InternalError"),
        (0x80041004, 0x80041004, "w:InternalError"),
        (-2147217404, 0x80041004, "w:InternalError"),
    ],
)
def test_errors_of_wmi(hresult: int, code: int, kind: str, stack: str) -> None:
    stub = host(stack=stack)
    stub.refusal = hresult
    answer = run(Line(stub).enumerate(QUERY))
    assert (fault_code(answer), subcode(answer)) == (code, kind)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, '<Name xsi:nil="true"/>'),
        ("", "<Name></Name>"),
        ("<&>", "<Name>&lt;&amp;&gt;</Name>"),
        ('"it\'s"', "<Name>&quot;it&apos;s&quot;</Name>"),
        (True, "<Name>true</Name>"),
        (4294967296, "<Name>4294967296</Name>"),
        ([1, 2], "<Name>1</Name><Name>2</Name>"),
        ([], '<Name xsi:nil="true"/>'),
    ],
)
def test_values(value: Any, text: str) -> None:
    rendered = enumeration.render(Instance("C", "root/cimv2", {"Name": value}, False), "3.0")
    assert rendered.endswith(f">{text}</w:XmlFragment>")


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime.datetime(2013, 4, 15, 20, 27, 39, 840000), "2013-04-15T20:27:39.84Z"),
        (datetime.datetime(2013, 3, 11, 21, 28, 4), "2013-03-11T21:28:04Z"),
        (datetime.datetime(2013, 3, 11, 21, 28, 10), "2013-03-11T21:28:10Z"),
        (
            datetime.datetime(2013, 3, 11, 21, 28, tzinfo=datetime.timezone(datetime.timedelta(hours=-3, minutes=-30))),
            "2013-03-11T21:28:00-03:30",
        ),
    ],
)
def test_times(moment: datetime.datetime, text: str) -> None:
    assert enumeration.datetime_text(moment) == text
    whole = enumeration.render(Instance("C", "root/cimv2", {"T": moment}, True), "3.0")
    assert f"<p:T><cim:Datetime>{text}</cim:Datetime></p:T>" in whole


def test_the_dialect_of_the_dmtf_resource() -> None:
    answer = run(Line(host()).enumerate(QUERY, resource=enumeration.DMTF_ALL, dialect="http://schemas.dmtf.org/wbem/wscim/1/WQL"))
    assert items(answer.text) == 1
    assert WQL in enumeration.WQL_DIALECTS


def test_counters() -> None:
    async def scenario() -> dict[str, int]:
        line = Line(host(3))
        await pages(line)
        return line.counters.as_dict()

    counted = run(scenario())
    assert (counted["enumerates"], counted["pulls"], counted["faults_sent"]) == (1, 1, 0)


def test_configuration() -> None:
    answer = run(Line(host()).raw(request("Get", resource="http://schemas.microsoft.com/wbem/wsman/1/config")))
    assert [element.text for element in find_all(answer.text, "http://schemas.microsoft.com/wbem/wsman/1/config", "MaxShellsPerUser")] == [
        "30"
    ]


@pytest.mark.parametrize(("rows", "fault"), [(1, False), (0, True), (2, True)])
def test_get_of_an_instance(rows: int, fault: bool) -> None:
    answer = run(Line(host(rows)).raw(request("Get", resource=WMI_PROCESS, selectors={"Handle": "0"})))
    assert answer.fault == fault
    if fault:
        assert fault_code(answer) == 2150858752
    else:
        assert find(answer.text, WMI_PROCESS, "Handle").text == "0"


def test_get_quotes_what_it_is_given() -> None:
    stub = host()
    asked: list[str] = []

    def query(namespace: str, wql: str, *, user: str) -> list[Instance]:
        asked.append(wql)
        return []

    stub.query = query  # type: ignore[method-assign]
    run(Line(stub).raw(request("Get", resource=WMI_PROCESS, selectors={"Name": "C:\\it's", "__cimnamespace": "root/cimv2"})))
    assert asked == ["select * from Win32_Process where Name = 'C:\\\\it\\'s'"]
