# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upgrade.bat of the logon server on one client: whether it is needed, and one run of it. Private to the collection; no Ansible.

The script only flags Sms.ini (Q125978) and says that it succeeded whatever happened (Q153303), so neither its text nor its exit code is
believed: Sms.ini tells. It has to be run from its own drive (Q153303, Q156276), so the share is mapped and made the current one.
"""

from __future__ import annotations

import contextlib
import datetime
import re
import typing as t

from . import _restart_memory
from ._errors import ActionRefused, CommandTimeout, HelpdeskError
from ._text import decode, printable

HOTFIX_PORTS = (2701, 2704)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
"""A server that can stand in a command line as it is; likewise the share and the script, which may lie in a directory of it."""
SCRIPT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}(?:\\[A-Za-z0-9][A-Za-z0-9._-]{0,79}){0,7}")
SHARE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,78}\$?")
_DRIVES = "SRQPONMLKJ"
_OUTPUT_LIMIT = 1024 * 1024
_SHOWN = 4000
_SNAPSHOTS = r"%windir%\sms.helpdesk"
_IN_USE = 85
_MEANINGS = {
    5: (
        "access is denied",
        "the client logs on to the logon server in your name, a second hop that NTLM does not make: set ansible_winrm_transport to credssp "
        "(and allow it on the client with 'winrm set winrm/config/service/auth @{CredSSP=\"true\"}'), or to kerberos with "
        "ansible_winrm_kerberos_delegation: true and an account that may be delegated; then see that it may read the share",
        "share-denied",
    ),
    53: ("the server was not found", "check the name of the logon server, and that the client reaches its port 445", "share-not-found"),
    67: ("there is no such share", "check the argument share; a logon server has SMS_SHR", "share-not-found"),
    1219: ("the client is connected to that server in another name", "end that connection on the client, then run again", "share-denied"),
    1326: ("the server refuses the account", "see that your account may log on to the logon server", "share-denied"),
    1312: (
        "there is no logon session to pass on",
        "set ansible_winrm_transport to credssp, or to kerberos with ansible_winrm_kerberos_delegation: true",
        "share-denied",
    ),
}  # fmt: skip


class Wanted(t.NamedTuple):
    """What is asked for.

    :ivar logon_server: None is the one Sms.ini names.
    :ivar replication: what `hotfix_replication_info` returned; only looked at if `require_replicated`.
    """

    logon_server: str | None
    share: str
    script: str
    force: bool
    require_replicated: bool
    replication: t.Mapping[str, t.Any] | None


class Decision(t.NamedTuple):
    """What to do: `action` is ``run``, ``not-needed``, ``already-flagged`` or ``not-applicable``."""

    action: str
    logon_server: str
    message: str


class Ran(t.NamedTuple):
    """What came of the script.

    :ivar exit_code: None if it was ended.
    :ivar trouble: why it was ended, None if it ended by itself.
    """

    exit_code: int | None
    stdout: str
    stderr: str
    trouble: str | None


def decide(host: str, wanted: Wanted, status: t.Mapping[str, t.Any]) -> Decision:
    """Whether the script has to be run on a client in this state; pure.

    :raises ActionRefused: it would have to be, and must not.
    """
    state, build, pending = status["state"], status["agent_build"], status["pending"]
    message = str(status["message"])
    ini = status["sms_ini"] or {}
    server = wanted.logon_server or ini.get("logon_server") or next(iter(ini.get("logon_servers") or []), "")
    if state == "not_applicable" or (state == "conflict" and build == "absent"):
        return Decision("not-applicable", server, message)
    if build == "hotfix" and not wanted.force:
        return Decision("not-needed", server, message)
    if "flagged" in pending and not wanted.force:
        return Decision("already-flagged", server, message)
    if "restart" in pending and not wanted.force:
        return Decision("not-needed", server, message)
    if build != "original" and not wanted.force:
        raise ActionRefused(
            host,
            "the agent",
            f"its build is {build}: {message.rstrip('.')}",
            "look at the client; force runs the script nevertheless",
            "build-undetermined",
        )
    taken = [entry for entry in status["conflicts"] if HOTFIX_PORTS[0] <= entry["port"] <= HOTFIX_PORTS[1]]
    if taken and not wanted.force:
        raise ActionRefused(
            host,
            "the ports 2701-2704",
            f"the agent would be moved onto a port that is not free: {str(taken[0]['message']).partition('; ')[0].rstrip('.')}",
            "find out whose it is and free it, then run again",
            "port-taken",
        )
    if not server:
        raise ActionRefused(host, "the logon server", "Sms.ini names none", "give it as logon_server", "no-logon-server")
    if not NAME.fullmatch(server):
        raise ActionRefused(
            host, f"the logon server '{printable(server, 80)}'", "this is no name of a server", "give it as logon_server", "bad-argument"
        )
    if wanted.require_replicated:
        _require_replicated(host, server, wanted.replication)
    return Decision("run", server, message)


def _require_replicated(host: str, server: str, replication: t.Mapping[str, t.Any] | None) -> None:
    def refuse(cause: str, next_step: str) -> ActionRefused:
        return ActionRefused(host, f"the logon server {server}", cause, next_step, "not-replicated")

    entries = [entry for entry in (replication or {}).get("servers", []) if _is_server(entry, server)]
    if not entries:
        raise refuse("nothing says that it has the hotfix", "give the result of sms.helpdesk.hotfix_replication_info for it as replication")
    for entry in entries:
        if entry.get("status") != "replicated":
            detail = printable(str(entry.get("message") or entry.get("status")), 300).rstrip(".")
            raise refuse(f"it does not have the hotfix: {detail}", "wait for Maintenance Manager, then run again")


def _is_server(entry: t.Mapping[str, t.Any], server: str) -> bool:
    """By its name in the inventory or in the UNC root, with or without domain."""
    short = server.lower().partition(".")[0]
    root = str(entry.get("root", "")).replace("/", "\\").lstrip("\\").partition("\\")[0]
    names = {str(entry.get("name", "")).lower(), root.lower()}
    return server.lower() in names or short in {name.partition(".")[0] for name in names}


def snapshot(session: t.Any, status: t.Mapping[str, t.Any], now: datetime.datetime) -> str:
    """Keep Sms.ini and the agent's keys on the client, each time in a directory of its own; returns its path.

    :raises ActionRefused: something that is there could not be kept.
    """
    place = f"{_SNAPSHOTS}\\{now:%Y%m%dT%H%M%SZ}"
    asked = [f'md "{place}"']
    expected = []
    ini = status["sms_ini"]
    if ini is not None:
        # copy passes hidden files over, which this one is (Q126644).
        asked.append(f'type "{ini["path"]}" > "{place}\\Sms.ini"')
        expected.append("sms.ini")
    key = status["protocol"]["key"]
    if key is not None:
        # Without /y, which Windows XP does not know: the directory is new.
        asked.append(f'reg export "{key}" "{place}\\Remote Control.reg"')
        expected.append("remote control.reg")
    # A client that is told anew may be restarted anew.
    asked.append(f"{_restart_memory.FORGET} >nul 2>nul")
    result = session.run(" & ".join([*asked, f"echo {place}", f'dir /b "{place}"']))
    lines = [line.strip() for line in decode(result.stdout).splitlines()]
    missing = [name for name in expected if name not in [line.lower() for line in lines]]
    if missing:
        raise ActionRefused(
            session.host,
            f"the snapshot in {place}",
            f"{' and '.join(missing)} could not be kept: {printable(decode(result.stderr), 200) or 'no reason given'}",
            "nothing was run; connect with an administrator's account and free some space on its system drive",
            "snapshot-refused",
        )
    return next((line for line in lines if line.lower().endswith(place.partition("%\\")[2].lower())), place)


@contextlib.contextmanager
def mapped(session: t.Any, server: str, share: str, drive: str | None) -> t.Iterator[str]:
    """The share of a logon server under a drive letter, for the time of a ``with`` block.

    :param drive: the letter; None for the first that is free.
    :raises ActionRefused: the share cannot be mapped, or no letter is free.
    """
    unc = f"\\\\{server}\\{share}"
    quoted = f'"{unc}"' if " " in unc else unc
    letters = drive or _DRIVES
    for letter in letters:
        done = session.run(f"net use {letter}: {quoted} /persistent:no", once=True)
        code = next((int(number) for number in re.findall(r"\d+", decode(done.stderr))), 0)
        if done.exit_code == 0:
            break
        if code != _IN_USE:
            raise _not_mapped(session.host, unc, code, decode(done.stderr))
    else:
        raise ActionRefused(
            session.host, f"the drive {', '.join(letters)}", "it is in use on the client", "give another letter as drive", "drive-in-use"
        )
    try:
        yield letter
    finally:
        _unmap(session, letter)


def run_script(session: t.Any, letter: str, script: str, timeout: float) -> Ran:
    """Run the script with its drive as the current one; one that does not end is ended."""
    try:
        result = session.run(f"{letter}: & {letter}:\\{script}", deadline=timeout, once=True, limit=_OUTPUT_LIMIT)
        return Ran(result.exit_code, _shown(result.stdout), _shown(result.stderr), None)
    except CommandTimeout as error:
        return Ran(None, _shown(error.stdout), _shown(error.stderr), error.cause)


def _unmap(session: t.Any, letter: str) -> None:
    """Nothing is left behind, whatever happened; if the client no longer answers, the mapping goes with its shell."""
    try:
        session.run(f"net use {letter}: /delete /y")
    except HelpdeskError:
        session.close()


def _shown(data: bytes) -> str:
    """Output fit for a result: its beginning and its end, line by line."""
    lines = [printable(line, 300) for line in decode(data).splitlines()]
    text = "\n".join(lines)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]}\n...\n{text[-_SHOWN // 2 :]}"


def _not_mapped(host: str, unc: str, code: int, text: str) -> ActionRefused:
    cause, next_step, reason = _MEANINGS.get(
        code, (f"net use says '{printable(' '.join(text.split()), 200)}'", f"run 'net helpmsg {code}' for its meaning", "share-refused")
    )
    return ActionRefused(host, f"the share {unc}", f"it cannot be mapped on the client, Windows error {code}: {cause}", next_step, reason)


def trouble_of(host: str, script: str, ran: Ran, after: t.Mapping[str, t.Any]) -> ActionRefused | None:
    """What is wrong after a run, None if the client is flagged or has moved on from there; pure."""
    if ran.trouble is not None:
        return ActionRefused(
            host,
            f"the script {script}",
            f"{ran.trouble}; it was ended with all it had started, and the drive was unmapped",
            "run it on this client by hand and see what it waits for",
            "script-ended",
        )
    ini = after["sms_ini"] or {}
    if "flagged" in after["pending"] or after["agent_build"] == "hotfix" or "restart" in after["pending"]:
        return None
    last = next((line for line in reversed(ran.stdout.splitlines()) if line.strip()), "nothing")
    return ActionRefused(
        host,
        f"the script {script}",
        f"it ended with exit code {ran.exit_code} and said '{last.strip()}', and Sms.ini still says SetupPhase={ini.get('setup_phase')}",
        "its text proves nothing; see whether the programs it calls are on the share, and whether your account may write Sms.ini",
        "not-flagged",
    )
