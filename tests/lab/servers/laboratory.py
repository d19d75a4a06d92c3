# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers from a test: ``with ServerLab(directory) as servers:``."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from . import audit, layout
from .layout import Drive
from .maintenance import MaintenanceManager
from .proxy import CuttingProxy
from .samba import Samba
from .specification import ROLES, Server, ServerError, Specification, read

_IDLE_SECONDS = 20
BEFORE_FILE = "before.json"
STATE_FILE = "servers.json"
INVENTORY_FILE = "servers.yml"


class ServerLab:
    """Servers with shares, for the time of a ``with`` block. Their drives are made anew each time.

    :param directory: where everything goes; what a former laboratory left there is removed.
    :param specification: path of a file of servers, its content, or None for the standard ones.
    :ivar maintenance_managers: that of each site server, by its name.
    """

    def __init__(self, directory: str | Path, specification: str | Path | Mapping[str, Any] | None = None) -> None:
        self.directory = Path(directory).resolve()
        self.specification: Specification = read(specification)
        self.drives = {name: Drive(server, self.directory / "drives" / name) for name, server in self.servers.items()}
        self.maintenance_managers: dict[str, MaintenanceManager] = {}
        self._samba: Samba | None = None

    @property
    def servers(self) -> Mapping[str, Server]:
        return self.specification.servers

    def __enter__(self) -> ServerLab:
        try:
            self._open()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._close()

    def _open(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        for name in ("drives", "log.smbd", "smbd.out", "audit.log"):
            _remove(self.directory / name)
        for drive in self.drives.values():
            drive.path.mkdir(parents=True)
            drive.build()
        (self.directory / BEFORE_FILE).write_text(json.dumps(self.snapshot()), encoding="utf-8")
        self._samba = Samba(self.directory, self.directory / "drives", self.specification)
        self._samba.start()
        for name, drive in self.drives.items():
            if drive.server.role == "site_server":
                served = [self.drives[server.name] for server in self.specification.logon_servers(name)]
                settings = self.directory / f"maintenance.{name}.json"
                settings.unlink(missing_ok=True)
                self.maintenance_managers[name] = MaintenanceManager(drive, served, settings, self.specification.replication)
                if self.specification.replication.running:
                    self.maintenance_managers[name].start()
        (self.directory / INVENTORY_FILE).write_text(yaml.safe_dump(self.inventory_data(), sort_keys=False), encoding="utf-8")

    def _close(self) -> None:
        for manager in self.maintenance_managers.values():
            manager.stop()
        if self._samba is not None:
            self._samba.remove()

    # Where things are -------------------------------------------------------------------------------------------------------

    @property
    def samba(self) -> Samba:
        if self._samba is None:
            raise ServerError("the servers have not been started")
        return self._samba

    @property
    def port(self) -> int:
        return self.samba.port

    @property
    def users(self) -> dict[str, str]:
        """Password of each user."""
        return {user.name: user.password for user in self.specification.users.values()}

    def address(self, server: str) -> str:
        return self.servers[server].address

    def unc(self, server: str, share: str, *parts: str) -> str:
        r"""Such as ``\\127.0.200.1\SMS_SHRD\Site.srv``; the port has to be said apart."""
        if share not in self.servers[server].shares:
            raise ServerError(f"server '{server}' has no share '{share}'; it has {', '.join(self.servers[server].shares)}")
        return "\\".join((rf"\\{self.address(server)}", share, *parts))

    def path(self, server: str, share: str, *parts: str) -> Path:
        """The file or directory behind a share, case as it is on disk."""
        self.unc(server, share)
        return self.drives[server].path.joinpath(self.servers[server].shares[share], *parts)

    @property
    def inventory(self) -> Path:
        """An ordinary Ansible inventory of the servers."""
        return self.directory / INVENTORY_FILE

    def inventory_data(self) -> dict[str, Any]:
        """Groups as the collection names them; every host has its first share as `sms_root`, and its port as `sms_port`."""
        user, password = next(iter(self.users.items()), ("", ""))
        children: dict[str, Any] = {}
        for server in self.servers.values():
            hosts = children.setdefault(ROLES[server.role], {"hosts": {}})["hosts"]
            hosts[server.name] = {
                "ansible_host": server.address,
                "ansible_user": user,
                "ansible_password": password,
                "sms_root": self.unc(server.name, self._root_share(server)),
                "sms_port": self.port,
            }
            if server.site:
                hosts[server.name]["sms_site_server"] = server.site
            for group in server.groups:
                children.setdefault(group, {"hosts": {}})["hosts"][server.name] = {}
        return {"all": {"children": children}}

    @staticmethod
    def _root_share(server: Server) -> str:
        """The share that stands for the directory SMS is in, or for Logon.srv on a logon server."""
        return "SMSADMIN" if "SMSADMIN" in server.shares else next(iter(server.shares))

    # The true state ---------------------------------------------------------------------------------------------------------

    def snapshot(self, server: str | None = None) -> dict[str, dict[str, Any]]:
        """What is on the drives, by path from ``drives``: size, sha256, modified (ns), DOS attributes, time of creation.

        Logs are left out.
        """
        return layout.snapshot(self.directory / "drives", server)

    def audit_log(self, offset: int = 0) -> list[audit.Event]:
        """What Samba saw, from a position on that :meth:`audit_position` gave."""
        return audit.read(self.samba.audit, offset)

    def audit_position(self) -> int:
        return self.samba.audit.stat().st_size if self.samba.audit.exists() else 0

    # What can go wrong ------------------------------------------------------------------------------------------------------

    def stop_smbd(self) -> None:
        """End Samba; all connections are cut."""
        self.samba.stop()

    def start_smbd(self) -> None:
        """Start Samba again, on the same port."""
        self.samba.start()

    @property
    def maintenance_manager(self) -> MaintenanceManager:
        """That of the first site server."""
        return next(iter(self.maintenance_managers.values()))

    def proxy(self, **options: Any) -> CuttingProxy:
        """A proxy in front of all servers; see :class:`CuttingProxy`."""
        return CuttingProxy(self.port, [server.address for server in self.servers.values()], **options)

    def hide_share(self, server: str, share: str) -> None:
        """Take a share away."""
        self.unc(server, share)
        self.samba.show_share(self.servers[server], share, shown=False)

    def show_share(self, server: str, share: str) -> None:
        """Give a share back."""
        self.samba.show_share(self.servers[server], share, shown=True)

    @contextlib.contextmanager
    def full_disk(self, size: int) -> Iterator[None]:
        """Let no file grow beyond so many bytes, on connections made in the ``with`` block: they get "disk full" for the rest.

        A limit for each file and not for the disk: that takes no privilege.
        """
        self.samba.limit_file_size(size)
        try:
            yield
        finally:
            self.samba.limit_file_size(None)

    @contextlib.contextmanager
    def held_open(self, server: str, share: str, *parts: str) -> Iterator[None]:
        """Hold a file open as a running program does: others may read it, and neither write, nor delete, nor rename it."""
        import uuid

        from smbprotocol.connection import Connection
        from smbprotocol.open import CreateDisposition, FilePipePrinterAccessMask, ImpersonationLevel, Open, ShareAccess
        from smbprotocol.session import Session
        from smbprotocol.tree import TreeConnect

        user, password = next(iter(self.users.items()), ("", ""))
        connection = Connection(uuid.uuid4(), self.address(server), self.port)
        connection.connect()
        try:
            session = Session(connection, user, password)
            session.connect()
            tree = TreeConnect(session, self.unc(server, share))
            tree.connect()
            handle = Open(tree, "\\".join(parts))
            handle.create(
                ImpersonationLevel.Impersonation,
                FilePipePrinterAccessMask.GENERIC_READ,
                0,
                ShareAccess.FILE_SHARE_READ,
                CreateDisposition.FILE_OPEN,
                0,
            )
            yield
        finally:
            connection.disconnect(close=True)

    def wait_idle(self) -> None:
        """Wait until Samba has noticed that its clients are gone, and has let go of their files.

        :raises ServerError: a client stays.
        """
        deadline = time.monotonic() + _IDLE_SECONDS
        while self.samba.connections():
            if time.monotonic() > deadline:
                raise ServerError(f"{self.samba.connections()} connections are still open")
            time.sleep(0.01)

    def smbclient(self, server: str, share: str, command: str, *, user: str | None = None, port: int | None = None) -> str:
        """What Debian's smbclient prints.

        :raises ServerError: it failed; the text is what it printed.
        """
        name = user or next(iter(self.users))
        program = shutil.which("smbclient")
        if program is None:
            raise ServerError("'smbclient' is not installed; as root: apt-get install smbclient")
        done = subprocess.run(
            [
                program,
                "-s",
                "/dev/null",
                "-p",
                str(port or self.port),
                "-U",
                f"{name}%{self.users[name]}",
                f"//{self.address(server)}/{share}",
                "-c",
                command,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        text = done.stdout.decode("utf-8", "replace")
        if done.returncode or "NT_STATUS_" in text:
            raise ServerError(f"smbclient: {text.strip()}")
        return text

    def state(self) -> dict[str, Any]:
        """What ``servers.json`` says of a running laboratory."""
        return {
            "port": self.port,
            "inventory": str(self.inventory),
            "drives": str(self.directory / "drives"),
            "audit_log": str(self.samba.audit),
            "servers": {name: {"address": server.address, "role": server.role} for name, server in self.servers.items()},
            "maintenance_managers": {name: str(manager.settings) for name, manager in self.maintenance_managers.items()},
        }

    def write_state(self, pid: int) -> None:
        """Write ``servers.json``."""
        fresh = self.directory / f"{STATE_FILE}.new"
        fresh.write_text(json.dumps({"pid": pid, **self.state()}, indent=1), encoding="utf-8")
        fresh.replace(self.directory / STATE_FILE)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
