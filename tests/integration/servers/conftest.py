# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A laboratory of servers for the tests of a module, the small site on one of them, and the package of the hotfix."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from server_runs import SERVER, SHARE, Site

from lab.servers import ServerLab
from packages.make import make


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A right package; byte for byte what the laboratory puts on a server that has the hotfix."""
    return make(tmp_path_factory.mktemp("package") / "Q229097", compiler=False)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerLab]:
    """The standard servers; a test module with a laboratory of its own overrides this."""
    with ServerLab(tmp_path_factory.mktemp("servers")) as laboratory:
        yield laboratory


@pytest.fixture
def site(servers: ServerLab, tmp_path: Path) -> Site:
    """The small site below the share SMS_SHRD of the site server."""
    root = servers.path(SERVER, SHARE) / "small"
    root.mkdir(exist_ok=True)
    site = Site(root, tmp_path / "package", over_smb=True)
    site.reset()
    return site
