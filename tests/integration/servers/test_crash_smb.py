# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Staging and restoring over SMB against a real Samba, broken at every single SMB message.

At each one the connection is cut before the request is delivered, or after it before its answer, or the controller is
killed. Then every file has to be whole, old or new, and the next run has to finish the work and leave nothing behind.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.forkserver
import os
import signal
import sys
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import HelpdeskError
from server_runs import SERVER, SHARE, Run, Site, changes, run
from test_crash_directory import check_whole

from lab.servers import CuttingProxy, ServerLab
from lab.servers.proxy import Message

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["server_runs", "ansible_collections.sms.helpdesk.plugins.plugin_utils._smb_share"])


@pytest.fixture(scope="module", autouse=True)
def _forkserver() -> None:
    """Begin it with the path of this process: it does not take that over by itself and would preload nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        multiprocessing.forkserver.ensure_running()


@pytest.fixture
def proxy(servers: ServerLab) -> Iterator[CuttingProxy]:
    with CuttingProxy(servers.port, [servers.address(SERVER)]) as proxy:
        yield proxy


def order(servers: ServerLab, staging: bool, port: int | None = None) -> Run:
    user, password = next(iter(servers.users.items()))
    return Run(servers.unc(SERVER, SHARE, "small"), staging, port or servers.port, user, password)


def broken(servers: ServerLab, proxy: CuttingProxy, site: Site, staging: bool, at: int, way: str) -> bool:
    """One run that breaks at a message; False if it was done before it came so far."""
    proxy.heal()
    through = order(servers, staging, proxy.port)
    if way == "killed":
        child = _processes.Process(target=run, args=(through, site))

        def kill(message: Message) -> None:
            if message.number == at and child.pid is not None:
                os.kill(child.pid, signal.SIGKILL)
                proxy.cut_now()

        proxy.on_request(kill)
        child.start()
        child.join()
        proxy.on_request(None)
        return child.exitcode == -signal.SIGKILL
    proxy.cut(at, when=way.removeprefix("cut "))
    try:
        run(through, site)
    except HelpdeskError as error:
        assert error.unreachable, error
        assert error.reason in ("connection-cut", "refused", "not-smb"), error
        return True
    return proxy.is_cut


@pytest.mark.parametrize("way", ["cut before", "cut after", "killed"])
@pytest.mark.parametrize("staging", [True, False], ids=["staging", "restoring"])
def test_every_message(
    servers: ServerLab,
    proxy: CuttingProxy,
    site: Site,
    staging: bool,
    way: str,
    tmp_path: Path,
    record_property: t.Callable[[str, object], None],
) -> None:
    original = site.state()
    start = site.keep(tmp_path / "original")
    run(order(servers, True), site)
    staged = site.state()
    before, after = (original, staged) if staging else (staged, original)
    if not staging:
        start = site.keep(tmp_path / "staged")
    points, recovered = 0, set()
    while True:
        site.put(start)
        points += 1
        point = f"{way} at message {points}"
        if not broken(servers, proxy, site, staging, points, way):
            break
        servers.wait_idle()
        check_whole(site, before, after, point)
        # What follows depends on nothing but the disk.
        disk = site.fingerprint()
        if disk in recovered:
            continue
        recovered.add(disk)
        run(order(servers, staging), site)
        assert site.state() == after, f"{point}: the next run did not finish the work"
        assert site.left_overs() == [], point
        again = run(order(servers, staging)._replace(check=True), site)
        assert not changes(again), f"{point}: the run after that finds something to do"
        if staging:
            run(order(servers, False), site)
            assert site.state() == original, f"{point}: the original is lost"
    record_property("points", points - 1)
    record_property("states", len(recovered))
    what = f"{'staging' if staging else 'restoring'} over SMB, {way}"
    print(f"{what}: {points - 1} messages tried, {len(recovered)} states of the disk recovered")
    assert points > 100
    assert len(recovered) > 20
