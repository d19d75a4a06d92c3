# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles `hotfix_stage` and `hotfix_rollback` and the playbook `rollback` on two sites with their logon servers and consoles."""

from __future__ import annotations

import concurrent.futures
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from server_plays import PASSWORD, Desk, Play, laboratory, left_overs, of_host, own_files, rebuild, staged

from controller import Run
from lab.servers import ServerLab

SERVERS: list[dict[str, t.Any]] = [
    {"name": "siteserver", "role": "site_server", "platforms": ["x86", "alpha"]},
    {"name": "othersite", "role": "site_server", "platforms": ["x86"]},
    {"name": "logon-01", "role": "logon_server", "site": "siteserver"},
    {"name": "logon-02", "role": "logon_server", "site": "siteserver", "upper": True},
    {"name": "logon-03", "role": "logon_server", "site": "othersite"},
    {"name": "console-01", "role": "admin_console", "platforms": ["x86"], "upper": True},
]
SITES = ("siteserver", "othersite")
LOGON_SERVERS = ("logon-01", "logon-02", "logon-03")
REPLICATION = "hotfix_replication_info"
QUICK = {"hotfix_stage_wait_timeout": 1, "hotfix_stage_wait_interval": 1}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerLab]:
    with laboratory(tmp_path_factory.mktemp("servers"), *SERVERS) as running:
        yield running


@pytest.fixture
def desk(servers: ServerLab, tmp_path: Path, package: Path) -> Desk:
    rebuild(servers)
    for manager in servers.maintenance_managers.values():
        manager.behave(skip=[], silent=[], stale={}, locked={})
    book = [{"hosts": "sms_site_servers:sms_admin_consoles", "gather_facts": False, "roles": ["sms.helpdesk.hotfix_stage"]}]
    (tmp_path / "stage.yml").write_text(yaml.safe_dump(book), encoding="utf-8")
    return Desk(servers, tmp_path, package)


def cycle(servers: ServerLab) -> None:
    for manager in servers.maintenance_managers.values():
        manager.cycle()


def stage(desk: Desk, *arguments: str, **variables: t.Any) -> Play:
    """The role on all hosts."""
    return desk.watched(lambda: run_stage(desk, *arguments, **variables))


def run_stage(desk: Desk, *arguments: str, **variables: t.Any) -> Run:
    given = {"hotfix_stage_package": str(desk.package), **variables}
    return desk.controller().playbook(str(desk.directory / "stage.yml"), *arguments, **given)


def stage_while_maintained(desk: Desk, servers: ServerLab, *arguments: str, **variables: t.Any) -> Run:
    """The role on all hosts, while the Maintenance Managers work."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_stage, desk, *arguments, **variables)
        while not running.done():
            cycle(servers)
            time.sleep(0.2)
        return running.result()


def replicated(play: Play, host: str, package: Path) -> bool:
    """Whether a logon server has the files of the package, by its disk."""
    wanted = {entry["sha256"] for path, entry in of_site(play, package).items() if "/Client.src/" in path}
    return {entry["sha256"] for path, entry in of_host(play.after, host).items() if "/Logon.srv/" in path} >= wanted


def of_site(play: Play, package: Path) -> dict[str, dict[str, t.Any]]:
    return {path: e for path, e in staged(play.before, package, "othersite").items() if e != play.before[path]}


def test_stage_wait_and_take_back(desk: Desk, servers: ServerLab) -> None:
    """The whole way: predicted, staged, waited for, staged again, taken back by the playbook, taken back again."""
    predicted = stage(desk, "--check", "--diff")
    assert predicted.run.status == 0, predicted.run.output[-2000:]
    assert predicted.writes() == []

    done = desk.watched(
        lambda: stage_while_maintained(desk, servers, "--diff", hotfix_stage_wait_timeout=120, hotfix_stage_wait_interval=1)
    )
    assert done.run.status == 0, done.run.output[-2000:]
    for host in (*SITES, "console-01"):
        assert done.of(host) == predicted.of(host)
        assert of_host(done.after, host) | _logon_part(done, host) == staged(done.before, desk.package, host) | _logon_part(done, host)
    assert done.actions("console-01") == {("x86", "Sightnt.dll"): "replaced"}
    for host, logon_servers in (("siteserver", ["logon-01", "logon-02"]), ("othersite", ["logon-03"])):
        result = done.of(host, REPLICATION)
        assert [server["name"] for server in result["servers"]] == logon_servers
        assert result["replicated"] is True
        assert all(replicated(done, name, desk.package) for name in logon_servers)
    assert not [record for record in done.run.records if record["host"] == "console-01" and record["action"].endswith(REPLICATION)]
    assert [paths for host in LOGON_SERVERS for _operation, paths in done.writes(host)] == []

    again = stage(desk, **QUICK)
    assert again.writes() == []
    assert all(again.run.recap(host)["changed"] == 0 for host in (*SITES, "console-01"))

    back_predicted = desk.playbook("sms.helpdesk.rollback", "--check", "--diff")
    assert back_predicted.writes() == []
    back = desk.playbook("sms.helpdesk.rollback", "--diff")
    assert back.run.status == 0
    for host in (*SITES, "console-01"):
        assert back.of(host) == back_predicted.of(host)
        originals = {path: entry for path, entry in of_host(done.before, host).items() if "/Logon.srv/" not in path}
        assert {path: entry for path, entry in of_host(back.after, host).items() if "/Logon.srv/" not in path} == originals
        assert left_overs(servers, host) == []
    assert [paths for host in LOGON_SERVERS for _operation, paths in back.writes(host)] == []
    assert desk.playbook("sms.helpdesk.rollback").writes() == []
    for play in (predicted, done, again, back):
        assert PASSWORD not in play.run.output


def _logon_part(play: Play, host: str) -> dict[str, dict[str, t.Any]]:
    """What Maintenance Manager keeps in a site server's own Logon.srv."""
    return {path: entry for path, entry in of_host(play.after, host).items() if "/Logon.srv/" in path}


