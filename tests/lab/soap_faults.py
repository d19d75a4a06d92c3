# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault answers of WinRM.

A :class:`SoapFault` is raised anywhere in the service and rendered for the host's WinRM version at the door.
Recorded shapes are followed; what no recording covers says "synthetic".
"""

from __future__ import annotations

import dataclasses
from xml.sax.saxutils import escape, quoteattr

from .envelopes import envelope
from .soap import ADDRESSING, CIM_COMMON, ENUMERATION, INSTANCE, WSMAN

FAULT_NAMESPACE = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
FAULT_DETAIL = WSMAN.rsplit("/", 1)[0] + "/wsman/faultDetail/"
WMI_ERROR = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"
CIM_BINDING = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"
SHELL_PLUGIN = ("Shell cmd plugin", r"%systemroot%\system32\winrscmd.dll")
SERVICE_SHELL = ("Shell provider", r"%systemroot%\system32\WsmSvc.dll")
WMI_PLUGIN = ("WMI Provider", r"%systemroot%\system32\WsmWmiPl.dll")
WMI_PLUGIN_V1 = ("WMIv1 plugin for Windows Remote Management ", r"%systemroot%\system32\WsmWmiPl.dll")

_ACTIONS = {"w": WSMAN.rsplit("/", 1)[0] + "/wsman/fault", "a": ADDRESSING + "/fault", "n": ENUMERATION + "/fault"}


@dataclasses.dataclass(frozen=True)
class Provider:
    """Who reported the error below WinRM.

    :ivar nested: wrap the message in a WSManFault of its own.
    :ivar names_computer: the nested fault carries the computer's own name, not the address the client used.
    """

    name: str
    path: str
    message: str
    nested: bool = False
    names_computer: bool = False
    extended: str = ""


@dataclasses.dataclass
class SoapFault(Exception):
    """One fault.

    :ivar subcode: with the prefix WinRM uses: ``w:TimedOut``, ``a:DestinationUnreachable``, ``n:CannotProcessFilter``.
    :ivar code: number in ``WSManFault/@Code``, unsigned 32 bits.
    :ivar wmi_error: render the detail as ``MSFT_WmiError``, without RelatesTo.
    :ivar language: overrides the language of the reason; recorded quota faults have an empty one.
    """

    subcode: str
    code: int
    reason: str
    message: str = ""
    sender: bool = True
    detail: str = ""
    provider: Provider | None = None
    wmi_error: bool = False
    language: str | None = None
    status: int = 500


def _provider_element(provider: Provider, fault: SoapFault, stack: str, machine: str, computer: str) -> str:
    inner = escape(provider.message)
    if provider.nested:
        where = "" if stack == "1.1" else computer if provider.names_computer else machine
        language = ' xml:lang="en-US"' if stack == "1.1" else ""
        inner = (
            f'<f:WSManFault xmlns:f="{FAULT_NAMESPACE}" Code="{fault.code}" Machine={quoteattr(where)}{language}>'
            f"<f:Message>{inner}</f:Message></f:WSManFault>"
        )
    if provider.extended and stack != "1.1":
        inner += f"<f:ExtendedError>{provider.extended}</f:ExtendedError>"
    return f"<f:ProviderFault provider={quoteattr(provider.name)} path={quoteattr(provider.path)}>{inner}</f:ProviderFault>"


def _wmi_error_element(fault: SoapFault) -> str:
    def value(name: str, kind: str, text: object = None) -> str:
        if text is None:
            return f'<p:{name} xsi:type="cim:cim{kind}" xsi:nil="true"/>'
        return f'<p:{name} xsi:type="cim:cim{kind}">{escape(str(text))}</p:{name}>'

    message = fault.message or fault.reason
    members = (
        value("CIMStatusCode", "UnsignedInt", 27),
        value("CIMStatusCodeDescription", "String"),
        value("ErrorSource", "String"),
        value("ErrorSourceFormat", "UnsignedShort", 0),
        value("ErrorType", "UnsignedShort", 0),
        value("Message", "String", message),
        value("MessageID", "String", f"HRESULT 0x{fault.code:08x}"),
        value("OtherErrorSourceFormat", "String"),
        value("OtherErrorType", "String"),
        value("OwningEntity", "String"),
        value("PerceivedSeverity", "UnsignedShort", 0),
        value("ProbableCause", "UnsignedShort", 0),
        value("ProbableCauseDescription", "String"),
        value("error_Category", "UnsignedInt", 30),
        value("error_Code", "UnsignedInt", fault.code),
        value("error_Type", "String", "HRESULT"),
        value("error_WindowsErrorMessage", "String", message),
    )
    return (
        f'<p:MSFT_WmiError b:IsCIM_Error="true" xmlns:xsi="{INSTANCE}" xmlns:b="{CIM_BINDING}" xmlns:p="{WMI_ERROR}" '
        f'xmlns:cim="{CIM_COMMON}" xsi:type="p:MSFT_WmiError_Type">{"".join(members)}</p:MSFT_WmiError>'
    )


def render(fault: SoapFault, *, stack: str, relates_to: str, machine: str, computer: str, language: str) -> str:
    """The envelope of a fault.

    :param machine: the host part of the address the client used; WinRM puts that into ``Machine``.
    :param computer: the computer's own name.
    """
    if fault.wmi_error:
        detail = _wmi_error_element(fault)
        relates_to = ""
    else:
        message = escape(fault.message or fault.reason)
        if fault.provider is not None:
            message = _provider_element(fault.provider, fault, stack, machine, computer)
        where = "" if stack == "1.1" else machine
        known = f"<w:FaultDetail>{FAULT_DETAIL}{fault.detail}</w:FaultDetail>" if fault.detail else ""
        detail = (
            f'{known}<f:WSManFault xmlns:f="{FAULT_NAMESPACE}" Code="{fault.code}" Machine={quoteattr(where)}>'
            f"<f:Message>{message}</f:Message></f:WSManFault>"
        )
    spoken = language if fault.language is None else fault.language
    body = (
        f"<s:Fault><s:Code><s:Value>s:{'Sender' if fault.sender else 'Receiver'}</s:Value><s:Subcode><s:Value>{fault.subcode}"
        f"</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang={quoteattr(spoken)}>{escape(fault.reason)}</s:Text></s:Reason>"
        f"<s:Detail>{detail}</s:Detail></s:Fault>"
    )
    prefixes = "s a x e n w" if stack == "1.1" else "s a x e n w p"
    return envelope(prefixes, _ACTIONS[fault.subcode.partition(":")[0]], relates_to, body)


def must_understand(relates_to: str, qualified_name: str, namespace: str) -> str:
    """Answer to a header marked mustUnderstand that WinRM does not know; ``qualified_name`` such as ``lab:Unknown``."""
    prefix = qualified_name.partition(":")[0]
    body = '<s:Fault><s:Code><s:Value>s:MustUnderstand</s:Value></s:Code><s:Reason><s:Text xml:lang="">'
    body += " A header that must be understood is not known to this service. </s:Text></s:Reason></s:Fault>"
    text = envelope("s a x e n w rsp p", ADDRESSING + "/fault", relates_to, body)
    header = f"<s:NotUnderstood qname={quoteattr(qualified_name)} xmlns:{prefix}={quoteattr(namespace)} />"
    return text.replace("</s:Header>", header + "</s:Header>", 1)
