# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit of a whole fleet: which host is asked when, and by which process. Private to the collection; knows nothing of Ansible.

Threads in a few processes: an NTLM session costs more of the processor than Python gives one process, and most of the
rest is waiting. docs/fleet_audit.md has the figures.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import gc
import heapq
import multiprocessing.connection
import os
import resource
import signal
import time
import typing as t

from ._errors import BadInput
from ._fleet_worker import Limits, Record, Task, lost, shared, start

# What may be over a moment later. A time-out is not among them: a dead host would cost its time twice.
RETRIED = frozenset({"reset", "quota-shells", "quota-operations", "shell-gone", "controller-exhausted", "worker-lost"})
_RETRY_SECONDS = 2.0
_SPARE_DESCRIPTORS = 64
_DESCRIPTORS_PER_HOST = 4
_LONE_PROCESSES = 8


@dataclasses.dataclass(frozen=True)
class Target:
    """A host and how to reach it.

    :param options: what the task needs to connect; None if `record` says already why that is not possible.
    :param address: two targets with the same one are never asked at the same time; as it stands in the inventory, until it is `found`.
    :param alone: its authentication uses the environment of the process (Kerberos), so it needs a process of its own.
    """

    name: str
    options: t.Any
    address: str
    alone: bool = False
    record: Record | None = None
    found: bool = True


@dataclasses.dataclass(frozen=True)
class Plan:
    """How a fleet is audited; seconds everywhere."""

    concurrency: int
    connect_timeout: float
    host_deadline: float
    deadline: float
    retries: int

    @property
    def grace(self) -> float:
        """A step of ending, see `Limits`."""
        return min(2.0, self.deadline / 20)


@dataclasses.dataclass
class Progress:
    """Where an audit stands."""

    total: int
    done: int
    failed: int
    seconds: float

    def __str__(self) -> str:
        rate = self.done / self.seconds if self.seconds > 0 else 0.0
        left = f", {(self.total - self.done) / rate:.0f} s left" if rate else ""
        return f"fleet_audit: {self.done} of {self.total} hosts, {rate:.1f} a second, {self.failed} not audited{left}"


@dataclasses.dataclass(eq=False)
class _Process:
    pid: int
    pipe: t.Any
    lane: bool
    free: int
    targets: dict[str, Target] = dataclasses.field(default_factory=dict)


class Interrupted(Exception):
    """The run was told to end; the shells are deleted. `number` is the signal, None if Ansible itself has gone."""

    def __init__(self, number: int | None) -> None:
        super().__init__(number)
        self.number = number


