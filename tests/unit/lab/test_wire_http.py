# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP and logon over real sockets."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import encryption, soap
from wire_http import BASIC, CREATE, PASSWORD, SOAP_TYPE, USER, Client
from wire_requests import find, request
from wire_stub import Pause, StubHost, running

IDENTIFY = (
    f'<s:Envelope xmlns:s="{soap.SOAP}" xmlns:wsmid="{soap.IDENTITY}"><s:Header/><s:Body><wsmid:Identify/></s:Body></s:Envelope>'
).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    hosts = [
        StubHost("PC1", "127.77.1.1"),
        StubHost("SAFE", "127.77.1.2", allow_unencrypted=False),
        StubHost("RAW", "127.77.1.3", authentication=frozenset({"ntlm"})),
        StubHost("SELF", "127.77.1.4", certificate="self-signed"),
        StubHost("OLD", "127.77.1.5", certificate="expired"),
        StubHost("OTHER", "127.77.1.6", certificate="wrong-name"),
        StubHost("OFF", "127.77.1.7"),
        StubHost("SMALL", "127.77.1.8", max_envelope_kb=1, users={USER: "another"}),
        StubHost("PLAIN", "127.77.1.9", https=False),
    ]
    with running(tmp_path_factory.mktemp("lab"), *hosts) as running_lab:
        yield running_lab


def offers(headers: http.client.HTTPMessage) -> list[str]:
    return headers.get_all("WWW-Authenticate") or []


def test_basic(server: Any) -> None:
    with Client(server) as client:
        status, body, headers = client.send()
    assert status == 200 and b"ResourceCreated" in body
    assert headers["Content-Type"] == SOAP_TYPE and headers["Server"] == "Microsoft-HTTPAPI/2.0"


@pytest.mark.parametrize("name", [USER, USER.upper(), f"PC1\\{USER}", f".\\{USER}", f"pc1\\{USER}"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_names_of_a_local_account(server: Any, name: str, encoding: str) -> None:
    value = base64.b64encode(f"{name}:{PASSWORD}".encode(encoding)).decode()
    with Client(server) as client:
        assert client.send(authorization="Basic " + value)[0] == 200


@pytest.mark.parametrize(
    "value",
    [
        "",
        "!",
        base64.b64encode(b"helpdesk").decode(),
        base64.b64encode(b"helpdesk:x").decode(),
        base64.b64encode(b"D\\helpdesk:x").decode(),
    ],
)
def test_bad_basic(server: Any, value: str) -> None:
    with Client(server) as client:
        status, body, headers = client.send(authorization="Basic " + value)
        assert (status, body) == (401, b"")
        assert offers(headers) == ["Negotiate", "NTLM", 'Basic realm="WSMAN"']
        # The connection survives a refusal.
        assert client.send()[0] == 200


def test_no_credentials(server: Any) -> None:
    with Client(server) as client:
        assert client.send(authorization=None)[0] == 401


def test_basic_is_neither_offered_nor_taken_where_it_would_travel_in_the_clear(server: Any) -> None:
    with Client(server, "SAFE") as client:
        status, _body, headers = client.send()
        assert status == 401 and offers(headers) == ["Negotiate", "NTLM"]
    with Client(server, "SAFE", tls=True) as client:
        assert client.send()[0] == 200


def test_only_what_the_host_allows(server: Any) -> None:
    with Client(server, "RAW") as client:
        status, _body, headers = client.send()
        assert status == 401 and offers(headers) == ["NTLM"]
        assert client.log_on("Negotiate")[0] == 401
    with Client(server, "RAW") as client:
        assert client.log_on("NTLM") == (200, b"")


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("protocol", ["ntlm", "negotiate"])
def test_logon_then_an_encrypted_conversation(server: Any, protocol: str, tls: bool) -> None:
    with Client(server, "SAFE", tls=tls) as client:
        assert client.log_on(protocol=protocol) == (200, b"")
        for _count in range(3):
            status, clear = client.send_encrypted()
            assert status == 200 and b"ResourceCreated" in clear


def test_logon_with_the_request_in_every_leg(server: Any) -> None:
    with Client(server, "SAFE", tls=True) as client:
        status, body = client.log_on(body=CREATE)
        assert status == 200 and b"ResourceCreated" in body


@pytest.mark.parametrize("name", [f"SAFE\\{USER}", f".\\{USER}", f"WORKSTATION\\{USER}", USER.upper()])
def test_ntlm_names(server: Any, name: str) -> None:
    with Client(server, "SAFE") as client:
        assert client.log_on(user=name)[0] == 200


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("nobody", PASSWORD), (f"DOMAIN\\{USER}", PASSWORD)])
def test_bad_ntlm(server: Any, user: str, password: str) -> None:
    with Client(server, "SAFE") as client:
        assert client.log_on(user=user, password=password) == (401, b"")
        assert client.send(authorization=None)[0] == 401


