# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One process of a fleet audit: threads that each audit one host at a time, and a watch over their time. Private to the collection.

Whatever happens outside (the process that started this one asks it to end, or dies), the shells are deleted first.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import ipaddress
import os
import queue
import re
import signal
import socket
import threading
import time
import typing as t

from ._errors import Unreachable
from ._trouble import Trouble, explain
from ._watch import Watch

Record = dict[str, t.Any]
_TICK = 0.1


@dataclasses.dataclass(frozen=True)
class Limits:
    """How long things may take, in seconds.

    :param connect: a connection. `host`: all that is asked of a host.
    :param grace: each step of ending: for the answer that is on its way, for the Delete of the shell, for the thread.
    """

    connect: float
    host: float
    grace: float


@dataclasses.dataclass(eq=False)
class Job:
    """One host being audited, or only the name of one being looked up; its options are then the name."""

    name: str
    options: t.Any
    watch: Watch
    until: float = 0.0
    look_up: bool = False
    abandoned: bool = False

    def closes(self, grace: float) -> None:
        """All is asked: what is left is the Delete, which must not take the time of another host."""
        self.until = min(self.until, time.monotonic() + grace)


# Audits a host and returns its record: raises nothing.
Task = t.Callable[[Job, Limits], Record]


def first_address(name: str) -> str:
    """The address a connection to this name goes to; the name itself where there is none, so that the audit finds out why."""
    try:
        found = str(socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError, IndexError):
        return name
    return literal_address(found) or found


def literal_address(name: str) -> str | None:
    """The usual spelling of a name that is an address, which no name service has to be asked for; None if it is none."""
    text = name.strip("[]")
    try:
        address = ipaddress.ip_address(text)
        return str(getattr(address, "ipv4_mapped", None) or address)
    except ValueError:
        pass
    # As the resolver takes them: 127.1, 0x7f000001.
    if re.fullmatch(r"\d[\da-fx.]*", text):
        with contextlib.suppress(OSError):
            return socket.inet_ntoa(socket.inet_aton(text))
    return None


def lost(host: str, reason: str) -> Record:
    """The record of a host that was not judged for a reason of this controller."""
    cause, next_step = explain(Trouble(reason))
    return Unreachable(host, "the audit of the fleet", cause, next_step, reason).as_result()


class Worker:
    """The threads of one process.

    :param pipe: `multiprocessing` connection to whoever hands out the hosts.
    """

    def __init__(self, pipe: t.Any, task: Task, limits: Limits) -> None:
        self._pipe = pipe
        self._task = task
        self._limits = limits
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._active: set[Job] = set()
        self._lock = threading.Lock()
        self._threads = 0
        self._waiting = 0
        self._stopping: str | None = None

    def serve(self) -> None:
        """Until the other end of the pipe closes or says so."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        stop_at = 0.0
        while True:
            try:
                if self._pipe.poll(_TICK):
                    kind, *what = self._pipe.recv()
                    if kind == "stop":
                        self._stop(what[0])
                    else:
                        self._take(kind == "name", *what)
            except (EOFError, OSError):
                self._stop("run-deadline")
                time.sleep(_TICK if self._active else 0)
            self._look_at_the_time()
            if self._stopping is not None:
                stop_at = stop_at or time.monotonic() + 3.5 * self._limits.grace
                if time.monotonic() > stop_at or not self._active:
                    return

    def _stop(self, reason: str) -> None:
        if self._stopping is None:
            self._stopping = reason
            with self._lock:
                for job in self._active:
                    job.watch.end(reason)
                    job.until = min(job.until, time.monotonic())

    def _take(self, look_up: bool, name: str, options: t.Any) -> None:
        if self._stopping is not None:
            self._answer(name, lost(name, self._stopping))
            return
        job = Job(name, options, Watch(self._limits.connect), time.monotonic() + self._limits.host, look_up)
        with self._lock:
            self._active.add(job)
            busy = self._threads <= len(self._active) - 1
        self._jobs.put(job)
        if busy:
            self._start()

    def _start(self) -> None:
        self._threads += 1
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            record = first_address(job.options) if job.look_up else self._task(job, self._limits)
            with self._lock:
                abandoned = job.abandoned
                self._active.discard(job)
            if abandoned:
                return
            self._answer(job.name, record)

    def _look_at_the_time(self) -> None:
        now = time.monotonic()
        with self._lock:
            late = [job for job in self._active if now >= job.until]
        for job in late:
            over = now - job.until
            job.watch.end("host-deadline")
            # Once: the Delete may need a connection of its own.
            if over >= self._limits.grace and not job.watch.cut:
                job.watch.hang_up()
            if over >= 3 * self._limits.grace:
                # A name service that does not answer cannot be ended; the thread is left to it.
                with self._lock:
                    if job not in self._active:
                        continue
                    job.abandoned = True
                    self._active.discard(job)
                job.watch.hang_up()
                self._answer(job.name, lost(job.name, job.watch.reason or "host-deadline"))
                self._threads -= 1

    def _answer(self, name: str, record: Record | str) -> None:
        # Nobody listens any more: this process ends by itself.
        with contextlib.suppress(OSError), self._lock:
            self._pipe.send((name, record))


def start(task: Task, limits: Limits, pipe: t.Any, others: t.Iterable[t.Any]) -> int:
    """Fork a worker.

    :param pipe: its end of the pipe. `others`: ends of pipes it must not keep open.
    :returns: its process id, in the parent.
    """
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        # A group of its own: what is sent to the group of Ansible's worker would end this one before it has deleted the shells.
        os.setpgid(0, 0)
        for other in others:
            other.close()
        # What was inherited is frozen, and what a session leaves is freed by counting; looking for rings costs a fifteenth of the time.
        gc.set_threshold(20_000, 20, 50)
        Worker(pipe, task, limits).serve()
        status = 0
    finally:
        os._exit(status)


def shared() -> t.Callable[[Record], Record]:
    """A function that makes equal parts of records one object: most clients of a fleet answer the same."""
    known: dict[str, t.Any] = {}

    def share(record: Record) -> Record:
        for key in ("ports", "host", "warnings", "conflicts", "protocol", "sms", "service"):
            if key in record:
                record[key] = known.setdefault(repr(record[key]), record[key]) if len(known) < 5000 else record[key]
        return record

    return share
