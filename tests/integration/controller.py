# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller for integration tests: runs real playbooks of this checkout against a lab's inventory."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CALLBACKS = Path(__file__).with_name("callbacks")


@dataclasses.dataclass
class Run:
    """What came of one `ansible-playbook`: exit status, terminal output, and every result in order."""

    status: int
    output: str
    records: list[dict[str, t.Any]]

    def of(self, host: str, action: str = "port_conflict_info") -> dict[str, t.Any]:
        """The last result of an action of this collection for a host."""
        found = [r for r in self.records if r["host"] == host and r["action"].endswith(f".{action}")]
        assert found, f"{action} was not run for {host}:\n{self.output[-3000:]}"
        return {"outcome": found[-1]["outcome"], **found[-1]["result"]}

    def recap(self, host: str) -> dict[str, int]:
        """The counts of a host in the play recap."""
        line = next(line for line in self.output.splitlines() if line.startswith(f"{host} ") and "unreachable=" in line)
        return {key: int(value) for key, value in (part.split("=") for part in line.rsplit(":", 1)[1].split())}


@dataclasses.dataclass
class Controller:
    """A controller with this collection in its collections path.

    :param directory: a directory of its own for everything that is written.
    :param inventory: the lab's inventory.
    """

    directory: Path
    inventory: Path

    def tasks(self, *tasks: dict[str, t.Any], hosts: str = "sms_clients", arguments: t.Sequence[str] = (), **variables: t.Any) -> Run:
        """Run tasks in a play without facts."""
        book = self.directory / "book.yml"
        play = {"hosts": hosts, "gather_facts": False, "tasks": list(tasks)}
        book.write_text(yaml.safe_dump([play], allow_unicode=True), encoding="utf-8")
        return self.playbook(str(book), *arguments, **variables)

    def playbook(self, name: str, *arguments: str, **variables: t.Any) -> Run:
        """Run a playbook by path or collection name."""
        collected = self.directory / "collected.jsonl"
        collected.unlink(missing_ok=True)
        command = ["ansible-playbook", "-i", str(self.inventory), "-f", "10", name, *arguments]
        if variables:
            command += ["-e", json.dumps(variables)]
        done = subprocess.run(
            command, capture_output=True, text=True, env=self.environment(collected), cwd=self.directory, timeout=300, check=False
        )
        records = [json.loads(line) for line in collected.read_text(encoding="utf-8").splitlines()] if collected.exists() else []
        return Run(done.returncode, done.stdout + done.stderr, records)

    def environment(self, collected: Path) -> dict[str, str]:
        """The environment of a run; no configuration of the machine it runs on gets in."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
        return {
            **kept,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            "ANSIBLE_CALLBACKS_ENABLED": "collect",
            "ANSIBLE_COLLECTIONS_PATH": str(self._collections()),
            "ANSIBLE_HOME": str(self.directory / "home"),
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_NOCOLOR": "1",
            "SMS_HELPDESK_COLLECT": str(collected),
        }

    def _collections(self) -> Path:
        place = self.directory / "collections" / "ansible_collections" / "sms"
        place.mkdir(parents=True, exist_ok=True)
        link = place / "helpdesk"
        if not link.is_symlink():
            link.symlink_to(ROOT)
        return place.parents[1]
