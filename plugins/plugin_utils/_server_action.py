# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions on servers and packages share. Private to the collection."""

from __future__ import annotations

import typing as t

from ._errors import BadInput
from ._hotfix_action import HotfixAction
from ._manifest import Catalogue
from ._open_share import open_share
from ._package import Package, read_package
from ._replication import Server
from ._shares import Account, Address, Share, parse_root
from ._text import printable

_USER_VARIABLE = "ansible_user"
_PASSWORD_VARIABLE = "ansible_password"
# What the inventory says of a server that is not the task's own host; the lines of the inventory are the same for the roles.
_ROOT_VARIABLE = "sms_root"
_PORT_VARIABLE = "sms_port"
_SHARE = "SMS_SHR"


class ServerAction(HotfixAction):
    """Base of the actions that work from the controller through shares; the host's connection plugin is not used."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def package(self, arguments: dict[str, t.Any], path: str, catalogue: Catalogue, language: str, platforms: list[str] | None) -> Package:
        """Read and judge a package."""
        return read_package(self.host, self._find(path), catalogue, language, platforms, self.trust(arguments, catalogue))

    def usable_package(
        self, arguments: dict[str, t.Any], catalogue: Catalogue, language: str, platforms: list[str] | None, components: t.Collection[str]
    ) -> Package:
        """The argument package, if every file of these components is the hotfix's or later.

        :raises BadInput: one is not; it names each with its reason.
        """
        package = self.package(arguments, arguments["package"], catalogue, language, platforms)
        wrong = [
            file.judgement.message for file in package.files if catalogue.files[file.row.file].component in components and not file.usable
        ]
        if wrong or not package.files:
            raise BadInput(
                self.host,
                f"the package {package.path}",
                printable(" ".join(wrong or package.warnings).rstrip("."), 2000),
                "nothing was written; correct the package and check it with sms.helpdesk.hotfix_package_info",
                "package-not-usable",
            )
        return package

    def account(self, arguments: dict[str, t.Any], prefix: str = "", variables: t.Mapping[str, t.Any] | None = None) -> Account:
        """Who connects: the arguments, or else ansible_user and ansible_password of the host (or the host delegated to).

        :param prefix: what the names of the arguments begin with.
        :param variables: of another host whose ansible_user and ansible_password count instead.
        """
        port, timeout = arguments[f"{prefix}port"], arguments["timeout"]
        if not 1 <= port <= 65535:
            raise BadInput(self.host, f"the argument {prefix}port", f"{port} is no port", "give 1 to 65535", "bad-argument")
        if not 1 <= timeout <= 3600:
            raise BadInput(self.host, "the argument timeout", f"{timeout} is not within 1 to 3600 seconds", "give seconds", "bad-argument")
        username, password = arguments[f"{prefix}username"], arguments[f"{prefix}password"]
        if username is None:
            username = self._variable(_USER_VARIABLE, variables)
        if password is None:
            password = self._variable(_PASSWORD_VARIABLE, variables)
        return Account(username, password, port, float(timeout))

    def _variable(self, name: str, variables: t.Mapping[str, t.Any] | None) -> str | None:
        delegate = getattr(self._task, "delegate_to", None)
        if variables is None:
            variables = self.task_vars
            if delegate:
                variables = variables.get("ansible_delegated_vars", {}).get(delegate, variables)
        value = self._templar.template(variables[name]) if variables.get(name) is not None else None
        return None if value is None else str(value)

    def address(self, argument: str, root: str) -> Address:
        """A root as the user gave it."""
        return parse_root(self.host, argument, root)

    def share(self, address: Address, account: Account) -> Share:
        """Connect to it."""
        return open_share(self.host, address, account)

    def logon_servers(self, arguments: dict[str, t.Any]) -> list[Server]:
        """The argument logon_servers, each as the inventory describes it."""
        names = arguments["logon_servers"]
        if not names or len(set(names)) < len(names):
            cause = "it has a server twice" if names else "it is empty"
            raise BadInput(self.host, "the argument logon_servers", cause, "name every logon server once", "bad-argument")
        return [self._of_inventory(name, arguments) for name in names]

    def _of_inventory(self, name: str, arguments: dict[str, t.Any]) -> Server:
        hostvars = self.task_vars.get("hostvars", {})
        if name not in hostvars:
            raise BadInput(
                self.host,
                "the argument logon_servers",
                f"{name} is no host of the inventory",
                "add it to the group sms_logon_servers, or name it as the inventory does",
                "bad-argument",
            )
        variables = hostvars[name]
        root = variables.get(_ROOT_VARIABLE) or rf"\\{variables.get('ansible_host') or name}\{_SHARE}"
        try:
            port = int(variables.get(_PORT_VARIABLE) or arguments["port"])
        except (TypeError, ValueError):
            raise BadInput(
                name, f"the variable {_PORT_VARIABLE}", f"{variables.get(_PORT_VARIABLE)!r} is no port", "give 1 to 65535", "bad-argument"
            ) from None
        return self.server(name, f"{_ROOT_VARIABLE} of {name}", str(root), self.account({**arguments, "port": port}, variables=variables))

    def server(self, name: str, argument: str, root: str, account: Account) -> Server:
        """A logon server that is connected to when it is looked at."""
        address = self.address(argument, root)

        def connect(address: Address = address) -> Share:
            return open_share(name, address, account)

        return Server(name, root, connect)
