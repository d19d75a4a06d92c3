# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A line now and then that says how far a long run is."""

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: notification
short_description: Say now and then how many hosts of a long run are done
version_added: 1.2.0
description:
  - Prints a line with the hosts that are done of all, how many of them failed or could not be reached, and the time since the play began,
    not more often than O(interval) and once more when a task that took longer is done with its last host.
  - Each is a whole line without colours or cursor movements, so it is the same in a terminal, in the log of a CI job and with C(-v), and
    it stands beside whatever other callbacks print. A run in which every task is quicker than O(interval) prints none.
author:
  - The sms.helpdesk contributors (@sms-helpdesk)
requirements:
  - It has to be enabled with C(ANSIBLE_CALLBACKS_ENABLED=sms.helpdesk.progress) or C(callbacks_enabled) in the section C([defaults]) of
    C(ansible.cfg).
options:
  interval:
    description: Seconds between two lines.
    type: float
    default: 10
    env:
      - name: HELPDESK_PROGRESS_INTERVAL
    ini:
      - section: callback_sms_helpdesk_progress
        key: interval
"""

import time  # noqa: E402
import typing as t  # noqa: E402

from ansible.plugins.callback import CallbackBase  # noqa: E402


class Count:
    """The hosts that are done with a task."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.done: set[str] = set()
        self.lost: set[str] = set()


class CallbackModule(CallbackBase):
    """Counts the hosts of each task; whatever happens here, the run goes on."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "sms.helpdesk.progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._begun = self._told = time.monotonic()
        self._play: t.Any = None
        self._hosts = 0
        # By the task: with the strategy "free" several are under way, and with "serial" each comes again.
        self._counts: dict[str, Count] = {}
        self._shown: Count | None = None

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        """Count from here, unless it is the next batch of the same play."""
        if self._play is play:
            return
        self._begun = self._told = time.monotonic()
        self._play = play
        self._hosts = 0

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        """Who belongs to the play is known when its first task begins."""
        del is_conditional
        if task._uuid not in self._counts:
            self._last()
            self._counts[task._uuid] = Count(str(task.get_name()))
        if not self._hosts:
            manager = self._play.get_variable_manager() if self._play else None
            self._hosts = len(manager.get_vars(play=self._play).get("ansible_play_hosts_all", [])) if manager else 0

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._one(result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self._one(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        del ignore_errors
        self._one(result, lost=True)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._one(result, lost=True)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        del stats
        self._last()

    def _one(self, result: t.Any, lost: bool = False) -> None:
        host = str(result._host.get_name())
        count = self._counts.setdefault(result._task._uuid, Count(str(result._task.get_name())))
        count.done.add(host)
        if lost:
            count.lost.add(host)
        if time.monotonic() - self._told >= self.get_option("interval"):
            self._tell(count)
            self._shown = count

    def _last(self) -> None:
        """The end of a task of which something was told."""
        if self._shown is not None:
            self._tell(self._shown)
            self._shown = None

    def _tell(self, count: Count) -> None:
        self._told = time.monotonic()
        total = max(self._hosts, len(count.done))
        lost = f", {len(count.lost):,} failed or unreachable" if count.lost else ""
        self._display.display(f"progress: {len(count.done):,} of {total:,} hosts{lost}, {elapsed(self._told - self._begun)} ({count.name})")


def elapsed(seconds: float) -> str:
    """A time for people: 45 s, 3 min 20 s, 2 h 05 min."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole // 60 % 60:02d} min"
