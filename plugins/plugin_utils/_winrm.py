# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session with one Windows client over WS-Management. Private to the collection; the only file that knows WS-Man.

Ansible's `winrm` connection plugin resolves the user's options and builds the pywinrm `Protocol`; pywinrm
authenticates, encrypts and posts. The envelopes are ours: half the bytes of pywinrm's, WQL included, and every answer
goes through defusedxml, because a client is not trusted. Sources: MS-WSMV (shells, sections 3.1.4.1.x and 3.1.4.5),
DSP0226 (Enumerate and Pull), recorded conversations of Windows 2003 to 2012 and 10.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import dataclasses
import time
import typing as t
import uuid
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape, quoteattr

from . import _libraries as lib
from ._errors import CommandTimeout, HelpdeskError, QueryRefused, Unreachable
from ._text import amount, printable
from ._trouble import Trouble, explain
from ._watch import Watch

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
_ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
_WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
_MICROSOFT = "http://schemas.microsoft.com/wbem/wsman/1"
_SHELL = f"{_MICROSOFT}/windows/shell"
_FAULT = f"{_MICROSOFT}/wsmanfault"
_WMI_ERROR = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"

_CMD = f"{_SHELL}/cmd"
_UTF8 = 65001
_ENVELOPE_BYTES = 153600  # what pywinrm asks for, and the ceiling of Windows 2008 R2 and older

# Fault numbers, from the recordings and MS-WSMV 2.2.4.43; the texts beside them are localised and never looked at.
TIMED_OUT = 0x80338029
SHELL_GONE = frozenset({0x8033805B})
QUOTAS = frozenset({0x803381A5, 0x803381A6})
_OPERATIONS_QUOTA = 0x803381A6

_DOUBT_SECONDS = 3.5
_DOUBT_PAUSE = 0.25
_BACK_OFF_SECONDS = (1.0, 4.0)
_OUTPUT_LIMIT = 64 * 1024 * 1024
_QUERY_SECONDS = 180.0

_TEMPLATE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    f'<s:Envelope xmlns:s="{_SOAP}" xmlns:a="{_ADDRESSING}" xmlns:w="{_WSMAN}" xmlns:p="{_MICROSOFT}/wsman.xsd"'
    f' xmlns:n="{_ENUMERATION}" xmlns:r="{_SHELL}"><s:Header>'
    "<a:To>{to}</a:To>"
    f'<a:ReplyTo><a:Address s:mustUnderstand="true">{_ADDRESSING}/role/anonymous</a:Address></a:ReplyTo>'
    '<a:Action s:mustUnderstand="true">{action}</a:Action><a:MessageID>uuid:{message_id}</a:MessageID>'
    '<w:ResourceURI s:mustUnderstand="true">{resource}</w:ResourceURI>'
    f'<w:MaxEnvelopeSize s:mustUnderstand="true">{_ENVELOPE_BYTES}</w:MaxEnvelopeSize>'
    '<w:Locale xml:lang="en-US" s:mustUnderstand="false"/><p:DataLocale xml:lang="en-US" s:mustUnderstand="false"/>'
    "<w:OperationTimeout>PT{seconds}S</w:OperationTimeout>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
)


@dataclasses.dataclass(frozen=True)
class CommandResult:
    """What a command printed (raw bytes, in the shell's code page 65001 unless the tool ignores it) and its exit code."""

    stdout: bytes
    stderr: bytes
    exit_code: int


class Fault(Exception):
    """A SOAP fault. `code` is the WSManFault, HRESULT or WMI number, None if it carried none; `inner` the provider's own."""

    def __init__(self, code: int | None, inner: int | None, subcode: str, reason: str) -> None:
        super().__init__(f"{subcode} {code}")
        self.code = code
        self.inner = inner
        self.subcode = subcode
        self.reason = reason


class ProtocolLike(t.Protocol):
    """The part of pywinrm's `Protocol` that is used."""

    transport: t.Any
    operation_timeout_sec: int
    read_timeout_sec: int


def _nothing() -> None:
    """What is done before a command is told to end, unless somebody wants more."""