def allowed_concurrency(wanted: int) -> tuple[int, str | None]:
    """As many hosts at once as the limit of open files lets through, and a warning if that is less than wanted.

    :raises BadInput: it does not let through a single one.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = _SPARE_DESCRIPTORS + wanted * _DESCRIPTORS_PER_HOST
    if soft != resource.RLIM_INFINITY and soft < needed:
        limit = needed if hard == resource.RLIM_INFINITY else min(hard, needed)
        if limit > soft:
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
                soft = limit
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted, None
    possible = (soft - _SPARE_DESCRIPTORS) // _DESCRIPTORS_PER_HOST
    if possible < 1:
        raise BadInput(
            "the controller",
            f"the limit of {soft} open files",
            "it leaves no file descriptor for a connection",
            "raise it with 'ulimit -n'",
            "controller-exhausted",
        )
    return possible, f"the limit of {soft} open files allows {possible} hosts at once instead of {wanted}; raise it with 'ulimit -n'"


class Fleet:
    """One audit.

    :param targets: makes the target of a name; called shortly before it is needed.
    :param report: called now and then with where it stands.
    """

    def __init__(
        self,
        plan: Plan,
        task: Task,
        targets: t.Callable[[str], Target],
        report: t.Callable[[Progress], None],
        processors: int | None = None,
    ) -> None:
        self._plan = plan
        self._task = task
        self._target = targets
        self._report = report
        self._count = max(1, min(processors or len(os.sched_getaffinity(0)), plan.concurrency))
        self._processes: list[_Process] = []
        self._busy: set[str] = set()
        self._parked: dict[str, collections.deque[Target]] = {}
        self._ready: dict[bool, collections.deque[Target]] = {False: collections.deque(), True: collections.deque()}
        self._later: list[tuple[float, int, Target]] = []
        self._tries: collections.Counter[str] = collections.Counter()
        self._signalled: int | None = None
        self._share = shared()
        self.records: dict[str, Record] = {}

    def run(self, names: t.Sequence[str]) -> dict[str, Record]:
        """Audit every name, once.

        :returns: name -> record, in the order of the names.
        :raises Interrupted: by a signal, or because Ansible has gone.
        """
        order = list(dict.fromkeys(names))
        if not order:
            return {}
        previous = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            self._drive(order)
        finally:
            self._end()
            for number, handler in previous.items():
                signal.signal(number, handler)
        return {name: self.records[name] for name in order}

    def _on_signal(self, number: int, _frame: t.Any) -> None:
        self._signalled = number

    def _drive(self, order: list[str]) -> None:
        begun, parent = time.monotonic(), os.getppid()
        reserve = 3.5 * self._plan.grace
        names = collections.deque(order)
        told = begun
        gc.freeze()
        while len(self.records) < len(order):
            now = time.monotonic()
            if self._signalled is not None or os.getppid() != parent:
                self._stop("run-deadline", reserve)
                raise Interrupted(self._signalled)
            if now - begun >= self._plan.deadline - reserve:
                self._stop("run-deadline", max(0.0, begun + self._plan.deadline - 0.5 * self._plan.grace - now))
                for name in order:
                    self.records.setdefault(name, lost(name, "run-deadline"))
                break
            self._hand_out(names, now)
            self._gather(0.2)
            if now - told >= 2.0:
                told = now
                self._report(self._progress(len(order), now - begun))
        self._report(self._progress(len(order), time.monotonic() - begun))

    def _progress(self, total: int, seconds: float) -> Progress:
        failed = sum(1 for record in self.records.values() if record.get("reason"))
        return Progress(total, len(self.records), failed, seconds)

    def _hand_out(self, names: collections.deque[str], now: float) -> None:
        while self._later and self._later[0][0] <= now:
            self._enqueue(heapq.heappop(self._later)[2])
        for lane in (False, True):
            while process := self._free(lane):
                while not self._ready[lane] and names and not self._ready[True]:
                    self._prepare(names.popleft())
                if not self._ready[lane]:
                    break
                target = self._ready[lane].popleft()
                process.free -= 1
                process.targets[target.name] = target
                with contextlib.suppress(OSError):
                    process.pipe.send(("host", target.name, target.options) if target.found else ("name", target.name, target.address))

    def _prepare(self, name: str) -> None:
        target = self._target(name)
        if target.record is not None:
            self.records[name] = target.record
        else:
            self._enqueue(target)

    def _enqueue(self, target: Target) -> None:
        """Ready, or parked until the other host of the same address is done. A name is looked up first, which is a task like any other."""
        if not target.found:
            self._ready[False].append(target)
        elif target.address in self._busy:
            self._parked.setdefault(target.address, collections.deque()).append(target)
        else:
            self._busy.add(target.address)
            self._ready[target.alone].append(target)

    def _release(self, target: Target) -> None:
        self._busy.discard(target.address)
        parked = self._parked.get(target.address)
        if parked:
            self._enqueue(parked.popleft())

    def _free(self, lane: bool) -> _Process | None:
        mine = [process for process in self._processes if process.lane == lane]
        for process in sorted(mine, key=lambda each: -each.free):
            if process.free > 0:
                return process
            break
        if lane and not self._ready[lane]:
            return None
        if len(mine) >= (min(_LONE_PROCESSES, self._plan.concurrency) if lane else self._count):
            return None
        threads = 1 if lane else -(-self._plan.concurrency // self._count)
        ours, theirs = multiprocessing.connection.Pipe()
        limits = Limits(self._plan.connect_timeout, self._plan.host_deadline, self._plan.grace)
        pid = start(self._task, limits, theirs, [ours, *(process.pipe for process in self._processes)])
        theirs.close()
        self._processes.append(_Process(pid, ours, lane, threads))
        return self._processes[-1]

    def _gather(self, seconds: float) -> None:
        pipes = {process.pipe: process for process in self._processes}
        if not pipes:
            time.sleep(min(seconds, 0.05))
            return
        for pipe in _speaking(pipes, seconds):
            process = pipes[pipe]
            try:
                while pipe.poll():
                    self._done(process, *pipe.recv())
            except (EOFError, OSError):
                self._bury(process)

    def _done(self, process: _Process, name: str, record: Record | str) -> None:
        target = process.targets.pop(name)
        process.free += 1
        if isinstance(record, str):
            self._enqueue(dataclasses.replace(target, address=record, found=True))
            return
        self._tries[name] += 1
        if record.get("reason") in RETRIED and self._tries[name] <= self._plan.retries:
            heapq.heappush(self._later, (time.monotonic() + _RETRY_SECONDS * self._tries[name], len(self._later), target))
        else:
            self.records[name] = self._share(record)
        if target.found:
            self._release(target)

    def _bury(self, process: _Process) -> None:
        """A process has ended by itself. One of its hosts may be to blame, so each is asked again in a process of its own."""
        self._processes.remove(process)
        for name, target in list(process.targets.items()):
            if target.alone or not target.found:
                self._done(process, name, lost(name, "worker-lost"))
            else:
                self._ready[True].append(dataclasses.replace(target, alone=True))
        process.pipe.close()
        _reap(process.pid, 1.0)

    def _stop(self, reason: str, seconds: float) -> None:
        """Tell every process to end, and take what they still say."""
        for process in self._processes:
            with contextlib.suppress(OSError):
                process.pipe.send(("stop", reason))
        self._tries.clear()
        until = time.monotonic() + seconds
        while self._processes and time.monotonic() < until:
            pipes = {process.pipe: process for process in self._processes}
            for pipe in _speaking(pipes, 0.1):
                process = pipes[pipe]
                try:
                    name, record = pipe.recv()
                    if not isinstance(record, str):
                        self.records[name] = self._share(record)
                except (EOFError, OSError):
                    self._processes.remove(process)
                    process.pipe.close()
                    _reap(process.pid, 0.5)

    def _end(self) -> None:
        for process in self._processes:
            process.pipe.close()
        for process in self._processes:
            _reap(process.pid, 3.5 * self._plan.grace if self._signalled is None else 0.5)
        self._processes.clear()


def _speaking(pipes: t.Iterable[t.Any], seconds: float) -> list[t.Any]:
    return list(multiprocessing.connection.wait(list(pipes), seconds))


def _reap(pid: int, seconds: float) -> None:
    """Wait for a process that is about to end, and end it if it does not."""
    until = time.monotonic() + seconds
    with contextlib.suppress(ChildProcessError, ProcessLookupError):
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            if time.monotonic() >= until:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return
            time.sleep(0.01)
