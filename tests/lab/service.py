# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WinRM service of one host: a SOAP envelope in, a SOAP envelope out.

Knows nothing of HTTP or authentication. Whatever it is asked that it does not know, it answers with the fault WinRM
would give, never with success.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
import time
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

from . import configuration, enumeration, envelopes, fault_catalogue, soap, soap_faults
from .counters import Counters
from .shells import Command, Shell, Shells
from .soap import CMD_SHELL, SHELL, SoapRequest
from .soap_faults import SoapFault
from .windows.events import ProgramNotFound, WmiError

# A waiting Receive looks this often whether the host is still on.
POWER_CHECK_SECONDS = 0.2
# Room in a Receive answer for everything but the output.
RECEIVE_OVERHEAD = 1800

_SIGNALS = {
    SHELL + "/signal/terminate": "terminate",
    SHELL + "/signal/ctrl_c": "interrupt",
    SHELL + "/signal/ctrl_break": "interrupt",
    "powershell/signal/crtl_c": "interrupt",
}
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z")


class PoweredOff(Exception):
    """The host went down while a request was waiting."""


@dataclasses.dataclass(frozen=True)
class Caller:
    """Who asks.

    :ivar user: name as given in ``users`` of the host.
    :ivar owner: name as the shell shows it, with the domain where one was given.
    :ivar machine: host part of the address the client used.
    :ivar url: service address as the client used it, for requests without a To header.
    """

    user: str
    owner: str
    address: str
    machine: str
    url: str


@dataclasses.dataclass
class Answer:
    """Status and envelope; ``fault`` tells a fault from a result."""

    text: str
    status: int = 200
    fault: bool = False


@dataclasses.dataclass
class Received:
    """A request as far as it could be read: ``error`` is what is wrong with it."""

    request: SoapRequest | None = None
    error: SoapFault | None = None
    message_id: str = ""
    not_understood: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        return self.request.name if self.request else "Unknown"


