# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""fleet_audit against the lab: the same as a task for each host, whatever happens on the way, and no shell left."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
import yaml

from controller import Controller, Run
from lab.client import Lab

FLEET = Path(__file__).with_name("fleet.yml")
AUDIT = "sms.helpdesk.fleet_audit"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    """The mixed fleet, running."""
    with Lab(FLEET, directory=tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
def controller(lab: Lab, tmp_path: Path) -> Controller:
    """A controller for the lab."""
    return Controller(tmp_path, lab.inventory)


def fleet(run: Run) -> dict[str, t.Any]:
    """The result of the audit of the fleet."""
    return next(record["result"] for record in run.records if record["action"] == AUDIT)


def records(run: Run) -> dict[str, dict[str, t.Any]]:
    """Its records by host."""
    return {each.pop("inventory_hostname"): each for each in fleet(run)["records"]}


class TestWrongInput:
    """One clear error, and nobody is contacted."""

    def test_every_wrong_argument_is_named(self, lab: Lab, controller: Controller) -> None:
        wrong: list[tuple[dict[str, t.Any], str]] = [
            ({"hosts": ["nobody"]}, "nobody"),
            ({"concurrency": 0}, "concurrency"),
            ({"host_deadline": -1}, "host_deadline"),
            ({"deadline": 0}, "deadline"),
            ({"retries": -1}, "retries"),
            ({"ports": []}, "ports"),
            ({"status": True, "port_set": "hotfix"}, "status"),
            ({"status": True, "service": "a b"}, "service"),
        ]
        lab.reset_counters()
        run = controller.tasks(*({AUDIT: arguments, "ignore_errors": True} for arguments, _word in wrong))
        results = [record["result"] for record in run.records if record["action"] == AUDIT]
        assert len(results) == len(wrong)
        for result, (_arguments, word) in zip(results, wrong, strict=True):
            assert result["reason"] == "bad-argument"
            assert word in result["msg"]
        assert lab.counters()["posts"] == 0


class TestSameAsTheTask:
    """What the task for each host returns."""

    def test_every_record_of_a_mixed_fleet_is_equal(self, lab: Lab, controller: Controller) -> None:
        run = controller.tasks(
            {AUDIT: {"concurrency": 30, "retries": 0}, "register": "port_audit_result"},
            {"sms.helpdesk.port_conflict_info": {}, "ignore_unreachable": True, "ignore_errors": True},
        )
        found = records(run)
        for host, record in found.items():
            alone = run.of(host)
            for key in ("outcome", "_ansible_no_log", "invocation", "_ansible_verbose_override", "ansible_facts", "deprecations"):
                alone.pop(key, None)
            # Ansible takes an empty list of warnings away.
            assert {"warnings": [], **record} == {"warnings": [], **alone}, host
        assert len(found) == 26
        assert {found[host]["reason"] for host in ("refused", "not-authorised", "shells-used-up", "self-signed", "drops")} == {
            "refused",
            "credentials",
            "quota-shells",
            "tls-certificate",
            "reset",
        }
        assert fleet(run)["counts"]["conflict"] == sum(record.get("verdict") == "conflict" for record in found.values()) == 4
        assert lab.counters()["shells_open"] == 0

    def test_and_of_where_each_client_stands(self, lab: Lab, controller: Controller) -> None:
        limit = ["--limit", "clean-0*:foreign:reserved:german:refused:self-signed"]
        run = controller.tasks(
            {AUDIT: {"concurrency": 10, "retries": 0, "status": True}},
            {"sms.helpdesk.client_status_info": {}, "ignore_unreachable": True, "ignore_errors": True},
            arguments=limit,
        )
        found = records(run)
        for host, record in found.items():
            alone = run.of(host, "client_status_info")
            for key in ("outcome", "_ansible_no_log", "invocation", "_ansible_verbose_override", "ansible_facts", "deprecations"):
                alone.pop(key, None)
            assert {"warnings": [], **record} == {"warnings": [], **alone}, host
        counts = fleet(run)["counts"]
        assert sum(counts.values()) == len(found)
        assert counts["unreachable"] == 2
        assert counts["vulnerable"] == sum(record.get("state") == "vulnerable" for record in found.values()) > 0
        assert lab.counters()["shells_open"] == 0


class TestPlaybooks:
    """The method `fleet` of the role."""

    def test_detect_says_the_same_in_one_task(self, lab: Lab, controller: Controller) -> None:
        limit = ["--limit", "clean-*:foreign:reserved:german:refused:self-signed"]
        alone = controller.playbook("sms.helpdesk.detect", *limit).of("clean-01", "fleet_summary")
        run = controller.playbook("sms.helpdesk.detect", *limit, port_audit_method="fleet")
        assert run.of("clean-01", "fleet_summary")["lines"] == alone["lines"]
        assert run.of("clean-01", "fleet_summary")["counts"] == {**alone["counts"], "clear": 12, "conflict": 3, "unreachable": 2}
        assert len([record for record in run.records if record["action"] == AUDIT]) == 1
        assert lab.counters()["shells_open"] == 0

    def test_compliance_is_the_same_in_one_task(self, controller: Controller) -> None:
        limit = ["--limit", "clean-0*:foreign:german:refused"]
        variables: dict[str, t.Any] = {"compliance_formats": ["json"], "compliance_fail_on": []}
        alone = controller.playbook("sms.helpdesk.compliance", *limit, **variables, compliance_dest=str(controller.directory / "alone"))
        fleet_directory = str(controller.directory / "fleet")
        run = controller.playbook("sms.helpdesk.compliance", *limit, **variables, compliance_dest=fleet_directory, compliance_fleet=True)
        assert run.of("clean-01", "compliance_report")["lines"] == alone.of("clean-01", "compliance_report")["lines"]
        assert run.of("clean-01", "compliance_report")["counts"]["unreachable"] == 1
        assert len([record for record in run.records if record["action"] == AUDIT]) == 1

    def test_the_report_takes_the_records(self, controller: Controller) -> None:
        names = {"hosts": ["clean-01", "foreign", "refused"]}
        run = controller.tasks(
            {AUDIT: names, "register": "audited"},
            {
                "sms.helpdesk.compliance_report": {
                    "dest": "report",
                    "formats": ["json"],
                    "port_results": "audited",
                    "clients": names["hosts"],
                }
            },
            arguments=["--limit", "clean-01"],
        )
        counts = run.of("clean-01", "compliance_report")["counts"]
        assert {state: count for state, count in counts.items() if count} == {"total": 3, "clear": 1, "conflict": 1, "unreachable": 1}


class TestOptionsOfTheInventory:
    """As Ansible's own connection has them."""

    def test_templates_play_variables_duplicates_and_shared_addresses(self, lab: Lab, controller: Controller) -> None:
        clean = lab.host("clean-01")
        lab.reset_counters()
        inventory = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))
        variables = inventory["all"]["children"]["sms_clients"]["hosts"]["clean-01"]
        general = inventory["all"].get("vars", {}) | inventory["all"]["children"]["sms_clients"].get("vars", {})
        twins = {
            f"twin-{number}": {**variables, "ansible_host": "{{ where }}", "ansible_password": "{{ from_play }}"} for number in range(6)
        }
        path = controller.directory / "twins.yml"
        hosts = {**twins, "elsewhere": {"ansible_connection": "local"}, "broken": {**variables, "ansible_port": "{{ nothing.here }}"}}
        path.write_text(
            yaml.safe_dump(
                {"all": {"children": {"twins": {"hosts": hosts, "vars": {**general, "where": clean["address"]}}}}}, sort_keys=False
            )
        )
        book = controller.directory / "twins_book.yml"
        secret = variables.get("ansible_password", general.get("ansible_password"))
        names = [*twins, "twin-0", "elsewhere", "broken"]
        book.write_text(
            yaml.safe_dump([{"hosts": "twins", "gather_facts": False, "vars": {"from_play": secret}, "tasks": [{AUDIT: {"hosts": names}}]}])
        )
        run = Controller(controller.directory, path).playbook(str(book))
        found = records(run)
        assert list(found) == names[:6] + names[7:]
        assert {found[name]["verdict"] for name in twins} == {"clear"}
        assert found["elsewhere"]["reason"] == "connection-plugin"
        assert found["broken"]["reason"] == "configuration"
        assert any("more than once" in warning for warning in fleet(run)["warnings"])
        assert secret not in run.output
        assert lab.counters("clean-01")["shells_created"] == 6
        assert lab.counters()["shells_open"] == 0


