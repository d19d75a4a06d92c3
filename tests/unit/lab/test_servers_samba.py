# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers, looked at with two clients that know nothing of this collection: Debian's smbclient and Python's smbprotocol."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import smbclient
from smbprotocol.connection import Connection
from smbprotocol.exceptions import SMBException, SMBOSError
from smbprotocol.session import Session

from lab.servers import ServerError, ServerLab, layout, samba
from packages import builds

pytestmark = pytest.mark.skipif(not samba.installed(), reason="Debian's packages samba and smbclient are not installed")

USERS = {"smsadmin": "Pa55word!", "viewer": {"password": "Re4d 0nly", "writes": False}}
SPECIFICATION = {
    "users": USERS,
    "maintenance_manager": {"running": False},
    "servers": [
        {"name": "siteserver", "platforms": ["x86", "alpha"]},
        {"name": "logon-01", "role": "logon_server", "site": "siteserver"},
        {"name": "logon-02", "role": "logon_server", "site": "siteserver", "upper": True},
        {"name": "console-01", "role": "admin_console", "platforms": ["x86"], "upper": True},
        {"name": "mipsserver", "platforms": ["mips"]},
    ],
}
SIGHTNT = ("Site.srv", "X86.bin", "Sightnt.dll")
SHARING_VIOLATION, DISK_FULL = 0xC0000043, 0xC000007F


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerLab]:
    with ServerLab(tmp_path_factory.mktemp("servers"), SPECIFICATION) as lab:
        yield lab


@pytest.fixture
def options(servers: ServerLab) -> Iterator[dict[str, object]]:
    """How to log on with smbprotocol. Every test has connections of its own."""
    cache: dict[str, object] = {}
    yield {"port": servers.port, "username": "smsadmin", "password": "Pa55word!", "connection_cache": cache}
    smbclient.reset_connection_cache(connection_cache=cache)


@pytest.fixture
def scratch(servers: ServerLab) -> Iterator[Callable[[str], str]]:
    """Name on the share for a file in a directory that goes away again."""
    path = servers.path("siteserver", "SMS_SHRD", "Scratch")
    path.mkdir()
    yield lambda name: servers.unc("siteserver", "SMS_SHRD", "Scratch", name)
    shutil.rmtree(path)


def on_disk(servers: ServerLab, name: str) -> Path:
    return servers.path("siteserver", "SMS_SHRD", "Scratch", name)


def write(name: str, content: bytes, options: dict[str, object]) -> None:
    with smbclient.open_file(name, mode="wb", **options) as file:
        file.write(content)


def test_layout_of_every_server(servers: ServerLab) -> None:
    names = {name.lower() for name in servers.snapshot()}
    client_source = "siteserver/sms/site.srv/maincfg.box/client.src"
    expected = {f"siteserver/sms/site.srv/{platform}.bin/sightnt.dll" for platform in ("x86", "alpha")}
    expected |= {"console-01/smsadmin/site.srv/x86.bin/sightnt.dll", "mipsserver/sms/site.srv/mips.bin/sightnt.dll"}
    for platform in ("x86", "alpha"):
        for name in ("wuser32.exe", "wchat32.exe", "wslave32.exe", "client.exe", "00000409/_wuser32.dll"):
            expected |= {f"{client_source}/{platform}.bin/{name}"}
            expected |= {f"{server}/sms/logon.srv/{platform}.bin/{name}" for server in ("siteserver", "logon-01", "logon-02")}
    expected |= {f"{client_source}/cl_nt.txt", "logon-01/sms/logon.srv/upgrade.bat", "siteserver/sms/system.map"}
    assert expected <= names
    assert {name.split("/")[0] for name in names} == set(servers.servers)
    assert not any("sightnt.dll" in name for name in names if "client.src" in name or "logon.srv" in name)
    assert not any(re.search(r"mipsserver.*(x86|alpha)\.bin", name) for name in names)


