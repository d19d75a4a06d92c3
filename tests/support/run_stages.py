# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run stages of the tests one after the other, all of them even if one fails, and say at the end what came of them.

A stage is a target of the Makefile that leaves JUnit files in ``.build/reports/<stage>``. What it prints goes to
``.build/reports/<stage>.log``, and is shown if it fails. In strict mode (CI=true or SMS_HELPDESK_STRICT=1) a skipped test is a
failed test, and a stage without a single test has failed in every mode.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping

import reports

# A stage that takes this long hangs.
LIMIT_SECONDS = 20 * 60
SHOWN_LINES = 400


def is_strict(environment: Mapping[str, str]) -> bool:
    return environment.get("CI") == "true" or environment.get("SMS_HELPDESK_STRICT") == "1"


def run(stage: str) -> tuple[int, str]:
    """Run one stage; its exit status and what it printed. All its processes have ended then."""
    shutil.rmtree(reports.DIRECTORY / stage, ignore_errors=True)
    log = reports.DIRECTORY / f"{stage}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["make", "--no-print-directory", stage],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            output.write(f"\nstopped after {LIMIT_SECONDS} seconds\n".encode())
            status = 1
        finally:
            _end(process)
    return status, log.read_text(encoding="utf-8", errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End whatever is left of the process group of a stage."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def judge(status: int, found: reports.Count, *, strict: bool) -> list[str]:
    """What is wrong with a stage; empty if nothing is."""
    wrong = [f"failed: {name}" for name in found.failed]
    if strict:
        wrong += [f"skipped: {name}" for name in found.skipped]
    if not found.passed and not wrong:
        wrong.append("not a single test ran")
    if status and not wrong:
        wrong.append(f"ended with status {status}")
    return wrong


def main(stages: list[str]) -> int:
    """0 if everything passed."""
    strict = is_strict(os.environ)
    reports.DIRECTORY.mkdir(parents=True, exist_ok=True)
    total, problems, started = reports.Count(), 0, time.monotonic()
    for stage in stages:
        print(f"== {stage}", flush=True)
        begun = time.monotonic()
        status, output = run(stage)
        found = reports.count(reports.DIRECTORY / stage)
        wrong = judge(status, found, strict=strict)
        if wrong:
            print("\n".join(output.splitlines()[-SHOWN_LINES:]))
            print(f"\n{stage}:", *wrong, sep="\n  ")
        skipped = f", {len(found.skipped)} skipped" if found.skipped else ""
        print(f"   {len(found.passed)} passed, {len(wrong)} failed{skipped} in {time.monotonic() - begun:.0f} s", flush=True)
        total.add(found)
        problems += len(wrong)
    if not strict and total.skipped:
        print("skipped:", *total.skipped, sep="\n  ")
    print(f"{len(total.passed)} passed, {problems} failed in {time.monotonic() - started:.0f} s")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