SLOW: dict[str, tuple[str, dict[str, t.Any]]] = {
    "clean-01": ("black-hole", {}),
    "clean-02": ("black-hole", {}),
    "clean-03": ("trickle", {"on": "Receive", "bytes": 1, "seconds": 0.2}),
    "clean-04": ("hang", {"on": "Receive"}),
    "clean-05": ("trickle", {"on": "any", "bytes": 1, "seconds": 0.2}),
}


@pytest.fixture
def slow(lab: Lab) -> t.Iterator[None]:
    """Five hosts that do not come to an end."""
    for name, (kind, details) in SLOW.items():
        lab.fault(name, kind, **details)
    yield
    for name in SLOW:
        lab.clear_faults(name)


@pytest.mark.usefixtures("slow")
class TestHostsThatDoNotComeToAnEnd:
    """They cost their own time."""

    def test_everybody_else_is_judged_and_no_shell_is_left(self, lab: Lab, controller: Controller) -> None:
        run = controller.tasks({AUDIT: {"host_deadline": 4, "concurrency": 8, "hosts": [f"clean-{n:02}" for n in range(1, 13)]}})
        found = records(run)
        assert {name for name, record in found.items() if record.get("unreachable")} == set(SLOW)
        assert {found[name]["reason"] for name in SLOW} == {"host-deadline"}
        assert {found[f"clean-{n:02}"]["verdict"] for n in range(6, 13)} == {"clear"}
        assert lab.counters()["shells_open"] == 0

    def test_the_run_ends_within_its_deadline(self, lab: Lab, controller: Controller) -> None:
        run = controller.tasks({AUDIT: {"deadline": 5, "concurrency": 8, "hosts": [f"clean-{n:02}" for n in range(1, 13)]}})
        found = records(run)
        assert {found[name]["reason"] for name in SLOW} == {"run-deadline"}
        assert {found[f"clean-{n:02}"]["verdict"] for n in range(6, 13)} == {"clear"}
        assert lab.counters()["shells_open"] == 0

    def test_a_shell_is_deleted_although_nobody_was_told_of_it(self, lab: Lab, controller: Controller) -> None:
        names = [f"clean-{n:02}" for n in range(6, 13)]
        made = lab.counters()["shells_created"]
        for name in names:
            lab.fault(name, "hang", on="Create", times=1, executed=True)
        found = records(controller.tasks({AUDIT: {"host_deadline": 2, "retries": 0, "hosts": names}}))
        assert {record["reason"] for record in found.values()} == {"host-deadline"}
        assert lab.counters()["shells_created"] == made + len(names)
        assert lab.counters()["shells_open"] == 0

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    def test_an_interrupted_run_leaves_no_shell_and_no_process(self, lab: Lab, controller: Controller, number: int) -> None:
        book = controller.directory / "interrupted.yml"
        book.write_text(yaml.safe_dump([{"hosts": "sms_clients", "gather_facts": False, "tasks": [{AUDIT: {"concurrency": 20}}]}]))
        mark = f"fleet-{controller.directory.name}-{number:d}"
        before = lab.counters()["commands"]
        process = subprocess.Popen(
            ["ansible-playbook", "-i", str(lab.inventory), str(book)],
            env={**controller.environment(controller.directory / "unused"), "SMS_HELPDESK_MARK": mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while lab.counters()["commands"] < before + 5 and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(number)
        process.wait(60)
        while processes(mark) and time.monotonic() < until:
            time.sleep(0.1)
        assert processes(mark) == []
        assert lab.counters()["shells_created"] > 0
        assert lab.counters()["shells_open"] == 0


def processes(mark: str) -> list[int]:
    """Processes that have this in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


class TestFewFileDescriptors:
    """Fewer hosts at once, or one clear error."""

    def test_a_low_limit_is_told_and_everybody_is_asked(self, lab: Lab, controller: Controller) -> None:
        book = controller.directory / "few.yml"
        tasks = [
            {AUDIT: {"concurrency": 200, "hosts": [f"clean-{n:02}" for n in range(1, 13)]}, "register": "said"},
            {"debug": {"var": "said.counts"}},
        ]
        book.write_text(yaml.safe_dump([{"hosts": "clean-01", "gather_facts": False, "tasks": tasks}]))
        collected = controller.directory / "few.jsonl"
        done = subprocess.run(
            ["bash", "-c", 'ulimit -n 120; exec ansible-playbook -i "$0" "$1"', str(lab.inventory), str(book)],
            env=controller.environment(collected), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "open files allows 14 hosts at once" in done.stderr + done.stdout
        assert '"clear": 12' in done.stdout
