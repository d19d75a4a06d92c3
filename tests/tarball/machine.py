# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller outside the checkout."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from pathlib import Path


@dataclasses.dataclass
class Machine:
    """A controller that has nothing but one ansible-core and the installed collection.

    :param directory: where everything it reads and writes lies, outside the checkout.
    """

    core: str
    binaries: Path
    directory: Path

    @property
    def collection(self) -> Path:
        return self.directory / "collections" / "ansible_collections" / "sms" / "helpdesk"

    @property
    def collected(self) -> Path:
        """What came of every task of the last run, a line of JSON each."""
        return self.directory / "collected.jsonl"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, with no variable of this process but the path."""
        environment = {
            "ANSIBLE_CALLBACKS_ENABLED": "collect",
            "ANSIBLE_CALLBACK_PLUGINS": str(self.directory / "callbacks"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.directory / "collections"),
            "ANSIBLE_HOME": str(self.directory / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "HOME": str(self.directory),
            "LC_ALL": "C.UTF-8",
            "PATH": f"{self.binaries}{os.pathsep}{os.defpath}",
            "SMS_HELPDESK_COLLECT": str(self.collected),
        }
        return subprocess.run(
            [str(self.binaries / command[0]), *command[1:]],
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
