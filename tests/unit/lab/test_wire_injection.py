# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on request: the vocabulary, when they strike, and what they do on the wire."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import defusedxml
import defusedxml.ElementTree
import pytest
import yaml

import lab
from lab import injection, soap
from lab.injection import Fault, Injector, InvalidFault
from wire_http import CREATE, Client
from wire_requests import find, request
from wire_stub import Exit, Output, StubHost, running

LAB = Path(lab.__file__).parent


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    hosts = [StubHost("PC1", "127.77.2.1"), StubHost("SAFE", "127.77.2.2", allow_unencrypted=False)]
    with running(tmp_path_factory.mktemp("lab"), *hosts) as running_lab:
        yield running_lab


@pytest.fixture
def inject(server: Any) -> Iterator[Any]:
    """Put faults on a host; takes them away afterwards, also from the network."""

    def put(name: str, *faults: dict[str, Any]) -> None:
        server.endpoints[name].injector.replace(faults)

    yield put
    for name in server.endpoints:
        put(name)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("drop", "mapping"),
        ({}, "kind None"),
        ({"kind": "explode"}, "explode"),
        ({"kind": "drop", "on": "Everything"}, "Everything"),
        ({"kind": "drop", "on": "connect"}, "does not go"),
        ({"kind": "refuse", "on": "any"}, "does not go"),
        ({"kind": "drop", "nth": 0}, "counts from 1"),
        ({"kind": "drop", "times": -1}, "times"),
        ({"kind": "drop", "nth": "2"}, "nth"),
        ({"kind": "drop", "seconds": 1}, "no parameter 'seconds'"),
        ({"kind": "delay", "seconds": "long"}, "wants float"),
        ({"kind": "status", "code": True}, "wants int"),
        ({"kind": "xml-bomb", "variant": "nuclear"}, "variant is not one of"),
    ],
)
def test_invalid_faults_name_the_mistake(data: Any, message: str) -> None:
    with pytest.raises(InvalidFault, match=message):
        Fault.from_data(data)


def test_a_bare_on_in_yaml_means_on() -> None:
    assert Fault.from_data(yaml.safe_load("kind: drop\non: Receive\n")).on == "Receive"


def test_nth_and_times() -> None:
    fault = Fault.from_data({"kind": "drop", "nth": 2, "times": 2})
    assert [fault.due() for _count in range(5)] == [False, True, True, False, False]
    assert [Fault.from_data({"kind": "drop"}).due() for _count in range(2)] == [True, True]


def test_a_fault_strikes_where_it_should() -> None:
    injector = Injector([{"kind": "drop", "on": "Receive"}, {"kind": "delay"}, {"kind": "refuse", "times": 1}])
    assert [fault.kind for fault in injector.for_post("Create")] == ["delay"]
    assert [fault.kind for fault in injector.for_post("Receive", "auth")] == ["drop", "delay"]
    assert [injector.for_connection() for _count in range(2)] == ["refuse", None]


def test_a_mistake_changes_nothing() -> None:
    injector = Injector([{"kind": "drop"}])
    with pytest.raises(InvalidFault):
        injector.replace([{"kind": "hang"}, {"kind": "explode"}])
    assert [fault.kind for fault in injector.faults] == ["drop"]


def test_the_readme_has_a_valid_sample_of_every_kind() -> None:
    text = (LAB / "README.md").read_text(encoding="utf-8")
    shown = [fault for block in re.findall(r"```yaml\n(- kind:.*?)```", text, re.DOTALL) for fault in yaml.safe_load(block)]
    assert {Fault.from_data(fault).kind for fault in shown} == set(injection.KINDS)


@pytest.mark.parametrize("place", ["Create", "any", "auth"])
def test_drop_resets_without_carrying_out(server: Any, inject: Any, place: str) -> None:
    inject("PC1", {"kind": "drop", "on": place, "times": 1})
    created = server.endpoints["PC1"].counters.shells_created
    with Client(server) as client, pytest.raises(ConnectionResetError):
        client.send()
    assert server.endpoints["PC1"].counters.shells_created == created
    with Client(server) as client:
        assert client.send()[0] == 200


def test_drop_after_carrying_out(server: Any, inject: Any) -> None:
    inject("PC1", {"kind": "drop", "executed": True})
    created = server.endpoints["PC1"].counters.shells_created
    with Client(server) as client, pytest.raises(ConnectionResetError):
        client.send()
    assert server.endpoints["PC1"].counters.shells_created == created + 1


def test_drop_on_a_leg_of_the_logon(server: Any, inject: Any) -> None:
    inject("SAFE", {"kind": "drop", "on": "auth", "nth": 2})
    with Client(server, "SAFE") as client, pytest.raises(ConnectionResetError):
        client.log_on()


def test_drop_mid_body(server: Any, inject: Any) -> None:
    inject("PC1", {"kind": "drop-mid-body"})
    with Client(server) as client, pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        client.send()


def test_truncated_http(server: Any, inject: Any) -> None:
    inject("PC1", {"kind": "truncate"})
    with Client(server) as client, pytest.raises(http.client.IncompleteRead):
        client.send()


def test_truncated_xml_is_whole_http(server: Any, inject: Any) -> None:
    inject("PC1", {"kind": "truncate", "what": "xml"})
    with Client(server) as client:
        status, body, _headers = client.send()
    assert status == 200
    with pytest.raises(ElementTree.ParseError):
        ElementTree.fromstring(body)


def test_malformed_xml_is_encrypted_like_any_answer(server: Any, inject: Any) -> None:
    inject("SAFE", {"kind": "malformed-xml"})
    with Client(server, "SAFE") as client:
        client.log_on()
        status, body = client.send_encrypted()
    assert status == 200
    with pytest.raises(ElementTree.ParseError, match="mismatched tag"):
        ElementTree.fromstring(body)


