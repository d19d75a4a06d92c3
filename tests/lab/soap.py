# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading one WS-Management request: bytes of a SOAP envelope to a :class:`SoapRequest`.

The parser never expands an entity: WinRM refuses every document type declaration, and so does this.
"""

from __future__ import annotations

import codecs
import dataclasses
import re
from xml.etree import ElementTree

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
EVENTING = "http://schemas.xmlsoap.org/ws/2004/08/eventing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
MICROSOFT = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
CIM_COMMON = "http://schemas.dmtf.org/wbem/wscim/1/common"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

CMD_SHELL = SHELL + "/cmd"
DEFAULT_TIMEOUT = 60.0
DEFAULT_ENVELOPE = 153600

ACTIONS = {
    TRANSFER + "/Create": "Create",
    TRANSFER + "/Delete": "Delete",
    TRANSFER + "/Get": "Get",
    TRANSFER + "/Put": "Put",
    SHELL + "/Command": "Command",
    SHELL + "/Send": "Send",
    SHELL + "/Receive": "Receive",
    SHELL + "/Signal": "Signal",
    ENUMERATION + "/Enumerate": "Enumerate",
    ENUMERATION + "/Pull": "Pull",
    ENUMERATION + "/Release": "Release",
}

_DURATION = re.compile(r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?\Z")
_DECLARED_ENCODING = re.compile(rb"^<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_SAFE_ENCODINGS = {b"utf-8", b"utf-16", b"us-ascii", b"ascii"}


class MalformedXml(ValueError):
    """The body is no XML, or carries a document type declaration."""


class InvalidDuration(ValueError):
    """A time span that is no ``xs:duration`` or is negative."""


@dataclasses.dataclass
class SoapRequest:
    """One parsed request.

    :ivar name: short action name (``Create`` ... ``Pull``, ``Identify``), or ``Unknown``.
    :ivar timeout: OperationTimeout in seconds.
    :ivar envelope: MaxEnvelopeSize the client accepts, in bytes.
    :ivar body: first child of the SOAP body, or None.
    """

    name: str
    action: str
    message_id: str
    to: str
    resource: str
    timeout: float
    envelope: int
    selectors: dict[str, str]
    options: dict[str, str]
    body: ElementTree.Element | None
    header_names: frozenset[str]


def parse_xml(content: bytes) -> ElementTree.Element:
    """Parse without entities. Raises :class:`MalformedXml`."""
    # Windows' own client sends UTF-16, with or without a byte order mark.
    if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"<\0"):
        encoding = "utf-16-le" if content[:2] == b"<\0" else "utf-16"
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError as error:
            raise MalformedXml(str(error)) from error
        content = re.sub(r"^<\?xml[^>]*\?>", "", text).encode("utf-8")
    # A document type declaration is the only way to define an entity, and "<!" cannot stand inside a text.
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise MalformedXml("document type declaration")
    declared = _DECLARED_ENCODING.match(content)
    if declared and declared.group(1).lower() not in _SAFE_ENCODINGS:
        raise MalformedXml("encoding " + declared.group(1).decode("ascii"))
    try:
        return ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise MalformedXml(str(error)) from error


def parse_duration(text: str) -> float:
    """``PT20S``, ``PT1M30.5S``, ``P1DT2H`` to seconds. Raises :class:`InvalidDuration`."""
    match = _DURATION.match(text.strip())
    if not match or not any(match.groups()):
        raise InvalidDuration(text)
    parts = {name: float(value) if value else 0.0 for name, value in match.groupdict().items()}
    return parts["days"] * 86400 + parts["hours"] * 3600 + parts["minutes"] * 60 + parts["seconds"]


def element_text(element: ElementTree.Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def message_id_of(root: ElementTree.Element) -> str:
    return (root.findtext(f"{{{SOAP}}}Header/{{{ADDRESSING}}}MessageID") or "").strip()


def read_request(root: ElementTree.Element) -> SoapRequest:
    """Turn a parsed envelope into a request. Raises :class:`MalformedXml` and :class:`InvalidDuration`."""
    if root.tag != f"{{{SOAP}}}Envelope":
        raise MalformedXml("not a SOAP 1.2 envelope")
    header = root.find(f"{{{SOAP}}}Header")
    body_element = root.find(f"{{{SOAP}}}Body")
    if body_element is None:
        raise MalformedXml("no SOAP body")
    body = body_element[0] if len(body_element) else None
    request = SoapRequest("Unknown", "", "", "", "", DEFAULT_TIMEOUT, DEFAULT_ENVELOPE, {}, {}, body, frozenset())
    names = set()
    for element in header if header is not None else ():
        tag = element.tag
        names.add(tag)
        if tag == f"{{{ADDRESSING}}}Action":
            request.action = element_text(element)
        elif tag == f"{{{ADDRESSING}}}MessageID":
            request.message_id = element_text(element)
        elif tag == f"{{{ADDRESSING}}}To":
            request.to = element_text(element)
        elif tag == f"{{{WSMAN}}}ResourceURI":
            request.resource = element_text(element)
        elif tag == f"{{{WSMAN}}}OperationTimeout":
            request.timeout = parse_duration(element_text(element))
        elif tag == f"{{{WSMAN}}}MaxEnvelopeSize":
            request.envelope = int(element_text(element)) if element_text(element).isdigit() else DEFAULT_ENVELOPE
        elif tag == f"{{{WSMAN}}}SelectorSet":
            request.selectors = {selector.get("Name", ""): element_text(selector) for selector in element}
        elif tag == f"{{{WSMAN}}}OptionSet":
            request.options = {option.get("Name", "").upper(): element_text(option) for option in element}
    request.header_names = frozenset(names)
    if body is not None and body.tag == f"{{{IDENTITY}}}Identify":
        request.name = "Identify"
    else:
        request.name = ACTIONS.get(request.action, "Unknown")
    return request


_UNDERSTOOD = frozenset(
    [f"{{{ADDRESSING}}}{name}" for name in ("To", "Action", "MessageID", "ReplyTo", "FaultTo", "From", "RelatesTo")]
    + [
        f"{{{WSMAN}}}{name}"
        for name in (
            "ResourceURI",
            "SelectorSet",
            "OptionSet",
            "OperationTimeout",
            "MaxEnvelopeSize",
            "Locale",
            "FragmentTransfer",
            "RequestTotalItemsCountEstimate",
            "RequestEPR",
        )
    ]
    + [
        f"{{{MICROSOFT}}}{name}"
        for name in ("DataLocale", "SessionId", "OperationID", "SequenceId", "ActivityId", "FunctionType", "Source")
    ]
    + [f"{{{SHELL}}}CompressionType"]
)


def not_understood(root: ElementTree.Element) -> tuple[str, str] | None:
    """(qualified name, namespace) of the first header that must be understood and is not known."""
    header = root.find(f"{{{SOAP}}}Header")
    for element in header if header is not None else ():
        if element.tag not in _UNDERSTOOD and element.get(f"{{{SOAP}}}mustUnderstand", "").lower() in ("true", "1"):
            namespace, _brace, local = element.tag[1:].rpartition("}")
            return ("wsman:" if namespace == WSMAN else "unknown:") + local, namespace
    return None
