# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The progress line of a long run: in a log, with -v, in a terminal, and beside other callbacks."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from controller import Controller

HOSTS = [f"pc{number:02d}" for number in range(20)]
BOOK = [
    {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {"name": "Say something", "ansible.builtin.debug": {"msg": "something"}},
            {"name": "Fail on some", "ansible.builtin.fail": {}, "when": "inventory_hostname in ['pc03', 'pc04']", "ignore_errors": True},
        ],
    }
]
LINE = re.compile(r"progress: (\d+) of (\d+) hosts(?:, (\d+) failed or unreachable)?, \d+ s \((.+)\)")


class Watched(Controller):
    """A controller with the callback switched on."""

    interval = "0"

    def environment(self, collected: Path) -> dict[str, str]:
        enabled = {"ANSIBLE_CALLBACKS_ENABLED": "collect,sms.helpdesk.progress", "HELPDESK_PROGRESS_INTERVAL": self.interval}
        return {**super().environment(collected), **enabled}


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(
        yaml.safe_dump({"all": {"hosts": dict.fromkeys(HOSTS), "vars": {"ansible_connection": "local"}}}), encoding="utf-8"
    )
    (tmp_path / "book.yml").write_text(yaml.safe_dump(BOOK), encoding="utf-8")
    return Watched(tmp_path, inventory)


@pytest.mark.parametrize("arguments", [(), ("-v",)], ids=["log", "verbose"])
def test_every_line_is_whole_and_counts_up(watched: Watched, arguments: tuple[str, ...]) -> None:
    run = watched.playbook(str(watched.directory / "book.yml"), *arguments)
    assert run.status == 0, run.output
    told = [LINE.fullmatch(line) for line in run.output.splitlines() if "progress:" in line]
    assert told and all(told)
    counts = [(match[4], int(match[1])) for match in told if match]
    # The last line of a task is the whole, said once more when it ends.
    assert [count for task, count in counts if task == "Say something"] == [*range(1, 21), 20]
    assert {match[2] for match in told if match} == {"20"}
    assert [match[3] for match in told if match][-1] == "2"
    # The other callbacks have every result, and the terminal its recap.
    assert len(run.records) == 2 * len(HOSTS)
    assert run.recap("pc03")["ignored"] == 1


@pytest.mark.parametrize("way", [{"strategy": "ansible.builtin.free"}, {"serial": 6}], ids=["free", "serial"])
def test_other_ways_through_the_hosts_count_up_too(watched: Watched, way: dict[str, object]) -> None:
    (watched.directory / "book.yml").write_text(yaml.safe_dump([{**BOOK[0], **way}]), encoding="utf-8")
    run = watched.playbook(str(watched.directory / "book.yml"))
    assert run.status == 0, run.output
    told = [(match[4], int(match[1]), match[2]) for match in map(LINE.search, run.output.splitlines()) if match]
    counts = [count for task, count, _total in told if task == "Say something"]
    assert counts == sorted(counts) and max(counts) == 20
    assert {total for _task, _count, total in told} == {"20"}


def test_quick_tasks_say_nothing(watched: Watched) -> None:
    watched.interval = "3600"
    run = watched.playbook(str(watched.directory / "book.yml"))
    assert run.status == 0
    assert "progress:" not in run.output


def test_in_a_terminal(watched: Watched) -> None:
    collected = watched.directory / "collected.jsonl"
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["ansible-playbook", "-i", str(watched.inventory), str(watched.directory / "book.yml")],
        env={**watched.environment(collected), "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            got = os.read(ours, 65536)
        except OSError:
            break
        if not got:
            break
        said += got
    os.close(ours)
    assert process.wait(60) == 0
    lines = [line for line in said.decode().splitlines() if "progress:" in line]
    assert lines and all(LINE.fullmatch(line) for line in lines)
