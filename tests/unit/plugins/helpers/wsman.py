# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of the WS-Management service in the shapes of its versions, and a transport that gives them in order."""

from __future__ import annotations

import base64
import types
import typing as t
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from ansible_collections.sms.helpdesk.plugins.plugin_utils._winrm import Session
from winrm.exceptions import WinRMTransportError

ENDPOINT = "http://10.0.0.7:5985/wsman"
SHELL = "81DF6FC4-08CB-4FB4-A75B-33B422885199"
COMMAND = "75233C4B-10BC-4796-A767-2D95F553DEEC"

_NAMES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:x="http://schemas.xmlsoap.org/ws/2004/09/transfer" xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell" '
    'xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"'
)
_MICROSOFT = "http://schemas.microsoft.com/wbem/wsman/1"
_ACTION = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}Action"
_BODY = "{http://www.w3.org/2003/05/soap-envelope}Body"


def envelope(body: str) -> str:
    return f'<s:Envelope xml:lang="en-US" {_NAMES}><s:Header><a:Action>answer</a:Action></s:Header><s:Body>{body}</s:Body></s:Envelope>'


def created(shell: str = SHELL) -> str:
    """A shell of WinRM 2.0 and later."""
    return envelope(
        f"<x:ResourceCreated><a:Address>{ENDPOINT}</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{_MICROSOFT}/windows/shell/cmd</w:ResourceURI><w:SelectorSet>"
        f'<w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>'
        f"<rsp:Shell><rsp:ShellId>{shell}</rsp:ShellId><rsp:Owner>vagrant</rsp:Owner></rsp:Shell>"
    )


def started(command: str = COMMAND) -> str:
    return envelope(f"<rsp:CommandResponse><rsp:CommandId>{command}</rsp:CommandId></rsp:CommandResponse>")


def received(*parts: tuple[str, bytes], exit_code: int | str | None = None, command: str = COMMAND) -> str:
    """Output, in the parts given; with an exit code the command is done."""
    streams = "".join(
        f'<rsp:Stream Name="{name}" CommandId="{command}">{base64.b64encode(data).decode()}</rsp:Stream>' for name, data in parts
    )
    state = "Running" if exit_code is None else "Done"
    end = "" if exit_code is None else f"<rsp:ExitCode>{exit_code}</rsp:ExitCode>"
    return envelope(
        f"<rsp:ReceiveResponse>{streams}"
        f'<rsp:CommandState CommandId="{command}" State="{_MICROSOFT}/windows/shell/CommandState/{state}">{end}</rsp:CommandState>'
        "</rsp:ReceiveResponse>"
    )


def done(output: bytes = b"", exit_code: int = 0) -> str:
    return received(("stdout", output), exit_code=exit_code)


def signalled() -> str:
    return envelope("<rsp:SignalResponse/>")


def deleted() -> str:
    return envelope("")


def fault(code: int | None, subcode: str, text: str = "", inner: int | None = None) -> tuple[int, str]:
    """A fault with its HTTP status. `inner` is the number of the provider."""
    detail = ""
    if code is not None:
        message = escape(text)
        if inner is not None:
            message = (
                '<f:ProviderFault provider="WMI Provider" path="%systemroot%\\system32\\WsmWmiPl.dll">'
                f'<f:WSManFault Code="{inner}" Machine="pc07"><f:Message>{escape(text)}</f:Message></f:WSManFault></f:ProviderFault>'
            )
        detail = (
            f'<f:WSManFault xmlns:f="{_MICROSOFT}/wsmanfault" Code="{code}" Machine="103040106">'
            f"<f:Message>{message}</f:Message></f:WSManFault>"
        )
    return 500, envelope(
        f"<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="">{escape(text)}</s:Text></s:Reason><s:Detail>{detail}</s:Detail></s:Fault>'
    )


