# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of sms.helpdesk.client_status_info; documented in plugins/modules/client_status_info.py."""

from __future__ import annotations

import time
import typing as t

from ..plugin_utils._argspec import CLIENT_STATUS_INFO
from ..plugin_utils._audit import result_of
from ..plugin_utils._errors import BadInput
from ..plugin_utils._hotfix_action import HotfixAction
from ..plugin_utils._preload import preload
from ..plugin_utils._status import question_of, status

preload()


class ActionModule(HotfixAction):
    """Tell where one client stands."""

    ARGUMENTS = CLIENT_STATUS_INFO

    def perform(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Validate, ask until there is nothing to wait for, answer."""
        for name, least in (("wait_timeout", 0), ("wait_interval", 1)):
            if arguments[name] < least:
                raise BadInput(
                    self.host, f"the argument {name}", f"{arguments[name]} is less than {least}", "give whole seconds", "bad-argument"
                )
        catalogue = self.catalogue(arguments)
        question = question_of(arguments, self.host, catalogue, self.trust(arguments, catalogue))
        until = time.monotonic() + arguments["wait_timeout"]
        while True:
            with self.session() as session:
                found = status(session, question)
            left = until - time.monotonic()
            if "flagged" not in found["pending"] or left <= 0 or self._task.check_mode:
                return result_of(self.host, found)
            time.sleep(min(arguments["wait_interval"], left))
