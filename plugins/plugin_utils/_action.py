# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all action plugins of this collection share. Private to the collection.

One place validates the arguments, gets from Ansible's connection to a session, and maps errors to results.
"""

from __future__ import annotations

import sys
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from . import _libraries as lib
from ._errors import BadInput, HelpdeskError, Unreachable
from ._text import printable
from ._trouble import Trouble, explain
from ._watch import Watch
from ._winrm import Session

_NO_SHELL = "not opened"


class HelpdeskAction(ActionBase):
    """Base of the actions: subclasses set `ARGUMENTS` and implement `perform`."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    _supports_diff = True

    ARGUMENTS: t.ClassVar[dict[str, t.Any]] = {}

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Ansible's entry point."""
        result = super().run(tmp, task_vars)
        self.task_vars = task_vars or {}
        _validated, arguments = self.validate_argument_spec(**self.ARGUMENTS)
        try:
            result.update(self.perform(arguments))
        except HelpdeskError as error:
            result.update(error.as_result())
        return result

    def perform(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Do the work and return the keys of the result.

        :param arguments: validated and coerced, defaults filled in.
        :raises HelpdeskError: the task ends with it.
        """
        raise NotImplementedError

    @property
    def host(self) -> str:
        """The inventory name of the host the task runs for."""
        return str(self.task_vars.get("inventory_hostname") or self._play_context.remote_addr or "localhost")

    def session(self) -> Session:
        """A session with the client of this task; nothing has been sent yet.

        :raises BadInput: a library is missing on the controller, or the host's connection plugin is not Ansible's `winrm`.
        :raises Unreachable: the connection options cannot be used.
        """
        return open_session(self._connection, self.host)


def open_session(connection: t.Any, host: str, watch: Watch | None = None) -> Session:
    """A session over Ansible's `winrm` connection plugin: its options, its pywinrm `Protocol`, our conversation.

    The plugin opens a shell as soon as it connects and turns whatever goes wrong into text. It does neither if it
    believes it has a shell, so it is told so: the failure then reaches us with its class and number.
    """
    if lib.MISSING is not None:
        raise BadInput(
            host,
            "the controller",
            f"the Python library {lib.MISSING} is not installed for {sys.executable}",
            "install it with 'python3 -m pip install -r requirements.txt' of this collection",
            "library-missing",
        )
    if getattr(connection, "transport", None) != "winrm":
        raise BadInput(
            host,
            f"the connection plugin {connection.ansible_name if hasattr(connection, 'ansible_name') else connection.transport}",
            "only Ansible's own winrm connection reaches clients without PowerShell",
            "set ansible_connection to winrm for this host",
            "connection-plugin",
        )
    transports = list(connection.get_option("transport") or [None])
    for transport in transports[:-1]:
        # Like the plugin itself: the methods are tried in the user's order until one is let in.
        connection.set_option("transport", [transport])
        session = None
        try:
            session = _unopened(connection, host, watch)
            session.open()
            return session
        except Unreachable:
            if session is not None:
                session.close()
            connection.protocol = None
    connection.set_option("transport", transports[-1:])
    return _unopened(connection, host, watch)


def _unopened(connection: t.Any, host: str, watch: Watch | None) -> Session:
    connection.shell_id = _NO_SHELL
    try:
        connection._connect()
    except AnsibleConnectionFailure as error:
        raise Unreachable(
            host, "WinRM", f"the connection plugin gave up: {_one_line(error)}", explain(Trouble("credentials"))[1], "credentials"
        ) from None
    except AnsibleError as error:
        cause, next_step = explain(Trouble("configuration", _one_line(error)))
        raise Unreachable(host, "WinRM", cause, next_step, "configuration") from None
    finally:
        connection.shell_id = None
    return Session(connection.protocol, host, watch)


def _one_line(error: Exception) -> str:
    return printable(" ".join(str(error).split()), 300)