def test_files_are_of_the_build_before_the_hotfix(servers: ServerLab) -> None:
    snapshot = servers.snapshot()
    entry = snapshot["siteserver/SMS/Site.srv/Maincfg.box/Client.src/X86.bin/Wuser32.exe"]
    old = builds.file("Wuser32.exe", "x86", build="older")
    assert (entry["size"], entry["modified"]) == (old.size, old.modified * 10**9)
    assert snapshot["logon-02/SMS/Logon.srv/X86.BIN/WUSER32.EXE"] == entry


def test_smbclient_sees_every_share(servers: ServerLab) -> None:
    for server in servers.servers.values():
        for share, place in server.shares.items():
            listed = servers.smbclient(server.name, share, "ls")
            for path in (servers.drives[server.name].path / place).iterdir():
                assert path.name in listed


def test_a_server_has_its_own_shares_only(servers: ServerLab) -> None:
    with pytest.raises(ServerError, match="has no share 'SMS_SHRD'"):
        servers.unc("logon-01", "SMS_SHRD")
    with pytest.raises(SMBException) as caught:
        smbclient.listdir(
            rf"\\{servers.address('logon-01')}\SMS_SHRD", port=servers.port, username="smsadmin", password="Pa55word!", connection_cache={}
        )
    assert "BAD_NETWORK_NAME" in str(caught.value)


def test_smbprotocol_and_the_disk_agree(servers: ServerLab, options: dict[str, object]) -> None:
    for server in ("logon-01", "logon-02"):
        name = servers.unc(server, "SMS_SHR", "x86.BIN", "wuser32.EXE")
        with smbclient.open_file(name, mode="rb", **options) as file:
            content = file.read()
        path = next(
            path for path in layout.files(servers.path(server, "SMS_SHR")) if path.name.lower() == "wuser32.exe" and "X86" in str(path)
        )
        assert content == path.read_bytes()


def test_times_are_kept_to_100_nanoseconds(servers: ServerLab, options: dict[str, object], scratch: Callable[[str], str]) -> None:
    write(scratch("time"), b"content", options)
    for wanted in (955_000_000_123_456_700, 0, -(10**9) * 86_400 * 365):
        smbclient.utime(scratch("time"), ns=(wanted, wanted), **options)
        assert smbclient.stat(scratch("time"), **options).st_mtime_ns == wanted
        assert on_disk(servers, "time").stat().st_mtime_ns == wanted


def test_attributes_are_kept_and_seen_on_the_disk(servers: ServerLab, options: dict[str, object], scratch: Callable[[str], str]) -> None:
    write(scratch("attributes"), b"content", options)
    servers.smbclient("siteserver", "SMS_SHRD", r"setmode Scratch\attributes +rhs")
    assert layout.attributes(on_disk(servers, "attributes")) == 0x27
    assert smbclient.stat(scratch("attributes"), **options).st_file_attributes == 0x27
    sight = servers.unc("siteserver", "SMS_SHRD", *SIGHTNT)
    path = servers.path("siteserver", "SMS_SHRD", *SIGHTNT)
    found = smbclient.stat(sight, **options)
    assert found.st_file_attributes == layout.attributes(path) == 0x20
    # Python calls the time of creation st_ctime on Windows, and so does smbprotocol.
    assert found.st_ctime == layout.created(path)


def test_case_does_not_matter_and_is_kept(servers: ServerLab, options: dict[str, object], scratch: Callable[[str], str]) -> None:
    write(scratch("Mixed.Exe"), b"one", options)
    write(scratch("MIXED.EXE"), b"two", options)
    assert [path.name for path in on_disk(servers, "").iterdir()] == ["Mixed.Exe"]
    assert on_disk(servers, "Mixed.Exe").read_bytes() == b"two"


def test_rename_replaces(servers: ServerLab, options: dict[str, object], scratch: Callable[[str], str]) -> None:
    write(scratch("old"), b"old", options)
    write(scratch("new"), b"new", options)
    with pytest.raises(SMBOSError):
        smbclient.rename(scratch("new"), scratch("old"), **options)
    smbclient.replace(scratch("new"), scratch("old"), **options)
    assert on_disk(servers, "old").read_bytes() == b"new" and not on_disk(servers, "new").exists()


