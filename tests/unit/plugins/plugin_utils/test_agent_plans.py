# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from one state of the agent to another, and that `restored` is what was there before, whatever happened between."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._agent import Plan, carry_out, plan
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import ActionRefused
from ansible_collections.sms.helpdesk.plugins.plugin_utils._service import Memory, Service
from hypothesis import given
from hypothesis import strategies as st

MISSING = Service("Wuser32", False)
AUTO, MANUAL = Memory("Auto", "Running"), Memory("Manual", "Stopped")
DELAYED = Memory("Auto", "Running", True)


def service(start_mode: str, state: str) -> Service:
    return Service("Wuser32", True, start_mode, state)


@pytest.mark.parametrize("wanted", ["started", "restarted"])
class TestErrors:
    def test_what_is_not_installed_cannot_be_started(self, wanted: str) -> None:
        with pytest.raises(ActionRefused) as caught:
            plan("pc07", wanted, MISSING, None)
        assert caught.value.reason == "service-missing"

    @pytest.mark.parametrize("memory", [None, Memory("Disabled", "Running")])
    @pytest.mark.parametrize("state", ["Stopped", "Running"])
    def test_what_somebody_else_disabled_stays_disabled(self, wanted: str, memory: Memory | None, state: str) -> None:
        with pytest.raises(ActionRefused) as caught:
            plan("pc07", wanted, service("Disabled", state), memory)
        assert caught.value.reason == "service-disabled"


@pytest.mark.parametrize(
    ("wanted", "before", "memory", "expected"),
    [
        ("stopped", MISSING, None, Plan()),
        ("disabled", MISSING, None, Plan()),
        ("restored", MISSING, None, Plan()),
        ("restored", MISSING, AUTO, Plan(forget=True)),
        ("stopped", service("Auto", "Running"), None, Plan(remember=True, run=False)),
        ("stopped", service("Auto", "Paused"), None, Plan(remember=True, run=False)),
        ("stopped", service("Auto", "Running"), AUTO, Plan(run=False)),
        ("stopped", service("Auto", "Stopped"), None, Plan()),
        ("stopped", service("Disabled", "Stopped"), AUTO, Plan()),
        ("disabled", service("Auto", "Running"), None, Plan(remember=True, start_mode="Disabled", run=False)),
        ("disabled", service("Auto", "Start Pending"), None, Plan(remember=True, start_mode="Disabled", run=False)),
        ("disabled", service("Manual", "Stopped"), None, Plan(remember=True, start_mode="Disabled")),
        ("disabled", service("Disabled", "Stopped"), None, Plan()),
        ("disabled", service("Disabled", "Stopped"), AUTO, Plan()),
        ("disabled", service("Disabled", "Running"), AUTO, Plan(run=False)),
        ("disabled", service("Disabled", "Running"), None, Plan(remember=True, run=False)),
        # Enabled by somebody since then: the old note is void.
        ("disabled", service("Manual", "Running"), AUTO, Plan(remember=True, stale=True, start_mode="Disabled", run=False)),
        ("disabled", service("Manual", "Stopped"), AUTO, Plan(remember=True, stale=True, start_mode="Disabled")),
        # Stopped by us before: the note is the truth.
        ("disabled", service("Auto", "Stopped"), AUTO, Plan(start_mode="Disabled")),
        ("started", service("Auto", "Running"), None, Plan()),
        ("started", service("Manual", "Stopped"), None, Plan(run=True)),
        ("started", service("Disabled", "Stopped"), AUTO, Plan(start_mode="Auto", run=True, forget=True)),
        ("started", service("Disabled", "Stopped"), MANUAL, Plan(start_mode="Manual", run=True, forget=True)),
        ("started", service("Disabled", "Stopped"), DELAYED, Plan(start_mode="Auto", delayed=True, run=True, forget=True)),
        # Nobody comes back to what was kept before somebody started it.
        ("started", service("Auto", "Stopped"), AUTO, Plan(run=True, forget=True)),
        ("started", service("Manual", "Stopped"), MANUAL, Plan(run=True, forget=True)),
        ("started", service("Auto", "Running"), AUTO, Plan(forget=True)),
        ("restarted", service("Auto", "Running"), None, Plan(restart=True)),
        ("restarted", service("Manual", "Start Pending"), None, Plan(restart=True)),
        ("restarted", service("Auto", "Paused"), AUTO, Plan(restart=True)),
        ("restarted", service("Auto", "Stopped"), None, Plan(run=True)),
        ("restarted", service("Auto", "Stopped"), AUTO, Plan(run=True, forget=True)),
        ("restarted", service("Disabled", "Stopped"), DELAYED, Plan(start_mode="Auto", delayed=True, run=True, forget=True)),
        ("restarted", service("Disabled", "Running"), AUTO, Plan(start_mode="Auto", restart=True, forget=True)),
        ("restored", service("Disabled", "Stopped"), DELAYED, Plan(start_mode="Auto", delayed=True, run=True, forget=True)),
        ("restored", service("Auto", "Stopped"), DELAYED, Plan(run=True, forget=True)),
        ("restored", service("Auto", "Running"), None, Plan()),
        ("restored", service("Disabled", "Stopped"), None, Plan()),
        ("restored", service("Disabled", "Stopped"), AUTO, Plan(start_mode="Auto", run=True, forget=True)),
        ("restored", service("Disabled", "Running"), AUTO, Plan(start_mode="Auto", forget=True)),
        ("restored", service("Disabled", "Stopped"), MANUAL, Plan(start_mode="Manual", forget=True)),
        ("restored", service("Auto", "Running"), AUTO, Plan(forget=True)),
        ("restored", service("Auto", "Running"), MANUAL, Plan(start_mode="Manual", run=False, forget=True)),
        # A disabled service cannot be started, not even one that ran when it was disabled.
        ("restored", service("Disabled", "Stopped"), Memory("Disabled", "Running"), Plan(forget=True)),
    ],
)
def test_table(wanted: str, before: Service, memory: Memory | None, expected: Plan) -> None:
    todo = plan("pc07", wanted, before, memory)
    assert todo == expected
    assert todo.changes is (expected != Plan())


