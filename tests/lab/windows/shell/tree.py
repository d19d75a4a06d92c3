# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command line is once it has been read: a tree of commands."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Redirection:
    """``fd``: the stream; ``operation``: ``>``, ``>>`` or ``<``; ``target``: a path, or ``&1`` for another stream."""

    fd: int
    operation: str
    target: str


@dataclasses.dataclass(frozen=True)
class Simple:
    """A command with its arguments as one text."""

    text: str
    redirections: tuple[Redirection, ...] = ()
    quiet: bool = False


@dataclasses.dataclass(frozen=True)
class Joined:
    """Two commands with one of ``&``, ``&&``, ``||``, ``|`` between them."""

    operator: str
    left: Node
    right: Node


@dataclasses.dataclass(frozen=True)
class Group:
    """Commands in parentheses."""

    body: Node | None
    redirections: tuple[Redirection, ...] = ()
    quiet: bool = False


@dataclasses.dataclass(frozen=True)
class If:
    """``kind`` is exist, defined, errorlevel or an operator (==, EQU, ...)."""

    kind: str
    left: str
    right: str
    negated: bool
    ignore_case: bool
    then: Node
    otherwise: Node | None


@dataclasses.dataclass(frozen=True)
class For:
    """``mode`` is "" (a set), L (numbers), F (lines), D or R."""

    mode: str
    options: str
    variable: str
    items: str
    body: Node


Node = Simple | Joined | Group | If | For


def quiet(node: Node) -> bool:
    """Whether it begins with ``@``."""
    while isinstance(node, Joined):
        node = node.left
    return isinstance(node, (Simple, Group)) and node.quiet


def shown(node: Node | None) -> str:
    """The command as cmd.exe shows it before running it."""
    if node is None:
        return ""
    if isinstance(node, Joined):
        return f"{shown(node.left)} {node.operator} {shown(node.right)}"
    if isinstance(node, Group):
        return f"({shown(node.body)}) " + "".join(_redirection(each) for each in node.redirections)
    if isinstance(node, If):
        condition = f"{node.kind} {node.left}" if not node.right and node.kind != "==" else f"{node.left} {node.kind} {node.right}"
        otherwise = f" else {shown(node.otherwise)}" if node.otherwise else ""
        return f"if {'not ' if node.negated else ''}{condition} {shown(node.then)}{otherwise}"
    if isinstance(node, For):
        mode = f"/{node.mode} " if node.mode else ""
        return f"for {mode}%{node.variable} in ({node.items}) do {shown(node.body)}"
    return node.text.rstrip() + " " + "".join(_redirection(each) for each in node.redirections)


def _redirection(found: Redirection) -> str:
    return f"{found.fd}{found.operation}{found.target} "
