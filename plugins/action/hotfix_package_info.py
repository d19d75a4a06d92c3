# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of sms.helpdesk.hotfix_package_info; documented in plugins/modules/hotfix_package_info.py."""

from __future__ import annotations

import typing as t

from ..plugin_utils._argspec import HOTFIX_PACKAGE_INFO
from ..plugin_utils._package import choose, choose_language, describe
from ..plugin_utils._server_action import ServerAction


class ActionModule(ServerAction):
    """Say whether a package on the controller is the hotfix; contacts no host."""

    ARGUMENTS = HOTFIX_PACKAGE_INFO

    def perform(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Read the package and judge every expected file."""
        catalogue = self.catalogue(arguments)
        language = choose_language(self.host, catalogue, arguments["language"])
        platforms = choose(self.host, "platforms", arguments["platforms"], catalogue.platforms, catalogue.hotfix)
        package = self.package(arguments, arguments["path"], catalogue, language, platforms)
        files = describe(package, catalogue)
        return {
            "changed": False,
            "usable": package.usable,
            "hotfix": catalogue.hotfix,
            "language": language,
            "platforms": package.platforms,
            "files": files,
            "problems": [file.judgement.message for file in package.files if not file.usable],
            "warnings": package.warnings,
        }
