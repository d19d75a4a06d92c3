# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A laboratory of servers for the tests of a module, and the small site on one of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from server_runs import SERVER, SHARE, Site

from lab.servers import ServerLab


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerLab]:
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