def test_who_may_do_what(servers: ServerLab, scratch: Callable[[str], str]) -> None:
    def attempt(user: str, password: str) -> dict[str, object]:
        return {"port": servers.port, "username": user, "password": password, "connection_cache": {}}

    viewer = attempt("viewer", "Re4d 0nly")
    assert "System.map" in smbclient.listdir(servers.unc("siteserver", "SMS_SHRD"), **viewer)
    with pytest.raises(SMBOSError) as denied:
        write(scratch("denied"), b"", viewer)
    assert denied.value.ntstatus == 0xC0000022
    for user, password in (("viewer", "Pa55word!"), ("stranger", "Pa55word!"), ("", "")):
        with pytest.raises((SMBException, ValueError), match=r"(?i)logon|anonymous|credential|guest|access"):
            smbclient.listdir(servers.unc("siteserver", "SMS_SHRD"), **attempt(user, password))
    assert list(on_disk(servers, "").iterdir()) == []


def test_files_belong_to_who_started_it(servers: ServerLab, options: dict[str, object], scratch: Callable[[str], str]) -> None:
    write(scratch("mine"), b"", options)
    assert on_disk(servers, "mine").stat().st_uid == os.geteuid()


def test_an_open_file_can_be_read_and_not_touched(servers: ServerLab, options: dict[str, object]) -> None:
    name = servers.unc("siteserver", "SMS_SHRD", *SIGHTNT)
    before = servers.snapshot()
    with servers.held_open("siteserver", "SMS_SHRD", *SIGHTNT):
        with smbclient.open_file(name, mode="rb", share_access="r", **options) as file:
            assert file.read(2) == b"MZ"
        for touch in (
            lambda: smbclient.rename(name, name + ".old", **options),
            lambda: smbclient.remove(name, **options),
            lambda: write(name, b"", options),
        ):
            with pytest.raises(SMBOSError) as caught:
                touch()
            assert caught.value.ntstatus == SHARING_VIOLATION
    assert servers.snapshot() == before
    smbclient.rename(name, name + ".old", **options)
    smbclient.rename(name + ".old", name, **options)


def test_full_disk(servers: ServerLab, options: dict[str, object], scratch: Callable[[str], str]) -> None:
    with servers.full_disk(100_000):
        write(scratch("small"), b"x" * 90_000, options)
        with pytest.raises(SMBException) as caught:
            write(scratch("large"), b"x" * 110_000, options)
        assert str(DISK_FULL) in str(caught.value)
    smbclient.reset_connection_cache(connection_cache=options["connection_cache"])
    write(scratch("large"), b"x" * 110_000, options)
    assert on_disk(servers, "large").stat().st_size == 110_000


def test_a_share_goes_and_comes_back(servers: ServerLab) -> None:
    servers.hide_share("siteserver", "SMS_SHRD")
    with pytest.raises(ServerError, match="BAD_NETWORK_NAME"):
        servers.smbclient("siteserver", "SMS_SHRD", "ls")
    assert "X86.bin" in servers.smbclient("siteserver", "SMS_SHR", "ls")
    servers.show_share("siteserver", "SMS_SHRD")
    assert "System.map" in servers.smbclient("siteserver", "SMS_SHRD", "ls")


def test_stopping_and_starting_keeps_port_and_users(servers: ServerLab, options: dict[str, object]) -> None:
    root = servers.unc("siteserver", "SMS_SHRD")
    smbclient.listdir(root, **options)
    servers.stop_smbd()
    assert servers.samba.connections() == 0
    with pytest.raises(ServerError, match="CONNECTION_REFUSED"):
        servers.smbclient("siteserver", "SMS_SHRD", "ls")
    servers.start_smbd()
    smbclient.reset_connection_cache(connection_cache=options["connection_cache"], fail_on_error=False)
    assert "System.map" in smbclient.listdir(root, **options)


