# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file of servers may say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lab.servers import ServerError, layout
from lab.servers.specification import STANDARD, read

FLEETS = sorted((Path(layout.__file__).parent / "fleets").glob("*.yml"))
SITE = {"name": "site"}
LOGON = {"name": "logon", "role": "logon_server", "site": "site"}


def test_the_standard_servers() -> None:
    specification = read(None)
    roles = {name: server.role for name, server in specification.servers.items()}
    assert roles == {
        "siteserver": "site_server",
        "logon-01": "logon_server",
        "logon-02": "logon_server",
        "console-01": "admin_console",
        "mipsserver": "site_server",
    }
    assert [server.name for server in specification.logon_servers("siteserver")] == ["logon-01", "logon-02"]
    assert specification.servers["logon-01"].platforms == ("x86", "alpha")
    assert specification.servers["mipsserver"].platforms == ("mips",)
    addresses = [server.address for server in specification.servers.values()]
    assert len(set(addresses)) == 5 and all(address.startswith("127.") for address in addresses)
    assert read(STANDARD) == specification


@pytest.mark.parametrize("path", FLEETS, ids=lambda path: path.stem)
def test_the_files_that_come_along(path: Path) -> None:
    assert read(path).servers


def test_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "servers.yml"
    path.write_text(
        "first_address: 127.3.0.254\n"
        "users: {boss: secret, guest: {password: '', writes: false}}\n"
        "maintenance_manager: {cycle_seconds: 0.5}\n"
        "servers:\n- {name: site, shares: {X: SMS}}\n- {name: other, build: null}\n- {name: third, address: 127.9.9.9}\n",
        encoding="utf-8",
    )
    specification = read(path)
    assert [server.address for server in specification.servers.values()] == ["127.3.0.254", "127.3.0.255", "127.9.9.9"]
    assert specification.servers["site"].shares == {"X": "SMS"} and specification.servers["other"].build is None
    assert specification.users["boss"].writes and not specification.users["guest"].writes
    assert specification.replication.cycle_seconds == 0.5 and specification.replication.running


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "names no server"),
        ({"servers": []}, "names no server"),
        ({"servers": [{}]}, "has no name"),
        ({"servers": [SITE], "user": {}}, "unknown: user; known: "),
        ({"servers": [SITE, SITE]}, "server 'site': there are two"),
        ({"servers": [{**SITE, "colour": "red"}]}, "server 'site': unknown: colour"),
        ({"servers": [{**SITE, "role": "king"}]}, "server 'site': role 'king' is none of"),
        ({"servers": [{**SITE, "site": "site"}]}, "server 'site': a logon server, and nothing else"),
        ({"servers": [{**LOGON, "site": None}]}, "server 'logon': a logon server, and nothing else"),
        ({"servers": [LOGON]}, "server 'logon': site 'site' is no site server named before"),
        ({"servers": [{**SITE, "platforms": ["vax"]}]}, "server 'site': platform 'vax' is none of"),
        ({"servers": [{**SITE, "build": "best"}]}, "server 'site': build 'best' is none of"),
        ({"servers": [SITE], "protocol": "NT1"}, "protocol: 'NT1' is none of"),
        ({"servers": [SITE], "users": {"boss": 1}}, "user 'boss': a password"),
        ({"servers": [SITE], "users": {"boss": {"password": "", "wheel": 1}}}, "user 'boss': unknown: wheel"),
        ({"servers": [SITE], "maintenance_manager": {"speed": 1}}, "maintenance_manager: unknown: speed"),
    ],
)
def test_what_is_wrong_is_named(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ServerError) as caught:
        read(data)
    assert message in str(caught.value)


@pytest.mark.parametrize("content", [b"servers: [", b"\xff", b"- 1", None])
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "servers.yml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ServerError):
        read(path)


def test_attributes_are_kept_as_samba_keeps_them(tmp_path: Path) -> None:
    """The bytes are those that Samba 4.17 wrote for a file that is archived and hidden."""
    written = bytes.fromhex("00000500050000001100000022000000" + "7cdd009a107bdd01")
    path = tmp_path / "file"
    path.touch()
    os.setxattr(path, "user.DOSATTRIB", written)
    assert layout.attributes(path) == 0x22
    created = layout.created(path)
    assert created is not None and 1_700_000_000 < created < 1_900_000_000
    layout.set_attributes(path, 0x21, created=1_000_000_000)
    assert len(os.getxattr(path, "user.DOSATTRIB")) == len(written)
    assert (layout.attributes(path), layout.created(path)) == (0x21, 1_000_000_000.0)
    os.removexattr(path, "user.DOSATTRIB")
    assert layout.attributes(path) is layout.created(path) is None
