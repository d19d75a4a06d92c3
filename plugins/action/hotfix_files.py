# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of sms.helpdesk.hotfix_files; documented in plugins/modules/hotfix_files.py."""

from __future__ import annotations

import contextlib
import typing as t

from ..plugin_utils._argspec import HOTFIX_FILES
from ..plugin_utils._errors import BadInput, HelpdeskError
from ..plugin_utils._manifest import Catalogue
from ..plugin_utils._package import choose, choose_language
from ..plugin_utils._server_action import ServerAction
from ..plugin_utils._shares import Address
from ..plugin_utils._staging import Order, Staging, backup_place, relative_backup
from ..plugin_utils._text import printable


class ActionModule(ServerAction):
    """Stage the files of a hotfix on a server, or take them back."""

    ARGUMENTS = HOTFIX_FILES

    def perform(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Validate, look, decide and write; everything that can be wrong here is told before the first remote call."""
        catalogue = self.catalogue(arguments)
        language = choose_language(self.host, catalogue, arguments["language"])
        components = choose(self.host, "components", arguments["components"], catalogue.components, catalogue.hotfix) or list(
            catalogue.components
        )
        chosen = choose(self.host, "platforms", arguments["platforms"], catalogue.platforms, catalogue.hotfix)
        root = self.address("root", arguments["root"])
        replicas = arguments["layout"] == "logon_server"
        backup, directory = self._backup(arguments, root, catalogue, replicas)
        account = self.account(arguments)
        package = None
        if arguments["state"] == "present":
            package = self.usable_package(arguments, catalogue, language, chosen, components)
        platforms = chosen or (package.platforms if package else sorted(catalogue.platforms))
        order = Order(catalogue, language, platforms, components, package, arguments["force"], replicas, arguments["purge_backups"])
        with contextlib.ExitStack() as stack:
            share = stack.enter_context(self.share(root, account))
            backup_share = share if backup is None else stack.enter_context(self.share(backup, account))
            staging = Staging(share, backup_share, directory, order)
            try:
                outcome = staging.run(self._task.check_mode)
            except HelpdeskError as error:
                return {**error.as_result(), "changed": bool(staging.replaced), "replaced": staging.replaced}
        result = outcome.as_result(catalogue, share.full)
        result["warnings"] = [printable(text) for text in [*(package.warnings if package else []), *outcome.destinations.unfixable]]
        if package is not None:
            idle = [platform for platform in package.platforms if platform not in outcome.destinations.platforms and platform in platforms]
            result["skipped_platforms"] = idle
        return result

    def _backup(
        self, arguments: dict[str, t.Any], root: Address, catalogue: Catalogue, replicas: bool
    ) -> tuple[Address | None, str | None]:
        if replicas:
            for name, wrong in (("backup_dir", arguments["backup_dir"] is not None), ("state=absent", arguments["state"] == "absent")):
                if wrong:
                    raise BadInput(
                        self.host,
                        f"the argument {name}",
                        "the files of a logon server are copies, of which none is backed up",
                        "restore the site server, Maintenance Manager copies what it has",
                        "bad-argument",
                    )
            return None, None
        if arguments["purge_backups"] and arguments["state"] != "absent":
            raise BadInput(
                self.host,
                "the argument purge_backups",
                "backups are needed as long as the hotfix is staged",
                "use it with state=absent",
                "bad-argument",
            )
        given = arguments["backup_dir"]
        relative = relative_backup(self.host, given)
        address = None if given is None or relative is not None else self.address("backup_dir", given)
        return backup_place(self.host, root, address, relative, catalogue.hotfix)
