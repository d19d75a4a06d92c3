# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What went wrong is told by class and number, and in one sentence."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import unicodedata

import pytest
import requests
import spnego.exceptions
import urllib3.exceptions
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _errors, _trouble
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import HelpdeskError, Unreachable
from ansible_collections.sms.helpdesk.plugins.plugin_utils._trouble import Trouble, explain
from hypothesis import given
from hypothesis import strategies as st
from winrm.exceptions import AuthenticationError, InvalidCredentialsError, WinRMError, WinRMOperationTimeoutError


def wrapped(inner: BaseException, *layers: type[BaseException] | BaseException) -> BaseException:
    """`inner` as urllib3 and requests hand it on: raised while handling it, one layer after the other."""
    error = inner
    for layer in layers:
        try:
            try:
                raise error
            except BaseException as cause:
                raise layer if isinstance(layer, BaseException) else layer(cause)  # noqa: B904 - that is what they do
        except BaseException as outer:
            error = outer
    return error


class ConnectTimeoutOf126(urllib3.exceptions.ConnectTimeoutError):
    """In urllib3 1.26 every failure to connect derives from its time-out class (NewConnectionError does)."""


def connecting(error: OSError) -> list[BaseException]:
    """A failure to connect, by itself and as urllib3 1.26 and 2 and requests wrap it."""
    pool = urllib3.HTTPConnectionPool("pc07")
    modern = urllib3.exceptions.NewConnectionError(pool, "whatever")  # type: ignore[arg-type]
    return [
        error,
        wrapped(error, requests.ConnectionError),
        wrapped(error, modern, urllib3.exceptions.MaxRetryError(pool, "/wsman", modern), requests.ConnectionError),
        wrapped(error, ConnectTimeoutOf126("whatever"), urllib3.exceptions.MaxRetryError(pool, "/wsman"), requests.ConnectionError),
        wrapped(error, urllib3.exceptions.ProtocolError, requests.ConnectionError),
    ]


class TestByErrno:
    @pytest.mark.parametrize(
        ("number", "reason"),
        [
            (errno.ECONNREFUSED, "refused"),
            (errno.ECONNRESET, "reset"),
            (errno.EPIPE, "reset"),
            (errno.ECONNABORTED, "reset"),
            (errno.EHOSTUNREACH, "no-route"),
            (errno.ENETUNREACH, "no-route"),
            (errno.EHOSTDOWN, "no-route"),
            (errno.ETIMEDOUT, "timeout"),
            (errno.EMFILE, "controller-exhausted"),
            (errno.ENFILE, "controller-exhausted"),
            (errno.EADDRNOTAVAIL, "controller-exhausted"),
        ],
    )
    def test_however_it_is_wrapped(self, number: int, reason: str) -> None:
        for error in connecting(OSError(number, "a text in any language")):
            assert Trouble.of_exception(error).reason == reason

    @pytest.mark.parametrize("text", ["Connection refused", "timed out", "401", "certificate verify failed", "Name or service not known"])
    def test_texts_are_not_read(self, text: str) -> None:
        assert Trouble.of_exception(OSError(errno.ECONNRESET, text)).reason == "reset"
        assert Trouble.of_exception(RuntimeError(text)).reason == "error"