def test_a_server_that_lags_fails_its_site_and_is_named(desk: Desk, servers: ServerLab) -> None:
    servers.maintenance_managers["siteserver"].behave(skip=["logon-02"])
    first = stage(desk, **QUICK, hotfix_stage_wait=False)
    assert first.run.status == 0
    assert not [record for record in first.run.records if record["action"].endswith(REPLICATION)]
    cycle(servers)
    play = stage(desk, **QUICK)
    assert play.run.status == 2
    assert play.run.recap("siteserver")["failed"] == 1
    assert (play.run.recap("othersite")["failed"], play.run.recap("console-01")["failed"]) == (0, 0)
    told = next(r for r in play.run.records if r["host"] == "siteserver" and r["outcome"] == "failed")
    message = str(told["result"]["msg"])
    assert "logon-02 (0 of 6 files) lags behind" in message
    assert "Q200769" in message and "hotfix_stage_wait_timeout" in message
    assert "logon-01" not in message
    assert "siteserver: 1 of 2 logon servers has every file after 0 of at most 1 s; waiting for logon-02" in play.run.output
    assert play.writes() == [], "waiting writes nothing"

    kept_going = stage(desk, **QUICK, hotfix_stage_fail_on_lag=False)
    assert kept_going.run.status == 0
    assert kept_going.of("siteserver", REPLICATION)["lagging"] == ["logon-02"]


def test_pushing_to_the_logon_servers_is_for_those_who_ask(desk: Desk, servers: ServerLab) -> None:
    """Maintenance Manager does nothing. The copies come by rename, and nothing of ours stays on a logon server."""
    refused = stage(desk, **QUICK, hotfix_stage_fail_on_lag=False)
    assert [paths for host in LOGON_SERVERS for _operation, paths in refused.writes(host)] == []
    predicted = stage(desk, "--check", "--diff", **QUICK, hotfix_stage_push_to_logon_servers=True)
    assert predicted.writes() == []
    play = stage(desk, **QUICK, hotfix_stage_push_to_logon_servers=True)
    assert play.run.status == 0, play.run.output[-2000:]
    for host in LOGON_SERVERS:
        assert replicated(play, host, desk.package)
        assert set(of_host(play.after, host)) == set(of_host(play.before, host))
        assert own_files(play.after, host) == {}
        assert left_overs(servers, host) == []
        made = [path for path in play.names_made(host) if ".bin" in path.lower()]
        assert made == []
        targets = {target.rpartition("/")[2].lower() for _source, target in play.renamed(host)}
        assert targets == {"wchat32.exe", "wslave32.exe", "wuser32.exe"}
    assert stage(desk, **QUICK, hotfix_stage_push_to_logon_servers=True).writes() == []


def test_rollback_waits_if_it_is_asked_to_and_purges_only_then(desk: Desk, servers: ServerLab) -> None:
    original = servers.snapshot()
    assert stage(desk, **QUICK, hotfix_stage_wait=False).run.status == 0
    cycle(servers)
    waiting = {"hotfix_rollback_wait": True, "hotfix_rollback_wait_timeout": 1, "hotfix_rollback_wait_interval": 1}
    lagging = desk.playbook("sms.helpdesk.rollback", **waiting)
    assert lagging.run.status == 2
    assert lagging.of("siteserver", REPLICATION)["lagging"] == ["logon-01", "logon-02"]
    cycle(servers)
    done = desk.playbook("sms.helpdesk.rollback", **waiting)
    assert done.run.status == 0, done.run.output[-2000:]
    assert done.of("siteserver", REPLICATION)["replicated"] is True
    assert all(own_files(done.after, host) for host in (*SITES, "console-01"))
    purged = desk.playbook("sms.helpdesk.rollback", hotfix_rollback_purge_backups=True)
    assert purged.run.status == 0
    assert not any(own_files(purged.after, host) for host in (*SITES, "console-01"))
    for host in (*SITES, "console-01"):
        assert {path: e for path, e in of_host(purged.after, host).items() if "/Logon.srv/" not in path} == {
            path: e for path, e in of_host(original, host).items() if "/Logon.srv/" not in path
        }


def test_only_the_servers_that_are_named(desk: Desk) -> None:
    assert stage(desk, "--limit", "othersite", hotfix_stage_wait=False).run.status == 0
    play = desk.playbook("sms.helpdesk.rollback", sms_helpdesk_servers="othersite")
    assert {record["host"] for record in play.run.records} == {"othersite"}
    assert play.of("othersite")["changed"] is True


def test_wrong_input_is_told_before_anything_is_asked_of_a_server(desk: Desk, servers: ServerLab) -> None:
    position = servers.audit_position()
    for variables in ({"hotfix_stage_package": None}, {"hotfix_stage_wait_timeout": "soon"}, {"hotfix_stage_package": "/nonexistent"}):
        run = run_stage(desk, **variables)
        assert run.status == 2
        assert all(run.recap(host)["failed"] == 1 for host in (*SITES, "console-01"))
        assert "Traceback" not in run.output
    assert servers.audit_log(position) == []