def wmi_error(code: int, text: str = "") -> tuple[int, str]:
    """The other shape of a fault, which quotas of shells have."""
    space = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"
    return 500, envelope(
        "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>w:QuotaLimit</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{escape(text)}</s:Text></s:Reason><s:Detail>'
        f'<e:MSFT_WmiError xmlns:e="{space}" xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd" b:IsCIM_Error="true">'
        f"<e:CIMStatusCode>27</e:CIMStatusCode><e:error_Category>30</e:error_Category><e:error_Code>{code}</e:error_Code>"
        "<e:error_Type>HRESULT</e:error_Type></e:MSFT_WmiError></s:Detail></s:Fault>"
    )


def fragment(**values: str | None) -> str:
    """A row of a projection; None is NULL."""
    cells = "".join(f'<{name} xsi:nil="true"/>' if value is None else f"<{name}>{escape(value)}</{name}>" for name, value in values.items())
    return f'<w:XmlFragment xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{cells}</w:XmlFragment>'


def enumerated(rows: t.Iterable[str], context: str | None, end: str = "", items: str = "w") -> str:
    """The first page. `end` is the prefix of the mark of the end ("w", "n" or none)."""
    return _page("Enumerate", rows, context, end, items)


def pulled(rows: t.Iterable[str], context: str | None, end: str = "", items: str = "n") -> str:
    """Another page."""
    return _page("Pull", rows, context, end, items)


def _page(kind: str, rows: t.Iterable[str], context: str | None, end: str, items: str) -> str:
    cursor = "" if context is None else f"<n:EnumerationContext>{context}</n:EnumerationContext>"
    mark = f"<{end}:EndOfSequence/>" if end else ""
    return envelope(f"<n:{kind}Response>{cursor}<{items}:Items>{''.join(rows)}</{items}:Items>{mark}</n:{kind}Response>")


class Request(t.NamedTuple):
    """What was posted: the last word of its action, its text, and its body."""

    name: str
    text: str
    body: ElementTree.Element


class Surprise(BaseException):
    """A post that was not in the script. Nobody who deals with trouble on the wire may take it for such."""


Answer = t.Any


class Transport:
    """Stands in for pywinrm's transport: every post has to be the next one of the script.

    :param steps: pairs of the last word of the action (Create, Command, Receive, Signal, Delete, Enumerate, Pull) and the answer:
        text or bytes, a pair of HTTP status and text, or an exception.
    """

    endpoint = ENDPOINT

    def __init__(self, *steps: tuple[str, Answer]) -> None:
        self._steps = list(steps)
        self.requests: list[Request] = []
        self.session: t.Any = None
        self.encryption: t.Any = None
        self.closed = 0

    def build_session(self) -> t.Any:
        self.session = self.session or types.SimpleNamespace(trust_env=True)
        return self.session

    def close_session(self) -> None:
        self.closed += 1
        self.session = None

    def send_message(self, message: str | bytes) -> bytes:
        text = message if isinstance(message, str) else message.decode()
        root = ElementTree.fromstring(text)
        name = next(root.iter(_ACTION)).text or ""
        body = root.find(_BODY)
        assert body is not None
        self.requests.append(Request(name.rpartition("/")[2], text, body))
        if not self._steps:
            raise Surprise(f"nothing more was to be posted, but: {text}")
        expected, answer = self._steps.pop(0)
        if self.requests[-1].name != expected:
            raise Surprise(f"expected {expected}, posted {self.requests[-1].name}")
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, tuple):
            status, content = answer
            raise WinRMTransportError("http", status, content)
        return answer.encode() if isinstance(answer, str) else t.cast(bytes, answer)

    def assert_used_up(self) -> None:
        assert not self._steps, f"never posted: {[expected for expected, _answer in self._steps]}"

    @property
    def posted(self) -> list[str]:
        return [request.name for request in self.requests]


def session(*steps: tuple[str, Answer]) -> tuple[Session, Transport]:
    """A session over such a transport."""
    transport = Transport(*steps)
    protocol = types.SimpleNamespace(transport=transport, operation_timeout_sec=20, read_timeout_sec=30)
    return Session(protocol, "pc07"), transport