class TestByClass:
    def test_names(self) -> None:
        for error in connecting(socket.gaierror(socket.EAI_NONAME, "Name or service not known")):
            assert Trouble.of_exception(error).reason == "dns"
        assert Trouble.of_exception(requests.exceptions.InvalidURL("no host supplied")).reason == "dns"

    @pytest.mark.parametrize(
        "error",
        [
            TimeoutError("timed out"),
            requests.ConnectTimeout("x"),
            requests.ReadTimeout("x"),
            wrapped(
                TimeoutError("timed out"),
                urllib3.exceptions.ReadTimeoutError(urllib3.HTTPConnectionPool("h"), "/", "x"),
                requests.ReadTimeout,
            ),
            wrapped(TimeoutError("timed out"), ConnectTimeoutOf126("x"), requests.ConnectTimeout),
            wrapped(TimeoutError("timed out"), urllib3.exceptions.ConnectTimeoutError("x"), requests.ConnectTimeout),
        ],
    )
    def test_time_outs(self, error: BaseException) -> None:
        assert Trouble.of_exception(error).reason == "timeout"

    def test_certificates(self) -> None:
        inner = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired")
        inner.verify_code, inner.verify_message = 10, "certificate has expired"
        for error in (inner, wrapped(inner, urllib3.exceptions.SSLError, requests.exceptions.SSLError)):
            trouble = Trouble.of_exception(error)
            assert (trouble.reason, trouble.detail) == ("tls-certificate", "certificate has expired")

    @pytest.mark.parametrize(
        "inner", [ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), ssl.SSLEOFError(8, "EOF"), ssl.SSLZeroReturnError(6, "closed")]
    )
    def test_tls_otherwise(self, inner: ssl.SSLError) -> None:
        for error in (inner, wrapped(inner, urllib3.exceptions.SSLError, requests.exceptions.SSLError)):
            assert Trouble.of_exception(error).reason == "tls"

    @pytest.mark.parametrize(
        "error",
        [
            InvalidCredentialsError("the specified credentials were rejected by the server"),
            AuthenticationError("x"),
            PermissionError("the NTLM handshake was not let in"),
            spnego.exceptions.InvalidTokenError(context_msg="x"),
            wrapped(spnego.exceptions.InvalidTokenError(context_msg="x"), WinRMError("x")),
        ],
    )
    def test_credentials(self, error: BaseException) -> None:
        assert Trouble.of_exception(error).reason == "credentials"

    @pytest.mark.parametrize(
        "error",
        [
            wrapped(http.client.RemoteDisconnected("closed"), urllib3.exceptions.ProtocolError, requests.ConnectionError),
            requests.exceptions.ChunkedEncodingError("x"),
            wrapped(http.client.IncompleteRead(b""), urllib3.exceptions.ProtocolError, requests.exceptions.ChunkedEncodingError),
        ],
    )
    def test_cut_lines(self, error: BaseException) -> None:
        assert Trouble.of_exception(error).reason == "reset"

    @pytest.mark.parametrize(
        "error",
        [
            wrapped(http.client.BadStatusLine("SSH-2.0-OpenSSH_9.2p1"), urllib3.exceptions.ProtocolError, requests.ConnectionError),
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"),
            IndexError("list index out of range"),
            WinRMError("the encrypted answer cannot be split"),
        ],
    )
    def test_something_that_is_not_winrm(self, error: BaseException) -> None:
        assert Trouble.of_exception(error).reason == "not-winrm"

    def test_an_issuer_file_that_is_not_there(self) -> None:
        """requests raises a bare OSError; without its text nobody would know which option is wrong."""
        error = OSError("Could not find a suitable TLS CA certificate bundle, invalid path: /etc/ssl/typo.pem")
        trouble = Trouble.of_exception(error)
        assert trouble.reason == "configuration"
        assert "/etc/ssl/typo.pem" in trouble.detail

    def test_a_circle_of_causes_ends(self) -> None:
        first, second = RuntimeError("a"), RuntimeError("b")
        first.__context__, second.__context__ = second, first
        assert Trouble.of_exception(first).reason == "error"

    def test_a_time_out_of_pywinrm(self) -> None:
        assert Trouble.of_exception(WinRMOperationTimeoutError()).reason in _trouble._SENTENCES


