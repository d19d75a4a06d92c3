# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of sms.helpdesk.fleet_audit; documented in plugins/modules/fleet_audit.py."""

from __future__ import annotations

import os
import sys
import typing as t

from ..plugin_utils import _audit, _records, _status
from ..plugin_utils._argspec import FLEET_AUDIT
from ..plugin_utils._errors import BadInput
from ..plugin_utils._fleet import Fleet, Interrupted, Plan, Progress, allowed_concurrency
from ..plugin_utils._fleet_hosts import Hosts
from ..plugin_utils._hotfix_action import HotfixAction
from ..plugin_utils._preload import preload
from ..plugin_utils._summary import STATES, reasons, state_of

preload()
# Ansible's workers have no terminal; this module is loaded before they are forked.
_TERMINAL = sys.stdout is not None and sys.stdout.isatty()


class ActionModule(HotfixAction):
    """Ask every client of a play from a few processes."""

    ARGUMENTS = FLEET_AUDIT
    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def perform(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Validate, ask everybody, count."""
        ask = self._what_to_ask(arguments)
        plan, warnings = self._plan(arguments)
        given = arguments["hosts"]
        wanted = list(self.task_vars.get("ansible_play_hosts", [])) if given is None else [str(name) for name in given]
        hosts = Hosts(self, self.task_vars)
        if unknown := hosts.unknown(wanted):
            shown = ", ".join(unknown[:5]) + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else "")
            raise BadInput("fleet_audit", f"the argument hosts: {shown}", "not in the inventory", "correct the names", "bad-argument")
        if len(set(wanted)) < len(wanted):
            twice = sorted({name for name in wanted if wanted.count(name) > 1}) if len(wanted) < 2000 else []
            warnings.append("hosts are named more than once and asked once" + (f": {', '.join(twice[:5])}" if twice else ""))
        try:
            found = Fleet(plan, hosts.task(ask), hosts.target, self._say).run(wanted)
        except Interrupted as interrupted:
            if interrupted.number is not None:
                os.kill(os.getpid(), interrupted.number)
            os._exit(1)
        counts = dict.fromkeys(_records.CLIENT_STATES if arguments["status"] else STATES, 0)
        for name, record in found.items():
            counts[_records.of_client(name, [record], "")["state"] if arguments["status"] else state_of(record)] += 1
        return {
            "changed": False,
            "records": [{"inventory_hostname": name, "changed": False, **record} for name, record in found.items()],
            "counts": counts,
            "reasons": reasons(found),
            "warnings": warnings,
        }

    def _what_to_ask(self, arguments: dict[str, t.Any]) -> t.Callable[[t.Any], dict[str, t.Any]]:
        if not arguments["status"]:
            ports = _audit.question_of(arguments, "fleet_audit")
            return lambda session: _audit.audit(session, ports)
        if arguments["ports"] is not None or arguments["port_set"] != "all":
            cause = "a state is told from all ports of the help desk"
            raise BadInput("fleet_audit", "the argument status", cause, "leave ports and port_set out", "bad-argument")
        catalogue = self.catalogue(arguments)
        status = _status.question_of(arguments, "fleet_audit", catalogue, self.trust(arguments, catalogue))
        return lambda session: _status.status(session, status)

    def _plan(self, arguments: dict[str, t.Any]) -> tuple[Plan, list[str]]:
        for name in ("concurrency", "connect_timeout", "host_deadline", "deadline"):
            if not arguments[name] > 0:
                raise BadInput("fleet_audit", f"the argument {name}", f"{arguments[name]} is not above 0", "give more", "bad-argument")
        if arguments["retries"] < 0:
            raise BadInput("fleet_audit", "the argument retries", "it is below 0", "give 0 or more", "bad-argument")
        concurrency, warning = allowed_concurrency(arguments["concurrency"])
        plan = Plan(concurrency, arguments["connect_timeout"], arguments["host_deadline"], arguments["deadline"], arguments["retries"])
        return plan, [warning] if warning else []

    def _say(self, progress: Progress) -> None:
        if _TERMINAL:
            self._display.display(str(progress))