def test_audit_tells_reading_from_changing(servers: ServerLab, options: dict[str, object], scratch: Callable[[str], str]) -> None:
    position = servers.audit_position()
    name = servers.unc("siteserver", "SMS_SHRD", *SIGHTNT)
    with smbclient.open_file(name, mode="rb", **options) as file:
        file.read()
    smbclient.stat(name, **options)
    smbclient.listdir(servers.unc("siteserver", "SMS_SHRD"), **options)
    events = servers.audit_log(position)
    path = str(servers.path("siteserver", "SMS_SHRD", *SIGHTNT))
    assert any(event.operation == "pread_send" and event.paths == (path,) for event in events)
    assert {(event.user, event.address) for event in events} == {("smsadmin", servers.address("siteserver"))}
    assert [event for event in events if event.changes] == []

    changes: list[tuple[Callable[[], object], str]] = [
        (lambda: smbclient.mkdir(scratch("directory"), **options), "mkdirat"),
        (lambda: write(scratch("empty"), b"", options), "create_file"),
        (lambda: write(scratch("file"), b"content", options), "pwrite_send"),
        (lambda: smbclient.utime(scratch("file"), ns=(10**18, 10**18), **options), "fntimes"),
        (lambda: smbclient.truncate(scratch("file"), 3, **options), "ftruncate"),
        (lambda: smbclient.replace(scratch("file"), scratch("empty"), **options), "renameat"),
        (lambda: servers.smbclient("siteserver", "SMS_SHRD", r"setmode Scratch\empty +h"), "fset_dos_attributes"),
        (lambda: smbclient.remove(scratch("empty"), **options), "unlinkat"),
        (lambda: smbclient.rmdir(scratch("directory"), **options), "unlinkat"),
    ]
    for change, operation in changes:
        position = servers.audit_position()
        change()
        assert operation in {event.operation for event in servers.audit_log(position) if event.changes}
    position = servers.audit_position()
    with pytest.raises(SMBOSError):
        smbclient.remove(scratch("nothing"), **options)
    assert not any(event.changes for event in servers.audit_log(position))


@pytest.mark.parametrize(("protocol", "dialect", "encryption"), [("SMB2_10", 0x210, False), ("SMB3_11", 0x311, True)])
def test_newest_dialect(tmp_path: Path, protocol: str, dialect: int, encryption: bool) -> None:
    specification = {"servers": [{"name": "siteserver"}], "protocol": protocol}
    with ServerLab(tmp_path / "servers", specification) as lab, lab.proxy() as proxy:
        connection = Connection(uuid.uuid4(), lab.address("siteserver"), proxy.port)
        connection.connect()
        try:
            assert connection.dialect == dialect and bool(connection.supports_encryption) == encryption
            Session(connection, "smsadmin", "Pa55word!", require_encryption=encryption).connect()
        finally:
            connection.disconnect(close=True)
    # What can be counted by command and what cannot.
    assert bool(proxy.count.requests["encrypted"]) == encryption


def test_nothing_is_left_running(tmp_path: Path) -> None:
    with ServerLab(tmp_path / "servers") as lab:
        group, state = lab.samba.pid, lab.samba._state
        assert group is not None and state.is_dir()
        assert group in samba.group_members(group)
    assert not state.exists()
    # What has ended and is still listed is a zombie nobody has asked after yet.
    left = [Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] for pid in samba.group_members(group)]
    assert set(left) <= {"Z", "X"}


def test_a_killed_laboratory_takes_samba_along(tmp_path: Path) -> None:
    """Nobody is left to stop Samba, so it has to notice by itself."""
    program = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from lab.servers import ServerLab\n"
        "with ServerLab(sys.argv[2]) as lab:\n"
        "    print(lab.samba.pid, lab.samba._state, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    tests = str(Path(__file__).resolve().parents[2])
    done = subprocess.run([sys.executable, "-c", program, tests, str(tmp_path / "servers")], capture_output=True, check=False)
    pid, state = done.stdout.decode().split()
    samba.wait_gone(int(pid))
    for helper in samba.group_members(int(pid)):
        samba.wait_gone(helper)
    shutil.rmtree(state)
