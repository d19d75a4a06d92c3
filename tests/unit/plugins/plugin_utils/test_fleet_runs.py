# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit of a fleet with hosts that are made up: order, retries, addresses, deadlines, lost processes, interruption."""

from __future__ import annotations

import collections
import gc
import os
import resource
import signal
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _fleet
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import BadInput
from ansible_collections.sms.helpdesk.plugins.plugin_utils._fleet import Fleet, Interrupted, Plan, Progress, Target, allowed_concurrency
from ansible_collections.sms.helpdesk.plugins.plugin_utils._fleet_worker import Job, Limits, Record, first_address, literal_address


@pytest.fixture(autouse=True)
def _thaw() -> t.Iterator[None]:
    """The audit freezes what there is, for its processes; this one goes on."""
    yield
    gc.unfreeze()


def plan(**changes: t.Any) -> Plan:
    """Generous, but for what is changed."""
    return Plan(**{"concurrency": 8, "connect_timeout": 5, "host_deadline": 30, "deadline": 60, "retries": 1, **changes})


class Diary:
    """What the processes of an audit did, on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.touch()

    def write(self, line: str) -> None:
        """One line, whole."""
        with self._path.open("ab", buffering=0) as opened:
            opened.write(f"{line}\n".encode())

    @property
    def lines(self) -> list[str]:
        """All of them."""
        return self._path.read_text().splitlines()


@pytest.fixture
def diary(tmp_path: Path) -> Diary:
    """An empty one."""
    return Diary(tmp_path / "diary")


class Audited:
    """An audit, done.

    :param does: what a host does, given its name; its record if it returns one.
    :param targets: how a host is reached; by default under its own name as an address.
    """

    def __init__(
        self,
        names: list[str],
        diary: Diary,
        does: t.Callable[[str, Job], Record | None] | None = None,
        targets: t.Callable[[str], Target] | None = None,
        processors: int = 2,
        **changes: t.Any,
    ) -> None:
        self.progress: list[Progress] = []

        def task(job: Job, _limits: Limits) -> Record:
            diary.write(f"begin {job.name}")
            record = does(job.name, job) if does else None
            diary.write(f"end {job.name}")
            return record or {"verdict": "clear", "ports": [1], "pid": os.getpid()}

        fleet = Fleet(plan(**changes), task, targets or (lambda name: Target(name, None, name)), self.progress.append, processors)
        self.records = fleet.run(names)

    def reasons(self) -> dict[str, str | None]:
        """Host -> why it was not judged."""
        return {name: record.get("reason") for name, record in self.records.items()}


class TestWhoIsAsked:
    def test_nobody(self, diary: Diary) -> None:
        assert Audited([], diary).records == {}
        assert diary.lines == []

    def test_everybody_once_in_their_order_from_several_processes(self, diary: Diary) -> None:
        names = [f"pc{number:03}" for number in range(60)]
        found = Audited([*names, "pc000", "pc059"], diary, lambda _name, _job: time.sleep(0.01))
        assert list(found.records) == names
        assert collections.Counter(diary.lines) == collections.Counter(f"{what} {name}" for name in names for what in ("begin", "end"))
        processes = {record["pid"] for record in found.records.values()}
        assert len(processes) == 2
        assert os.getpid() not in processes
        assert (found.progress[-1].done, found.progress[-1].failed) == (60, 0)

    def test_who_has_a_record_already_is_not(self, diary: Diary) -> None:
        known = {"failed": True, "msg": "broken", "reason": "configuration"}
        found = Audited(["a", "b"], diary, targets=lambda name: Target(name, None, name, record=known if name == "a" else None))
        assert found.reasons() == {"a": "configuration", "b": None}
        assert diary.lines == ["begin b", "end b"]

    def test_no_more_at_once_than_wanted(self, diary: Diary) -> None:
        Audited([f"pc{number}" for number in range(12)], diary, lambda _name, _job: time.sleep(0.03), concurrency=3)
        assert 1 < most_at_once(diary.lines) <= 4


def most_at_once(lines: list[str]) -> int:
    """Of the hosts in a diary."""
    now = most = 0
    for line in lines:
        now += 1 if line.startswith("begin") else -1
        most = max(most, now)
    return most


class TestAddresses:
    """Never two conversations with one host."""

    def test_the_same_address_one_after_the_other(self, diary: Diary) -> None:
        Audited([f"pc{number}" for number in range(8)], diary, lambda _name, _job: time.sleep(0.02), lambda name: Target(name, None, "x"))
        assert most_at_once(diary.lines) == 1

    def test_names_are_looked_up_first(self, diary: Diary) -> None:
        reach = {"a": ("127.0.0.1", True), "b": ("localhost", False), "c": ("LOCALHOST", False), "d": ("no-such-name.invalid", False)}
        targets = {name: Target(name, None, address, found=found) for name, (address, found) in reach.items()}
        found = Audited([*reach], diary, lambda name, _job: time.sleep(0 if name == "d" else 0.05), targets.__getitem__)
        assert found.reasons() == dict.fromkeys(reach)
        assert most_at_once([line for line in diary.lines if not line.endswith(" d")]) == 1

    @pytest.mark.parametrize(
        ("name", "address"),
        [
            ("127.0.0.1", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
            ("0x7f.0.0.1", "127.0.0.1"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("[::1]", "::1"),
            ("0:0::0:1", "::1"),
            ("pc07", None),
            ("10pc", None),
            ("1.2.3.4.5", None),
            ("", None),
        ],
    )
    def test_spellings(self, name: str, address: str | None) -> None:
        assert literal_address(name) == address

    @pytest.mark.parametrize("name", ["no-such-name.invalid", "x" * 70, ""])
    def test_a_name_without_address_stays(self, name: str) -> None:
        assert first_address(name) in (name, "127.0.0.1", "::1")


class TestRetries:
    @pytest.fixture(autouse=True)
    def _quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_fleet, "_RETRY_SECONDS", 0.05)

    @pytest.mark.parametrize(
        ("reason", "retries", "times"),
        [
            ("reset", 0, 1),
            ("reset", 2, 3),
            ("quota-shells", 1, 2),
            ("quota-operations", 1, 2),
            ("timeout", 2, 1),
            ("credentials", 2, 1),
            ("host-deadline", 2, 1),
        ],
    )
    def test_what_stays_broken(self, diary: Diary, reason: str, retries: int, times: int) -> None:
        found = Audited(["bad", "good"], diary, lambda name, _job: {"reason": reason} if name == "bad" else None, retries=retries)
        assert found.reasons() == {"bad": reason, "good": None}
        assert diary.lines.count("begin bad") == times
        assert diary.lines.count("begin good") == 1

    def test_what_gets_better_is_judged(self, diary: Diary) -> None:
        found = Audited(
            ["bad"], diary, lambda _name, _job: {"reason": "quota-shells"} if diary.lines.count("begin bad") < 3 else None, retries=5
        )
        assert found.reasons() == {"bad": None}
        assert diary.lines.count("begin bad") == 3

    def test_a_process_that_is_killed_costs_nobody_else(self, diary: Diary) -> None:
        names = [f"pc{number}" for number in range(20)]

        def dies(name: str, _job: Job) -> None:
            if name == "pc7":
                os.kill(os.getpid(), signal.SIGKILL)

        found = Audited(names, diary, dies, retries=0)
        assert found.reasons() == {name: "worker-lost" if name == "pc7" else None for name in names}
        assert diary.lines.count("begin pc7") == 2


class TestDeadlines:
    def test_a_host_that_never_ends_costs_its_own_time(self, diary: Diary) -> None:
        names = [f"pc{number}" for number in range(10)]

        def never_ends(name: str, _job: Job) -> None:
            if name == "pc3":
                threading.Event().wait()

        found = Audited(names, diary, never_ends, host_deadline=0.3, deadline=5, processors=1, concurrency=1)
        assert found.reasons() == {name: "host-deadline" if name == "pc3" else None for name in names}

    def test_a_host_that_is_told_to_end_says_why_itself(self, diary: Diary) -> None:
        def obeys(_name: str, job: Job) -> Record:
            job.watch.pause(30)
            return {"reason": job.watch.reason, "said": True}

        found = Audited(["pc1"], diary, obeys, host_deadline=0.2)
        assert found.records == {"pc1": {"reason": "host-deadline", "said": True}}

    def test_the_run_ends_and_nobody_is_forgotten(self, diary: Diary) -> None:
        names = [f"pc{number}" for number in range(10)]
        found = Audited(
            names, diary, lambda name, job: None if name in ("pc0", "pc1") else job.watch.pause(30), deadline=2, concurrency=4
        )  # fmt: skip
        reasons = found.reasons()
        assert list(reasons) == names
        assert reasons["pc0"] is reasons["pc1"] is None
        assert reasons["pc9"] == "run-deadline"
        assert "begin pc9" not in diary.lines


class TestInterruption:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_sessions_end_first(self, diary: Diary, number: signal.Signals) -> None:
        handler = signal.getsignal(number)
        timer = threading.Timer(0.5, os.kill, (os.getpid(), number))
        timer.start()
        with pytest.raises(Interrupted) as caught:
            Audited(["a", "b", "c"], diary, lambda _name, job: job.watch.pause(30), concurrency=2, deadline=20)
        timer.join()
        assert caught.value.number == number
        assert sorted(line for line in diary.lines if line.startswith("end")) == ["end a", "end b"]
        assert signal.getsignal(number) is handler


class TestOpenFiles:
    @pytest.mark.parametrize(
        ("limits", "possible"),
        [
            ((1024, 4096), 100),
            ((120, 120), 14),
            ((120, 4096), 100),
            ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), 100),
            ((120, resource.RLIM_INFINITY), 100),
        ],
    )
    def test_as_many_as_are_allowed(self, monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], possible: int) -> None:
        monkeypatch.setattr(resource, "getrlimit", lambda _what: limits)
        monkeypatch.setattr(resource, "setrlimit", lambda _what, _limits: None)
        found, warning = allowed_concurrency(100)
        assert found == possible
        assert (warning is None) == (possible == 100)
        assert warning is None or "ulimit -n" in warning

    def test_none_at_all_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(resource, "getrlimit", lambda _what: (60, 60))
        with pytest.raises(BadInput, match="ulimit -n") as caught:
            allowed_concurrency(100)
        assert caught.value.reason == "controller-exhausted"


class TestProgress:
    def test_in_words(self) -> None:
        assert str(Progress(1000, 250, 3, 10.0)) == "fleet_audit: 250 of 1000 hosts, 25.0 a second, 3 not audited, 30 s left"
        assert str(Progress(1000, 0, 0, 0.0)) == "fleet_audit: 0 of 1000 hosts, 0.0 a second, 0 not audited"
