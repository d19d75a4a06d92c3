# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real plays against the laboratory of servers, and what each of them did to the disks, told by the disks and by Samba."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import shutil
import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from controller import Controller, Run
from lab.servers import ServerLab
from lab.servers.audit import Event

Snapshot = dict[str, dict[str, t.Any]]

PASSWORD = "Pa55word!"
USERS: dict[str, t.Any] = {"smsadmin": PASSWORD, "viewer": {"password": "Re4d0nly", "writes": False}}
OWN_DIRECTORY = "sms.helpdesk"
HASH_DIGITS = 64

# Q229097: the component administrator, and the component clients.
PLACE = re.compile(
    r"(?P<host>[^/]+)/\w+/(Site\.srv/(?P<site>\w+)\.bin/(?P<dll>Sightnt\.dll)"
    r"|Site\.srv/Maincfg\.box/Client\.src/(?P<client>\w+)\.bin/(?P<exe>W(chat|slave|user)32\.exe))",
    re.IGNORECASE,
)
_MAKING = {"create", "open_if", "overwrite", "overwrite_if", "supersede"}

# The task of nearly every test; what is particular about a host stands in its variables.
STAGE: dict[str, t.Any] = {
    "root": "{{ sms_root }}",
    "port": "{{ sms_port }}",
    "package": "{{ package }}",
    "components": "{{ components | default(omit) }}",
    "platforms": "{{ platforms | default(omit) }}",
    "backup_dir": "{{ backup_dir | default(omit) }}",
    "username": "{{ share_user | default(omit) }}",
    "password": "{{ share_password | default(omit) }}",
    "force": "{{ force | default(false) }}",
    "timeout": "{{ share_timeout | default(20) }}",
}
RESTORE: dict[str, t.Any] = {
    **{name: value for name, value in STAGE.items() if name != "package"},
    "state": "absent",
    "purge_backups": "{{ purge | default(false) }}",
}


def laboratory(directory: Path, *servers: Mapping[str, t.Any]) -> ServerLab:
    """A laboratory of these servers, with a user who may only read; Maintenance Manager works when a test tells it to."""
    return ServerLab(directory, {"users": USERS, "maintenance_manager": {"running": False}, "servers": list(servers)})


@dataclasses.dataclass
class Play:
    """What came of one `ansible-playbook`.

    :ivar before: what was on the disks, and `after`.
    :ivar events: what Samba saw.
    """

    run: Run
    before: Snapshot
    after: Snapshot
    events: list[Event]

    def of(self, host: str, action: str = "hotfix_files") -> dict[str, t.Any]:
        """The last result of an action that was not skipped."""
        return dataclasses.replace(self.run, records=[r for r in self.run.records if r["outcome"] != "skipped"]).of(host, action)

    def actions(self, host: str) -> dict[tuple[str, str], str]:
        """What was done by (platform, name)."""
        return {(file["platform"], file["name"]): file["action"] for file in self.of(host)["files"]}

    def writes(self, host: str = "") -> list[tuple[str, tuple[str, ...]]]:
        """Everything that changed anything on a host's drive, or on any."""
        return [(event.operation, event.paths) for event in self.events if event.changes and _on(event, host)]

    def names_made(self, host: str = "") -> set[str]:
        """Every path at which a file or directory came to be other than by being renamed, even for a moment."""
        made = set()
        for event in self.events:
            creates = event.operation == "create_file" and bool(_MAKING & set(event.details))
            if event.ok and _on(event, host) and (creates or event.operation in ("mkdirat", "linkat", "symlinkat")):
                made.add(event.paths[-1].partition("/drives/")[2])
        return made

    def renamed(self, host: str = "") -> list[tuple[str, str]]:
        """Every rename, from and to."""
        return [
            (event.paths[0].partition("/drives/")[2], event.paths[1].partition("/drives/")[2])
            for event in self.events
            if event.ok and event.operation == "renameat" and _on(event, host)
        ]


def _on(event: Event, host: str) -> bool:
    return any(f"/drives/{host}" in path for path in event.paths) if host else True


