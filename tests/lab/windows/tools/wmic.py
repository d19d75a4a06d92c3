# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""wmic: `alias get`, `path class get`, `where`, /value and /format. Lines end in CR CR LF, as wmic's do when nobody sees them."""

from __future__ import annotations

import re
import typing as t

from ..events import ACCESS_DENIED, INVALID_CLASS, INVALID_NAMESPACE, WmiError
from ..wmi.query import run_query
from ..wmi.wql import cim_datetime

if t.TYPE_CHECKING:
    from ..shell.call import Call, Steps

_ALIASES = {
    "os": "Win32_OperatingSystem",
    "process": "Win32_Process",
    "service": "Win32_Service",
    "computersystem": "Win32_ComputerSystem",
    "datafile": "CIM_DataFile",
}
_REASONS = {ACCESS_DENIED: "Access denied", INVALID_CLASS: "Invalid class", INVALID_NAMESPACE: "Invalid namespace"}
_WORDS = re.compile(r'"[^"]*"|\([^)]*\)|[^\s]+')


def run(call: Call) -> Steps:
    """The program."""
    words = _WORDS.findall(call.arguments)
    namespace = "root/cimv2"
    while words and words[0].lower().startswith("/"):
        name, _colon, value = words.pop(0).partition(":")
        if name.lower() == "/namespace":
            namespace = value.strip('"').lstrip("\\").replace("\\", "/")
        elif name.lower() not in ("/locale", "/output", "/failfast"):
            return (yield from _failed(call, "Invalid Global Switch."))
    subject = words.pop(0).lower() if words else ""
    if subject in ("path", "class") and words:
        class_name = words.pop(0)
    elif subject in _ALIASES:
        class_name = _ALIASES[subject]
    else:
        return (yield from _failed(call, f"{subject} - Alias not found." if subject else "Unexpected end of command."))
    where = ""
    if words and words[0].lower() == "where" and len(words) > 1:
        where = f" WHERE {words[1].strip(chr(34))}"
        words = words[2:]
    verb = words.pop(0).lower() if words else ""
    if verb != "get":
        return (yield from _failed(call, "Invalid verb." if verb else "Unexpected end of command."))
    form = next((word[1:].lower() for word in words if word.startswith("/")), "table")
    columns = [name for word in words if not word.startswith("/") for name in word.split(",") if name]
    form = {"value": "list", "format:list": "list", "format:csv": "csv", "format:table": "table"}.get(form, form)
    if form not in ("table", "list", "csv"):
        wrong = "Invalid format specifier(s)." if form.startswith("format:") else "Unexpected switch at this level."
        return (yield from _failed(call, wrong))
    try:
        found = run_query(call.host, namespace, f"SELECT {', '.join(columns) or '*'} FROM {class_name}{where}", call.session.user)
    except WmiError as error:
        reason = _REASONS.get(error.hresult, "Invalid query")
        return (yield from _failed(call, f"Node - {call.host.computer_name}\nERROR:\nDescription = {reason}"))
    if not found:
        yield call.err("No Instance(s) Available.\n")
        return 0
    rows = [{name: _text(value) for name, value in instance.properties.items()} for instance in found]
    yield call.out(_render(call, rows, form).replace("\n", "\r\n"))
    return 0


def _failed(call: Call, text: str) -> Steps:
    yield call.err(f"{text}\n")
    # The exit code of a mistake is an HRESULT; 44124 stands for any of wmic's own (synthetic).
    return 44124


def _text(value: t.Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if hasattr(value, "utcoffset"):
        return cim_datetime(value)
    return "{" + ", ".join(f'"{each}"' for each in value) + "}" if isinstance(value, list) else str(value)


def _render(call: Call, rows: list[dict[str, str]], form: str) -> str:
    names = sorted(rows[0], key=str.lower)
    if form == "list":
        return "".join("\n\n" + "".join(f"{name}={row[name]}\n" for name in names) for row in rows) + "\n\n"
    if form == "csv":
        lines = [",".join(["Node", *names])] + [",".join([call.host.computer_name, *(row[name] for name in names)]) for row in rows]
        return "\n" + "".join(f"{line}\n" for line in lines)
    widths = [max(len(name), *(len(row[name]) for row in rows)) + 2 for name in names]
    lines = ["".join(f"{name:<{width}}" for name, width in zip(names, widths, strict=True))]
    lines += ["".join(f"{row[name]:<{width}}" for name, width in zip(names, widths, strict=True)) for row in rows]
    return "".join(f"{line}\n" for line in lines) + "\n"
