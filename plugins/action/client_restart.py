# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of sms.helpdesk.client_restart; documented in plugins/modules/client_restart.py."""

from __future__ import annotations

import datetime
import typing as t

from ..plugin_utils import _restart, _restart_memory
from ..plugin_utils._action import HelpdeskAction
from ..plugin_utils._argspec import CLIENT_RESTART
from ..plugin_utils._errors import ActionRefused, BadInput
from ..plugin_utils._preload import preload
from ..plugin_utils._text import decode, printable
from ..plugin_utils._winrm import Session

preload()

# cmd.exe expands %, and a quotation mark would end the argument; the length is the limit of shutdown /c.
_FORBIDDEN = '"%\r\n'
_LONGEST_MESSAGE = 512


class ActionModule(HelpdeskAction):
    """Restart one client, once, and wait until it is back."""

    ARGUMENTS = CLIENT_RESTART

    def perform(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Validate, look, restart unless it is not needed or in check mode, answer."""
        since = self._check(arguments)
        purpose = arguments["once_for"]
        with self.session() as session:
            before = _restart.look(session)
            user = _restart.logged_on(session)
            result: dict[str, t.Any] = {"changed": True, "logged_on": user, "boot_time_before": before.boot_time.isoformat()}
            mark = None if purpose is None else _restart_memory.read(decode(session.run(_restart_memory.QUERY).stdout))
            decided = mark is not None and mark.purpose == purpose
            if mark is not None and decided:
                since = mark.boot_time
            if since is not None and _restart.is_another_boot(before.boot_time, since):
                return {**result, "changed": False, "boot_time_before": since.isoformat(), "boot_time_after": before.boot_time.isoformat()}
            if mark is not None and decided and mark.done:
                return {**result, "changed": False, "boot_time_after": before.boot_time.isoformat()}
            result["warnings"] = [f"{self.host}: {user} is logged on and may lose unsaved work."] if user else []
            if self._task.check_mode:
                return result
            if purpose is not None and not decided:
                self._remember(session, _restart_memory.remember(purpose, before.boot_time))
            _restart.request(session, arguments["message"], arguments["delay"])
        done = _restart.wait(self._reconnect, self.host, before, arguments["delay"], arguments["down_timeout"], arguments["up_timeout"])
        if purpose is not None:
            with self._reconnect() as session:
                self._remember(session, _restart_memory.DONE)
        return {**result, **done._asdict()}

    def _remember(self, session: Session, command: str) -> None:
        kept = session.run(command)
        if kept.exit_code:
            raise ActionRefused(
                self.host,
                f"the note in {_restart_memory.KEY}",
                f"it could not be written: {printable(decode(kept.stderr), 200) or f'exit code {kept.exit_code}'}",
                "connect with an administrator's account",
                "note-refused",
            )

    def _reconnect(self) -> Session:
        self._connection.protocol = None
        return self.session()

    def _check(self, arguments: dict[str, t.Any]) -> datetime.datetime | None:
        """What `since_boot` says; fails where an argument makes no sense."""
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
        purpose = arguments["once_for"]
        if purpose is not None and not _restart_memory.PURPOSE.fullmatch(purpose):
            raise BadInput(
                self.host,
                "the argument once_for",
                f"'{printable(purpose, 120)}' is longer than 100 characters, or has others than letters, digits, blanks and .,:/-_",
                "give a short name of what the restart is for",
                "bad-argument",
            )
        text = arguments["since_boot"]
        since = None if text is None else _restart.parse_time(text)
        if text is not None and since is None:
            raise BadInput(
                self.host,
                "the argument since_boot",
                f"'{text}' is no time",
                "give a boot time as this module returns it, such as 2026-03-02T07:58:11+00:00",
                "bad-argument",
            )
        return since
