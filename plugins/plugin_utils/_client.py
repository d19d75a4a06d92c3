# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a client stands: facts to build of the agent, state, and what is still to come. Pure. Private to the collection.

What proves something, strongest first: the ports the agent's process holds, a hash the operator vouches for, size and date of the
file. Sms.ini proves nothing but that the client was told to update: CopyListVersion is written before any file is copied, and SetupPhase
goes back to installed whatever was copied (Q166771). An idle agent holds two UDP ports and no more (Q178748).
"""

from __future__ import annotations

import dataclasses
import typing as t

from ._ports import PORT_SETS
from ._sms_ini import SmsIni

ORIGINAL, HOTFIX = (frozenset(PORT_SETS[name]) for name in ("original", "hotfix"))

_NOT_APPLICABLE = {
    "windows-9x": "runs {system}, which the hotfix has no files for (Q229097 is for Windows NT clients)",
    "sms-2.0": "has the client of SMS 2.0 or later with a remote control of its own; its service pack 2 uses the same new ports (Q256884)",
    "landesk": "has the remote control of Intel LANDesk, which shares the name Wuser32.exe (Q193280)",
    "dummy-file": "has a text file in the place of Wuser32.exe, put there to keep the agent away (Q224574)",
    "no-sms": "has no SMS remote control agent",
}


@dataclasses.dataclass(frozen=True)
class AgentFile:
    """The agent's program on the disk.

    :ivar verdict: what the catalogue says, as `_hotfix.judge`; ``missing`` if it is known not to be there, None if it could not be read.
    :ivar detail: the catalogue's sentence.
    :ivar trusted: the verdict comes from a hash.
    """

    verdict: str | None
    detail: str = ""
    trusted: bool = False


@dataclasses.dataclass(frozen=True)
class Facts:
    """What was read of one client.

    :ivar system: name of the operating system for people, for example ``Windows 7``.
    :ivar generation: ``1.2``, ``2.0``, ``landesk``, ``dummy`` (a text file instead of it), ``none``; None if it could not be read.
    :ivar held: ports the agent's process holds; None if netstat does not tell.
    :ivar conflicts: the entries of the port audit.
    :ivar listed: netstat listed the sockets at all.
    :ivar service_exists: None if it could not be read.
    :ivar swap_file: a new agent waits for the restart beside the old one (Q186412).
    :ivar protocol: ``ip``, ``netbios``, ``ipx`` or None.
    :ivar logged_on: whether somebody is at the screen; None if unknown.
    """

    system: str = "Windows"
    windows_9x: bool = False
    generation: str | None = "1.2"
    file: AgentFile = AgentFile(None)
    held: frozenset[int] | None = None
    conflicts: t.Sequence[t.Mapping[str, t.Any]] = ()
    listed: bool = True
    service_exists: bool | None = True
    swap_file: bool = False
    protocol: str | None = "ip"
    sms_ini: SmsIni | None = None
    logged_on: bool | None = None


class Standing(t.NamedTuple):
    """The answer.

    :ivar state: compliant, mitigated, vulnerable, conflict, pending, not_applicable or unknown.
    :ivar agent_build: hotfix, original, undetermined or absent.
    :ivar pending: of flagged, download, restart, logon, in this order: what is still to come, whatever the state is.
    :ivar reason: one stable word for counting.
    :ivar message: one sentence.
    """

    state: str
    agent_build: str
    pending: list[str]
    reason: str
    message: str


def stand(host: str, facts: Facts) -> Standing:
    """The one rule book: the first line that fits decides."""
    build = agent_build(facts)
    word = _not_applicable(facts, build)
    pending = [] if word else still_to_come(facts, build)

    def answer(state: str, reason: str, sentence: str) -> Standing:
        return Standing(state, build, pending, reason, f"{host} {sentence}.")

    # Whoever is asked is meant to have an agent; that a port of it is taken is worth knowing before it comes.
    open_question = word == "no-sms" and (facts.conflicts or not facts.listed)
    if word is not None and not open_question:
        return answer("not_applicable", word, _NOT_APPLICABLE[word].format(system=facts.system))
    by_ip = facts.protocol in (None, "ip")
    needed = {"hotfix": HOTFIX, "original": ORIGINAL}.get(build, ORIGINAL | HOTFIX) if by_ip else frozenset()
    conflicts = [entry for entry in facts.conflicts if entry["port"] in needed]
    if conflicts:
        more = f"; {len(conflicts) - 1} more" if len(conflicts) > 1 else ""
        more += "; it has no SMS remote control agent yet" if word else ""
        return answer("conflict", "port-conflict", f"has a port conflict: {str(conflicts[0]['message']).rstrip('.')}{more}")
    if word is not None:
        return answer(
            "unknown", "ports-unknown", "has no SMS remote control agent, and its ports could not be listed to rule out a conflict"
        )
    if build == "absent" and facts.generation is None:
        return answer("unknown", "not-readable", "could not be read well enough to tell whether it has the agent")
    # A client with the fix that a site-wide update tells to look again keeps working.
    if pending and (build != "hotfix" or "restart" in pending):
        return answer("pending", pending[0], _pending_sentence(facts, pending))
    if not by_ip:
        return answer("mitigated", "workaround", f"uses {_PROTOCOL_NAMES[str(facts.protocol)]} and needs none of the ports")
    if build == "hotfix" and not facts.listed:
        return answer("unknown", "ports-unknown", "has the agent of the hotfix, and its ports could not be listed to rule out a conflict")
    if build == "hotfix":
        return answer("compliant", _proof(facts), f"has the agent of the hotfix ({_proof_sentence(facts)})")
    if build == "original":
        return answer("vulnerable", "original-build", f"has an agent that needs the ports 1761-1764 ({_proof_sentence(facts)})")
    if build == "absent":
        return answer("not_applicable", "no-agent", "has SMS but no remote control agent")
    return answer(
        "unknown", "build-undetermined", f"has an agent whose build could not be told: {facts.file.detail.rstrip('.') or 'no evidence'}"
    )


_PROTOCOL_NAMES = {"netbios": "NetBIOS sessions", "ipx": "IPX sockets"}


def agent_build(facts: Facts) -> str:
    """Which agent it is."""
    held = facts.held or frozenset()
    # Both at once: an old and a new process, or other programs of the same name.
    if held & HOTFIX and held & ORIGINAL:
        return "undetermined"
    if held & HOTFIX:
        return "hotfix"
    if held & ORIGINAL:
        return "original"
    if facts.file.verdict in ("match", "later"):
        return "hotfix"
    if facts.file.verdict == "older":
        return "original"
    if facts.service_exists is False and facts.file.verdict in ("missing", None):
        return "absent"
    return "undetermined"


def still_to_come(facts: Facts, build: str) -> list[str]:
    """What has to happen before the client is done, as far as it can be seen."""
    ini = facts.sms_ini
    flagged = ini is not None and ini.phase == "verify_files"
    lacking = ini is not None and bool(ini.files_not_downloaded) and flagged
    # The new file is on the disk and the old one runs: its process began before.
    replaced = build == "original" and facts.file.verdict in ("match", "later")
    waiting = facts.swap_file or replaced
    found = {"flagged": flagged, "download": flagged or lacking, "restart": waiting, "logon": flagged and not facts.logged_on}
    return [name for name, is_so in found.items() if is_so]


def _not_applicable(facts: Facts, build: str) -> str | None:
    if facts.windows_9x:
        return "windows-9x"
    by_generation = {"2.0": "sms-2.0", "landesk": "landesk", "dummy": "dummy-file"}.get(facts.generation or "")
    if by_generation is not None:
        return by_generation
    return "no-sms" if facts.generation == "none" and build == "absent" else None


def _pending_sentence(facts: Facts, pending: list[str]) -> str:
    if facts.sms_ini is not None and facts.sms_ini.files_not_downloaded and "flagged" in pending:
        return (
            f"is told to update and could not get {facts.sms_ini.files_not_downloaded} from its logon server; "
            "see that every logon server has all files of its copy list (Q168598)"
        )
    if "restart" in pending and "flagged" not in pending:
        return "has the new agent beside the running one and needs a restart"
    return "is told to update and does so when somebody logs on after a restart, unless a program of SMS runs then (Q125978)"


def _proof(facts: Facts) -> str:
    held = facts.held or frozenset()
    if held & (HOTFIX | ORIGINAL):
        return "bound-ports"
    return "trusted-hash" if facts.file.trusted else "file-date"


def _proof_sentence(facts: Facts) -> str:
    held = sorted((facts.held or frozenset()) & (HOTFIX | ORIGINAL))
    if held:
        return f"it holds {', '.join(map(str, held))}"
    return "its sha256 is trusted" if facts.file.trusted else "by size and date of its file"