class Service:
    """State and behaviour of the service of one host."""

    def __init__(self, host: Any, counters: Counters) -> None:
        self.host = host
        self.counters = counters
        self.shells = Shells()
        self.enumerations = enumeration.Enumerations()
        self._boots = self._boot_count()

    @property
    def stack(self) -> str:
        return self.host.winrm.stack

    def _boot_count(self) -> Any:
        return getattr(self.host, "boot_count", None)

    def forget(self) -> None:
        """What a restart does to the service: shells and contexts are gone."""
        self.shells.clear()
        self.enumerations.clear()
        self.counters.shells_open = 0

    def refresh(self) -> None:
        """Let time pass for the host. Shells do not survive its restart."""
        self.host.tick()
        boots = self._boot_count()
        if boots != self._boots or not self.host.accepting:
            self._boots = boots
            self.forget()

    def read(self, content: bytes) -> Received:
        """Parse one request; never raises."""
        limit = self.host.winrm.max_envelope_kb * 1024
        if len(content) > limit:
            return Received(error=fault_catalogue.envelope_too_large(limit))
        try:
            root = soap.parse_xml(content)
        except soap.MalformedXml:
            return Received(error=fault_catalogue.invalid_xml())
        message_id = soap.message_id_of(root)
        try:
            request = soap.read_request(root)
        except soap.InvalidDuration as error:
            return Received(error=fault_catalogue.invalid_timeout(str(error)), message_id=message_id)
        except soap.MalformedXml as error:
            return Received(error=fault_catalogue.schema_error(f"{error}. "), message_id=message_id)
        return Received(request, None, message_id, soap.not_understood(root))

    async def answer(self, received: Received, caller: Caller, *, piece: int = 0, pieces: int = 0) -> Answer:
        """Carry out one request. ``piece`` and ``pieces`` cut the output of a Receive (see :meth:`Command.take`).

        :raises PoweredOff: the host went down meanwhile.
        """
        if received.not_understood is not None:
            self.counters.faults_sent += 1
            return Answer(soap_faults.must_understand(received.message_id, *received.not_understood), 500, True)
        try:
            if received.error is not None:
                raise received.error
            request = received.request
            assert request is not None
            if request.name != "Identify":
                for name, value in (("Action", request.action), ("MessageID", request.message_id)):
                    if not value:
                        raise fault_catalogue.header_required(name)
            if request.name == "Receive":
                return Answer(await self._receive(request, caller, piece, pieces))
            return Answer(self._dispatch(request, caller))
        except SoapFault as fault:
            return self.fault(fault, received.message_id, caller)

    def fault(self, fault: SoapFault, message_id: str, caller: Caller) -> Answer:
        """The answer for a fault, in the host's version and language."""
        self.counters.faults_sent += 1
        language = self.host.winrm.language
        text = soap_faults.render(
            fault_catalogue.translated(fault, language),
            stack=self.stack,
            relates_to=message_id,
            machine=caller.machine,
            computer=self.host.computer_name,
            language=language,
        )
        return Answer(text, fault.status, True)

    def _dispatch(self, request: SoapRequest, caller: Caller) -> str:
        name = request.name
        if name == "Identify":
            return self.identify()
        if name == "Unknown":
            raise fault_catalogue.action_unknown(request.action)
        resource = request.resource
        if resource == CMD_SHELL:
            handler = getattr(self, "_" + name.lower(), None) if name in ("Create", "Command", "Send", "Signal", "Delete") else None
            if handler is None:
                raise fault_catalogue.action_not_supported()
            return handler(request, caller)
        if resource.lower().startswith(configuration.CONFIG):
            item = configuration.config_item(resource, self.host)
            if item is None:
                raise fault_catalogue.unknown_resource(resource)
            if name != "Get":
                raise fault_catalogue.action_not_supported()
            return envelopes.got(request.message_id, item)
        namespace, class_name = enumeration.parse_resource(request)
        if name == "Enumerate":
            return self._enumerate(request, caller, namespace, class_name)
        if name == "Pull":
            self.counters.pulls += 1
            return self.enumerations.pull(request, self.stack, caller.user)
        if name == "Release":
            return self.enumerations.release(request, caller.user)
        if name == "Get" and class_name != "*":
            return envelopes.got(request.message_id, self._instance(request, caller, namespace, class_name))
        raise fault_catalogue.action_not_supported()

    def identify(self, *, anonymous: bool = False) -> str:
        """The Identify answer; before authentication the versions are zeros."""
        version, pack = "0.0.0", "0.0"
        if not anonymous:
            query = "select Version, ServicePackMajorVersion, ServicePackMinorVersion from Win32_OperatingSystem"
            try:
                properties = self.host.query("root/cimv2", query, user="")[0].properties
                version = str(properties["Version"])
                pack = f"{properties['ServicePackMajorVersion'] or 0}.{properties['ServicePackMinorVersion'] or 0}"
            except (WmiError, LookupError):  # broken WMI must not break Identify
                version, pack = "0.0.0", "0.0"
        return envelopes.identified(f"OS: {version} SP: {pack} Stack: {self.stack}")

    def _operations(self, user: str) -> int:
        return sum(shell.operations for shell in self.shells.of_user(user)) + self.enumerations.open_for(user)

    def _require_operation(self, user: str) -> None:
        limit = self.host.winrm.max_operations_per_user
        if self._operations(user) >= limit:
            raise fault_catalogue.operations_quota(limit, self.stack)

    def _shell(self, request: SoapRequest, caller: Caller) -> Shell:
        return self.shells.get(request.selectors.get("ShellId", ""), caller.user)

    def _create(self, request: SoapRequest, caller: Caller) -> str:
        limit = self.host.winrm.max_shells_per_user
        if len(self.shells.of_user(caller.user)) >= limit:
            raise fault_catalogue.shells_quota(limit, self.stack)
        body = request.body
        if body is None or body.tag != f"{{{SHELL}}}Shell":
            raise fault_catalogue.missing_element("Shell")
        wanted = body.get("ShellId", "")
        shell_id = wanted.upper() if self.stack == "3.0" and _UUID.match(wanted) else envelopes.new_id()
        if self.stack == "1.1":
            shell_id = "uuid:" + shell_id
        shell = Shell(shell_id, caller.user, request.options, idle=soap.element_text(body.find(f"{{{SHELL}}}IdleTimeOut")))
        shell.name = body.get("Name", "") or soap.element_text(body.find(f"{{{SHELL}}}Name"))
        shell.directory = soap.element_text(body.find(f"{{{SHELL}}}WorkingDirectory")) or None
        for variable in body.iterfind(f"{{{SHELL}}}Environment/{{{SHELL}}}Variable"):
            shell.environment[variable.get("Name", "")] = variable.text or ""
        self.shells.add(shell)
        self.counters.shells_created += 1
        self.counters.shells_open = len(self.shells)
        return envelopes.created(
            self.stack,
            request.message_id,
            address=request.to or caller.url,
            shell_id=shell_id,
            owner=caller.owner,
            client=caller.address,
            idle=f"PT{shell.idle:.3f}S",
            name=shell.name,
        )

    def _command(self, request: SoapRequest, caller: Caller) -> str:
        shell = self._shell(request, caller)
        self._require_operation(caller.user)
        body = request.body
        if body is None or body.tag != f"{{{SHELL}}}CommandLine":
            raise fault_catalogue.missing_element("CommandLine")
        words = [soap.element_text(body.find(f"{{{SHELL}}}Command"))]
        words += [argument.text or "" for argument in body.iterfind(f"{{{SHELL}}}Arguments")]
        wanted = body.get("CommandId", "")
        command_id = wanted.upper() if self.stack == "3.0" and _UUID.match(wanted) else envelopes.new_id()
        skip_cmd = request.options.get("WINRS_SKIP_CMD_SHELL", "").upper() == "TRUE"
        shell.operations += 1
        self.counters.commands += 1
        try:
            command = Command(command_id, iter(self._execute(shell, " ".join(words), skip_cmd, caller.user)))
            command.start()
        except ProgramNotFound as error:
            raise fault_catalogue.program_not_found() from error
        shell.commands[command_id] = command
        return envelopes.command_started(self.stack, request.message_id, command_id)

    def _execute(self, shell: Shell, command_line: str, skip_cmd: bool, user: str) -> Iterable[Any]:
        return self.host.execute(
            command_line,
            code_page=shell.code_page,
            environment=dict(shell.environment),
            directory=shell.directory,
            skip_cmd=skip_cmd,
            user=user,
        )

    async def _receive(self, request: SoapRequest, caller: Caller, piece: int, pieces: int) -> str:
        if request.resource != CMD_SHELL:
            raise fault_catalogue.unknown_resource(request.resource)
        shell = self._shell(request, caller)
        self.counters.receives += 1
        body = request.body
        desired = body.find(f"{{{SHELL}}}DesiredStream") if body is not None else None
        command_id = _attribute(desired, "CommandId")
        command = shell.commands.get(command_id.upper())
        if command is None:
            raise fault_catalogue.invalid_parameter()
        if not command.chunks and command.exit_code is None:
            await self._wait(command, request.timeout)
        shell.touched = time.monotonic()
        room = max(request.envelope // 2 - RECEIVE_OVERHEAD, 1)
        chunks = command.take(room, piece, pieces)
        exit_code = command.exit_code if not command.chunks else None
        command.reported = exit_code is not None
        return envelopes.received(self.stack, request.message_id, command.command_id, chunks, exit_code)

    async def _wait(self, command: Command, timeout: float) -> None:
        """Until the command wrote something, ended or was terminated. Raises the TimedOut fault."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while not command.chunks and command.exit_code is None:
            if command.stopped:
                # Synthetic: ERROR_OPERATION_ABORTED, as for any operation that is cancelled under its client.
                text = "The I/O operation has been aborted because of either a thread exit or an application request. "
                raise SoapFault("w:InternalError", 995, text, sender=False)
            if command.error is not None:
                raise command.error
            self.refresh()
            if not self.host.accepting:
                raise PoweredOff
            remaining = deadline - loop.time()
            if remaining <= 0:
                raise fault_catalogue.timed_out()
            command.changed.clear()
            try:
                await asyncio.wait_for(command.changed.wait(), min(remaining, POWER_CHECK_SECONDS))
            except asyncio.TimeoutError:
                continue

    def _send(self, request: SoapRequest, caller: Caller) -> str:
        """Accept input. The model's programs read none, so it is dropped; synthetic."""
        shell = self._shell(request, caller)
        body = request.body
        stream = body.find(f"{{{SHELL}}}Stream") if body is not None else None
        command = shell.commands.get(_attribute(stream, "CommandId").upper())
        if command is None or command.reported:
            raise fault_catalogue.unknown_command()
        return envelopes.sent(self.stack, request.message_id)

    def _signal(self, request: SoapRequest, caller: Caller) -> str:
        shell = self._shell(request, caller)
        command_id = _attribute(request.body, "CommandId").upper()
        code = soap.element_text(request.body.find(f"{{{SHELL}}}Code")) if request.body is not None else ""
        # pypsrp writes Terminate, pywinrm terminate, and Windows takes both.
        what = _SIGNALS.get(code.lower())
        command = shell.commands.get(command_id)
        if command is None:
            raise fault_catalogue.unknown_command()
        if what is None:
            raise fault_catalogue.invalid_parameter()
        if what == "terminate":
            del shell.commands[command_id]
            command.stop()
        else:
            command.interrupt()
        return envelopes.signalled(self.stack, request.message_id)

    def _delete(self, request: SoapRequest, caller: Caller) -> str:
        self.shells.remove(self._shell(request, caller))
        self.counters.shells_open = len(self.shells)
        return envelopes.deleted(self.stack, request.message_id)

    def _query(self, namespace: str, query: str, user: str) -> list[Any]:
        try:
            return self.host.query(namespace, query, user=user)
        except WmiError as error:
            raise fault_catalogue.wmi_error(error.hresult, self.stack, namespace, query) from error

    def _instance(self, request: SoapRequest, caller: Caller, namespace: str, class_name: str) -> str:
        """One instance by its keys; a singleton has none."""
        keys = {name: value for name, value in request.selectors.items() if name.lower() != "__cimnamespace"}
        quoted = (f"{name} = '{_wql_text(value)}'" for name, value in keys.items())
        condition = " and ".join(quoted)
        instances = self._query(namespace, f"select * from {class_name}" + (f" where {condition}" if condition else ""), caller.user)
        if len(instances) != 1:
            raise fault_catalogue.instance_not_found()
        return enumeration.render(instances[0], self.stack)

    def _enumerate(self, request: SoapRequest, caller: Caller, namespace: str, class_name: str) -> str:
        asked = enumeration.read_enumerate(request, class_name)
        self._require_operation(caller.user)
        self.counters.enumerates += 1
        instances = self._query(namespace, asked.query, caller.user)
        return self.enumerations.begin(request, self.stack, instances, asked, caller.user)


def _wql_text(value: str) -> str:
    """A value for a quoted string of WQL."""
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _attribute(element: ElementTree.Element | None, name: str) -> str:
    """An attribute that some clients qualify with the shell namespace."""
    if element is None:
        return ""
    return element.get(name) or element.get(f"{{{SHELL}}}{name}") or ""