def test_the_outcome_is_told_without_doing_it() -> None:
    before = service("Auto", "Running")
    assert Plan(remember=True, start_mode="Disabled", run=False).outcome(before) == service("Disabled", "Stopped")
    assert Plan(run=True).outcome(service("Manual", "Stopped")) == service("Manual", "Running")
    assert Plan(restart=True).outcome(service("Manual", "Start Pending")) == service("Manual", "Running")
    assert Plan().outcome(before) == before


class Interrupted(Exception):
    """The run ends here."""


class Machine:
    """A client with the service, as the service control manager behaves, that dies before the n-th change."""

    def __init__(self, start_mode: str, state: str, delayed: bool = False) -> None:
        self.service = service(start_mode, state)
        self.delayed = delayed
        self.memory: Memory | None = None
        self.changes_left: int | None = None
        self.log: list[str] = []

    def _change(self, what: str) -> None:
        if self.changes_left == 0:
            raise Interrupted
        if self.changes_left is not None:
            self.changes_left -= 1
        self.log.append(what)

    def read(self) -> Service:
        return self.service

    def remember(self, now: Service) -> None:
        assert self.memory is None, "values of two notes would be mixed"
        self._change("remember")
        self.memory = Memory(now.start_mode, now.state, self.delayed and now.start_mode == "Auto")

    def forget(self) -> None:
        self._change("forget")
        self.memory = None

    def set_start_mode(self, start_mode: str, delayed: bool = False) -> None:
        self._change("start type")
        self.service = service(start_mode, self.service.state)
        self.delayed = delayed

    def stop(self) -> None:
        self._change("stop")
        self.service = service(self.service.start_mode, "Stopped")

    def start(self) -> None:
        assert self.service.start_mode != "Disabled", "error 1058"
        self._change("start")
        self.service = service(self.service.start_mode, "Running")

    def restart(self, _now: Service) -> None:
        self.stop()
        self.start()

    def reach(self, wanted: str, dies_after: int | None = None) -> None:
        self.changes_left = dies_after
        try:
            carry_out(t.cast(t.Any, self), plan("pc07", wanted, self.service, self.memory), self.service)
        except Interrupted:
            pass
        finally:
            self.changes_left = None


class TestCarryingOut:
    def test_the_note_is_written_before_anything_is_changed(self) -> None:
        machine = Machine("Auto", "Running")
        machine.reach("disabled")
        assert machine.log == ["remember", "start type", "stop"]

    def test_and_removed_after_everything_is_back(self) -> None:
        machine = Machine("Auto", "Running")
        machine.reach("disabled")
        machine.log.clear()
        machine.reach("restored")
        assert machine.log == ["start type", "start", "forget"]
        assert machine.memory is None

    @pytest.mark.parametrize("wanted", ["started", "stopped", "disabled", "restored"])
    def test_a_second_time_changes_nothing(self, wanted: str) -> None:
        machine = Machine("Auto", "Running")
        machine.reach(wanted)
        machine.log.clear()
        machine.reach(wanted)
        assert machine.log == []

    @pytest.mark.parametrize("dies_after", range(4))
    def test_a_restart_that_broke_off_is_completed_by_the_next(self, dies_after: int) -> None:
        machine = Machine("Auto", "Running")
        machine.reach("restarted", dies_after)
        machine.reach("restarted")
        assert machine.service == service("Auto", "Running")
        assert machine.log[-1] == "start"

    def test_what_was_started_is_not_restored_to_an_older_state(self) -> None:
        machine = Machine("Manual", "Running")
        for wanted in ("stopped", "started"):
            machine.reach(wanted)
        assert machine.memory is None
        machine.service = service("Manual", "Stopped")
        machine.log.clear()
        machine.reach("restored")
        assert (machine.service.state, machine.log) == ("Stopped", [])


_ORIGINALS = st.sampled_from(
    [
        ("Auto", "Running", False),
        ("Auto", "Running", True),
        ("Auto", "Stopped", True),
        ("Manual", "Running", False),
        ("Manual", "Stopped", False),
        ("Disabled", "Stopped", False),
    ]
)
_STEPS = st.tuples(st.sampled_from(["stopped", "disabled"]), st.none() | st.integers(0, 3), st.booleans())


@given(_ORIGINALS, st.lists(_STEPS, min_size=1, max_size=5), st.none() | st.integers(0, 3))
def test_restored_is_what_was_there_before(
    original: tuple[str, str, bool], steps: list[tuple[str, int | None, bool]], dies: int | None
) -> None:
    """Whatever was stopped and disabled in whatever order, with runs that died and clients that were restarted between."""
    machine = Machine(*original)
    for wanted, dies_after, restarted in steps:
        machine.reach(wanted, dies_after)
        if restarted and machine.memory is not None and machine.service.start_mode != "Auto":
            machine.service = service(machine.service.start_mode, "Stopped")
    touched = machine.memory is not None
    machine.reach("restored", dies)
    machine.reach("restored")
    assert machine.memory is None
    if touched:
        assert (machine.service.start_mode, machine.service.state, machine.delayed) == original
    machine.log.clear()
    machine.reach("restored")
    assert machine.log == []
