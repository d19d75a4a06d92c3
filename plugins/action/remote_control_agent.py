# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of sms.helpdesk.remote_control_agent; documented in plugins/modules/remote_control_agent.py."""

from __future__ import annotations

import typing as t

from ..plugin_utils import _agent, _service
from ..plugin_utils._action import HelpdeskAction
from ..plugin_utils._argspec import REMOTE_CONTROL_AGENT
from ..plugin_utils._errors import BadInput
from ..plugin_utils._preload import preload

preload()


class ActionModule(HelpdeskAction):
    """Bring the service of the agent into a state, remembering the one it had."""

    ARGUMENTS = REMOTE_CONTROL_AGENT

    def perform(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Read, plan, and unless in check mode carry out."""
        name = arguments["service"]
        if not _service.NAME.fullmatch(name):
            raise BadInput(
                self.host,
                "the argument service",
                f"'{name}' is no name of a service key",
                "give the key name, not the display name",
                "bad-argument",
            )
        if arguments["timeout"] < 1:
            raise BadInput(
                self.host, "the argument timeout", f"{arguments['timeout']} is not positive", "give seconds, 1 or more", "bad-argument"
            )
        with self.session() as session:
            control = _service.ServiceControl(session, name, arguments["timeout"])
            before, memory = control.read(), control.remembered()
            todo = _agent.plan(self.host, arguments["state"], before, memory)
            after = todo.outcome(before) if self._task.check_mode else _agent.carry_out(control, todo, before)
        result: dict[str, t.Any] = {
            "changed": todo.changes,
            "service": {"name": name, **after.shown()},
            "remembered": None if memory is None else memory._asdict(),
        }
        if self._task.diff:
            result["diff"] = {"before": before.shown(), "after": after.shown()}
        return result
