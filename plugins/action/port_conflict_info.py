# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of sms.helpdesk.port_conflict_info; documented in plugins/modules/port_conflict_info.py."""

from __future__ import annotations

import pathlib
import typing as t

from ..plugin_utils._action import HelpdeskAction
from ..plugin_utils._argspec import PORT_CONFLICT_INFO
from ..plugin_utils._audit import audit, audit_capture, question_of, result_of
from ..plugin_utils._errors import BadInput
from ..plugin_utils._preload import preload

_CAPTURE_LIMIT = 64 * 1024 * 1024

preload()


class ActionModule(HelpdeskAction):
    """Ask one client, or one capture, which ports are free and who holds the others."""

    ARGUMENTS = PORT_CONFLICT_INFO

    def perform(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Validate, ask, answer."""
        question = question_of(arguments, self.host)
        if arguments["source"] == "capture":
            answer = audit_capture(self._capture(arguments["capture"]), question)
        else:
            with self.session() as session:
                answer = audit(session, question)
        return result_of(self.host, answer)

    def _capture(self, path: str) -> bytes:
        found = pathlib.Path(self._loader.path_dwim(path))
        try:
            if found.stat().st_size > _CAPTURE_LIMIT:
                raise BadInput(
                    self.host, f"the capture {found}", "it is larger than 64 MiB", "give the saved output of netstat", "bad-capture"
                )
            return found.read_bytes()
        except OSError as error:
            cause = error.strerror or type(error).__name__
            raise BadInput(
                self.host, f"the capture {found}", cause, "give the path of a readable file on the controller", "bad-capture"
            ) from None
