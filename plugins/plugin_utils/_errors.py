# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error this collection can tell an operator. Private to the collection: it may change in any release.

An error is one sentence made of the same five parts: host, thing, cause, value and next step. The classes say how
Ansible has to treat it (`unreachable` or `failed`); `reason` is a stable word a report can count by.
"""

from __future__ import annotations

import typing as t


class HelpdeskError(Exception):
    """The root of the tree: a condition that ends the work on one host.

    :param host: the inventory name of the host, or the path for things on the controller.
    :param thing: what was being done or looked at, with its value ("the shell on http://10.0.0.7:5985/wsman").
    :param cause: why it did not work, without a trailing full stop.
    :param next_step: what the operator does about it, an imperative clause.
    :param reason: one stable word for counting, for example ``credentials``.
    """

    unreachable = False

    def __init__(self, host: str, thing: str, cause: str, next_step: str, reason: str) -> None:
        self.host = host
        self.thing = thing
        self.cause = cause
        self.next_step = next_step
        self.reason = reason
        super().__init__(str(self))

    def __str__(self) -> str:
        return f"{self.host}: {self.thing}: {self.cause}; {self.next_step}."

    def as_result(self) -> dict[str, t.Any]:
        """The keys of a task result that ends the task with this error."""
        result: dict[str, t.Any] = {"msg": str(self), "reason": self.reason}
        result["unreachable" if self.unreachable else "failed"] = True
        return result


class Unreachable(HelpdeskError):
    """No usable WinRM session with the host: name, network, TLS, credentials, quota, or something that is not WinRM."""

    unreachable = True


class BadInput(HelpdeskError):
    """An argument, a file or a combination of arguments that cannot be worked with; raised before the first remote call."""


class CommandTimeout(HelpdeskError):
    """A command was started on the client and did not end within its time or its output; it has been told to end.

    :param stdout: what it had printed until then, and `stderr`.
    """

    def __init__(self, host: str, thing: str, cause: str, next_step: str, reason: str, stdout: bytes = b"", stderr: bytes = b"") -> None:
        self.stdout = stdout
        self.stderr = stderr
        super().__init__(host, thing, cause, next_step, reason)


class QueryRefused(HelpdeskError):
    """The client answers, but WMI does not serve the query: access denied, class missing, provider broken.

    :param code: the WSManFault or HRESULT number, None if the fault carried none.
    """

    def __init__(self, host: str, thing: str, cause: str, next_step: str, reason: str, code: int | None = None) -> None:
        self.code = code
        super().__init__(host, thing, cause, next_step, reason)


class ActionRefused(HelpdeskError):
    """The client answers, but does not do what was asked: a service that does not stop, a command with an error code."""
