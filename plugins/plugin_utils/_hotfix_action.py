# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments that name a hotfix, for the actions that have them. Private to the collection."""

from __future__ import annotations

import typing as t

from ._action import HelpdeskAction
from ._errors import BadInput
from ._hotfix import Trusted, trusted
from ._manifest import Catalogue
from ._package import load_catalogue

BUNDLED = load_catalogue("localhost", "Q229097")
"""Read before Ansible forks, so that no worker has to."""


class HotfixAction(HelpdeskAction):
    """Base of the actions that are told which hotfix it is about."""

    def catalogue(self, arguments: dict[str, t.Any]) -> Catalogue:
        """The hotfix, found where Ansible looks for files."""
        hotfix = arguments["hotfix"]
        looks_like_path = "/" in hotfix or hotfix.lower().endswith((".yml", ".yaml"))
        if hotfix.lower() == BUNDLED.hotfix.lower():
            return BUNDLED
        return load_catalogue(self.host, self._find(hotfix) if looks_like_path else hotfix)

    def trust(self, arguments: dict[str, t.Any], catalogue: Catalogue) -> Trusted:
        """The argument trusted_sha256."""
        try:
            return trusted(arguments["trusted_sha256"], catalogue)
        except ValueError as error:
            raise BadInput(
                self.host,
                "the argument trusted_sha256",
                str(error),
                "give a list of hashes or a mapping of files to hashes",
                "bad-argument",
            ) from None

    def _find(self, path: str) -> str:
        """A relative path as Ansible users expect it: beside the playbook."""
        return str(self._loader.path_dwim(path)) if self._loader else path
