# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of sms.helpdesk.compliance_report; documented in plugins/modules/compliance_report.py."""

from __future__ import annotations

import datetime
import functools
import gc
import typing as t
from pathlib import Path

from ..plugin_utils import _records, _report, _report_files, _report_text
from ..plugin_utils._action import HelpdeskAction
from ..plugin_utils._argspec import COMPLIANCE_REPORT
from ..plugin_utils._errors import BadInput
from ..plugin_utils._report_html import as_html
from ..plugin_utils._summary import fleet_records, reasons
from ..plugin_utils._text import printable

_WRITERS: dict[str, t.Callable[[t.Mapping[str, t.Any]], bytes]] = {
    "html": as_html,
    "json": _report_text.as_json,
    "csv": _report_text.as_csv,
    "junit": _report_text.as_junit,
}
_GROUPS = {"clients": ("sms_clients",), "servers": ("sms_site_servers", "sms_admin_consoles")}


class ActionModule(HelpdeskAction):
    """Write one report over the results of a whole run; contacts no host."""

    ARGUMENTS = COMPLIANCE_REPORT
    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def perform(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Gather, merge, judge by the policy, write."""
        # Ten thousand results are millions of objects and none of them is garbage; looking for some takes a fifth of the time.
        enabled = gc.isenabled()
        gc.disable()
        try:
            return self._report(arguments)
        finally:
            if enabled:
                gc.enable()

    def _report(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._check(arguments)
        try:
            records = _records.merge([*self._given(arguments["records"], now), *self._gathered(arguments, now)])
        except _records.BadRecord as error:
            raise self._bad("records", str(error), "give what a module of this collection returned") from None
        directory = Path(arguments["dest"])
        report = _report.build(records, now, arguments["title"], arguments["fail_on"], _report_files.previous_of(directory))
        lines = _report.terminal(records)
        for line in lines:
            self._display.display(line)
        names = [_report_files.NAMES[each] for each in dict.fromkeys(arguments["formats"])]
        if not self._task.check_mode:
            self._write(directory, {each: functools.partial(_WRITERS[each], report) for each in dict.fromkeys(arguments["formats"])})
            self._display.display(f"\nThe report is in {printable(str(directory))}: {', '.join(names)}.")
        policy = report["policy"]
        result = {
            "changed": report["changes"] is None or bool(report["changes"]["hosts"]),
            "files": [str(directory / name) for name in names],
            "counts": report["summary"]["clients"],
            "servers": report["summary"]["servers"],
            "reasons": reasons({f"{each['kind']} {each['host']}": each for each in records if each["state"] in ("unreachable", "failed")}),
            "passed": policy["passed"],
            "failing": policy["failing"],
            "lines": lines,
        }
        if policy["passed"]:
            return result
        shown = ", ".join(printable(host, 80) for host in policy["failing"][:10])
        more = f" and {len(policy['failing']) - 10} more" if len(policy["failing"]) > 10 else ""
        states = ", ".join(arguments["fail_on"])
        message = f"{self.host}: the policy (fail_on: {states}) is not met by {shown}{more}; see the report in {printable(str(directory))}."
        return {**result, "failed": True, "reason": "policy", "msg": message}

    def _check(self, arguments: dict[str, t.Any]) -> None:
        if not arguments["formats"]:
            raise self._bad("formats", "it is empty", f"name some of {', '.join(_WRITERS)}")
        known = list(dict.fromkeys(state for states in _records.STATES.values() for state in states))
        for state in arguments["fail_on"]:
            if state not in known:
                raise self._bad("fail_on", f"{state!r} is no state", f"name some of {', '.join(known)}")

    def _bad(self, name: str, cause: str, next_step: str, reason: str = "bad-argument") -> BadInput:
        return BadInput(self.host, f"the argument {name}", printable(cause), next_step, reason)

    def _given(self, given: list[t.Any], now: str) -> list[_records.Record]:
        """The records of files, and those given as they are."""
        found = []
        for each in given:
            if not isinstance(each, str):
                found.append(_records.adopt(each, now))
                continue
            # As dest: from where the run was started. Only what is not there may lie beside the playbook.
            path = Path(each).expanduser()
            path = path if path.exists() else Path(self._loader.path_dwim(each))
            try:
                entries = _report_files.records_of(_report_files.read(path))
                found += [_records.adopt(entry, now) for entry in entries]
            except OSError as error:
                raise BadInput(
                    self.host, f"the file {path}", f"it cannot be read ({error.strerror})", "check the path in records", "file-unreadable"
                ) from None
            except _records.BadRecord as error:
                raise BadInput(
                    self.host, f"the file {path}", printable(str(error)), "give a report.json or a list of records", "bad-records"
                ) from None
        return found

    def _gathered(self, arguments: dict[str, t.Any], now: str) -> list[_records.Record]:
        """The records of this run, from what the hosts registered."""
        hostvars = self.task_vars.get("hostvars", {})
        found = []
        names = (arguments["status_results"], arguments["port_results"])
        # An audit of the whole fleet is registered by every host; it is read once.
        fleet = {host: each for name in reversed(names) for host, each in fleet_records(self.task_vars.get(name)).items()}

        def said_of(host: str) -> list[t.Any]:
            return [fleet[host]] if host in fleet else _registered(hostvars, host, names)

        for host in self._hosts(arguments, "clients"):
            found.append(_records.of_client(host, said_of(host), now))
        if arguments["clients"] is None:
            # Clients need not be in the group; whatever this run asked is one.
            known = {record["host"] for record in found}
            others = [host for host in self.task_vars.get("ansible_play_hosts_all", []) if host not in known]
            asked = {host: said_of(host) for host in others}
            found += [_records.of_client(host, said, now) for host, said in asked.items() if any(map(_was_run, said))]
        named: dict[str, None] = {}
        for host in self._hosts(arguments, "servers"):
            staging, replication, package = _registered(
                hostvars, host, (arguments["stage_results"], arguments["replication_results"], arguments["package_results"])
            )
            kind = "admin_console" if host in self._group("sms_admin_consoles") else "site_server"
            found.append(_records.of_staging(host, kind, staging, replication, now))
            found += (logon := _records.of_replication(replication, now))
            named.update(dict.fromkeys(each["host"] for each in logon))
            if _was_run(package):
                found.append(_records.of_package(f"package {package.get('hotfix') or ''}".strip(), package, now))
        if arguments["servers"] is None:
            found += [
                _records.record(host, "logon_server", "skipped", now, f"{host} was not looked at in this run.")
                for host in self._group("sms_logon_servers")
                if host not in named
            ]
        return found

    def _hosts(self, arguments: dict[str, t.Any], name: str) -> list[str]:
        if arguments[name] is not None:
            return list(dict.fromkeys(arguments[name]))
        return list(dict.fromkeys(host for group in _GROUPS[name] for host in self._group(group)))

    def _group(self, name: str) -> list[str]:
        return list(self.task_vars.get("groups", {}).get(name, []))

    def _write(self, directory: Path, files: dict[str, t.Callable[[], bytes]]) -> None:
        try:
            _report_files.write(directory, files)
        except OSError as error:
            raise BadInput(
                self.host,
                f"the report in {printable(str(directory))}",
                f"it cannot be written ({error.strerror})",
                "check dest, and that the user of the run may write there; the report before is still there",
                "not-written",
            ) from None


def _was_run(result: t.Any) -> bool:
    return isinstance(result, t.Mapping) and not result.get("skipped")


def _registered(hostvars: t.Mapping[str, t.Any], host: str, names: t.Sequence[str]) -> list[t.Any]:
    """What a host registered under each of the names."""
    if host not in hostvars:
        return [None] * len(names)
    # What was registered holds no templates. Looking for some in ten thousand results takes longer than the report.
    raw = hostvars.raw_get(host) if hasattr(hostvars, "raw_get") else hostvars[host]
    values = [raw.get(name) for name in names]
    return [hostvars[host].get(name) if isinstance(value, str) else value for name, value in zip(names, values, strict=True)]
