# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `remediate` on thirty clients of every kind, judged by what is true of them and of the servers afterwards.

The tests of this file are one story and build upon each other: foretold, cut off in the middle, run again, run to its end, run once more.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
import yaml

from controller import ROOT, Controller, Run
from lab.client import Lab
from lab.servers import ServerLab, samba
from lab.site import joined
from packages.make import make

FLEET = ROOT / "tests" / "lab" / "fleets" / "remediate.yml"
SERVERS: list[dict[str, t.Any]] = [
    {"name": "siteserver", "role": "site_server", "platforms": ["x86"]},
    {"name": "logon-01", "role": "logon_server", "site": "siteserver"},
    {"name": "logon-02", "role": "logon_server", "site": "siteserver"},
]
MOVED = ("clean-2003", "clean-7-de", "clean-10", "clean-11-de", "conflict-2003-de", "conflict-7", "conflict-10-de", "conflict-11",
         "reserved-10", "reserved-11-de", "swapped-7")  # fmt: skip
LAGGING = ("lagging-2003", "lagging-11-de")
WAITING = ("alone-10", "alone-2003-de", "stuck-7", "stuck-10-de")
BLOCKED = ("reserved-new-10", "taken-new-7-de")
BROKEN = {"hung-10": "script-ended", "denied-11-de": "share-denied", "vanishing-7": "did-not-come-back"}
LEFT = ("patched-7", "patched-2003-de", "two-7", "two-10-de", "landesk-2003", "landesk-7-de", "bare-11")
UPGRADE = "client_upgrade"
QUICK: dict[str, t.Any] = {
    "hotfix_stage_wait_timeout": 20,
    "hotfix_stage_wait_interval": 1,
    "client_upgrade_restart": True,
    "client_upgrade_restart_delay": 0,
    "client_upgrade_restart_up_timeout": 8,
    "client_upgrade_timeout": 3,
}


