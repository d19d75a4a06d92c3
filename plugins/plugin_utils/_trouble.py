# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between the controller and a client, and what to do about it. Private to the collection; pure.

The one table of such things. Classified by exception class, errno and fault number, never by text: texts are localised.
"""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import struct
import typing as t

from . import _libraries as lib
from ._text import amount, printable

_REASON_BY_ERRNO = (
    ({errno.ECONNREFUSED}, "refused"),
    ({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}, "no-route"),
    ({errno.ETIMEDOUT}, "timeout"),
    ({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.EADDRNOTAVAIL}, "controller-exhausted"),
    ({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED}, "reset"),
)

# WSManFault, HRESULT and WMI numbers.
_REASON_BY_CODE = {
    0x803381A5: "quota-shells",
    0x803381A6: "quota-operations",
    0x80338029: "timeout",
    0x8033805B: "shell-gone",
    0x8033801A: "class-missing",
    0x80041010: "class-missing",
    0x8004100E: "class-missing",
    0x80338000: "resource-missing",
    0x80070005: "access-denied",
    0x80041003: "access-denied",
    0x00000005: "access-denied",
    0x80041004: "wmi-broken",
    0x80041001: "wmi-broken",
    0x8004101D: "wmi-broken",
    0x80041013: "wmi-broken",
    0x800706BA: "wmi-broken",
    0x80070002: "program-missing",
    0x00000002: "program-missing",
}

_SENTENCES: dict[str, tuple[str, str]] = {
    "dns": ("the host name could not be resolved", "correct ansible_host or the name service"),
    "refused": (
        "the connection was refused",
        "start WinRM there with 'winrm quickconfig', or correct ansible_host, ansible_port and ansible_winrm_scheme",
    ),
    "no-route": ("there is no route to the host", "check that it is switched on and that the network lets the controller through"),
    "reset": ("the connection was cut", "check the WinRM service, proxies and firewalls on the way, then run again"),
    "timeout": (
        "no answer came in time",
        "check that it is switched on and not overloaded, or raise ansible_winrm_operation_timeout_sec and ansible_winrm_read_timeout_sec",
    ),
    "host-deadline": (
        "it did not answer everything within its time",
        "look at the load of the client and the network, or raise host_deadline",
    ),
    "run-deadline": (
        "the time of the whole run was over before it was judged",
        "raise deadline or concurrency, or audit the fleet in slices",
    ),
    "worker-lost": (
        "the process that audited it ended unexpectedly",
        "look for a lack of memory on the controller, then run again with less concurrency",
    ),
    "tls-certificate": (
        "the TLS certificate was not accepted",
        "trust its issuer with ansible_winrm_ca_trust_path, renew it, or use the name it was issued for in ansible_host",
    ),
    "tls": ("no TLS session could be set up", "check ansible_winrm_scheme and ansible_port, and the protocol versions of the client"),
    "credentials": (
        "the credentials or the authentication method were rejected (401)",
        "check ansible_user, ansible_password and ansible_winrm_transport, and that WinRM there allows this method",
    ),
    "configuration": ("the connection options cannot be used", "correct the ansible_winrm_* options of the host"),
    "access-denied": (
        "access was denied",
        "use an account that is an administrator there and not cut down by LocalAccountTokenFilterPolicy",
    ),
    "quota-shells": (
        "the user has as many open shells as WinRM allows",
        "run again later, close left-over shells, or raise MaxShellsPerUser",
    ),
    "quota-operations": (
        "the user has as many operations as WinRM allows",
        "run again later, or raise MaxConcurrentOperationsPerUser",
    ),
    "shell-gone": ("the shell has gone", "check whether the client restarts or WinRM was recycled, then run again"),
    "class-missing": ("WMI does not have this class", "check the WMI repository with 'winmgmt /verifyrepository'"),
    "resource-missing": ("the service does not offer this resource", "check that it is Windows with WinRM 1.1 or later"),
    "wmi-broken": ("WMI does not work", "check the WMI service and its repository with 'winmgmt /verifyrepository'"),
    "program-missing": ("the program was not found", "check the installation of the client"),
    "controller-exhausted": (
        "the controller has no file descriptors or ports left",
        "lower forks or raise the limit of open files (ulimit -n)",
    ),
    "not-winrm": ("what answers is not WinRM", "check ansible_host, ansible_port, ansible_winrm_path and proxies on the way"),
    "fault": ("the service answered with a fault", "look the number up in the WinRM event log of the client"),
    "error": ("the conversation broke", "run again with -vvvvv and report it if it stays"),
}


class AnswerTooLarge(Exception):
    """An answer has more than `bytes` bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.bytes = size


