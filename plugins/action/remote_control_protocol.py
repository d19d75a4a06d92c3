# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of sms.helpdesk.remote_control_protocol; documented in plugins/modules/remote_control_protocol.py."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _protocol, _service
from ..plugin_utils._action import HelpdeskAction
from ..plugin_utils._argspec import REMOTE_CONTROL_PROTOCOL
from ..plugin_utils._errors import ActionRefused, BadInput
from ..plugin_utils._preload import preload
from ..plugin_utils._text import decode

preload()


class ActionModule(HelpdeskAction):
    """Set the protocol of the agent, remembering what it was."""

    ARGUMENTS = REMOTE_CONTROL_PROTOCOL

    def perform(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Read, plan, and unless in check mode carry out."""
        wanted = self._wanted(arguments)
        with self.session() as session:
            control = _service.ServiceControl(session, arguments["service"], arguments["timeout"])
            now, memory, computer = _protocol.read(decode(session.run(_protocol.command()).stdout))
            todo = _protocol.plan(self.host, wanted, now, memory)
            service = control.read() if todo.restart else None
            # One that was owed belongs to an agent that ran, also if that run got no further than stopping it.
            restart = service is not None and (memory.restart or service.state not in ("", "Stopped", "Stop Pending"))
            if todo.changes and not self._task.check_mode:
                self._carry_out(session, control, todo, service if restart else None)
        result: dict[str, t.Any] = {
            "changed": todo.changes,
            "protocol": todo.after.shown(),
            "restarted": restart,
            "remembered": None if memory.before is None else memory.before.shown(),
            "warnings": [f"{self.host}: {remark}" for remark in _protocol.remarks(wanted, computer)],
        }
        if self._task.diff:
            result["diff"] = {"before": now.shown(), "after": todo.after.shown()}
        return result

    def _carry_out(self, session: t.Any, control: _service.ServiceControl, todo: _protocol.Plan, running: _service.Service | None) -> None:
        owed = [_protocol.OWE_RESTART] if running is not None else []
        for command in (*todo.remember, *owed, *todo.write):
            exit_code = session.run(command).exit_code
            if exit_code:
                raise ActionRefused(
                    self.host,
                    f"the command {command}",
                    f"it ended with exit code {exit_code}",
                    "connect with an account that is an administrator there; a run that was interrupted can be run again",
                    "registry-refused",
                )
        if running is not None:
            control.restart(running)
        if todo.forget:
            session.run(_protocol.FORGET)
        elif todo.restart:
            session.run(_protocol.RESTART_DONE)

    def _wanted(self, arguments: dict[str, t.Any]) -> _protocol.Wanted:
        for name, wrong, cause, next_step in (
            ("service", not _service.NAME.fullmatch(arguments["service"]), "is no name of a service key", "give the key name"),
            ("timeout", arguments["timeout"] < 1, "is not positive", "give seconds, 1 or more"),
            ("lana", not 0 <= arguments["lana"] <= 255, "is no LANA number", "give 0 to 255, usually 0"),
        ):
            if wrong:
                raise BadInput(self.host, f"the argument {name}", f"'{arguments[name]}' {cause}", next_step, "bad-argument")
        return _protocol.Wanted(
            arguments["protocol"], arguments["lana"], arguments["override"], arguments["command_line_type"], arguments["override_type"]
        )