@dataclasses.dataclass
class Site:
    """Clients, servers, a package, and a controller in front of them."""

    clients: Lab
    servers: ServerLab
    package: Path
    controller: Controller

    def run(self, *arguments: str, **variables: t.Any) -> Run:
        """The playbook, to its end."""
        given = {"hotfix_stage_package": str(self.package), **QUICK, **variables}
        return self.controller.playbook("sms.helpdesk.remediate", "-i", str(self.servers.inventory), *arguments, **given)

    def cut_off(self, until: t.Callable[[], bool]) -> None:
        """The playbook, killed with all its processes as soon as something is so."""
        variables = json.dumps({"hotfix_stage_package": str(self.package), **QUICK})
        inventories = ["-i", str(self.controller.inventory), "-i", str(self.servers.inventory)]
        running = subprocess.Popen(
            ["ansible-playbook", *inventories, "-f", "3", "sms.helpdesk.remediate", "-e", variables],
            env=self.controller.environment(self.controller.directory / "cut.jsonl"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            while not until():
                assert running.poll() is None, "it ended before it could be cut off"
                time.sleep(0.05)
        finally:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()

    def state(self, host: str) -> dict[str, t.Any]:
        """What is true of a client."""
        return t.cast(dict[str, t.Any], self.clients.host(host)["state"])

    def everything(self) -> dict[str, t.Any]:
        """What a run may change, of all clients and servers. The hung script is run each time, and each time something is kept before."""
        kept = ("registry", "files", "drives", "boot_count", "services")
        told = {host: {key: self.state(host)[key] for key in kept} for host in hosts() if host != "hung-10"}
        return {"clients": told, "servers": self.servers.snapshot()}

    def ports(self, host: str) -> set[int]:
        """What the agent holds."""
        mine = [each for each in self.state(host)["processes"] if each["name"].lower() == "wuser32.exe"]
        return {int(socket.split()[1].rpartition(":")[2]) for each in mine for socket in each["sockets"]}

    def phase(self, host: str) -> str:
        """What Sms.ini says."""
        text = next((f["content"] for path, f in self.state(host)["files"].items() if path.lower() == r"c:\sms.ini"), "")
        return next((line.partition("=")[2].strip() for line in text.splitlines() if line.lower().startswith("setupphase")), "")


def described() -> dict[str, t.Any]:
    return t.cast(dict[str, t.Any], yaml.safe_load(FLEET.read_text(encoding="utf-8")))


def hosts() -> list[str]:
    return [host["name"] for host in described()["hosts"]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    if not samba.installed():
        pytest.skip("samba is not installed")
    directory = tmp_path_factory.mktemp("remediate")
    package = make(directory / "Q229097", compiler=False)
    with ServerLab(directory / "servers", {"servers": SERVERS, "maintenance_manager": {"cycle_seconds": 1}}) as servers:
        servers.maintenance_managers["siteserver"].behave(skip=["logon-02"])
        with Lab(joined(described(), servers), directory=directory / "clients") as clients:
            yield Site(clients, servers, package, Controller(directory, clients.inventory))


@pytest.fixture(scope="module")
def predicted(site: Site) -> Run:
    """Check mode on the fresh fleet."""
    before = site.everything()
    found = site.run("--check", "--diff")
    assert site.everything() == before
    return found


@pytest.fixture(scope="module")
def cut(site: Site, predicted: Run) -> list[str]:
    """A run that is killed once two clients have been told; which these are."""
    del predicted

    def told() -> list[str]:
        return [host for host in MOVED if site.phase(host) == "verify_files"]

    site.cut_off(lambda: len(told()) >= 2)
    return told()


@pytest.fixture(scope="module")
def done(site: Site, cut: list[str]) -> Run:
    """The run after it, in two waves."""
    del cut
    return site.run("--diff", client_upgrade_serial="60%")


@pytest.fixture(scope="module")
def caught_up(site: Site, done: Run) -> Run:
    """Once Maintenance Manager serves the other logon server again."""
    del done
    site.servers.maintenance_managers["siteserver"].behave(skip=[])
    return site.run("--diff", client_upgrade_report=str(site.controller.directory / "report"))


def test_bad_input_ends_before_any_server_or_client(site: Site) -> None:
    before = site.everything()
    site.clients.reset_counters()
    missing = str(site.package / "nothing")
    found = site.run(hotfix_stage_package=missing)
    assert (found.status, found.recap("siteserver")["failed"], missing in found.output) == (2, 1, True)
    found = site.run("--check", client_upgrade_restart_delay="soon")
    assert (found.status, "client_upgrade_restart_delay" in found.output) == (2, True)
    assert site.clients.counters()["posts"] == 0
    assert site.everything() == before


def test_a_canary_that_cannot_be_moved_keeps_everybody_where_they_are(site: Site, predicted: Run) -> None:
    del predicted
    for canary in ("taken-new-7-de", "gone-10", "nobody-here"):
        found = site.run(client_upgrade_canary=canary, hotfix_stage_wait_timeout=0)
        assert found.status != 0
        assert f"The canary {canary} cannot be moved" in found.output
        assert "No client was touched" in found.output
        assert {site.phase(host) for host in MOVED} == {"installed"}
        assert all(site.state(host)["boot_count"] == 1 for host in hosts())


def test_check_mode_names_whom_it_would_move(predicted: Run) -> None:
    assert predicted.recap("siteserver")["changed"] == 1
    for host in (*MOVED, *LAGGING, "alone-10", "alone-2003-de", "stuck-10-de"):
        action = "not-needed" if host == "swapped-7" else "would-run"
        assert predicted.of(host, UPGRADE)["action"] == action, host
        assert predicted.of(host, "client_restart")["changed"] is True, host
    for host in BLOCKED:
        assert predicted.of(host, UPGRADE)["reason"] == "port-taken"
    for host in LEFT:
        assert predicted.recap(host)["changed"] == 0


def test_after_the_cut_nothing_is_half_done(cut: list[str], site: Site) -> None:
    assert len(cut) >= 2
    for host in hosts():
        if site.state(host)["power"] == "on":
            assert site.state(host)["boot_count"] <= 2


@pytest.mark.parametrize("host", MOVED)
def test_moved(done: Run, site: Site, host: str) -> None:
    state = site.state(host)
    assert site.ports(host) == {2701, 2702}
    assert site.phase(host) == "installed"
    assert not any("$sms00$" in path for path in state["files"])
    assert state["drives"] == {}
    assert state["boot_count"] == (2 if host.startswith(("conflict-2003", "conflict-11", "reserved", "swapped")) else 3)
    assert done.of(host, "client_status_info")["state"] == "compliant"


@pytest.mark.parametrize("host", WAITING)
def test_told_and_restarted_once(done: Run, site: Site, host: str) -> None:
    assert site.phase(host).startswith("verif")
    assert (site.ports(host), site.state(host)["boot_count"]) == ({1761, 1762}, 2)
    assert done.of(host, "client_status_info")["state"] == "pending"


@pytest.mark.parametrize("host", [*BLOCKED, *LAGGING])
def test_not_moved_and_named(done: Run, site: Site, host: str) -> None:
    assert (site.phase(host), site.state(host)["boot_count"], site.ports(host)) == ("installed", 1, {1761, 1762})
    reason = "port-taken" if host in BLOCKED else "not-replicated"
    assert done.of(host, UPGRADE)["reason"] == reason
    assert done.recap(host)["failed"] == 1


@pytest.mark.parametrize("host", BROKEN)
def test_a_broken_client_stops_nobody_else(done: Run, site: Site, host: str) -> None:
    found = done.of(host, "client_restart" if host == "vanishing-7" else UPGRADE)
    assert found["reason"] == BROKEN[host]
    assert done.recap(host)["failed"] == 1
    if host != "vanishing-7":
        assert (site.phase(host), site.state(host)["boot_count"]) == ("installed", 1)
        assert site.state(host)["drives"] == {}


@pytest.mark.parametrize("host", LEFT)
def test_left_alone(done: Run, site: Site, host: str) -> None:
    assert done.recap(host)["changed"] == 0
    assert site.state(host)["boot_count"] == 1
    assert not any("sms.helpdesk" in path.lower() for path in site.state(host)["files"])


def test_one_that_cannot_be_reached_is_said_to_be(done: Run) -> None:
    assert done.recap("gone-10")["unreachable"] == 1
    assert "gone-10: WinRM at" in done.output


def test_what_is_changed_was_foretold(done: Run, predicted: Run) -> None:
    """Hosts and items: the script, and the first restart. Nobody can foretell a logon, and so what comes of it."""
    for host in hosts():
        upgraded = [r["result"].get("action") for r in done.records if r["host"] == host and r["action"].endswith(UPGRADE)]
        if host in LAGGING or host in BROKEN or (host not in WAITING[2:] and "already-flagged" in upgraded):
            # Among them those the run that was cut off had told already.
            continue
        told, was = ({r["action"] for r in run.records if r["host"] == host and r["result"].get("changed")} for run in (predicted, done))
        assert told == was - {"sms.helpdesk.remote_control_agent"}, host
        if UPGRADE in was:
            assert predicted.of(host, UPGRADE)["diff"] == done.of(host, UPGRADE)["diff"]


@pytest.mark.parametrize("host", LAGGING)
def test_once_its_logon_server_has_the_files_a_client_follows(caught_up: Run, site: Site, host: str) -> None:
    del caught_up
    assert (site.ports(host), site.phase(host)) == ({2701, 2702}, "installed")


def test_the_report_says_what_is_true(caught_up: Run, site: Site) -> None:
    del caught_up
    report = json.loads((site.controller.directory / "report" / "report.json").read_text(encoding="utf-8"))
    states = {record["host"]: record["state"] for record in report["records"] if record["kind"] == "client"}
    expected = {
        **dict.fromkeys([*MOVED, *LAGGING, "patched-7", "patched-2003-de"], "compliant"),
        **dict.fromkeys(WAITING, "pending"),
        **dict.fromkeys(["two-7", "two-10-de", "landesk-2003", "landesk-7-de", "bare-11"], "not_applicable"),
        **dict.fromkeys([*BLOCKED, "hung-10", "denied-11-de"], "failed"),
        **dict.fromkeys(["gone-10", "vanishing-7"], "unreachable"),
    }
    assert states == expected


def test_a_run_more_changes_nothing(caught_up: Run, site: Site) -> None:
    del caught_up
    before = site.everything()
    again = site.run()
    assert site.everything() == before
    assert sum(again.recap(host)["changed"] for host in (*hosts(), "siteserver") if host != "hung-10") == 0


def test_somebody_logs_on_at_last(caught_up: Run, site: Site) -> None:
    """And the playbook takes the client the rest of the way. It was the canary, so nobody else was asked for anything before it."""
    del caught_up
    site.clients.change("alone-10", {"logged_on": "anna"})
    found = site.run("--limit", "alone-10,siteserver", client_upgrade_canary="alone-10")
    assert found.status == 0, found.output[-3000:]
    assert (site.ports("alone-10"), site.state("alone-10")["boot_count"]) == ({2701, 2702}, 3)


def test_too_many_that_fail_keep_the_next_wave_back(site: Site, caught_up: Run) -> None:
    """Waves of one: the first that cannot map its share ends it."""
    del caught_up
    found = site.run("--limit", "denied-11-de,stuck-7,siteserver", client_upgrade_serial=1, client_upgrade_max_fail_percentage=0)
    assert found.status != 0
    order = [line for line in found.output.splitlines() if "This wave" in line]
    assert any("percent are allowed" in line for line in order)