@pytest.mark.parametrize("kind", ["hang", "black-hole"])
def test_nothing_ever_comes(server: Any, inject: Any, kind: str) -> None:
    inject("PC1", {"kind": kind})
    with Client(server) as client:
        client.connection.timeout = 0.3
        with pytest.raises(TimeoutError):
            client.send()


def test_trickle_delivers_everything(server: Any, inject: Any) -> None:
    inject("PC1", {"kind": "trickle", "bytes": 500, "seconds": 0.001})
    with Client(server) as client:
        status, body, _headers = client.send()
    assert status == 200 and find(body.decode(), soap.WSMAN, "Selector").text


@pytest.mark.parametrize("code", [401, 403, 500, 503])
def test_status(server: Any, inject: Any, code: int) -> None:
    inject("PC1", {"kind": "status", "code": code})
    with Client(server) as client:
        status, body, headers = client.send()
    assert status == code
    assert (b"<HTML>" in body) == (code != 401)
    assert bool(headers.get_all("WWW-Authenticate")) == (code == 401)


def test_status_without_a_body_on_the_logon(server: Any, inject: Any) -> None:
    inject("SAFE", {"kind": "status", "on": "auth", "html": False})
    with Client(server, "SAFE") as client:
        assert client.log_on() == (503, b"")


def test_html(server: Any, inject: Any) -> None:
    inject("PC1", {"kind": "html"})
    with Client(server) as client:
        status, body, headers = client.send()
    assert status == 200 and headers["Content-Type"].startswith("text/html") and b"Sign in" in body


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "timed-out"}, b"2150858793"),
        ({"kind": "quota-shells"}, b"2150859173"),
        ({"kind": "quota-operations"}, b"2150859174"),
        ({"kind": "fault", "code": 995, "subcode": "w:InternalError"}, b'Code="995"'),
        ({"kind": "fault", "code": 5, "subcode": "w:AccessDenied", "sender": True, "text": "No."}, b"No."),
    ],
)
def test_faults(server: Any, inject: Any, fault: dict[str, Any], code: bytes) -> None:
    with Client(server, "SAFE") as client:
        client.log_on()
        inject("SAFE", fault)
        status, body = client.send_encrypted()
    assert status == 500 and code in body


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("variant", ["entities", "quadratic", "external"])
def test_xml_bombs_are_well_formed_and_refused_by_a_safe_parser(server: Any, inject: Any, variant: str, status: int) -> None:
    inject("PC1", {"kind": "xml-bomb", "variant": variant, "status": status})
    with Client(server) as client:
        given, body, _headers = client.send()
    assert given == status
    with pytest.raises(defusedxml.EntitiesForbidden):
        defusedxml.ElementTree.fromstring(body)


def test_wrong_relates_to(server: Any, inject: Any) -> None:
    inject("PC1", {"kind": "wrong-relates-to"})
    with Client(server) as client:
        body = client.send()[1].decode()
    assert find(body, soap.ADDRESSING, "RelatesTo").text == "uuid:00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(("pieces", "answers"), [(0, 1), (2, 2)])
def test_split_output(server: Any, inject: Any, pieces: int, answers: int) -> None:
    inject("PC1", {"kind": "split-output", "on": "Receive", "bytes": 1, "pieces": pieces})
    server.endpoints["PC1"].host.scripts["four"] = [Output("stdout", "\u00e4\u00f6".encode()), Exit(0)]
    with Client(server) as client:
        shell = find(client.send()[1].decode(), soap.WSMAN, "Selector").text or ""
        body = "<rsp:CommandLine><rsp:Command>script four</rsp:Command></rsp:CommandLine>"
        command = find(client.send(request("Command", body, selectors={"ShellId": shell}))[1].decode(), soap.SHELL, "CommandId").text
        body = f'<rsp:Receive><rsp:DesiredStream CommandId="{command}">stdout</rsp:DesiredStream></rsp:Receive>'
        texts = [client.send(request("Receive", body, selectors={"ShellId": shell}))[1].decode()]
        while "Done" not in texts[-1]:
            texts.append(client.send(request("Receive", body, selectors={"ShellId": shell}))[1].decode())
    assert [text.count("==</rsp:Stream>") for text in texts] == [4 // answers] * answers


def test_delay_comes_before_another_fault(server: Any, inject: Any) -> None:
    inject("PC1", {"kind": "delay", "seconds": 0.01}, {"kind": "status", "code": 403})
    with Client(server) as client:
        assert client.send()[0] == 403


@pytest.mark.parametrize(("kind", "tls", "expected"), [("tls-reset", True, ConnectionError), ("refuse", False, ConnectionError)])
def test_connection_faults(server: Any, inject: Any, kind: str, tls: bool, expected: type[Exception]) -> None:
    inject("PC1", {"kind": kind})
    with pytest.raises((expected, ssl.SSLEOFError)), Client(server, tls=tls) as client:
        client.send()


def test_tls_reset_leaves_http_alone(server: Any, inject: Any) -> None:
    inject("PC1", {"kind": "tls-reset"})
    with Client(server) as client:
        assert client.send()[0] == 200


def test_refuse_through_the_control_port_closes_the_listener(server: Any) -> None:
    connection = http.client.HTTPConnection(server.state["control"].removeprefix("http://"), timeout=20)

    def control(method: str, body: bytes = b"") -> int:
        connection.request(method, "/hosts/PC1/faults", body)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    assert control("PUT", b'[{"kind": "refuse"}]') == 200
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.77.2.1", server.state["http_port"]), timeout=20)
    assert control("DELETE") == 200
    with Client(server) as client:
        assert client.send(CREATE)[0] == 200
    connection.close()
