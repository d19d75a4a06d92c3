# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules return about one host to one record of a report, and many reports to one. Private to the collection; pure.

A record has the same keys whatever it is of, so that reports of several runs can be put together.
"""

from __future__ import annotations

import datetime
import typing as t

Record = dict[str, t.Any]
Result = t.Mapping[str, t.Any]

# Worst first; the order of every picture and table.
CLIENT_STATES = (
    "conflict", "vulnerable", "pending", "unknown", "mitigated", "clear", "compliant", "not_applicable", "unreachable", "failed", "skipped",
)  # fmt: skip
SERVER_STATES = ("not_staged", "stale", "unknown", "staged", "replicated", "unreachable", "failed", "skipped")
PACKAGE_STATES = ("unusable", "usable", "failed", "skipped")
STATES = {
    "client": CLIENT_STATES,
    "site_server": SERVER_STATES,
    "admin_console": SERVER_STATES,
    "logon_server": SERVER_STATES,
    "package": PACKAGE_STATES,
}
_OF_VERDICT = {"conflict": "conflict", "inconclusive": "unknown", "clear": "clear"}
_OF_REPLICATION = {"replicated": "replicated", "stale": "stale", "missing": "not_staged", "unreachable": "unreachable"}
_STAGED = ("unchanged", "kept_later")
_PORT_KEYS = ("port", "protocol", "purpose", "status", "dynamic_range", "endpoints")
_KINDS = ("listener", "bound", "reserved", "connection")
_DETAILS = ("agent", "service", "protocol", "sms", "sms_ini", "operating_system")


class BadRecord(ValueError):
    """Something that was given as a record is none; says what is wrong with it."""


def record(host: str, kind: str, state: str, time: str, message: str = "", **more: t.Any) -> Record:
    """A record with every key."""
    empty: Record = {
        "host": str(host),
        "kind": kind,
        "state": state,
        "time": time,
        "reason": None,
        "message": str(message),
        "os_version": None,
        "agent_build": None,
        "pending": [],
        "conflicts": [],
        "ports": [],
        "warnings": [],
        "files": [],
        "details": {},
    }
    return {**empty, **more}


def of_client(host: str, results: t.Sequence[Result | None], time: str) -> Record:
    """The record of a client.

    :param results: what modules returned about it, the one that says most first; None for one that was not run.
    """
    said = [each for each in results if isinstance(each, t.Mapping) and not each.get("skipped")]
    for each in said:
        state = _state(each)
        if state is not None:
            return _judged(host, each, state, time)
    for each in said:
        if each.get("unreachable") or each.get("failed"):
            return _lost(host, "client", each, time)
    return record(host, "client", "skipped", time, f"{host} was not asked in this run.")


def _state(result: Result) -> str | None:
    if result.get("unreachable") or result.get("failed"):
        return None
    state = result.get("state")
    if state in CLIENT_STATES:
        return str(state)
    return _OF_VERDICT.get(str(result.get("verdict")))


def _lost(host: str, kind: str, result: Result, time: str) -> Record:
    state = "unreachable" if result.get("unreachable") else "failed"
    return record(host, kind, state, time, str(result.get("msg", "")), reason=str(result.get("reason") or "other"))


def _judged(host: str, result: Result, state: str, time: str) -> Record:
    conflicts, ports = _entries(host, result, "conflicts"), _entries(host, result, "ports")
    facts = result.get("host")
    system = result.get("operating_system")
    version = facts.get("os_version") if isinstance(facts, t.Mapping) else None
    if version is None and isinstance(system, t.Mapping):
        version = system.get("version")
    return record(
        host,
        "client",
        state,
        time,
        str(result.get("message") or _sentence(host, state, conflicts)),
        reason=_text(result.get("reason")),
        os_version=_text(version),
        agent_build=_text(result.get("agent_build")),
        pending=[str(each) for each in result.get("pending") or ()],
        conflicts=conflicts,
        ports=[{key: each.get(key) for key in _PORT_KEYS} for each in ports],
        warnings=[str(each) for each in result.get("warnings") or ()],
        details={
            **{key: result[key] for key in _DETAILS if result.get(key)},
            **({"host": dict(facts)} if isinstance(facts, t.Mapping) else {}),
        },
    )


def _sentence(host: str, state: str, conflicts: t.Sequence[t.Any]) -> str:
    if state == "conflict":
        return f"{host} has {len(conflicts)} port conflict{'' if len(conflicts) == 1 else 's'}."
    if state == "unknown":
        return f"{host} may have a conflict that could not be seen."
    return f"{host} has no port conflict; the build of its agent was not looked at."


def of_staging(host: str, kind: str, staging: Result | None, replication: Result | None, time: str) -> Record:
    """The record of a site server or console.

    :param staging: what `hotfix_files` predicted in check mode: what it would not touch is staged.
    :param replication: what `hotfix_replication_info` returned of its logon servers; tells in place of a prediction by the builds it names.
    """
    said = [each for each in (staging, replication) if isinstance(each, t.Mapping) and not each.get("skipped")]
    for each in said:
        if each.get("unreachable") or each.get("failed"):
            return _lost(host, kind, each, time)
    if not said:
        return record(host, kind, "skipped", time, f"{host} was not looked at in this run.")
    if isinstance(staging, t.Mapping) and staging in said:
        files = _entries(host, staging, "files")
        staged = [each for each in files if each.get("action") in _STAGED]
        message = f"{len(staged)} of {len(files)} files of the hotfix are staged."
        shown = [_file(each, "staged" if each in staged else "not_staged") for each in files]
        return record(host, kind, "staged" if files and len(staged) == len(files) else "not_staged", time, message, files=shown)
    return record(
        host,
        kind,
        "unknown",
        time,
        "Without a package, what is staged here was only compared with the logon servers; set compliance_package.",
    )


def of_replication(replication: Result | None, time: str) -> list[Record]:
    """One record for each logon server a site server was compared with."""
    if not isinstance(replication, t.Mapping) or replication.get("skipped"):
        return []
    records = []
    for server in _entries("the result of replication", replication, "servers"):
        files = [
            _file(each, _OF_REPLICATION.get(str(each.get("status")), "unknown"))
            for each in _entries("the result of replication", replication, "files")
            if each.get("server") == server.get("name")
        ]
        state = _OF_REPLICATION.get(str(server.get("status")), "unknown")
        reason = str(server.get("reason") or "other") if state == "unreachable" else None
        message = str(server.get("message", ""))
        records.append(record(str(server.get("name")), "logon_server", state, time, message, files=files, reason=reason))
    return records


def of_package(path: str, result: Result | None, time: str) -> Record:
    """The record of the package on the controller."""
    if not isinstance(result, t.Mapping) or result.get("skipped"):
        return record(path, "package", "skipped", time, "No package was looked at in this run.")
    if result.get("failed"):
        return _lost(path, "package", result, time)
    files = [_file(each, str(each.get("status"))) for each in _entries(path, result, "files")]
    problems = [str(each) for each in result.get("problems") or ()]
    message = " ".join(problems) or f"The {len(files)} files of the package are the hotfix."
    return record(path, "package", "usable" if result.get("usable") else "unusable", time, message, files=files)


def _file(entry: Result, state: str) -> dict[str, t.Any]:
    return {
        "name": str(entry.get("name")),
        "platform": str(entry.get("platform")),
        "state": state,
        "message": str(entry.get("message", "")),
    }


def _text(value: t.Any) -> str | None:
    return None if value is None else str(value)


def _entries(host: str, result: Result, key: str) -> list[dict[str, t.Any]]:
    entries = result.get(key)
    if entries is None:
        return []
    if not isinstance(entries, list) or not all(isinstance(each, t.Mapping) for each in entries):
        raise BadRecord(f"{key} of {host} is not a list of dictionaries")
    if key in ("conflicts", "ports"):
        for each in entries:
            _check_port(host, key, each)
    return [dict(each) for each in entries]


def _check_port(host: str, key: str, entry: Result) -> None:
    port, endpoints = entry.get("port"), entry.get("endpoints", [])
    if not isinstance(port, int) or not 0 <= port <= 65535:
        raise BadRecord(f"a port in {key} of {host} is {port!r}")
    if not isinstance(endpoints, list) or not all(isinstance(each, t.Mapping) for each in endpoints):
        raise BadRecord(f"endpoints in {key} of {host} are not a list of dictionaries")
    if key == "conflicts" and (entry.get("kind") not in _KINDS or not isinstance(entry.get("message"), str)):
        raise BadRecord(f"a conflict of {host} has no kind of {', '.join(_KINDS)} or no message")


def adopt(given: t.Any, time: str) -> Record:
    """A record of an earlier report, or of an audit of many hosts, as a record.

    :param time: when it was read, for one that does not say.
    :raises BadRecord: it is neither.
    """
    if not isinstance(given, t.Mapping):
        raise BadRecord(f"a record is a dictionary, not {type(given).__name__}")
    # What a module returns has the facts of a host in "host", so that its name stands elsewhere.
    facts = given.get("host")
    host = given.get("inventory_hostname") if isinstance(facts, (t.Mapping, type(None))) else facts
    if not isinstance(host, str) or not host.strip():
        raise BadRecord("a record has no name of a host")
    moment = _moment(host, given.get("time", time))
    if "kind" not in given:
        return of_client(host, [given], moment)
    kind, state = given["kind"], given.get("state")
    if not isinstance(kind, str) or kind not in STATES:
        raise BadRecord(f"kind of {host} is {kind!r}, which is none of {', '.join(STATES)}")
    if state not in STATES[kind]:
        raise BadRecord(f"state of {host} is {state!r}, which is none of {', '.join(STATES[kind])}")
    for key in ("message", "reason", "os_version", "agent_build"):
        if not isinstance(given.get(key, ""), (str, type(None))):
            raise BadRecord(f"{key} of {host} is not text")
    for key in ("warnings", "pending"):
        if not isinstance(given.get(key, []), list):
            raise BadRecord(f"{key} of {host} is not a list")
    if not isinstance(given.get("details", {}), t.Mapping):
        raise BadRecord(f"details of {host} are not a dictionary")
    return record(
        host,
        kind,
        state,
        moment,
        given.get("message") or "",
        reason=given.get("reason"),
        os_version=given.get("os_version"),
        agent_build=given.get("agent_build"),
        pending=[str(each) for each in given.get("pending", [])],
        conflicts=_entries(host, given, "conflicts"),
        ports=_entries(host, given, "ports"),
        warnings=[str(each) for each in given.get("warnings", [])],
        files=_entries(host, given, "files"),
        details=dict(given.get("details", {})),
    )


def _moment(host: str, value: t.Any) -> str:
    """A time as all records have it, so that they can be compared as text; one without a zone is UTC."""
    try:
        # Python 3.10 does not read the Z.
        read = datetime.datetime.fromisoformat(value.removesuffix("Z") + ("+00:00" if value.endswith("Z") else ""))
        utc = read.replace(tzinfo=read.tzinfo or datetime.timezone.utc).astimezone(datetime.timezone.utc)
    except (ValueError, AttributeError, OverflowError):
        raise BadRecord(f"time of {host} is {value!r}, which is no time of ISO 8601") from None
    return utc.strftime("%Y-%m-%dT%H:%M:%SZ")


def merge(records: t.Iterable[Record]) -> list[Record]:
    """One record for each host and kind: the newest, and of equals the last. One that was skipped counts only if there is no other."""
    newest: dict[tuple[str, str], Record] = {}
    for each in records:
        key = (each["kind"], each["host"])
        if key not in newest or _age(each) >= _age(newest[key]):
            newest[key] = each
    kinds = list(STATES)
    return sorted(newest.values(), key=lambda each: (kinds.index(each["kind"]), each["host"]))


def _age(each: Record) -> tuple[bool, str]:
    return each["state"] != "skipped", each["time"]
