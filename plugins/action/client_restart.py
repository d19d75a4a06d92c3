# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of sms.helpdesk.client_restart; documented in plugins/modules/client_restart.py."""

from __future__ import annotations

import typing as t

from ..plugin_utils._action import HelpdeskAction
from ..plugin_utils._argspec import CLIENT_RESTART
from ..plugin_utils._errors import BadInput
from ..plugin_utils._preload import preload
from ..plugin_utils._restart import boot_time, restart
from ..plugin_utils._winrm import Session

preload()

# cmd.exe expands %, and a quotation mark would end the argument; the length is the limit of shutdown /c.
_FORBIDDEN = '"%\r\n'
_LONGEST_MESSAGE = 512


class ActionModule(HelpdeskAction):
    """Restart one client, once, and wait until it is back."""

    ARGUMENTS = CLIENT_RESTART

    def perform(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Validate, restart unless in check mode, answer."""
        self._check(arguments)
        if self._task.check_mode:
            with self.session() as session:
                return {"changed": True, "boot_time_before": boot_time(session).isoformat()}
        done = restart(
            self._reconnect, self.host, arguments["message"], arguments["delay"], arguments["down_timeout"], arguments["up_timeout"]
        )
        return {"changed": True, **done._asdict()}

    def _reconnect(self) -> Session:
        self._connection.protocol = None
        return self.session()

    def _check(self, arguments: dict[str, t.Any]) -> None:
        for name, least in (("delay", 0), ("down_timeout", 1), ("up_timeout", 1)):
            if arguments[name] < least:
                raise BadInput(self.host, f"the argument {name}", f"{arguments[name]} is less than {least}", "give seconds", "bad-argument")
        message = arguments["message"]
        if len(message) > _LONGEST_MESSAGE or any(char in message for char in _FORBIDDEN):
            raise BadInput(
                self.host,
                "the argument message",
                f"it is longer than {_LONGEST_MESSAGE} characters or holds a quotation mark, a percent sign or a line break",
                "give one plain line",
                "bad-argument",
            )