class Desk:
    """A controller in front of a laboratory.

    :param variables: of single hosts, beside those of the laboratory's inventory. A host the laboratory does not have is added.
    """

    def __init__(
        self, servers: ServerLab, directory: Path, package: Path, variables: Mapping[str, Mapping[str, t.Any]] | None = None
    ) -> None:
        self.servers = servers
        self.directory = directory
        self.package = package
        # Nothing answers WinRM there: whoever used the connection plugin of a host would fail.
        self._common = {"package": str(package), "ansible_connection": "winrm", "ansible_winrm_operation_timeout_sec": 1}
        self._common["ansible_winrm_read_timeout_sec"] = 2
        self.inventory = directory / "inventory.yml"
        self.say(variables or {})

    def say(self, variables: Mapping[str, Mapping[str, t.Any]]) -> None:
        """Write the inventory with these variables of hosts."""
        data = self.servers.inventory_data()
        children = data["all"]["children"]
        children.setdefault("sms_site_servers", {"hosts": {}})
        known = {name: hosts["hosts"][name] for hosts in children.values() for name in hosts["hosts"]}
        for host, values in variables.items():
            if host not in known:
                account = {"ansible_user": "smsadmin", "ansible_password": PASSWORD, "sms_port": self.servers.port}
                known[host] = children["sms_site_servers"]["hosts"][host] = account
            known[host].update(values)
        data["all"]["vars"] = self._common
        self.inventory.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")

    def play(self, *arguments: str, hosts: str | Sequence[str] = "all", task: Mapping[str, t.Any] | None = None, **options: t.Any) -> Play:
        """Run one task, `hotfix_files` by default, and see what it does.

        :param options: further options of the module.
        """
        return self.watched(lambda: self.stage(*arguments, hosts=hosts, task=task, **options))

    def stage(self, *arguments: str, hosts: str | Sequence[str] = "all", task: Mapping[str, t.Any] | None = None, **options: t.Any) -> Run:
        """The same, unwatched."""
        body = {"sms.helpdesk.hotfix_files": {**STAGE, **options}} if task is None else dict(task)
        return self.controller().tasks(body, hosts=hosts if isinstance(hosts, str) else ":".join(hosts), arguments=arguments)

    def playbook(self, name: str, *arguments: str, **variables: t.Any) -> Play:
        """Run a playbook and see what it does."""
        return self.watched(lambda: self.controller().playbook(name, *arguments, **variables))

    def controller(self) -> Controller:
        """A controller with a directory of its own."""
        place = self.directory / f"controller-{len(os.listdir(self.directory))}"
        place.mkdir()
        return Controller(place, self.inventory)

    def watched(self, run: t.Callable[[], Run], idle: bool = True) -> Play:
        """Run something and see what it does.

        :param idle: wait until nobody is connected, so that Samba has seen all it will see; False where somebody stays.
        """
        if idle:
            self.servers.wait_idle()
        before, position = self.servers.snapshot(), self.servers.audit_position()
        done = run()
        if idle:
            self.servers.wait_idle()
        return Play(done, before, self.servers.snapshot(), self.servers.audit_log(position))


def each(controller: Controller, module: str, cases: Mapping[str, Mapping[str, t.Any]], host: str) -> dict[str, dict[str, t.Any]]:
    """Results of a module with different arguments for one host, all in one play, by the name of the case."""
    tasks = [
        {"name": name, f"sms.helpdesk.{module}": dict(arguments), "ignore_errors": True, "ignore_unreachable": True}
        for name, arguments in cases.items()
    ]
    run = controller.tasks(*tasks, hosts=host)
    assert "Traceback" not in run.output
    return {record["task"]: {"outcome": record["outcome"], **record["result"]} for record in run.records}


def rebuild(servers: ServerLab) -> None:
    """The drives as they were when the laboratory began."""
    servers.wait_idle()
    for drive in servers.drives.values():
        for path in drive.path.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        drive.build()


def of_host(snapshot: Snapshot, host: str) -> Snapshot:
    """What is on a host's drive but our own directory."""
    return {path: entry for path, entry in snapshot.items() if path.startswith(f"{host}/") and f"/{OWN_DIRECTORY}/" not in path}


def own_files(snapshot: Snapshot, host: str) -> Snapshot:
    """What is in our directory on a host's drive: backups, their list, and left-overs."""
    return {path: entry for path, entry in snapshot.items() if path.startswith(f"{host}/") and f"/{OWN_DIRECTORY}/" in path}


def left_overs(servers: ServerLab, host: str) -> list[str]:
    """What lies in our directory on a host's drive beside the backups, directories included."""
    drive = servers.drives[host].path
    found = [path for path in drive.rglob("*") if OWN_DIRECTORY in path.parts]
    return sorted(str(path.relative_to(drive)) for path in found if path.name != OWN_DIRECTORY and "backup" not in path.parts)


def packed(package: Path, platform: str, name: str) -> dict[str, t.Any]:
    """Size, hash and time (in steps of 100 ns) of a file of the package."""
    path = next(path for path in package.glob("*/*") if (path.parent.name + path.name).lower() == (platform + name).lower())
    status = path.stat()
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"size": status.st_size, "sha256": content, "modified": status.st_mtime_ns // 100 * 100}


def staged(before: Snapshot, package: Path, host: str, platforms: Sequence[str] = ("x86", "alpha")) -> Snapshot:
    """What has to be on a host's drive after staging: content and time of the package, everything else as before."""
    wanted = {}
    for path, entry in of_host(before, host).items():
        match = PLACE.fullmatch(path)
        platform = (match["site"] or match["client"]).lower() if match else ""
        replaced = packed(package, platform, match["dll"] or match["exe"]) if match and platform in platforms else {}
        wanted[path] = {**entry, **replaced}
    return wanted
