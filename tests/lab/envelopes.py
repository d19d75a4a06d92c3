# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The success answers of WinRM as text, one function per kind of answer.

Every shape follows a recorded answer of the WinRM version ("stack") it is for. What no recording covers says
"synthetic". Strings are assembled, not serialised from a tree: it is ten times cheaper and byte-for-byte controlled.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable
from xml.sax.saxutils import escape

from .soap import ADDRESSING, ANONYMOUS, CMD_SHELL, ENUMERATION, EVENTING, IDENTITY, MICROSOFT, SHELL, SOAP, TRANSFER, WSMAN

PREFIXES = {
    "s": SOAP,
    "a": ADDRESSING,
    "x": TRANSFER,
    "e": EVENTING,
    "n": ENUMERATION,
    "w": WSMAN,
    "rsp": SHELL,
    "p": MICROSOFT,
}

_STATE = SHELL + "/CommandState/"


def new_id() -> str:
    """A fresh upper-case UUID, as every id of WinRM looks."""
    return str(uuid.uuid4()).upper()


def _opening(prefixes: str) -> str:
    declared = " ".join(f'xmlns:{prefix}="{PREFIXES[prefix]}"' for prefix in prefixes.split())
    return f'<s:Envelope xml:lang="en-US" {declared}><s:Header><a:Action>'


_OPENINGS: dict[str, str] = {}


