# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Staging and restoring on a mounted directory, broken at every single operation.

At each one the connection is cut before it, or after it before its answer, or the process is killed. Then every file has
to be whole, old or new, and the next run has to finish the work, leave nothing behind and be able to give back the original.
"""

from __future__ import annotations

import os
import signal
import typing as t
from pathlib import Path

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import HelpdeskError
from counting_share import CountingShare
from server_runs import TARGETS, Run, Site, changes, run, wait_for

State = dict[str, tuple[bytes, int, int]]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path / "SMS", tmp_path / "package", over_smb=False)
    site.reset()
    return site


def broken(site: Site, staging: bool, at: int, way: str) -> bool:
    """One run that breaks; False if it ended before it came so far."""
    order = Run(str(site.root), staging)
    if way == "killed":
        pid = os.fork()
        if pid == 0:
            try:
                run(order, site, lambda share: CountingShare(share, at, breaking=lambda: os.kill(os.getpid(), signal.SIGKILL)))
            finally:
                os._exit(0)
        return wait_for(pid) == -signal.SIGKILL
    try:
        run(order, site, lambda share: CountingShare(share, at, after=way == "cut after"))
    except HelpdeskError as error:
        assert error.reason == "connection-cut", error
        return True
    return False


def check_whole(site: Site, before: State, after: State, point: str) -> None:
    found = site.state()
    names = set(before) | set(after)
    assert set(found) <= names, f"{point}: {set(found) - names} must not lie where it is replicated"
    for place in names:
        contents = [state[place][:2] if place in state else None for state in (before, after)]
        assert (found[place][:2] if place in found else None) in contents, f"{point}: {place} is neither old nor new"


def finished(site: Site, staging: bool, wanted: State, point: str) -> None:
    """The next run does the rest, and the one after it finds nothing to do."""
    order = Run(str(site.root), staging)
    predicted = run(order._replace(check=True), site)
    done = run(order, site)
    assert [step.action for step in predicted.steps] == [step.action for step in done.steps], point
    assert predicted.left_overs == done.left_overs, point
    assert site.state() == wanted, f"{point}: the next run did not finish the work"
    assert site.left_overs() == [], point
    assert not changes(run(order, site)), f"{point}: the run after that found something to do"


@pytest.mark.parametrize("way", ["cut before", "cut after", "killed"])
@pytest.mark.parametrize("staging", [True, False], ids=["staging", "restoring"])
@pytest.mark.parametrize("afterwards", ["complete", "reverse"])
def test_every_operation(
    site: Site, staging: bool, way: str, afterwards: str, tmp_path: Path, record_property: t.Callable[[str, object], None]
) -> None:
    original = site.state()
    start = site.keep(tmp_path / "original")
    run(Run(str(site.root), True), site)
    staged = site.state()
    assert {place: state[0] for place, state in staged.items()} == {place: site.new[name] for name, place in TARGETS.items()}
    before, after = (original, staged) if staging else (staged, original)
    if not staging:
        start = site.keep(tmp_path / "staged")
    points, recovered = 0, set()
    while True:
        site.put(start)
        points += 1
        point = f"{way} at operation {points}"
        if not broken(site, staging, points, way):
            break
        check_whole(site, before, after, point)
        # What follows depends on nothing but the disk.
        disk = site.fingerprint()
        if disk in recovered:
            continue
        recovered.add(disk)
        if afterwards == "complete":
            finished(site, staging, after, point)
            finished(site, not staging, before, point)
        elif staging:
            finished(site, False, original, point)
        else:
            # Equal content is not written to, so a read-only attribute that was taken off for restoring stays off until then.
            found = site.state()
            finished(site, True, {place: (*state[:2], found.get(place, state)[2]) for place, state in staged.items()}, point)
            finished(site, False, original, point)
    record_property("points", points - 1)
    record_property("states", len(recovered))
    what = f"{'staging' if staging else 'restoring'}, {way}, then {afterwards}"
    print(f"{what}: {points - 1} points tried, {len(recovered)} states of the disk recovered")
    assert points > 50
    assert len(recovered) > 20