def test_each_host_has_accounts_of_its_own(server: Any) -> None:
    with Client(server, "SMALL") as client:
        assert client.log_on()[0] == 401
    with Client(server, "SMALL") as client:
        assert client.log_on(password="another")[0] == 200


@pytest.mark.parametrize("token", ["!", "", base64.b64encode(b"NTLMSSP\0junk").decode(), base64.b64encode(b"\x60\x03abc").decode()])
def test_broken_tokens(server: Any, token: str) -> None:
    with Client(server) as client:
        assert client.send(b"", f"Negotiate {token}")[0] == 401


def test_a_logon_belongs_to_its_connection(server: Any) -> None:
    with Client(server) as first, Client(server) as second:
        assert first.log_on()[0] == 200
        assert first.send(authorization=None)[0] == 200
        assert second.send(authorization=None)[0] == 401


def test_a_clear_text_body_after_ntlm_is_refused(server: Any) -> None:
    with Client(server, "SAFE") as client:
        client.log_on()
        assert client.send(authorization=None)[:2] == (500, b"")


def test_an_encrypted_fault(server: Any) -> None:
    with Client(server, "SAFE") as client:
        client.log_on()
        status, clear = client.send_encrypted(request("Delete"))
        assert status == 500 and b'Code="2150858843"' in clear


def test_encrypted_messages_that_do_not_decrypt(server: Any) -> None:
    with Client(server, "SAFE") as client:
        client.log_on()
        sealed = bytearray(encryption.wrap(client.context, CREATE))
        sealed[-60] ^= 1
        assert client.send(bytes(sealed), None, content_type=encryption.CONTENT_TYPE)[0] == 400
    with Client(server) as client:
        assert client.send(b"--Encrypted Boundary--", content_type=encryption.CONTENT_TYPE)[0] == 400


@pytest.mark.parametrize(
    "body", [b"", b"x", b"--B\r\n--B\r\n", b"--B\r\nLength=1\r\n--B\r\n\tContent-Type: application/octet-stream\r\nab--B--"]
)
def test_unwrap_refuses_what_is_no_message(body: bytes) -> None:
    with pytest.raises(encryption.InvalidMessage):
        encryption.unwrap(None, f'multipart/encrypted;protocol="{encryption.SPNEGO}";boundary="B"', body)


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"path": "/"}, 404),
        ({"path": "/wsman/other"}, 404),
        ({"path": "/WSMan?PSVersion=5.1"}, 200),
        ({"method": "GET", "body": b""}, 405),
        ({"method": "PUT"}, 405),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": ""}, 415),
    ],
)
def test_statuses(server: Any, how: dict[str, Any], status: int) -> None:
    with Client(server) as client:
        assert client.send(**how)[0] == status


def test_a_body_that_is_no_xml_is_a_fault(server: Any) -> None:
    with Client(server) as client:
        status, body, _headers = client.send(b"hello")
        assert status == 500 and b"SchemaValidationError" in body


def test_a_body_above_every_limit(server: Any) -> None:
    with Client(server) as client:
        try:
            status = client.send(b"x" * (5 * 1024 * 1024))[0]
        except (BrokenPipeError, ConnectionResetError):
            # The answer may come while the body is still on its way.
            status = 413
        assert status == 413


def test_a_body_above_the_envelope(server: Any) -> None:
    with Client(server, "SMALL") as client:
        client.log_on(password="another")
        status, clear = client.send_encrypted(CREATE + b" " * 1024)
        assert status == 500 and b"EncodingLimit" in clear


def test_identify(server: Any) -> None:
    with Client(server) as client:
        status, body, _headers = client.send(IDENTIFY)
        assert status == 200 and b"OS: 0.0.0 SP: 0.0 Stack: 3.0" in body
        assert client.send(IDENTIFY, None)[0] == 401
        assert client.send(IDENTIFY, None, WSMANIDENTIFY="unauthenticated")[0] == 200
        assert client.send(IDENTIFY, None, path="/wsman-anon/identify")[0] == 200
        assert client.send(CREATE, None, WSMANIDENTIFY="unauthenticated")[0] == 401


def test_a_host_that_is_off_resets_connections(server: Any) -> None:
    host = server.endpoints["OFF"].host
    with Client(server, "OFF") as client:
        assert client.send()[0] == 200
        host.accepting = False
        try:
            with pytest.raises(ConnectionResetError):
                client.send()
            with pytest.raises(ConnectionResetError), Client(server, "OFF") as another:
                another.send()
        finally:
            host.accepting = True


