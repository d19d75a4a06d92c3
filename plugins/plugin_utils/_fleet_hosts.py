# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of the inventory as targets of a fleet audit, and one host's audit. Private to the collection.

The connection options are those Ansible's executor would set: the variables of the host in this play, templated, given
to the host's own connection plugin.
"""

from __future__ import annotations

import typing as t

import ansible.constants as C
from ansible.errors import AnsibleError
from ansible.plugins.loader import connection_loader
from ansible.template import Templar

from ._action import open_session
from ._audit import result_of
from ._errors import HelpdeskError
from ._fleet import Target
from ._fleet_worker import Job, Limits, Record, literal_address
from ._text import printable

_ALONE = frozenset({"kerberos"})


class Hosts:
    """The hosts of a play.

    :param action: the action that runs; its task, play context and loader are used.
    :param task_vars: the variables it was given.
    """

    def __init__(self, action: t.Any, task_vars: dict[str, t.Any]) -> None:
        self._task = action._task
        self._play_context = action._play_context
        self._loader = action._loader
        self._hostvars = task_vars["hostvars"]
        self._variables = self._hostvars._variable_manager
        self._inventory = self._hostvars._inventory
        self._shared = {
            key: value for key, value in task_vars.items() if key in ("hostvars", "groups", "ansible_play_hosts", "ansible_play_hosts_all")
        }
        self._lists = {"_hosts": task_vars.get("ansible_play_hosts"), "_hosts_all": task_vars.get("ansible_play_hosts_all")}
        self._keys = self._task_keys()
        self._probes: dict[str, t.Any] = {}

    def _task_keys(self) -> dict[str, t.Any]:
        """What the executor takes from the task: all but what means something else to a connection."""
        keys: dict[str, t.Any] = self._task.dump_attrs()
        keys["timeout"] = self._play_context.timeout
        if self._play_context.password:
            keys["password"] = self._play_context.password
        keys.pop("retries", None)
        return keys

    def unknown(self, names: t.Iterable[str]) -> list[str]:
        """Names that are not in the inventory."""
        return [name for name in names if self._inventory.get_host(name) is None]

    def target(self, name: str) -> Target:
        """How to reach a host."""
        try:
            return self._target(name)
        except (AnsibleError, HelpdeskError) as error:
            message = f"{name}: the connection options: {printable(' '.join(str(error).split()), 300)}; correct the variables of the host."
            return Target(name, None, name, record={"failed": True, "msg": message, "reason": "configuration"})

    def _target(self, name: str) -> Target:
        host = self._inventory.get_host(name)
        variables = self._variables.get_vars(play=self._task.play, host=host, task=self._task, include_hostvars=False, **self._lists)
        variables.update(self._shared)
        templar = Templar(loader=self._loader, variables=variables)
        plugin = templar.template(variables.get("ansible_connection", self._task.connection or self._play_context.connection))
        probe = self._connection(plugin)
        options = _option_variables(probe, variables, templar)
        probe.set_options(task_keys=self._keys, var_options=options)
        if getattr(probe, "transport", None) != "winrm":
            return Target(name, (plugin, options), name)
        address = str(probe.get_option("remote_addr")).casefold().rstrip(".")
        literal = literal_address(address)
        transports = probe.get_option("transport") or []
        user = str(probe.get_option("remote_user") or "")
        alone = bool(_ALONE.intersection(transports)) or (not any(transports) and "@" in user)
        return Target(name, (plugin, options), literal or address, alone, found=literal is not None)

    def _connection(self, plugin: str) -> t.Any:
        if plugin not in self._probes:
            self._probes[plugin] = self._make(plugin)
        return self._probes[plugin]

    def _make(self, plugin: str) -> t.Any:
        made = connection_loader.get(plugin, self._play_context, new_stdin=None, task_uuid=self._task._uuid)
        if made is None:
            raise AnsibleError(f"the connection plugin '{plugin}' was not found")
        return made

    def task(self, ask: t.Callable[[t.Any], dict[str, t.Any]]) -> t.Callable[[Job, Limits], Record]:
        """What is done with each host, in a thread of a worker.

        :param ask: given a session, everything that is asked in it.
        """

        def run(job: Job, limits: Limits) -> Record:
            plugin, options = job.options
            try:
                connection = self._make(plugin)
                connection.set_options(task_keys=self._keys, var_options=options)
                session = open_session(connection, job.name, job.watch)
                try:
                    return result_of(job.name, ask(session))
                finally:
                    job.closes(2 * limits.grace)
                    session.close()
            except HelpdeskError as error:
                return error.as_result()
            # A thread that ended would leave its host without a record.
            except Exception as error:
                message = f"{job.name}: the audit: {type(error).__name__}: {printable(str(error), 300)}; report this."
                return {"failed": True, "msg": message, "reason": "error"}

        return run


def _option_variables(connection: t.Any, variables: dict[str, t.Any], templar: t.Any) -> dict[str, t.Any]:
    """What ansible-core's executor makes of a host's variables for a connection plugin."""
    if hasattr(connection, "_resolve_option_variables"):
        return t.cast(dict[str, t.Any], connection._resolve_option_variables(variables, templar))
    # ansible-core 2.18 and older do this inside TaskExecutor._set_connection_options.
    options: dict[str, t.Any] = {}
    for name in C.config.get_plugin_vars("connection", connection._load_name):
        if name in variables:
            options[name] = templar.template(variables[name])
    if getattr(connection, "allow_extras", False):
        prefix = f"ansible_{connection.extras_prefix}_"
        options["_extras"] = {
            name: templar.template(variables[name]) for name in variables if name.startswith(prefix) and name not in options
        }
    return options
