# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs that end before their time, or meet another run: disk full, controller killed, server down, two at once."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import signal
import subprocess
import threading
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from server_plays import OWN_DIRECTORY, STAGE, Desk, laboratory, left_overs, of_host, own_files, rebuild, staged

from controller import Controller
from lab.servers import CuttingProxy, ServerLab
from lab.servers.proxy import Message
from packages import builds

HOST = "siteserver"
# In the midst of a run: while the files of a platform are prepared, and while they are replaced.
IN_PREPARATION, IN_REPLACING = 110, 210
PATIENCE = 120


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerLab]:
    with laboratory(
        tmp_path_factory.mktemp("servers"),
        {"name": HOST, "role": "site_server", "platforms": ["x86", "alpha"]},
        {"name": "other", "role": "site_server", "platforms": ["x86", "alpha"]},
    ) as running:
        yield running


@pytest.fixture
def desk(servers: ServerLab, tmp_path: Path, package: Path) -> Desk:
    rebuild(servers)
    return Desk(servers, tmp_path, package)


@pytest.fixture
def proxy(servers: ServerLab) -> Iterator[CuttingProxy]:
    with servers.proxy() as proxy:
        yield proxy


def start(desk: Desk) -> subprocess.Popen[bytes]:
    """Begin to stage, in a process group of its own, and do not wait."""
    controller: Controller = desk.controller()
    book = controller.directory / "book.yml"
    play = {"hosts": HOST, "gather_facts": False, "tasks": [{"sms.helpdesk.hotfix_files": STAGE}]}
    book.write_text(yaml.safe_dump([play]), encoding="utf-8")
    return subprocess.Popen(
        ["ansible-playbook", "-i", str(desk.inventory), str(book)],
        env=controller.environment(controller.directory / "collected.jsonl"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def check_finishes(desk: Desk, original: dict[str, dict[str, t.Any]], host: str = HOST) -> dict[str, t.Any]:
    """The next run does the rest, and the one after it has nothing to do. Returns the result of the next."""
    done = desk.play(hosts=host)
    assert done.of(host)["outcome"] == "ok", done.of(host)
    assert of_host(done.after, host) == staged(original, desk.package, host)
    assert left_overs(desk.servers, host) == []
    assert desk.play(hosts=host).writes(host) == []
    return done.of(host)


def check_whole(desk: Desk, original: dict[str, dict[str, t.Any]]) -> None:
    """Every file has old or new content, and nothing else lies where it is replicated."""
    now, before = of_host(desk.servers.snapshot(), HOST), of_host(original, HOST)
    after = staged(original, desk.package, HOST)
    assert set(now) == set(before)
    for path, entry in now.items():
        assert (entry["sha256"], entry["modified"]) in {(state[path]["sha256"], state[path]["modified"]) for state in (before, after)}, path


@pytest.mark.parametrize("build", ["older", "hotfix"])
def test_a_full_disk_leaves_the_platform_as_it_was(desk: Desk, servers: ServerLab, build: str) -> None:
    """There is no room for the backup of the largest file, or for the backup but not for the file itself."""
    original = servers.snapshot()
    with servers.full_disk(builds.file("Sightnt.dll", "alpha", build=build).size - 1):
        play = desk.play(hosts=HOST)
    result = play.of(HOST)
    assert (result["outcome"], result["reason"], result["changed"]) == ("failed", "disk-full", False)
    assert servers.unc(HOST, "SMS_SHRD") in result["msg"] and "free some space" in result["msg"]
    assert of_host(play.after, HOST) == of_host(play.before, HOST)
    assert left_overs(servers, HOST) == []
    check_finishes(desk, original)


@pytest.mark.parametrize("at", [IN_PREPARATION, IN_REPLACING])
def test_a_controller_that_is_killed(desk: Desk, servers: ServerLab, proxy: CuttingProxy, at: int) -> None:
    original = servers.snapshot()
    desk.say({HOST: {"sms_port": proxy.port}})
    process = start(desk)

    def kill(message: Message) -> None:
        if message.number == at:
            os.killpg(process.pid, signal.SIGKILL)
            proxy.cut_now()

    proxy.on_request(kill)
    assert process.wait(PATIENCE) == -signal.SIGKILL
    servers.wait_idle()
    check_whole(desk, original)
    lying = {path.rpartition("/")[2] for path in own_files(servers.snapshot(), HOST) if f"/{OWN_DIRECTORY}/staging/" in path}
    assert lying, "it was killed before it wrote anything"
    desk.say({})
    predicted = desk.play("--check", hosts=HOST).of(HOST)
    result = check_finishes(desk, original)
    assert predicted == result
    assert {path.rpartition("\\")[2] for path in result["left_overs"]} == {*lying, "staging"}


@pytest.mark.parametrize("at", [IN_PREPARATION, IN_REPLACING])
def test_a_server_that_goes_down_and_comes_back(desk: Desk, servers: ServerLab, proxy: CuttingProxy, at: int) -> None:
    original = servers.snapshot()
    desk.say({HOST: {"sms_port": proxy.port}})
    proxy.on_request(lambda message: servers.stop_smbd() if message.number == at else None)
    try:
        result = desk.stage(hosts=HOST).of(HOST, "hotfix_files")
    finally:
        servers.start_smbd()
    assert result["outcome"] == "unreachable"
    assert result["reason"] in ("connection-cut", "refused")
    check_whole(desk, original)
    desk.say({})
    check_finishes(desk, original)


@pytest.mark.parametrize("patient", [False, True], ids=["the first takes long", "the first ends meanwhile"])
def test_a_second_run_at_the_same_time_is_told_to_wait(desk: Desk, servers: ServerLab, proxy: CuttingProxy, patient: bool) -> None:
    """The first is held in the midst of its work until the second has given up, or until it has begun to wait."""
    original = servers.snapshot()
    reached, go_on = threading.Event(), threading.Event()

    def hold(message: Message) -> None:
        if message.number == IN_PREPARATION:
            reached.set()
            go_on.wait(PATIENCE)

    proxy.on_request(hold)
    second = Desk(servers, desk.directory, desk.package)
    first = second.controller()
    desk.say({HOST: {"sms_port": proxy.port}})
    first.inventory = desk.directory / "first.yml"
    desk.inventory.rename(first.inventory)
    second.say({})
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        one = pool.submit(first.tasks, {"sms.helpdesk.hotfix_files": STAGE}, hosts=HOST)
        try:
            assert reached.wait(PATIENCE)
            position = servers.audit_position()
            two = pool.submit(second.stage, hosts=HOST)
            while patient and not two.done() and not refused_lock(servers, position):
                time.sleep(0.02)
            refused = None if patient else two.result()
        finally:
            go_on.set()
        refused = refused or two.result()
        done = one.result().of(HOST, "hotfix_files")
    assert (done["outcome"], done["changed"]) == ("ok", True), done
    result = refused.of(HOST, "hotfix_files")
    assert (result["outcome"], result["reason"], result["changed"]) == ("failed", "other-run", False), result
    assert "another run" in result["msg"] and servers.unc(HOST, "SMS_SHRD") in result["msg"]
    servers.wait_idle()
    assert of_host(servers.snapshot(), HOST) == staged(original, desk.package, HOST)
    assert left_overs(servers, HOST) == []


def refused_lock(servers: ServerLab, position: int) -> bool:
    """Whether somebody has tried to take the lock and not got it."""
    return any(event.error and event.paths[-1].endswith("/lock") for event in servers.audit_log(position) if event.paths)


def test_a_file_that_somebody_changes_meanwhile_is_not_lost(desk: Desk, servers: ServerLab, proxy: CuttingProxy) -> None:
    """Between what the run has seen and what it would replace, a service pack puts a file of its own there."""
    path = servers.path(HOST, "SMS_SHRD", "Site.srv", "Alpha.bin", "Sightnt.dll")
    strange = b"from somebody else"

    def change(message: Message) -> None:
        if message.number == IN_PREPARATION:
            path.write_bytes(strange)

    proxy.on_request(change)
    desk.say({HOST: {"sms_port": proxy.port}})
    play = desk.play(hosts=HOST)
    result = play.of(HOST)
    assert (result["outcome"], result["reason"], result["changed"]) == ("failed", "changed-meanwhile", False)
    assert path.read_bytes() == strange
    touched = {path for path, entry in of_host(play.after, HOST).items() if entry != play.before[path]}
    assert touched == {f"{HOST}/SMS/Site.srv/Alpha.bin/Sightnt.dll"}
    assert left_overs(servers, HOST) == []


def test_one_play_serves_many_servers_and_one_that_fails_stops_no_other(desk: Desk, servers: ServerLab) -> None:
    original = servers.snapshot()
    with contextlib.ExitStack() as stack:
        stack.enter_context(servers.held_open(HOST, "SMS_SHRD", "Site.srv", "Alpha.bin", "Sightnt.dll"))
        run = desk.stage()
    assert run.of(HOST, "hotfix_files")["outcome"] == "failed"
    assert run.of("other", "hotfix_files")["outcome"] == "ok"
    assert of_host(servers.snapshot(), "other") == staged(original, desk.package, "other")
    assert of_host(servers.snapshot(), HOST) == of_host(original, HOST)
