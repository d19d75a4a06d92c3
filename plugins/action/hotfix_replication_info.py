# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of sms.helpdesk.hotfix_replication_info; documented in plugins/modules/hotfix_replication_info.py."""

from __future__ import annotations

import typing as t

from ..plugin_utils._argspec import HOTFIX_REPLICATION_INFO
from ..plugin_utils._errors import BadInput
from ..plugin_utils._manifest import Catalogue
from ..plugin_utils._package import choose, choose_language
from ..plugin_utils._replication import Server, Wanted, of_package, of_site, result, watch
from ..plugin_utils._server_action import ServerAction


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
            return [self.server(self.host, "root", arguments["root"], self.account(arguments))]
        return self.logon_servers(arguments)

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