class Session:
    """One client: commands in one shell that is opened when first needed, and WQL queries, which need none.

    :param protocol: a pywinrm `Protocol`; nothing has to have been sent through it yet.
    :param host: the inventory name, for messages.
    :param watch: who may end the conversation from another thread.

    Not safe to share between threads. Use as a context manager: leaving it deletes the shell and closes the sockets.
    """

    def __init__(self, protocol: ProtocolLike, host: str, watch: Watch | None = None) -> None:
        self._protocol = protocol
        self._watch = watch
        self._transport = protocol.transport
        self._seconds = protocol.operation_timeout_sec
        self._endpoint = str(protocol.transport.endpoint)
        self._shell: str | None = None
        self._in_doubt: str | None = None
        self._dead = False
        self.host = host
        if watch is not None:
            watch.attach(self._transport)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def open(self) -> None:
        """Make sure a shell is open; the first contact with the client.

        :raises Unreachable: for whatever keeps us from having a shell.
        """
        if self._shell is not None:
            return
        options = f"<w:OptionSet>{_option('WINRS_NOPROFILE', 'FALSE')}{_option('WINRS_CODEPAGE', str(_UTF8))}</w:OptionSet>"
        # WinRM 3.0 takes a name for the shell, so that it can be deleted without having been told; older ones give it their own.
        wanted = None if self._watch is None else str(uuid.uuid4()).upper()
        name = f' ShellId="{wanted}"' if wanted else ""
        body = f"<r:Shell{name}><r:InputStreams>stdin</r:InputStreams><r:OutputStreams>stdout stderr</r:OutputStreams></r:Shell>"
        answer = self._ask(f"{_TRANSFER}/Create", _CMD, body, options, shell=wanted)
        shell = next((e.text for e in answer.iter(f"{{{_WSMAN}}}Selector") if e.get("Name") == "ShellId"), None)
        if not shell:
            shell = next((e.text for e in answer.iter(f"{{{_SHELL}}}ShellId")), None)
        if not shell:
            raise self._unreachable(Trouble("not-winrm", "the answer to a request for a shell names no shell"))
        self._shell = shell

    def run(
        self, command: str, deadline: float = 180.0, once: bool = False, limit: int | None = None, overrun: t.Callable[[], None] = _nothing
    ) -> CommandResult:
        """Run a command line in cmd.exe and return all its output.

        :param deadline: seconds the command may take; it is told to end when they are over.
        :param once: never send it a second time, whatever happens (a restart).
        :param limit: bytes it may print; it is told to end when there are more. None is 64 MiB.
        :param overrun: called before a command that has not ended is told to, to look at what it has started.
        :raises CommandTimeout: it did not end in time, or printed too much; has what was printed.
        :raises Unreachable: the conversation broke.
        """
        allowed = _OUTPUT_LIMIT if limit is None else limit
        try:
            return self._run(command, time.monotonic() + deadline, allowed, overrun)
        except Fault as fault:
            # A shell may have been recycled, and WinRM counts every command of a shell against the quota of operations
            # until the shell is gone (MS-WSMV, product behaviour of Signal): both are cured by a new shell, once.
            if once or (fault.code not in SHELL_GONE and fault.code != _OPERATIONS_QUOTA):
                raise self._unreachable_fault(fault, "the command") from None
            self._delete_shell()
        try:
            return self._run(command, time.monotonic() + deadline, allowed, overrun)
        except Fault as fault:
            raise self._unreachable_fault(fault, "the command") from None

    def _run(self, command: str, until: float, limit: int, overrun: t.Callable[[], None]) -> CommandResult:
        self.open()
        body = f"<r:CommandLine><r:Command>{escape(command)}</r:Command></r:CommandLine>"
        options = f"<w:OptionSet>{_option('WINRS_CONSOLEMODE_STDIN', 'TRUE')}{_option('WINRS_SKIP_CMD_SHELL', 'FALSE')}</w:OptionSet>"
        answer = self._post(f"{_SHELL}/Command", _CMD, body, self._selector() + options)
        command_id = next((e.text for e in answer.iter(f"{{{_SHELL}}}CommandId")), None)
        if not command_id:
            raise self._unreachable(Trouble("not-winrm", "the answer to a command names no command"))
        ended = False
        try:
            result = self._receive(command_id, until, limit)
            ended = True
            return result
        finally:
            # A command that has ended needs no Signal: deleting the shell frees what it still holds, and the post is saved.
            if not ended and not self._dead:
                with contextlib.suppress(HelpdeskError):
                    overrun()
                self._quietly(
                    f"{_SHELL}/Signal", f"<r:Signal CommandId={quoteattr(command_id)}><r:Code>{_SHELL}/signal/terminate</r:Code></r:Signal>"
                )

    def _receive(self, command_id: str, until: float, limit: int) -> CommandResult:
        body = f"<r:Receive><r:DesiredStream CommandId={quoteattr(command_id)}>stdout stderr</r:DesiredStream></r:Receive>"
        streams: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
        size = 0
        while True:
            try:
                answer = self._post(f"{_SHELL}/Receive", _CMD, body, self._selector())
            except Fault as fault:
                if fault.code != TIMED_OUT:
                    raise
                answer = None
            for stream in () if answer is None else answer.iter(f"{{{_SHELL}}}Stream"):
                data = self._stream_bytes(stream)
                size += len(data)
                streams.setdefault(stream.get("Name") or "", []).append(data)
            state = None if answer is None else next(answer.iter(f"{{{_SHELL}}}CommandState"), None)
            if state is not None and (state.get("State") or "").endswith("/Done"):
                return CommandResult(b"".join(streams["stdout"]), b"".join(streams["stderr"]), self._exit_code(state))
            if size > limit:
                raise self._command_trouble(f"it printed more than {amount(limit)}", "output-limit", streams)
            if time.monotonic() >= until:
                raise self._command_trouble("it did not end in time", "command-timeout", streams)

    def _stream_bytes(self, stream: Element) -> bytes:
        try:
            return base64.b64decode((stream.text or "").encode("ascii"))
        except (binascii.Error, UnicodeEncodeError):
            raise self._unreachable(Trouble("not-winrm", "the output of the command is not base64")) from None

    def _exit_code(self, state: Element) -> int:
        text = (state.findtext(f"{{{_SHELL}}}ExitCode") or "").strip()
        try:
            return int(text)
        except ValueError:
            return -1

    def query(self, wql: str, namespace: str = "root/cimv2") -> list[dict[str, str | None]]:
        """Run a WQL query that names its properties; every value comes back as text, None for NULL.

        :raises QueryRefused: WMI does not serve it (access denied, class missing, broken); the client itself answers.
        :raises Unreachable: the conversation broke.
        """
        resource = f"{_MICROSOFT}/wmi/{namespace}/*"
        body = (
            f'<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements><w:Filter Dialect="{_MICROSOFT}/WQL">'
            f"{escape(wql)}</w:Filter></n:Enumerate>"
        )
        rows: list[dict[str, str | None]] = []
        context = ""
        until = time.monotonic() + _QUERY_SECONDS
        try:
            answer = self._ask(f"{_ENUMERATION}/Enumerate", resource, body, refused=True)
            while True:
                page = list(_instances(answer))
                rows.extend(page)
                # The end may be marked in either namespace, the context may be there but empty (recordings); a page
                # without one leaves the last one valid (WS-Enumeration 3.2).
                given = next((e.text or "" for e in answer.iter(f"{{{_ENUMERATION}}}EnumerationContext")), None)
                context = context if given is None else given.strip()
                ended = any(True for space in (_WSMAN, _ENUMERATION) for _e in answer.iter(f"{{{space}}}EndOfSequence"))
                if ended or not context or (given is None and not page):
                    return rows
                cursor = f"<n:EnumerationContext>{escape(context)}</n:EnumerationContext>"
                body = f"<n:Pull>{cursor}<n:MaxElements>1000</n:MaxElements></n:Pull>"
                if time.monotonic() >= until:
                    raise self._query_refused(wql, Trouble("wmi-broken", f"no end of the answer within {_QUERY_SECONDS:g} seconds"), None)
                answer = self._post(f"{_ENUMERATION}/Pull", resource, body)
        except Fault as fault:
            trouble = Trouble.of_fault(fault.code, fault.inner, fault.subcode, fault.reason)
            raise self._query_refused(wql, trouble, fault.code) from None
        except Unreachable as error:
            # Where a shell is open the client can be talked to, so whatever this is, it speaks of WMI alone; if it does
            # not, the next command will tell.
            if self._shell is None:
                raise
            self._dead = False
            reason = "access-denied" if error.reason == "credentials" else error.reason
            raise self._query_refused(wql, Trouble(reason), None) from None

    def close(self) -> None:
        """Delete the shell, if there is one and the client still answers, and close the sockets. Never raises."""
        self._delete_shell()
        # Closing is best effort, the outcome of the work stands.
        with contextlib.suppress(Exception):
            self._transport.close_session()

    def _delete_shell(self) -> None:
        if self._watch is not None:
            self._watch.closing = True
        if self._in_doubt is not None and not self._dead:
            self._delete_shell_in_doubt(self._in_doubt)
        elif self._shell is not None and not self._dead:
            if self._cut_off():
                self._forget_connection(answers=True)
            self._quietly(f"{_TRANSFER}/Delete", "")
        if self._watch is not None:
            self._watch.closing = False
        self._shell = self._in_doubt = None

    def _delete_shell_in_doubt(self, shell: str) -> None:
        """The answer to a Create has not come; it may have been carried out, or, where we did not wait for it, will be any moment."""
        self._shell = shell
        until = time.monotonic() + (_DOUBT_SECONDS if self._cut_off() else 0)
        with contextlib.suppress(HelpdeskError):
            while True:
                try:
                    self._post(f"{_TRANSFER}/Delete", _CMD, "", self._selector())
                    return
                except Fault as fault:
                    if fault.code not in SHELL_GONE or time.monotonic() >= until:
                        return
                time.sleep(_DOUBT_PAUSE)

    def _quietly(self, action: str, body: str) -> None:
        with contextlib.suppress(Fault, HelpdeskError):
            self._post(action, _CMD, body, self._selector())

    def _selector(self) -> str:
        return f'<w:SelectorSet><w:Selector Name="ShellId">{escape(self._shell or "")}</w:Selector></w:SelectorSet>'

    def _ask(self, action: str, resource: str, body: str, header: str = "", refused: bool = False, shell: str | None = None) -> Element:
        """Post what starts a conversation: waits and asks again when a quota is exhausted.

        :param refused: let other faults through instead of making them `Unreachable`.
        :param shell: as for `_post`.
        """
        for pause in (*_BACK_OFF_SECONDS, None):
            try:
                return self._post(action, resource, body, header, shell)
            except Fault as fault:
                if fault.code in QUOTAS and pause is not None:
                    (time.sleep if self._watch is None else self._watch.pause)(pause)
                    continue
                if refused and fault.code not in QUOTAS:
                    raise
                raise self._unreachable_fault(fault, "the request") from None
        raise AssertionError("the last pause is None")

    def _post(self, action: str, resource: str, body: str, header: str = "", shell: str | None = None) -> Element:
        """One post and its answer.

        :param shell: the shell there is once it has been carried out.
        :raises Fault: the client answered with a SOAP fault.
        :raises Unreachable: anything else went wrong.
        """
        message = _TEMPLATE.format(
            to=escape(self._endpoint), action=action, message_id=str(uuid.uuid4()).upper(), resource=escape(resource),
            seconds=self._seconds, header=header, body=body,
        )  # fmt: skip
        status = 200
        watch = self._watch
        if watch is not None and watch.reason and not watch.closing:
            raise self._unreachable(Trouble(watch.reason))
        try:
            # pywinrm has taken the proxies from the environment by now; requests would search it again for every post.
            self._transport.build_session().trust_env = False
            self._in_doubt = shell
            data = self._transport.send_message(message)
        except lib.winrm.exceptions.WinRMTransportError as error:
            status, data = error.code, error.response_text.encode("utf-8", "surrogateescape")
        # requests, urllib3, ssl, spnego and pywinrm raise without a common root.
        except Exception as error:
            # Without a requests session pywinrm has not got as far as the network: its options are wrong.
            unbuilt = self._transport.session is None and isinstance(error, lib.winrm.exceptions.WinRMError)
            trouble = Trouble("configuration", printable(str(error), 200)) if unbuilt else Trouble.of_exception(error)
            trouble = self._cut_off() or trouble
            # Whoever audits many clients has the time to try the Delete where no answer came: the request may have been carried out.
            insist = watch is not None and (self._shell or self._in_doubt) is not None and not watch.closing
            self._forget_connection(answers=insist or trouble.reason in ("reset", "not-winrm", "error"))
            raise self._unreachable(trouble) from None
        try:
            root = lib.ElementTree.fromstring(data, forbid_dtd=True)
        except (ParseError, lib.DefusedXmlException, ValueError, LookupError) as error:
            self._forget_connection(answers=True)
            raise self._unreachable(self._cut_off() or Trouble.of_answer(status, isinstance(error, lib.DefusedXmlException))) from None
        found = root.find(f"{{{_SOAP}}}Body/{{{_SOAP}}}Fault")
        if found is not None:
            self._in_doubt = None
            raise _fault(found)
        if status != 200 or root.tag != f"{{{_SOAP}}}Envelope":
            raise self._unreachable(Trouble.of_answer(status, False))
        self._in_doubt = None
        return root

    def _cut_off(self) -> Trouble | None:
        """Why the watch has hung up, if it has: what was received by then is a part of an answer."""
        watch = self._watch
        return Trouble(watch.reason) if watch is not None and watch.cut and watch.reason else None

    def _forget_connection(self, answers: bool) -> None:
        """Give up the sockets and with them the security context; a client that may still answer is owed the Delete."""
        self._dead = not answers
        self._transport.close_session()
        self._transport.encryption = None

    def _unreachable(self, trouble: Trouble) -> Unreachable:
        cause, next_step = explain(trouble)
        return Unreachable(self.host, f"WinRM at {self._endpoint}", cause, next_step, trouble.reason)

    def _unreachable_fault(self, fault: Fault, what: str) -> Unreachable:
        trouble = Trouble.of_fault(fault.code, fault.inner, fault.subcode, fault.reason)
        cause, next_step = explain(trouble)
        return Unreachable(self.host, f"WinRM at {self._endpoint} refused {what}", cause, next_step, trouble.reason)

    def _query_refused(self, wql: str, trouble: Trouble, code: int | None) -> QueryRefused:
        cause, next_step = explain(trouble)
        thing = "the WMI query for " + wql.partition(" FROM ")[2].partition(" ")[0]
        return QueryRefused(self.host, thing, cause, next_step, trouble.reason, code)

    def _command_trouble(self, cause: str, reason: str, streams: dict[str, list[bytes]]) -> CommandTimeout:
        next_step, printed = "look at the load of the client and run again", (b"".join(streams[name]) for name in ("stdout", "stderr"))
        return CommandTimeout(self.host, "the command in the client's shell", cause, next_step, reason, *printed)


