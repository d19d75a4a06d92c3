# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of sms.helpdesk.fleet_summary; documented in plugins/modules/fleet_summary.py."""

from __future__ import annotations

import typing as t

from ..plugin_utils._action import HelpdeskAction
from ..plugin_utils._argspec import FLEET_SUMMARY
from ..plugin_utils._summary import fleet_records, reasons, summarise


class ActionModule(HelpdeskAction):
    """Print what the audits of a whole play found; contacts no host."""

    ARGUMENTS = FLEET_SUMMARY
    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def perform(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Gather the registered results, print, and return the counts."""
        hosts = self.task_vars.get("ansible_play_hosts_all", []) if arguments["hosts"] is None else arguments["hosts"]
        hostvars = self.task_vars.get("hostvars", {})
        # An audit of the whole fleet is registered by every host; it is read once.
        fleet = fleet_records(self.task_vars.get(arguments["results"]))
        results = {
            host: fleet[host] if host in fleet else hostvars[host].get(arguments["results"]) if host in hostvars else None for host in hosts
        }
        summary = summarise(results)
        for line in summary["lines"]:
            self._display.display(line)
        return {
            "changed": False,
            "counts": summary["counts"],
            "hosts": summary["hosts"],
            "reasons": reasons(results),
            "lines": summary["lines"],
        }
