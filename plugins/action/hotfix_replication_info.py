# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of sms.helpdesk.hotfix_replication_info; documented in plugins/modules/hotfix_replication_info.py."""

from __future__ import annotations

import typing as t

from ..plugin_utils._argspec import HOTFIX_REPLICATION_INFO
from ..plugin_utils._errors import BadInput
from ..plugin_utils._manifest import Catalogue
from ..plugin_utils._open_share import open_share
from ..plugin_utils._package import choose, choose_language
from ..plugin_utils._replication import Server, Wanted, of_package, of_site, result, watch
from ..plugin_utils._server_action import ServerAction
from ..plugin_utils._shares import Account, Address, Share

# What the inventory says of a server that is not the task's own host; the lines of the inventory are the same for the roles.
_ROOT_VARIABLE = "sms_root"
_PORT_VARIABLE = "sms_port"
_SHARE = "SMS_SHR"


class ActionModule(ServerAction):
    """Say which logon server has which file of a hotfix, and wait until all have them; writes nothing anywhere."""

    ARGUMENTS = HOTFIX_REPLICATION_INFO

    def perform(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Read what should be there, then look at the servers, in check mode once."""
        for name, least in (("wait_timeout", 0), ("wait_interval", 1)):
            if arguments[name] < least:
                raise BadInput(self.host, f"the argument {name}", f"{arguments[name]} is less than {least}", "give seconds", "bad-argument")
        catalogue = self.catalogue(arguments)
        language = choose_language(self.host, catalogue, arguments["language"])
        platforms = choose(self.host, "platforms", arguments["platforms"], catalogue.platforms, catalogue.hotfix)
        servers = self._servers(arguments)
        wanted = self._wanted(arguments, catalogue, language, platforms)
        limit = 0 if self._task.check_mode else arguments["wait_timeout"]
        waited = watch(servers, catalogue, wanted, limit, arguments["wait_interval"], self._tell)
        if arguments["root"] is not None and servers[0].error is not None:
            raise servers[0].error
        return {"changed": False, **result(servers, catalogue, waited)}

    def _tell(self, line: str) -> None:
        self._display.display(f"{self.host}: {line}")

    def _servers(self, arguments: dict[str, t.Any]) -> list[Server]:
        if arguments["root"] is not None:
            return [self._server(self.host, "root", arguments["root"], self.account(arguments))]
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
        return self._server(name, f"{_ROOT_VARIABLE} of {name}", str(root), self.account({**arguments, "port": port}, variables=variables))

    def _server(self, name: str, argument: str, root: str, account: Account) -> Server:
        address = self.address(argument, root)

        def connect(address: Address = address) -> Share:
            return open_share(name, address, account)

        return Server(name, root, connect)

    def _wanted(self, arguments: dict[str, t.Any], catalogue: Catalogue, language: str, platforms: list[str] | None) -> list[Wanted]:
        components = [name for name, component in catalogue.components.items() if component.replica]
        if arguments["package"] is not None:
            wanted = of_package(catalogue, self.usable_package(arguments, catalogue, language, platforms, components))
        else:
            account = self.account(arguments, "site_")
            with self.share(self.address("site_root", arguments["site_root"]), account) as share:
                wanted = of_site(share, catalogue, language, platforms or list(catalogue.platforms))
        if not wanted:
            raise BadInput(
                self.host,
                f"the hotfix {catalogue.hotfix}",
                "it has no file that Maintenance Manager copies to the logon servers",
                "there is nothing to wait for",
                "nothing-replicated",
            )
        return wanted
