# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of sms.helpdesk.client_status_info; documented in plugins/modules/client_status_info.py."""

from __future__ import annotations

import typing as t

from ..plugin_utils._argspec import CLIENT_STATUS_INFO
from ..plugin_utils._audit import result_of
from ..plugin_utils._hotfix_action import HotfixAction
from ..plugin_utils._preload import preload
from ..plugin_utils._status import question_of, status

preload()


class ActionModule(HotfixAction):
    """Tell where one client stands."""

    ARGUMENTS = CLIENT_STATUS_INFO

    def perform(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Validate, ask, answer."""
        catalogue = self.catalogue(arguments)
        question = question_of(arguments, self.host, catalogue, self.trust(arguments, catalogue))
        with self.session() as session:
            return result_of(self.host, status(session, question))