class Trouble(t.NamedTuple):
    """A class of trouble (a key of the table) and the particulars of this case, shown in brackets."""

    reason: str
    detail: str = ""

    @classmethod
    def of_exception(cls, error: BaseException) -> Trouble:
        """Classify what requests, urllib3, ssl, socket or pywinrm raised, by the most telling exception in its chain."""
        chain = list(_chain(error))
        for link in chain:
            if isinstance(link, ssl.SSLCertVerificationError):
                return cls("tls-certificate", link.verify_message or "")
            if isinstance(link, AnswerTooLarge):
                return cls("not-winrm", f"the answer is larger than {amount(link.bytes)}")
        for link in chain:
            if isinstance(link, (ssl.SSLError, lib.requests.exceptions.SSLError)):
                reason = getattr(link, "reason", "")
                return cls("tls", reason if isinstance(reason, str) else "")
            # requests_ntlm raises a PermissionError of its own, without a number, where NTLM is not let in.
            if isinstance(link, lib.winrm.exceptions.AuthenticationError) or (isinstance(link, PermissionError) and link.errno is None):
                return cls("credentials")
            if isinstance(link, (socket.gaierror, lib.requests.exceptions.InvalidURL)):
                return cls("dns")
            number = link.errno if isinstance(link, OSError) else None
            for numbers, reason in _REASON_BY_ERRNO:
                if number in numbers:
                    return cls(reason)
            # requests raises one without a number where a file of certificates or keys is missing, http.client for a proxy that refuses.
            if link.__class__ is OSError and number is None:
                return cls("configuration", printable(str(link), 200))
            if isinstance(link, http.client.HTTPException) and not isinstance(
                link, (http.client.RemoteDisconnected, http.client.IncompleteRead)
            ):
                return cls("not-winrm", "the answer is not HTTP")
        # Only now: urllib3 1.26 derives every failure to connect from its time-out class.
        if any(isinstance(link, (lib.requests.Timeout, lib.urllib3.exceptions.TimeoutError, TimeoutError)) for link in chain):
            return cls("timeout")
        # Kerberos and NTLM libraries have exception trees of their own, for nothing else than authentication.
        if any(type(link).__module__.startswith(("spnego", "winrm.vendor.requests_kerberos", "requests_credssp")) for link in chain):
            return cls("credentials", type(error).__name__)
        if any(
            isinstance(
                link, (lib.requests.ConnectionError, lib.urllib3.exceptions.ProtocolError, lib.requests.exceptions.ChunkedEncodingError)
            )
            for link in chain
        ):
            return cls("reset")
        if any(isinstance(link, (ValueError, LookupError, struct.error, lib.winrm.exceptions.WinRMError)) for link in chain):
            return cls("not-winrm", "the answer cannot be decoded")
        return cls("error", type(error).__name__)

    @classmethod
    def of_answer(cls, status: int, hostile: bool) -> Trouble:
        """Classify an HTTP answer that holds no WS-Man envelope."""
        if hostile:
            return cls("not-winrm", "the answer holds a document type declaration, which WinRM never sends")
        if status == 403:
            return cls("access-denied", "HTTP 403")
        return cls("not-winrm", f"HTTP {status}" if status != 200 else "the answer is no WS-Management envelope")

    @classmethod
    def of_fault(cls, code: int | None, inner: int | None, subcode: str, reason: str) -> Trouble:
        """Classify a SOAP fault by the provider's number, the service's number, and only then its subcode."""
        numbers = [number for number in (inner, code) if number is not None]
        shown = f"fault {numbers[-1]}" if numbers else f"fault {printable(subcode, 60)}"
        if reason:
            shown += f": {printable(reason, 200).rstrip('. ')}"
        for number in numbers:
            if number in _REASON_BY_CODE:
                return cls(_REASON_BY_CODE[number], shown)
        by_subcode = {"AccessDenied": "access-denied", "TimedOut": "timeout", "QuotaLimit": "quota-operations"}
        return cls(by_subcode.get(subcode, "fault"), shown)


def explain(trouble: Trouble) -> tuple[str, str]:
    """The cause and the next step to tell, for an error sentence."""
    cause, next_step = _SENTENCES[trouble.reason]
    return (f"{cause} ({trouble.detail})" if trouble.detail else cause), next_step


def _chain(error: BaseException) -> t.Iterator[BaseException]:
    """The exception and everything it wraps: causes, contexts, and what requests and urllib3 keep in arguments."""
    todo, seen = [error], set()
    while todo:
        link = todo.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        inner = [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]
        todo.extend(each for each in inner if isinstance(each, BaseException))