class TestFaults:
    @pytest.mark.parametrize(
        ("code", "inner", "subcode", "reason"),
        [
            (2150859173, None, "QuotaLimit", "quota-shells"),
            (2150859174, None, "InternalError", "quota-operations"),
            (None, None, "QuotaLimit", "quota-operations"),
            (2150858793, None, "TimedOut", "timeout"),
            (None, None, "TimedOut", "timeout"),
            (2150858843, None, "InvalidSelectors", "shell-gone"),
            (2150858778, 2150858778, "CannotProcessFilter", "class-missing"),
            (2147942402, None, "InternalError", "program-missing"),
            (2147942405, None, "InternalError", "access-denied"),
            (5, None, "AccessDenied", "access-denied"),
            (None, None, "AccessDenied", "access-denied"),
            (2150859046, 0x80041003, "InternalError", "access-denied"),
            (2150858817, None, "SchemaValidationError", "fault"),
            (None, None, "", "fault"),
        ],
    )
    def test_by_number_and_then_by_subcode(self, code: int | None, inner: int | None, subcode: str, reason: str) -> None:
        assert Trouble.of_fault(code, inner, subcode, "").reason == reason

    def test_the_number_is_told(self) -> None:
        assert "2150858817" in Trouble.of_fault(2150858817, None, "SchemaValidationError", "Grund. ").detail

    @given(st.text(max_size=500), st.text(max_size=100), st.none() | st.integers(0, 2**32))
    def test_texts_of_strangers_stay_on_one_line(self, text: str, subcode: str, code: int | None) -> None:
        trouble = Trouble.of_fault(code, None, subcode, text)
        assert not {unicodedata.category(char) for char in trouble.detail} & {"Cc", "Cf", "Zl", "Zp"}
        assert len(trouble.detail) < 400


class TestSentences:
    REASONS = sorted(_trouble._SENTENCES)

    def test_every_class_of_trouble_has_one(self) -> None:
        told = {reason for _numbers, reason in _trouble._REASON_BY_ERRNO} | set(_trouble._REASON_BY_CODE.values())
        assert told <= set(self.REASONS)

    @pytest.mark.parametrize("reason", REASONS)
    def test_host_thing_cause_and_next_step_in_one_line(self, reason: str) -> None:
        cause, next_step = explain(Trouble(reason, "the detail"))
        error = Unreachable("pc07", "WinRM at http://10.0.0.7:5985/wsman", cause, next_step, reason)
        text = str(error)
        assert text.startswith("pc07: WinRM at http://10.0.0.7:5985/wsman: ")
        assert text.endswith(f"; {next_step}.")
        assert "(the detail)" in text
        assert text.isprintable()
        assert text.count(". ") == 0
        assert ".." not in text

    @pytest.mark.parametrize("reason", REASONS)
    def test_causes_and_steps_say_something(self, reason: str) -> None:
        cause, next_step = explain(Trouble(reason))
        assert len(cause) > 10
        assert len(next_step) > 10
        assert not cause.endswith(".")
        assert not next_step.endswith(".")
        assert next_step.split()[0].islower()

    def test_the_next_step_for_the_connection_names_the_variable(self) -> None:
        for reason, variable in (
            ("credentials", "ansible_password"),
            ("tls-certificate", "ansible_winrm_ca_trust_path"),
            ("refused", "ansible_port"),
            ("dns", "ansible_host"),
        ):
            assert variable in explain(Trouble(reason))[1]


class TestErrors:
    def kinds(self) -> list[type[HelpdeskError]]:
        return [each for each in vars(_errors).values() if isinstance(each, type) and issubclass(each, HelpdeskError)]

    def test_only_trouble_with_the_connection_is_unreachable(self) -> None:
        assert {kind.__name__ for kind in self.kinds() if kind.unreachable} == {"Unreachable"}

    def test_results(self) -> None:
        for kind in self.kinds():
            result = kind("pc07", "the thing", "the cause", "do something", "reason").as_result()
            assert result.pop("msg") == "pc07: the thing: the cause; do something."
            assert result.pop("reason") == "reason"
            assert result == ({"unreachable": True} if kind.unreachable else {"failed": True})


@given(st.sampled_from([OSError, RuntimeError, ValueError, WinRMError, requests.ConnectionError]), st.text(max_size=50))
def test_every_exception_finds_its_class(kind: type[Exception], text: str) -> None:
    trouble = Trouble.of_exception(kind(text))
    assert trouble.reason in _trouble._SENTENCES
    assert not {unicodedata.category(char) for char in explain(trouble)[0]} & {"Cc", "Cf", "Zl", "Zp"}
