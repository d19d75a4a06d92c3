# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""WQL over Enumerate, Pull and Release: the query, the rendering of instances, the pages.

Paging follows the recordings: WinRM 1.1 answers everything at once; later versions answer one item to an optimized
Enumerate and then pages that fill the client's envelope, counted in UTF-16.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
import time
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

from . import envelopes, fault_catalogue
from .soap import CIM_COMMON, ENUMERATION, INSTANCE, WMI, WSMAN, SoapRequest, element_text

WQL_DIALECTS = {"http://schemas.microsoft.com/wbem/wsman/1/WQL", "http://schemas.dmtf.org/wbem/wscim/1/WQL"}
DMTF_ALL = "http://schemas.dmtf.org/wbem/wscim/1/*"
DMTF_CLASS = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
CONTEXT_SECONDS = 240.0
# Envelope around the items of a page; the recordings leave less than one item of room.
PAGE_OVERHEAD = 900

_FRAGMENT = f'<w:XmlFragment xmlns:xsi="{INSTANCE}" xmlns:w="{WSMAN}">'
_CLASS_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclasses.dataclass
class Context:
    """What is left of one enumeration: rendered items, in order."""

    items: list[str]
    position: int
    user: str
    deadline: float


def datetime_text(value: datetime.datetime) -> str:
    """``2013-04-15T20:27:39.84Z``: no trailing zeros, Z for UTC and for a value without a zone."""
    text = value.replace(tzinfo=None).isoformat(timespec="microseconds").rstrip("0").rstrip(".")
    offset = value.utcoffset()
    if not offset:
        return text + "Z"
    minutes = int(offset.total_seconds() // 60)
    return f"{text}{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


# WinRM 1.1 leaves quotation marks alone, later ones escape both kinds.
_QUOTES = {'"': "&quot;", "'": "&apos;"}


def _property(name: str, value: Any, prefix: str, cim: str, quotes: dict[str, str]) -> str:
    tag = prefix + name
    if value is None:
        return f'<{tag} xsi:nil="true"/>'
    if value is True or value is False:
        return f"<{tag}>{'true' if value else 'false'}</{tag}>"
    if isinstance(value, datetime.datetime):
        return f"<{tag}><{cim}Datetime>{datetime_text(value)}</{cim}Datetime></{tag}>"
    if isinstance(value, (list, tuple)):
        # An array is one element per member; an empty one is nil. Synthetic.
        members = (_property(name, member, prefix, cim, quotes) for member in value)
        return "".join(members) if value else f'<{tag} xsi:nil="true"/>'
    return f"<{tag}>{escape(str(value), quotes)}</{tag}>"


def render(instance: Any, stack: str) -> str:
    """``p:Class`` for a whole instance, ``w:XmlFragment`` for named properties."""
    quotes = {} if stack == "1.1" else _QUOTES
    if not instance.whole:
        members = "".join(_property(name, value, "", "", quotes) for name, value in instance.properties.items())
        return f"{_FRAGMENT}{members}</w:XmlFragment>"
    name = instance.class_name
    members = "".join(_property(key, value, "p:", "cim:", quotes) for key, value in instance.properties.items())
    namespace = instance.namespace.replace("\\", "/")
    return (
        f'<p:{name} xmlns:xsi="{INSTANCE}" xmlns:p="{WMI}{namespace}/{name}" xmlns:cim="{CIM_COMMON}" xsi:type="p:{name}_Type">'
        f"{members}</p:{name}>"
    )


def parse_resource(request: SoapRequest) -> tuple[str, str]:
    """(namespace, class or ``*``) of a WMI resource URI. Raises the unknown-resource fault."""
    resource = request.resource
    selected = next((value for name, value in request.selectors.items() if name.lower() == "__cimnamespace"), "")
    if resource.lower().startswith(WMI.lower()):
        namespace, _slash, class_name = resource[len(WMI) :].rpartition("/")
    elif resource == DMTF_ALL:
        namespace, class_name = selected or "root/cimv2", "*"
    elif resource.startswith(DMTF_CLASS):
        namespace, class_name = selected or "root/cimv2", resource[len(DMTF_CLASS) :]
    else:
        raise fault_catalogue.unknown_resource(resource)
    if not namespace or not (class_name == "*" or _CLASS_NAME.match(class_name)):
        raise fault_catalogue.unknown_resource(resource)
    return namespace.replace("\\", "/"), class_name


@dataclasses.dataclass
class EnumerateBody:
    """What an Enumerate asks for."""

    query: str
    optimized: bool
    maximum: int


def read_enumerate(request: SoapRequest, class_name: str) -> EnumerateBody:
    body = request.body
    if body is None or body.tag != f"{{{ENUMERATION}}}Enumerate":
        raise fault_catalogue.missing_element("Enumerate")
    query, dialect, optimized, maximum = "", "", False, 1
    for element in body:
        if element.tag in (f"{{{WSMAN}}}Filter", f"{{{ENUMERATION}}}Filter"):
            query, dialect = element_text(element), element.get("Dialect", "")
            if dialect not in WQL_DIALECTS:
                raise fault_catalogue.dialect_unavailable()
        elif element.tag == f"{{{WSMAN}}}OptimizeEnumeration":
            optimized = True
        elif element.tag == f"{{{WSMAN}}}MaxElements":
            maximum = _positive(element_text(element))
        elif element.tag == f"{{{WSMAN}}}EnumerationMode" and element_text(element) not in ("", "EnumerateObject"):
            raise fault_catalogue.mode_unsupported()
    if not query:
        if class_name == "*":
            raise fault_catalogue.wmi_error(fault_catalogue.INVALID_QUERY, "3.0", "root/cimv2", "")
        query = "select * from " + class_name
    return EnumerateBody(query, optimized, maximum)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise fault_catalogue.schema_error("MaxElements is not a positive number. ")
    return int(text)


class Enumerations:
    """The open enumeration contexts of one host."""

    def __init__(self) -> None:
        self._contexts: dict[str, Context] = {}

    def open_for(self, user: str) -> int:
        now = time.monotonic()
        for key in [key for key, context in self._contexts.items() if context.deadline < now]:
            del self._contexts[key]
        return sum(1 for context in self._contexts.values() if context.user == user)

    def clear(self) -> None:
        self._contexts.clear()

    def _keep(self, context: Context) -> str:
        # Every answer carries a new context; the one before is then used up.
        identifier = "uuid:" + envelopes.new_id()
        context.deadline = time.monotonic() + CONTEXT_SECONDS
        self._contexts[identifier.upper()] = context
        return identifier

    def begin(self, request: SoapRequest, stack: str, instances: Iterable[Any], asked: EnumerateBody, user: str) -> str:
        """The answer to Enumerate."""
        context = Context([render(instance, stack) for instance in instances], 0, user, 0.0)
        if not asked.optimized:
            return envelopes.enumerated(request.message_id, self._keep(context), None, False)
        page = self._page(context, request, stack, asked.maximum if stack == "1.1" else 1)
        end = context.position == len(context.items)
        return envelopes.enumerated(request.message_id, "" if end else self._keep(context), page, end)

    def pull(self, request: SoapRequest, stack: str, user: str) -> str:
        """The answer to Pull. Raises the invalid-context fault."""
        context = self._take(request, "Pull", user)
        maximum = 1
        for element in request.body if request.body is not None else ():
            if element.tag == f"{{{ENUMERATION}}}MaxElements":
                maximum = _positive(element_text(element))
        page = self._page(context, request, stack, maximum)
        end = context.position == len(context.items)
        return envelopes.pulled(request.message_id, "" if end else self._keep(context), page, end)

    def release(self, request: SoapRequest, user: str) -> str:
        self._take(request, "Release", user)
        return envelopes.released(request.message_id)

    def _take(self, request: SoapRequest, name: str, user: str) -> Context:
        body = request.body
        if body is None or body.tag != f"{{{ENUMERATION}}}{name}":
            raise fault_catalogue.missing_element(name)
        identifier = element_text(body.find(f"{{{ENUMERATION}}}EnumerationContext")).upper()
        context = self._contexts.get(identifier)
        if context is None or context.user != user or context.deadline < time.monotonic():
            raise fault_catalogue.invalid_context()
        del self._contexts[identifier]
        return context

    @staticmethod
    def _page(context: Context, request: SoapRequest, stack: str, maximum: int) -> str:
        room = (request.envelope if stack == "1.1" else request.envelope // 2) - PAGE_OVERHEAD
        taken: list[str] = []
        while context.position < len(context.items) and len(taken) < maximum:
            item = context.items[context.position]
            room -= len(item)
            if room < 0:
                if not taken:
                    raise fault_catalogue.answer_too_large()
                break
            taken.append(item)
            context.position += 1
        return "".join(taken)
