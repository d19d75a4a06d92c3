# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is asked to tell where a client stands, and the answer. Private to the collection; knows nothing of Ansible.

The ports are asked and judged by `_audit`; what the client prints about itself shares its one command line. Nothing is written.
"""

from __future__ import annotations

import dataclasses
import ntpath
import re
import typing as t

from . import _audit, _client_facts, _registry, _sms_ini
from ._client import AgentFile, Facts, stand
from ._client_facts import AGENT, IniFile
from ._errors import BadInput, CommandTimeout, HelpdeskError, QueryRefused
from ._hotfix import FileFacts, Trusted
from ._manifest import Catalogue
from ._package import choose_language
from ._restart import logged_on, parse_time
from ._service import NAME, Service, ServiceControl
from ._text import decode, printable

_COMPANIONS = ("Wchat32.exe", "Wslave32.exe")
_SWAP = "$sms00$"
_STATUS_SECONDS = 60.0
# A dummy in the place of the agent is a text of some lines (Q224574); the smallest real one has over 100,000 bytes.
_SMALLEST_AGENT = 16 * 1024
_UNSAFE_PATH = re.compile(r'["%\x00-\x1f]')


@dataclasses.dataclass(frozen=True)
class StatusQuestion:
    """What is asked of every client.

    :param ports: the question of the port audit.
    :param catalogue: of the hotfix; `language` is the table that is looked at first, `trust` the operator's hashes.
    :param service: key name of the agent's service.
    :param sha256: whether to have the client compute the hash of the agent.
    """

    ports: _audit.Question
    catalogue: Catalogue
    language: str
    trust: Trusted
    service: str = "Wuser32"
    sha256: bool = False


def question_of(arguments: t.Mapping[str, t.Any], host: str, catalogue: Catalogue, trust: Trusted) -> StatusQuestion:
    """The question from the arguments of a task.

    :raises BadInput: the service or the language cannot be worked with.
    """
    service = arguments["service"]
    if not NAME.fullmatch(service):
        raise BadInput(
            host,
            "the argument service",
            f"'{service}' is no name of a service key",
            "give the key name, not the display name",
            "bad-argument",
        )
    ports = _audit.question_of({**arguments, "port_set": "all", "ports": None}, host)
    language = choose_language(host, catalogue, arguments["language"])
    return StatusQuestion(ports, catalogue, language, trust, service, arguments["sha256"])


def status(session: t.Any, question: StatusQuestion) -> dict[str, t.Any]:
    """Ask a live client.

    :returns: the result of `client_status_info`.
    :raises Unreachable: there is no usable session; whatever a client with a session does not tell is `unknown` or None.
    """
    observation = _audit.observe(session, question.ports, _client_facts.command(question.service))
    return _Client(session, question, observation).answer()


class _Client:
    """One client while it is asked."""

    def __init__(self, session: t.Any, question: StatusQuestion, observation: _audit.Observation) -> None:
        self.session = session
        self.question = question
        self.observation = observation
        self.printed = _client_facts.read_printed(observation.rest)
        self.warnings: list[str] = []

    def answer(self) -> dict[str, t.Any]:
        system = self._system()
        service = self._service()
        path = self._agent_path(service, system["directory"])
        files, agent = self._files(path, system["directory"])
        ports = _audit.conclude(self.session, self.question.ports, self.observation)
        self.warnings += ports["warnings"]
        endpoints, held = self._endpoints(service, ports)
        generation = self._generation(path, agent, service, known=files is not None)
        ini = self._ini()
        protocol = _client_facts.protocol_of(self.printed.keys)
        verdict = self._verdict(agent, files is not None)
        swap = next((facts.path for name, facts in (files or {}).items() if name == (path + _SWAP).lower()), None) if path else None
        flagged = ini is not None and ini.facts is not None and ini.facts.phase == "verify_files"
        user = logged_on(self.session) if flagged else None
        standing = stand(
            self.session.host,
            Facts(
                system=system["name"],
                windows_9x=bool(re.search(r"Windows (9[58]|Me\b|Millennium)", system["name"])),
                generation=generation,
                file=verdict,
                held=held,
                conflicts=ports["conflicts"],
                listed=bool(self.observation.seen.listing.endpoints),
                service_exists=None if service is None else service.exists,
                swap_file=swap is not None,
                protocol=protocol["value"],
                sms_ini=ini.facts if ini else None,
                logged_on=None if not flagged else user is not None,
            ),
        )
        self._remark(service, standing.agent_build, system)
        return {
            "state": standing.state,
            "agent_build": standing.agent_build,
            "pending": standing.pending,
            "reason": standing.reason,
            "message": standing.message,
            "operating_system": system,
            "sms": {
                "generation": generation,
                "site_code": ini.facts.site_code if ini and ini.facts else None,
                "logon_server": ini.facts.logon_server if ini and ini.facts else None,
            },
            "agent": {
                "path": path,
                "exists": None if files is None else agent is not None,
                "size": agent.size if agent else None,
                "modified": agent.modified.isoformat() if agent and agent.modified else None,
                "version": agent.file_version if agent else None,
                "sha256": agent.sha256 if agent else None,
                "verdict": verdict.verdict,
                "message": verdict.detail,
                "swap_file": swap,
                "other_files": sorted(
                    f.path for name, f in (files or {}).items() if not path or name not in (path.lower(), (path + _SWAP).lower())
                ),
            },
            "service": {"name": self.question.service, **(service.shown() if service else {"exists": None})},
            "protocol": protocol,
            "sms_ini": None
            if ini is None
            else {"path": ini.path, "readable": ini.facts is not None, **(ini.facts or _sms_ini.SmsIni()).shown()},
            "endpoints": endpoints,
            "verdict": ports["verdict"],
            "ports": ports["ports"],
            "conflicts": ports["conflicts"],
            "host": ports["host"],
            "warnings": self.warnings,
        }

    def _system(self) -> dict[str, t.Any]:
        try:
            rows = self.session.query("SELECT Caption, Version, CSDVersion, WindowsDirectory, CSName FROM Win32_OperatingSystem")
            row = rows[0] if rows else {}
        except QueryRefused as refused:
            row = {}
            self.warnings.append(f"WMI does not tell the operating system: {refused.cause}; {refused.next_step}")
        version = row.get("Version") or self.observation.seen.os_version
        return {
            "name": printable((row.get("Caption") or "").strip() or (f"Windows {version}" if version else "Windows"), 120),
            "version": version,
            "service_pack": row.get("CSDVersion") or None,
            "directory": row.get("WindowsDirectory") or None,
            "processor": self.printed.processor or None,
            "computer_name": row.get("CSName") or None,
        }

    def _service(self) -> Service | None:
        try:
            return ServiceControl(self.session, self.question.service, _STATUS_SECONDS).read()
        except HelpdeskError as error:
            if error.unreachable:
                raise
            self.warnings.append(f"the service {self.question.service} could not be read: {error.cause}")
            return None

    def _agent_path(self, service: Service | None, windows: str | None) -> str | None:
        """Where the agent lies: ImagePath decides, the Windows directory is only where it usually is (Q162951)."""
        key = _registry.get(self.printed.keys, _client_facts.SERVICES_KEY + self.question.service, "ImagePath")
        command = (service.path if service else "") or (str(key.data) if key else "")
        found = _client_facts.program_of(command, windows)
        return found or (ntpath.join(windows, AGENT) if windows else None)

    def _files(self, path: str | None, windows: str | None) -> tuple[dict[str, FileFacts] | None, FileFacts | None]:
        """Every file of the agent that is there, by lower-case path, and the agent itself; (None, None) if WMI does not tell."""
        names = dict.fromkeys([path, path + _SWAP] if path else [])
        for directory in (windows, windows and ntpath.join(windows, "System32"), r"C:\Ms\Sms\Bin"):
            names.update({ntpath.join(directory, name): None for name in (AGENT, *_COMPANIONS)} if directory else {})
        unique = list({name.lower(): name for name in names if not _UNSAFE_PATH.search(name)}.values())
        where = " OR ".join(f"Name = '{_wql(name)}'" for name in unique)
        try:
            rows = self.session.query(f"SELECT Name, FileSize, LastModified, Version FROM CIM_DataFile WHERE {where}")
        except QueryRefused as refused:
            self.warnings.append(f"the files of the agent could not be looked at: {refused.cause}; {refused.next_step}")
            return None, None
        spelled = {name.lower(): name for name in unique}
        found = {}
        for row in rows:
            name = (row.get("Name") or "").lower()
            size = row.get("FileSize") or ""
            found[name] = FileFacts(
                spelled.get(name, row.get("Name") or ""),
                size=int(size) if size.isdigit() else None,
                modified=parse_time(row.get("LastModified") or ""),
                file_version=row.get("Version") or None,
            )
        agent = found.get(path.lower()) if path else None
        if agent is None:
            system = ntpath.join(windows or "C:\\WINNT", "System32", AGENT)
            elsewhere = found.get(system.lower())
            return found, dataclasses.replace(elsewhere, kind="text") if elsewhere and self._is_text(elsewhere) else None
        if self._is_text(agent):
            agent = dataclasses.replace(agent, kind="text")
        elif self.question.sha256:
            agent = dataclasses.replace(agent, sha256=self._sha256(agent.path))
        found[agent.path.lower()] = agent
        return found, agent

    def _is_text(self, file: FileFacts) -> bool:
        """Whether a file that is far too small to be the agent is no program either. It is small enough to be looked at."""
        if file.size is None or file.size >= _SMALLEST_AGENT or _UNSAFE_PATH.search(file.path):
            return False
        result = self.session.run(f'type "{file.path}"')
        return not result.exit_code and not result.stdout.startswith(b"MZ")

    def _sha256(self, path: str) -> str | None:
        if _UNSAFE_PATH.search(path):
            return None
        try:
            text = decode(self.session.run(f'certutil -hashfile "{path}" SHA256', deadline=_STATUS_SECONDS).stdout)
        except CommandTimeout:
            text = ""
        # Before Windows 10 the bytes are printed apart.
        found = re.search(r"^(?:[0-9a-f]{2} ?){32}\s*$", text, re.MULTILINE | re.IGNORECASE)
        if found is None:
            self.warnings.append(f"{path}: certutil did not give its sha256; Windows XP and 2003 have none")
            return None
        return found[0].replace(" ", "").strip().lower()

    def _endpoints(self, service: Service | None, ports: t.Mapping[str, t.Any]) -> tuple[list[dict[str, t.Any]], frozenset[int] | None]:
        """The sockets of the agent's process, and the ports they are on; None for those if netstat tells no process ids."""
        listing = self.observation.seen.listing
        if not listing.has_pids:
            return [], None
        pids = {service.pid} if service and service.pid else set()
        for port in ports["ports"]:
            if port["status"] == "agent":
                pids |= {endpoint["pid"] for endpoint in port["endpoints"] if endpoint["pid"]}
        mine = [each for each in listing.endpoints if each.pid in pids and each.kind in ("listener", "bound")]
        return (
            [{"protocol": each.protocol, "address": each.address, "port": each.ports[0], "pid": each.pid} for each in mine if each.ports],
            frozenset(port for each in mine for port in each.ports),
        )

    def _generation(self, path: str | None, agent: FileFacts | None, service: Service | None, known: bool) -> str | None:
        exists = service is not None and service.exists
        others = self.question.catalogue.other_products
        found = _client_facts.generation_of(self.printed, path, agent, exists, others)
        return found if found != "none" or (self.printed.complete and service is not None and known) else None

    def _ini(self) -> IniFile | None:
        found = self.printed.ini_files
        if len(found) > 1:
            names = ", ".join(each.path for each in found)
            self.warnings.append(f"there is more than one Sms.ini, {names}; one that tells the client to update counts most")
        for each in found:
            if each.facts is None:
                self.warnings.append(f"{each.path} is there and cannot be read; connect with an administrator's account")
        ranks = {"verify_files": 0, None: 2}
        return min(found, key=lambda each: 3 if each.facts is None else ranks.get(each.facts.phase, 1), default=None)

    def _verdict(self, agent: FileFacts | None, known: bool) -> AgentFile:
        if agent is None:
            return AgentFile("missing" if known else None, "" if known else "its file could not be looked at")
        question = self.question
        return _client_facts.judge_agent(question.catalogue, question.language, question.trust, agent, self.printed.processor)

    def _remark(self, service: Service | None, build: str, system: t.Mapping[str, t.Any]) -> None:
        if build != "absent" and service is not None and service.exists and service.start_mode == "Disabled":
            self.warnings.append(f"the service {service.name} is disabled, perhaps since somebody looked for a conflict")
        elif build != "absent" and service is not None and service.exists and service.state == "Stopped":
            self.warnings.append(f"the service {service.name} does not run, so its ports prove nothing")
        if (system["processor"] or "").upper() == "MIPS":
            self.warnings.append("the hotfix has no files for MIPS; only the NetBIOS workaround helps this client")


def _wql(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