def envelope(prefixes: str, action: str, relates_to: str, body: str) -> str:
    """A whole answer. ``relates_to`` empty leaves the header out, as some recorded faults do."""
    opening = _OPENINGS.get(prefixes)
    if opening is None:
        opening = _OPENINGS[prefixes] = _opening(prefixes)
    relates = f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo>" if relates_to else ""
    return (
        f"{opening}{action}</a:Action><a:MessageID>uuid:{new_id()}</a:MessageID><a:To>{ANONYMOUS}</a:To>"
        f"{relates}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


def created(stack: str, relates_to: str, *, address: str, shell_id: str, owner: str, client: str, idle: str, name: str = "") -> str:
    """Answer to Create of a cmd shell.

    :param address: service URL as the client addressed it.
    :param idle: IdleTimeOut as a duration, ``PT7200.000S``.
    """
    action = TRANSFER + "/CreateResponse"
    reference = (
        f'<a:ReferenceParameters><w:ResourceURI>{CMD_SHELL}</w:ResourceURI><w:SelectorSet><w:Selector Name="ShellId">'
        f"{escape(shell_id)}</w:Selector></w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>"
    )
    if stack == "1.1":
        declared = " ".join(f'xmlns:{prefix}="{PREFIXES[prefix]}"' for prefix in ("w", "a", "x", "rsp"))
        return envelope("s a w", action, relates_to, f"<x:ResourceCreated {declared}><a:Address>{ANONYMOUS}</a:Address>{reference}")
    body = f"<x:ResourceCreated><a:Address>{escape(address)}</a:Address>{reference}"
    if stack == "3.0":
        # A shell name is answered where the client gave one; its place in the order is synthetic.
        named = f"<rsp:Name>{escape(name)}</rsp:Name>" if name else ""
        body += (
            f'<rsp:Shell xmlns:rsp="{SHELL}"><rsp:ShellId>{escape(shell_id)}</rsp:ShellId>{named}<rsp:ResourceUri>{CMD_SHELL}'
            f"</rsp:ResourceUri><rsp:Owner>{escape(owner)}</rsp:Owner><rsp:ClientIP>{client}</rsp:ClientIP>"
            f"<rsp:IdleTimeOut>{idle}</rsp:IdleTimeOut><rsp:InputStreams>stdin</rsp:InputStreams>"
            "<rsp:OutputStreams>stdout stderr</rsp:OutputStreams><rsp:ShellRunTime>P0DT0H0M0S</rsp:ShellRunTime>"
            "<rsp:ShellInactivity>P0DT0H0M0S</rsp:ShellInactivity></rsp:Shell>"
        )
    return envelope("s a x w rsp p", action, relates_to, body)


def _shell_prefixes(stack: str, full: str) -> str:
    # No shell answer of stack 1.1 but Create is recorded: synthetic, without the "p" that 1.1 never declares.
    return full if stack != "1.1" else " ".join(prefix for prefix in full.split() if prefix != "p")


def command_started(stack: str, relates_to: str, command_id: str) -> str:
    body = f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>"
    return envelope(_shell_prefixes(stack, "s a x w rsp p"), SHELL + "/CommandResponse", relates_to, body)


def sent(stack: str, relates_to: str) -> str:
    """Answer to Send. Synthetic."""
    return envelope(_shell_prefixes(stack, "s a x w rsp p"), SHELL + "/SendResponse", relates_to, "<rsp:SendResponse/>")


def signalled(stack: str, relates_to: str) -> str:
    return envelope(_shell_prefixes(stack, "s a x w rsp p"), SHELL + "/SignalResponse", relates_to, "<rsp:SignalResponse/>")


def deleted(stack: str, relates_to: str) -> str:
    return envelope(_shell_prefixes(stack, "s a w p"), TRANSFER + "/DeleteResponse", relates_to, "")


def received(stack: str, relates_to: str, command_id: str, chunks: Iterable[tuple[str, bytes]], exit_code: int | None) -> str:
    """Answer to Receive.

    :param chunks: (stream name, bytes) in the order written.
    :param exit_code: None while the command runs.
    """
    parts = ["<rsp:ReceiveResponse>"]
    for stream, data in chunks:
        encoded = base64.b64encode(data).decode("ascii")
        parts.append(f'<rsp:Stream Name="{stream}" CommandId="{command_id}">{encoded}</rsp:Stream>')
    if exit_code is None:
        parts.append(f'<rsp:CommandState CommandId="{command_id}" State="{_STATE}Running"></rsp:CommandState>')
    else:
        for stream in ("stdout", "stderr"):
            parts.append(f'<rsp:Stream Name="{stream}" CommandId="{command_id}" End="true"></rsp:Stream>')
        parts.append(
            f'<rsp:CommandState CommandId="{command_id}" State="{_STATE}Done"><rsp:ExitCode>{exit_code & 0xFFFFFFFF}</rsp:ExitCode>'
            "</rsp:CommandState>"
        )
    parts.append("</rsp:ReceiveResponse>")
    return envelope(_shell_prefixes(stack, "s a w rsp p"), SHELL + "/ReceiveResponse", relates_to, "".join(parts))


def enumerated(relates_to: str, context: str, items: str | None, end: bool) -> str:
    """Answer to Enumerate.

    :param items: None without OptimizeEnumeration: then only a context is handed out (synthetic).
    :param end: nothing is left to pull; the context is then empty.
    """
    body = f"<n:EnumerateResponse><n:EnumerationContext>{context}</n:EnumerationContext>"
    if items is not None:
        # An answer to a query without a match is synthetic.
        body += f"<w:Items>{items}</w:Items>"
    if end:
        body += "<w:EndOfSequence/>"
    return envelope("s a n w", ENUMERATION + "/EnumerateResponse", relates_to, body + "</n:EnumerateResponse>")


def pulled(relates_to: str, context: str, items: str, end: bool) -> str:
    """Answer to Pull: a context while there is more, EndOfSequence instead of it at the end."""
    context_element = "" if end else f"<n:EnumerationContext>{context}</n:EnumerationContext>"
    ending = "<n:EndOfSequence/>" if end else ""
    body = f"<n:PullResponse>{context_element}<n:Items>{items}</n:Items>{ending}</n:PullResponse>"
    return envelope("s a n w", ENUMERATION + "/PullResponse", relates_to, body)


def released(relates_to: str) -> str:
    """Answer to Release. Synthetic."""
    return envelope("s a n w", ENUMERATION + "/ReleaseResponse", relates_to, "")


def got(relates_to: str, item: str) -> str:
    """Answer to Get. Synthetic."""
    return envelope("s a x w p", TRANSFER + "/GetResponse", relates_to, item)


def identified(version: str) -> str:
    """Answer to Identify. Synthetic: known from the documentation of the protocol only.

    :param version: ``OS: 6.1.7601 SP: 1.0 Stack: 2.0``; zeros before authentication.
    """
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{SOAP}"><s:Header></s:Header><s:Body>'
        f'<wsmid:IdentifyResponse xmlns:wsmid="{IDENTITY}"><wsmid:ProtocolVersion>{WSMAN}</wsmid:ProtocolVersion>'
        f"<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor><wsmid:ProductVersion>{escape(version)}"
        "</wsmid:ProductVersion></wsmid:IdentifyResponse></s:Body></s:Envelope>"
    )
