# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of sms.helpdesk.client_upgrade; documented in plugins/modules/client_upgrade.py."""

from __future__ import annotations

import datetime
import typing as t

from ..plugin_utils import _upgrade
from ..plugin_utils._argspec import CLIENT_UPGRADE
from ..plugin_utils._errors import BadInput
from ..plugin_utils._hotfix_action import HotfixAction
from ..plugin_utils._preload import preload
from ..plugin_utils._status import StatusQuestion, question_of, status

preload()


class ActionModule(HotfixAction):
    """Run Upgrade.bat of the logon server on a client that needs it."""

    ARGUMENTS = CLIENT_UPGRADE

    def perform(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Look, decide, keep, run, and look again."""
        wanted = self._wanted(arguments)
        catalogue = self.catalogue(arguments)
        question = question_of(arguments, self.host, catalogue, self.trust(arguments, catalogue))
        with self.session() as session:
            before = status(session, question)
            decision = _upgrade.decide(self.host, wanted, before)
            if decision.action != "run" or self._task.check_mode:
                return self._untouched(decision, before)
            # A client whose share cannot be mapped is left exactly as it was.
            with _upgrade.mapped(session, decision.logon_server, wanted.share, arguments["drive"]) as letter:
                kept = _upgrade.snapshot(session, before, datetime.datetime.now(datetime.timezone.utc))
                ran = _upgrade.run_script(session, letter, wanted.script, arguments["timeout"])
        return self._result(question, wanted, decision, before, kept, ran)

    def _untouched(self, decision: _upgrade.Decision, before: dict[str, t.Any]) -> dict[str, t.Any]:
        would = decision.action == "run"
        ini = before["sms_ini"]
        phase = "verify_files" if would else ini and ini["phase"]
        return {
            "changed": would,
            "action": "would-run" if would else decision.action,
            "phase": phase,
            "before": ini,
            "after": ini,
            "exit_code": None,
            "stdout": "",
            "stderr": "",
            "logon_server": decision.logon_server or None,
            "snapshot": None,
            **self._standing(before),
            **self._diff(ini, phase),
        }

    def _result(
        self,
        question: StatusQuestion,
        wanted: _upgrade.Wanted,
        decision: _upgrade.Decision,
        before: dict[str, t.Any],
        kept: str,
        ran: _upgrade.Ran,
    ) -> dict[str, t.Any]:
        # The shell the script ran in is gone by now, and whatever was left in it.
        with self.session() as session:
            after = status(session, question)
        trouble = _upgrade.trouble_of(self.host, wanted.script, ran, after)
        ini = after["sms_ini"]
        phase = ini and ini["phase"]
        return {
            "changed": True,
            "action": "ran",
            "phase": phase,
            "before": before["sms_ini"],
            "after": ini,
            "exit_code": ran.exit_code,
            "stdout": ran.stdout,
            "stderr": ran.stderr,
            "logon_server": decision.logon_server,
            "snapshot": kept,
            **self._standing(after),
            **self._diff(before["sms_ini"], phase),
            **({} if trouble is None else trouble.as_result()),
        }

    def _standing(self, found: dict[str, t.Any]) -> dict[str, t.Any]:
        warnings = [f"{self.host}: {warning}" for warning in found["warnings"]]
        return {
            **{key: found[key] for key in ("state", "agent_build", "pending", "message", "service", "conflicts", "ports", "host")},
            "warnings": warnings,
        }

    def _diff(self, ini: dict[str, t.Any] | None, phase: str | None) -> dict[str, t.Any]:
        if not self._task.diff:
            return {}
        return {"diff": {"before": {"phase": ini and ini["phase"]}, "after": {"phase": phase}}}

    def _wanted(self, arguments: dict[str, t.Any]) -> _upgrade.Wanted:
        server, drive = arguments["logon_server"], arguments["drive"]
        for name, wrong, cause, next_step in (
            ("logon_server", server is not None and not _upgrade.NAME.fullmatch(server), "is no name of a server", "give the name alone"),
            ("share", not _upgrade.SHARE.fullmatch(arguments["share"]), "is no name of a share", "give the name alone, such as SMS_SHR"),
            ("script", not _upgrade.SCRIPT.fullmatch(arguments["script"]), "is no file below the share", "give its path below the share"),
            ("timeout", arguments["timeout"] < 1, "is not positive", "give seconds, 1 or more"),
            ("drive", drive is not None and not (len(drive) == 1 and "D" <= drive.upper() <= "Z"), "is no free letter", "give D to Z"),
        ):
            if wrong:
                raise BadInput(self.host, f"the argument {name}", f"'{arguments[name]}' {cause}", next_step, "bad-argument")
        return _upgrade.Wanted(
            server, arguments["share"], arguments["script"], arguments["force"], arguments["require_replicated"], arguments["replication"]
        )
