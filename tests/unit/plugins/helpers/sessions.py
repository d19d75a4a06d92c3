# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that was told beforehand what it is going to be asked. Ordered and strict."""

from __future__ import annotations

import typing as t

from ansible_collections.sms.helpdesk.plugins.plugin_utils._winrm import CommandResult

Answer = t.Any


class Script:
    """Stands in for a session: every call has to be the next one of the script, and the script has to be used up.

    :param steps: pairs of what has to be in the command line or query ("run: ..." or "query: ...") and the answer: text or bytes
        for standard output, a number for an exit code, a list of rows for a query, an exception to raise.
    """

    host = "pc07"

    def __init__(self, *steps: tuple[str, Answer]) -> None:
        self._steps = list(steps)
        self.asked: list[str] = []
        self.once: list[str] = []
        self.opened = 0
        self.closed = 0

    def __enter__(self) -> Script:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.closed += 1

    def open(self) -> None:
        self.opened += 1

    def close(self) -> None:
        self.closed += 1

    def run(self, command: str, deadline: float = 180.0, once: bool = False, limit: int | None = None) -> CommandResult:
        del deadline, limit
        if once:
            self.once.append("run: " + command)
        answer = self._next("run: " + command)
        if isinstance(answer, CommandResult):
            return answer
        if isinstance(answer, int):
            return CommandResult(b"", b"", answer)
        assert isinstance(answer, (str, bytes)), f"no answer for a command: {answer!r}"
        return CommandResult(answer.encode() if isinstance(answer, str) else answer, b"", 0)

    def query(self, wql: str, namespace: str = "root/cimv2") -> list[dict[str, str | None]]:
        answer = self._next("query: " + wql)
        assert isinstance(answer, list), f"no answer for a query: {answer!r}"
        return answer

    def _next(self, asked: str) -> t.Any:
        self.asked.append(asked)
        assert self._steps, f"nothing more was to be asked, but: {asked}"
        expected, answer = self._steps.pop(0)
        assert asked.startswith(expected), f"expected {expected!r}, asked {asked!r}"
        if isinstance(answer, Exception):
            raise answer
        return answer

    def assert_used_up(self) -> None:
        assert not self._steps, f"never asked: {[expected for expected, _answer in self._steps]}"
