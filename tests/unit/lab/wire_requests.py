# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""WS-Management requests for tests, and a direct line to the service of a stub host."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from lab import soap
from lab.counters import Counters
from lab.service import Answer, Caller, Service

WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
CIMV2 = soap.WMI + "root/cimv2/*"
ACTION = {name: uri for uri, name in soap.ACTIONS.items()}
CALLER = Caller("helpdesk", "helpdesk", "127.0.0.1", "127.77.0.1", "http://127.77.0.1:5985/wsman")


def request(
    action: str,
    body: str = "",
    *,
    resource: str = soap.CMD_SHELL,
    selectors: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
    timeout: str = "PT20S",
    envelope: int = 153600,
    header: str = "",
) -> bytes:
    """One request envelope; ``action`` is a short name or a URI."""

    def named(wrapper: str, element: str, values: dict[str, str] | None) -> str:
        if not values:
            return ""
        members = "".join(f"<w:{element} Name={quoteattr(name)}>{escape(value)}</w:{element}>" for name, value in values.items())
        return f"<w:{wrapper}>{members}</w:{wrapper}>"

    return (
        f'<s:Envelope xmlns:s="{soap.SOAP}" xmlns:a="{soap.ADDRESSING}" xmlns:w="{soap.WSMAN}" xmlns:n="{soap.ENUMERATION}" '
        f'xmlns:rsp="{soap.SHELL}"><s:Header><a:To>{CALLER.url}</a:To>'
        f'<a:Action s:mustUnderstand="true">{ACTION.get(action, action)}</a:Action>'
        f"<a:MessageID>uuid:{uuid.uuid4()}</a:MessageID><w:ResourceURI>{resource}</w:ResourceURI>"
        f"<w:MaxEnvelopeSize>{envelope}</w:MaxEnvelopeSize><w:OperationTimeout>{timeout}</w:OperationTimeout>{header}"
        f"{named('SelectorSet', 'Selector', selectors)}{named('OptionSet', 'Option', options)}</s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


SHELL_BODY = "<rsp:Shell><rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>"


class Line:
    """Asks the service of a host without HTTP in between."""

    def __init__(self, host: Any) -> None:
        self.host = host
        self.counters = Counters()
        self.service = Service(host, self.counters)
        self.shell_id = ""

    async def raw(self, content: bytes, **cut: int) -> Answer:
        self.service.refresh()
        return await self.service.answer(self.service.read(content), CALLER, **cut)

    async def create(self, body: str = SHELL_BODY, **details: Any) -> Answer:
        answer = await self.raw(request("Create", body, **details))
        if not answer.fault:
            self.shell_id = find(answer.text, soap.WSMAN, "Selector").text or ""
        return answer

    async def command(self, command_line: str, **options: str) -> Answer:
        body = f"<rsp:CommandLine><rsp:Command>{escape(command_line)}</rsp:Command></rsp:CommandLine>"
        return await self.raw(request("Command", body, selectors={"ShellId": self.shell_id}, options=options))

    async def receive(self, command_id: str, *, timeout: str = "PT20S", envelope: int = 153600, **cut: int) -> Answer:
        body = f'<rsp:Receive><rsp:DesiredStream CommandId="{command_id}">stdout stderr</rsp:DesiredStream></rsp:Receive>'
        content = request("Receive", body, selectors={"ShellId": self.shell_id}, timeout=timeout, envelope=envelope)
        return await self.raw(content, **cut)

    async def signal(self, command_id: str, code: str = "terminate") -> Answer:
        body = f'<rsp:Signal CommandId="{command_id}"><rsp:Code>{soap.SHELL}/signal/{code}</rsp:Code></rsp:Signal>'
        return await self.raw(request("Signal", body, selectors={"ShellId": self.shell_id}))

    async def delete(self) -> Answer:
        return await self.raw(request("Delete", selectors={"ShellId": self.shell_id}))

    async def enumerate(
        self, query: str, *, resource: str = CIMV2, optimize: bool = True, dialect: str = WQL, extra: str = "", **details: Any
    ) -> Answer:
        optimized = "<w:OptimizeEnumeration/><w:MaxElements>32000</w:MaxElements>" if optimize else ""
        wql = f'<w:Filter Dialect="{dialect}">{escape(query)}</w:Filter>' if query else ""
        return await self.raw(request("Enumerate", f"<n:Enumerate>{optimized}{wql}{extra}</n:Enumerate>", resource=resource, **details))

    async def pull(
        self, context: str, *, resource: str = CIMV2, maximum: int | None = 32000, action: str = "Pull", **details: Any
    ) -> Answer:
        limit = f"<n:MaxElements>{maximum}</n:MaxElements>" if maximum else ""
        body = f"<n:{action}><n:EnumerationContext>{context}</n:EnumerationContext>{limit}</n:{action}>"
        return await self.raw(request(action, body, resource=resource, **details))


def find(text: str, namespace: str, name: str) -> ElementTree.Element:
    """The first element of that name; fails where there is none."""
    element = ElementTree.fromstring(text).find(f".//{{{namespace}}}{name}")
    assert element is not None, f"no {name} in {text}"
    return element


def find_all(text: str, namespace: str, name: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(text).findall(f".//{{{namespace}}}{name}")


def command_id(answer: Answer) -> str:
    return find(answer.text, soap.SHELL, "CommandId").text or ""


def fault_code(answer: Answer) -> int:
    """The number of a fault, wherever the shape has it."""
    assert answer.fault, answer.text
    root = ElementTree.fromstring(answer.text)
    element = root.find(".//{http://schemas.microsoft.com/wbem/wsman/1/wsmanfault}WSManFault")
    if element is not None:
        return int(element.get("Code", "0"))
    return int(root.findtext(".//{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError}error_Code") or "0")


def subcode(answer: Answer) -> str:
    return ElementTree.fromstring(answer.text).findtext(f".//{{{soap.SOAP}}}Subcode/{{{soap.SOAP}}}Value") or ""


def run(coroutine: Any) -> Any:
    return asyncio.run(coroutine)
