# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded answers of real Windows hosts, where they are at hand, and how to compare with them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from xml.etree import ElementTree

_CHECKOUT = Path(__file__).resolve().parents[3]
DIRECTORY = Path(os.environ.get("SMS_HELPDESK_RECORDINGS") or _CHECKOUT.parent / "shared" / "recordings") / "wsman"
PRESENT = DIRECTORY.is_dir()

_IDENTIFIER = re.compile(r"(uuid[:.])?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|\$\{messageId\}")
# Values that belong to one computer or one conversation; their being there, empty or not, is compared.
_LOCAL_TEXT = {"Address", "Owner", "ClientIP", "Stream"}
_ACTIVITY = "{http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd}ActivityId"


def read(name: str) -> str:
    return (DIRECTORY / name).read_text(encoding="utf-8").strip()


def names(prefix: str = "") -> list[str]:
    return sorted(path.name for path in DIRECTORY.iterdir() if path.name.startswith(prefix)) if PRESENT else []


def prefixes(text: str) -> dict[str, str]:
    """What the root element declares, prefix to namespace."""
    opening = text[text.index("Envelope") : text.index(">", text.index("Envelope"))]
    return dict(re.findall(r"xmlns:(\w+)\s*=\s*[\"']([^\"']+)[\"']", opening))


def shape(text: str, *, keep_text: bool = True) -> list[str]:
    """One line per element, in order: depth, name with namespace, attributes, text.

    Ids become ``ID``, values of one computer ``VALUE``; with ``keep_text`` false every other text becomes ``TEXT``.
    """
    lines: list[str] = []

    def text_of(element: ElementTree.Element) -> str:
        content = " ".join((element.text or "").split())
        if not content:
            return ""
        content, count = _IDENTIFIER.subn("ID", content)
        if element.tag.rpartition("}")[2] in _LOCAL_TEXT and not content.startswith("http://schemas."):
            return "VALUE"
        return content if keep_text or count else "TEXT"

    def walk(element: ElementTree.Element, depth: int) -> None:
        if element.tag == _ACTIVITY:
            # Only some hosts send it, and the same host not always.
            return
        attributes = []
        for name, value in sorted(element.attrib.items()):
            if name == "Machine":
                value = "VALUE" if value else ""
            attributes.append(f"{name}={_IDENTIFIER.sub('ID', value)}")
        lines.append(f"{'  ' * depth}{element.tag} {attributes} {text_of(element)!r}")
        for child in element:
            walk(child, depth + 1)

    walk(ElementTree.fromstring(text), 0)
    return lines
