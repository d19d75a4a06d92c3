# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Samba for all servers: its configuration, its users, its process.

It runs as whoever starts it, an ordinary user as well, and every file belongs to them. Samba wants a Unix account for every
user; as an ordinary user cannot make any, each is given one that every Debian has (games, man, ...), under which nothing
ever runs: all work on files is done as the one who started it. smb.conf(5) explains each setting.
"""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import resource
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from .specification import Server, ServerError, Specification

AUDITED = (
    "connect disconnect create_file pread_send pread pwrite_send pwrite ftruncate fallocate mkdirat renameat unlinkat linkat symlinkat "
    "fntimes fset_dos_attributes fsetxattr fchmod"
)
SEPARATOR = "|"
_START_SECONDS = 30
_STOP_SECONDS = 10
_PORT_ATTEMPTS = 5
# The paths of Unix sockets below it must not exceed 107 characters.
_LONGEST_STATE = 80
_ESTABLISHED, _CLOSE_WAIT = "01", "08"


def _find(name: str) -> str | None:
    # smbd lies where only the path of root leads.
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin")))


def installed() -> bool:
    """Whether Samba, its module full_audit and smbclient are there."""
    return all(map(_find, ("smbd", "pdbedit", "smbcontrol", "smbclient"))) and bool(glob.glob("/usr/lib/*/samba/vfs/full_audit.so"))


def _program(name: str) -> str:
    """Path of a program of Samba. Raises :class:`ServerError` if it is not installed."""
    path = _find(name)
    if path is None:
        raise ServerError(f"'{name}' is not installed; as root: apt-get install samba smbclient")
    return path


class Samba:
    """Samba, started and stopped.

    :param directory: where its configuration and its log go.
    :param drives: the directory of each server's drive.
    :ivar port: the TCP port, the same on every server's address.
    """

    def __init__(self, directory: Path, drives: Path, specification: Specification) -> None:
        self.port = 0
        self.audit = directory / "audit.log"
        self.configuration = directory / "smb.conf"
        self._directory = directory
        self._drives = drives
        self._specification = specification
        self._process: subprocess.Popen[bytes] | None = None
        self._hidden: set[tuple[str, str]] = set()
        self._state = directory / "samba"
        if len(str(self._state)) > _LONGEST_STATE:
            self._state = Path(tempfile.mkdtemp(prefix="smbd-"))
        shutil.rmtree(self._state, ignore_errors=True)
        self._accounts = self._borrowed_accounts()

    def _borrowed_accounts(self) -> dict[str, str]:
        """A Unix account for each user, and one for Samba's guest, who is never let in."""
        names = ["guest", *self._specification.users]
        own = os.geteuid()
        accounts = sorted((entry.pw_uid, entry.pw_name) for entry in pwd.getpwall() if entry.pw_uid not in (0, own))
        if len(accounts) < len(names):
            raise ServerError(f"{len(names)} Unix accounts are needed, and there are {len(accounts)}")
        return {name: account for name, (_uid, account) in zip(names, accounts, strict=False)}

    # Configuration ----------------------------------------------------------------------------------------------------------

    def _configure(self) -> None:
        state = self._state
        for name in ("private", "state", "lock", "cache", "pid", "ncalrpc"):
            (state / name).mkdir(parents=True, exist_ok=True)
        addresses = " ".join(f"{server.address}/8" for server in self._specification.servers.values())
        (self._directory / "users.map").write_text(
            "".join(f"!{self._accounts[name]} = {name}\n" for name in self._specification.users), encoding="utf-8"
        )
        settings = {
            "server role": "standalone server",
            "workgroup": "SMS",
            "netbios name": "LABORATORY",
            "interfaces": addresses,
            "bind interfaces only": "yes",
            "smb ports": self.port,
            "disable netbios": "yes",
            "private dir": state / "private",
            "binddns dir": state / "private",
            "state directory": state / "state",
            "lock directory": state / "lock",
            "cache directory": state / "cache",
            "pid directory": state / "pid",
            "ncalrpc dir": state / "ncalrpc",
            "log file": self._directory / "log.smbd",
            "log level": f"0 full_audit:1@{self.audit}",
            "max log size": 0,
            "logging": "file",
            "enable core files": "no",
            "passdb backend": "tdbsam",
            "username map": self._directory / "users.map",
            "guest account": self._accounts["guest"],
            "map to guest": "never",
            "force user": pwd.getpwuid(os.geteuid()).pw_name,
            "idmap config * : range": "1000000-1999999",
            "server min protocol": "SMB2_02",
            "server max protocol": self._specification.protocol,
            "server multi channel support": "no",
            "load printers": "no",
            "printcap name": "/dev/null",
            "disable spoolss": "yes",
            "usershare max shares": 0,
            "host msdfs": "no",
            # Helpers would outlive smbd.
            "rpc start on demand helpers": "no",
            # With all three bits the owner has full control of a file, as an administrator has on Windows.
            "create mask": "0755",
            "force create mode": "0755",
            "directory mask": "0755",
            "acl allow execute always": "yes",
            "store dos attributes": "yes",
            "ea support": "yes",
            "read only": "no",
            "vfs objects": "full_audit",
            "full_audit:prefix": SEPARATOR.join(("%U", "%i", "%S")),
            "full_audit:success": AUDITED,
            "full_audit:failure": AUDITED,
            "full_audit:syslog": "false",
            "include": self._directory / "shares.%i.conf",
        }
        text = "[global]\n" + "".join(f"  {name} = {value}\n" for name, value in settings.items())
        self.configuration.write_text(text, encoding="utf-8")
        for server in self._specification.servers.values():
            self._configure_shares(server)

    def _configure_shares(self, server: Server) -> None:
        readers = [self._accounts[user.name] for user in self._specification.users.values() if not user.writes]
        text = ""
        for share, place in server.shares.items():
            if (server.name, share) not in self._hidden:
                text += f"[{share}]\n  path = {self._drives / server.name / place}\n"
                text += f"  read list = {' '.join(readers)}\n" if readers else ""
        path = self._directory / f"shares.{server.address}.conf"
        # Replaced at once: smbd may be reading it.
        path.with_suffix(".new").write_text(text, encoding="utf-8")
        path.with_suffix(".new").replace(path)

    def show_share(self, server: Server, share: str, *, shown: bool) -> None:
        """Whether new connections find a share; with `shown` False those that have it lose it."""
        (self._hidden.discard if shown else self._hidden.add)((server.name, share))
        self._configure_shares(server)
        if self._process is not None:
            self._control("reload-config")
            if not shown:
                self._control("close-share", share)

    def _control(self, *message: str) -> None:
        subprocess.run(
            [_program("smbcontrol"), f"--configfile={self.configuration}", "smbd", *message],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )

    def _add_users(self) -> None:
        for user in self._specification.users.values():
            done = subprocess.run(
                [_program("pdbedit"), f"--configfile={self.configuration}", "-a", "-t", "-u", self._accounts[user.name]],
                input=f"{user.password}\n{user.password}\n".encode(),
                capture_output=True,
                check=False,
            )
            if done.returncode:
                raise ServerError(f"user '{user.name}' could not be made: {done.stderr.decode(errors='replace').strip()}")

    # Process ----------------------------------------------------------------------------------------------------------------

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it and wait until every server can be reached. A port once taken stays the same.

        :raises ServerError: it is not installed, or does not come up.
        """
        if self._process is not None:
            return
        first = not self.port
        for attempt in range(_PORT_ATTEMPTS):
            if first:
                self.port = free_port(server.address for server in self._specification.servers.values())
                self._configure()
                if not attempt:
                    self._add_users()
            if self._try_start():
                return
            if not first:
                break
        log = self._directory / "log.smbd"
        tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:] if log.exists() else []
        raise ServerError("smbd did not come up: " + " / ".join(line.strip() for line in tail))

    def _try_start(self) -> bool:
        """False if it ended at once, as when somebody else was quicker to take the port."""
        command = [_program("smbd"), "--foreground", "--no-process-group", f"--configfile={self.configuration}"]
        with (self._directory / "smbd.out").open("ab") as output:
            # When whoever started it is gone, so is the other end of its input, and it ends. SIGXFSZ stays ignored, so
            # that a limit on the size of files is an error to it.
            self._process = subprocess.Popen(
                [*command, f"--log-basename={self._directory}"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
                restore_signals=False,
                preexec_fn=_ignore_size_signal,
            )
        deadline = time.monotonic() + _START_SECONDS
        for server in self._specification.servers.values():
            while not _answers(server.address, self.port):
                if self._process.poll() is not None:
                    self._process = None
                    return False
                if time.monotonic() > deadline:
                    self.stop()
                    return False
                time.sleep(0.02)
        return True

    def stop(self) -> None:
        """End it and all its processes; every connection is cut."""
        process, self._process = self._process, None
        if process is None:
            return
        _signal_group(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        # Those that serve connections may be busy.
        members = group_members(process.pid)
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()
        for pid in members:
            wait_gone(pid)
        if process.stdin:
            process.stdin.close()

    def remove(self) -> None:
        """Stop it and forget its users and locks."""
        self.stop()
        shutil.rmtree(self._state, ignore_errors=True)

    def limit_file_size(self, size: int | None) -> None:
        """Let no file grow beyond so many bytes, as if the disk were full, on connections made from now on. None: no limit."""
        if self._process is not None:
            hard = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))

    def connections(self) -> int:
        """TCP connections that Samba has open."""
        port = f"{self.port:04X}"
        count = 0
        for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            count += fields[1].endswith(f":{port}") and fields[3] in (_ESTABLISHED, _CLOSE_WAIT)
        return count


def _ignore_size_signal() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


def group_members(group: int) -> list[int]:
    """Process ids of a process group."""
    members = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name, in parentheses, may hold anything; state, parent and group follow it.
            if entry.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[2] == str(group):
                members.append(int(entry.parent.name))
    return members


def wait_gone(pid: int) -> None:
    """Wait until a process has ended, whoever's child it is."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            select.select([descriptor], [], [])
        finally:
            os.close(descriptor)


def _answers(address: str, port: int) -> bool:
    with socket.socket() as attempt:
        attempt.settimeout(1)
        return attempt.connect_ex((address, port)) == 0


def free_port(addresses: Iterable[str]) -> int:
    """A TCP port that is free on every one of these addresses."""
    wanted = list(addresses)
    while True:
        with socket.socket() as first:
            first.bind((wanted[0], 0))
            port: int = first.getsockname()[1]
            others = [socket.socket() for _address in wanted[1:]]
            try:
                for other, address in zip(others, wanted[1:], strict=True):
                    other.bind((address, port))
                return port
            except OSError:
                continue
            finally:
                for other in others:
                    other.close()