def test_a_host_that_goes_down_drops_a_waiting_receive(server: Any) -> None:
    host = server.endpoints["OFF"].host
    host.scripts["hang"] = [Pause(3600)]
    with Client(server, "OFF") as client:
        shell = soap_text(client.send()[1], "Selector")
        body = "<rsp:CommandLine><rsp:Command>script hang</rsp:Command></rsp:CommandLine>"
        command = soap_text(client.send(request("Command", body, selectors={"ShellId": shell}))[1], "CommandId")
        body = f'<rsp:Receive><rsp:DesiredStream CommandId="{command}">stdout</rsp:DesiredStream></rsp:Receive>'
        client.connection.request(
            "POST", "/wsman", request("Receive", body, selectors={"ShellId": shell}), {"Authorization": BASIC, "Content-Type": SOAP_TYPE}
        )
        host.accepting = False
        try:
            with pytest.raises(ConnectionResetError):
                client.connection.getresponse()
        finally:
            host.accepting = True
    assert host.ended[-1] == "script hang"


def soap_text(body: bytes, name: str) -> str:
    return find(body.decode(), soap.WSMAN if name == "Selector" else soap.SHELL, name).text or ""


@pytest.mark.parametrize(("name", "word"), [("SELF", "self-signed"), ("OLD", "expired"), ("OTHER", "mismatch")])
def test_bad_certificates(server: Any, name: str, word: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=word), Client(server, name, tls=True) as client:
        client.send()
    with Client(server, name, tls=True, verify=False) as client:
        assert client.send()[0] == 200


def test_a_host_without_https_refuses(server: Any) -> None:
    with pytest.raises(ConnectionRefusedError), Client(server, "PLAIN", tls=True) as client:
        client.send()


def head(extra: str) -> bytes:
    """The head of a request for CREATE, by hand."""
    lines = (
        "POST /wsman HTTP/1.1",
        "Host: x",
        f"Authorization: {BASIC}",
        f"Content-Type: {SOAP_TYPE}",
        extra,
        f"Content-Length: {len(CREATE)}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_bytes_and_posts_are_counted_to_the_byte(server: Any) -> None:
    counters = server.endpoints["PC1"].counters
    counters.reset()
    message = head("Connection: close") + CREATE
    received = b""
    with socket.create_connection(("127.77.1.1", server.state["http_port"]), timeout=20) as sock:
        sock.sendall(message)
        while chunk := sock.recv(65536):
            received += chunk
    assert (counters.bytes_in, counters.bytes_out, counters.posts, counters.connections) == (len(message), len(received), 1, 1)


@pytest.mark.parametrize("events", [["no event"], [Pause(0), "no event"]])
def test_a_failure_of_the_lab_itself_is_no_windows_fault(server: Any, events: list[Any]) -> None:
    server.endpoints["PC1"].host.scripts["broken"] = events
    with Client(server) as client:
        shell = soap_text(client.send()[1], "Selector")
        body = "<rsp:CommandLine><rsp:Command>script broken</rsp:Command></rsp:CommandLine>"
        status, content, _headers = client.send(request("Command", body, selectors={"ShellId": shell}))
        if status == 200:
            command = soap_text(content, "CommandId")
            body = f'<rsp:Receive><rsp:DesiredStream CommandId="{command}">stdout</rsp:DesiredStream></rsp:Receive>'
            status, content, _headers = client.send(request("Receive", body, selectors={"ShellId": shell}))
    assert status == 500 and b"lab itself failed" in content


def test_files_with_secrets_are_private(server: Any) -> None:
    directory = Path(server.directory)
    with Client(server) as client:
        client.log_on()
    for path in (directory / "inventory.yml", *(directory / "accounts").iterdir()):
        assert path.stat().st_mode & 0o077 == 0


def test_expect_continue(server: Any) -> None:
    """As .NET and curl ask before a large body."""
    with socket.create_connection(("127.77.1.1", server.state["http_port"]), timeout=20) as sock:
        sock.sendall(head("Expect: 100-continue"))
        assert sock.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(CREATE)
        assert sock.recv(1024).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00", b"GARBAGE\r\n\r\n", b"POST /wsman HTTP/1.1\r\nContent-Length: x\r\n\r\n"])
def test_what_is_no_http_gets_400_and_no_traceback(server: Any, garbage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_connection(("127.77.1.1", server.state["http_port"]), timeout=20) as sock:
        sock.sendall(garbage + b"\r\n\r\n")
        assert sock.recv(1024).partition(b" ")[2].startswith(b"400")
    assert not [record for record in caplog.records if record.exc_info]
