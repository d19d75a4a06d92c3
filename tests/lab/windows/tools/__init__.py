# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The console programs the model knows, by name without extension.

A program that is not here does not exist on any host, whatever Windows really has; cmd.exe then says that it is not recognized.
"""

from __future__ import annotations

import typing as t

from . import client_setup, filters, net, netsh, netstat, reg, sc, system, tasks, wmic

if t.TYPE_CHECKING:
    from ..shell.call import Call, Steps

PROGRAMS: dict[str, t.Callable[[Call], Steps]] = {
    "chcp": system.chcp,
    "find": filters.find,
    "findstr": filters.findstr,
    "hostname": system.hostname,
    "ipconfig": system.ipconfig,
    "more": filters.more,
    "net": net.run,
    "net1": net.run,
    "netsh": netsh.run,
    "netstat": netstat.run,
    "ping": system.ping,
    "reg": reg.run,
    "sc": sc.run,
    "shutdown": system.shutdown,
    "sort": filters.sort,
    "taskkill": tasks.run_taskkill,
    "tasklist": tasks.run_tasklist,
    "timeout": system.timeout,
    "whoami": system.whoami,
    "wmic": wmic.run,
}

SERVER_PROGRAMS: dict[str, t.Callable[[Call, str], Steps]] = {"client": client_setup.run, "cli_nt": client_setup.run}
"""Programs that lie on the shares of servers; they are told in which directory."""