def _option(name: str, value: str) -> str:
    return f'<w:Option Name="{name}">{value}</w:Option>'


def _instances(answer: Element) -> t.Iterator[dict[str, str | None]]:
    """The rows of an answer: `w:XmlFragment` for a projection, `p:Class` for a whole instance."""
    for space in (_WSMAN, _ENUMERATION):
        for items in answer.iter(f"{{{space}}}Items"):
            for item in items:
                yield {_local(child.tag): _value(child) for child in item}


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _value(element: Element) -> str | None:
    if element.get(_NIL) == "true":
        return None
    if len(element):  # a date comes as <CreationDate><cim:Datetime>...
        return "".join(element.itertext()).strip()
    return element.text or ""


def _integer(text: str | None) -> int | None:
    try:
        return int(text.strip(), 0) & 0xFFFFFFFF if text else None
    except ValueError:
        return None


def _fault(element: Element) -> Fault:
    subcode = (element.findtext(f"{{{_SOAP}}}Code/{{{_SOAP}}}Subcode/{{{_SOAP}}}Value") or "").strip().rpartition(":")[2]
    reason = " ".join((element.findtext(f"{{{_SOAP}}}Reason/{{{_SOAP}}}Text") or "").split())
    codes = [code for code in (_integer(e.get("Code")) for e in element.iter(f"{{{_FAULT}}}WSManFault")) if code is not None]
    codes += [code for code in (_integer(e.text) for e in element.iter(f"{{{_WMI_ERROR}}}error_Code")) if code is not None]
    return Fault(codes[0] if codes else None, codes[-1] if len(codes) > 1 else None, subcode, reason)
