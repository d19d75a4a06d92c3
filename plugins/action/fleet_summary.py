# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of sms.helpdesk.fleet_summary; documented in plugins/modules/fleet_summary.py."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _records
from ..plugin_utils._action import HelpdeskAction
from ..plugin_utils._argspec import FLEET_SUMMARY
from ..plugin_utils._summary import STATES, fleet_records, lost, reasons, summarise
from ..plugin_utils._text import printable


class ActionModule(HelpdeskAction):
    """Print what was found about the clients of a whole play; contacts no host."""

    ARGUMENTS = FLEET_SUMMARY
    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def perform(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Gather the registered results, print, and return the counts."""
        hosts = self.task_vars.get("ansible_play_hosts_all", []) if arguments["hosts"] is None else arguments["hosts"]
        hostvars = self.task_vars.get("hostvars", {})
        names = arguments["results"]
        # An audit of the whole fleet is registered by every host; it is read once.
        fleet = fleet_records(next((self.task_vars[name] for name in names if name in self.task_vars), None))

        def told(host: str) -> list[t.Any]:
            return (
                [fleet[host]] if host in fleet else [hostvars[host][name] for name in names if host in hostvars and name in hostvars[host]]
            )

        of_clients = arguments["subject"] == "clients"
        results = {host: _records.of_client(host, told(host), "") if of_clients else next(iter(told(host)), None) for host in hosts}
        title = arguments["title"] or ("Clients" if of_clients else "Port conflicts")
        summary = summarise(results, _records.CLIENT_STATES if of_clients else STATES, title)
        for line in summary["lines"]:
            self._display.display(line)
        found = {
            "changed": False,
            "counts": summary["counts"],
            "hosts": summary["hosts"],
            "reasons": reasons(results),
            "lines": summary["lines"],
        }
        allowed, failed = arguments["max_fail_percentage"], lost(summary["hosts"])
        if not results or len(failed) * 100 <= allowed * len(results):
            return found
        shown = ", ".join(printable(host, 80) for host in failed[:10]) + (f" and {len(failed) - 10} more" if len(failed) > 10 else "")
        return {
            **found,
            "failed": True,
            "msg": f"{title}: {len(failed)} of {len(results)} clients were not reached or failed, and {allowed:g} percent are allowed: "
            f"{shown}. Nothing is begun after this; see above what each says, mend it, and run the same again, which goes on from here.",
        }
