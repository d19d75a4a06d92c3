# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An action as Ansible runs it: with its real task, templates and loader, and a connection that tells who touched it."""

from __future__ import annotations

import importlib
import types
import typing as t
from pathlib import Path

from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.template import Templar

HOST = "pc07"


class Untouchable:
    """A connection of another kind than WinRM; nothing but its name may be looked at."""

    def __init__(self, transport: str = "ssh") -> None:
        self.transport = transport
        self.ansible_name = f"ansible.builtin.{transport}"
        self._shell = types.SimpleNamespace(tmpdir=None)  # Ansible looks there before every action
        self.touched: list[str] = []

    def __getattr__(self, name: str) -> t.Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.touched.append(name)
        raise AttributeError(f"the connection was touched: {name}")


def action(
    name: str,
    arguments: dict[str, t.Any],
    connection: t.Any = None,
    check_mode: bool = False,
    diff: bool = False,
    basedir: Path | None = None,
) -> t.Any:
    """The action plugin of the module `name`, ready to run."""
    loader = DataLoader()
    if basedir is not None:
        loader.set_basedir(str(basedir))
    task = Task.load({"name": "Test", f"sms.helpdesk.{name}": arguments, "check_mode": check_mode, "diff": diff})
    plugin = importlib.import_module(f"ansible_collections.sms.helpdesk.plugins.action.{name}").ActionModule
    made = plugin(
        task=task,
        connection=Untouchable("winrm") if connection is None else connection,
        play_context=PlayContext(),
        loader=loader,
        templar=Templar(loader=loader),
        shared_loader_obj=None,
    )
    made._load_name = f"sms.helpdesk.{name}"
    return made


def run(
    name: str,
    arguments: dict[str, t.Any],
    connection: t.Any = None,
    check_mode: bool = False,
    diff: bool = False,
    basedir: Path | None = None,
    **variables: t.Any,
) -> dict[str, t.Any]:
    """The result of the action."""
    made = action(name, arguments, connection, check_mode, diff, basedir)
    return t.cast(dict[str, t.Any], made.run(task_vars={"inventory_hostname": HOST, **variables}))
