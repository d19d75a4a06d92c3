# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab, with a canned answer to Ansible's PowerShell wrapper. For the benchmark only.

The lab has no PowerShell, and Ansible's Windows modules cannot run without. Here whatever is sent to `powershell` is taken for the
module win_listen_ports_facts: once its input has ended, it answers with the facts that module would return about this very
host, made from the lab's true state. That is correct, but canned: nothing that was sent is executed, and it takes no time, where
a real client needs a second or more to start PowerShell and to compile. So it flatters the peer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lab import daemon, fleet, http_server
from lab.service import Caller, Service
from lab.shells import Shell
from lab.soap import SHELL, SoapRequest
from lab.windows.events import Exit, Output, Pause

SOCKET = re.compile(r"(?P<protocol>tcp|udp) (?P<address>\S+):(?P<port>\d+)( ->.*)?")
STREAM = f"{{{SHELL}}}Stream"


def listeners(state: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What win_listen_ports_facts says about a host of this true state."""
    facts: dict[str, list[dict[str, Any]]] = {"tcp_listen": [], "udp_listen": []}
    for process in state["processes"]:
        for text in process["sockets"]:
            socket = SOCKET.fullmatch(text)
            if socket is None or (socket["protocol"] == "tcp" and socket[4]):
                continue
            facts[f"{socket['protocol']}_listen"].append(
                {
                    "address": socket["address"].strip("[]").replace("own", state["address"]),
                    "name": process["name"],
                    "pid": process["pid"],
                    "port": int(socket["port"]),
                    "protocol": socket["protocol"],
                    "stime": "Thu 18 Nov 2021 15:27:42",
                    "user": "NT AUTHORITY\\SYSTEM",
                }
            )
    return facts


class CannedService(Service):
    """The service of one host, where `powershell` answers as win_listen_ports_facts would."""

    _reply: bytes | None = None

    def _execute(self, shell: Shell, command_line: str, skip_cmd: bool, user: str) -> Iterable[Any]:
        if command_line.lower().startswith("powershell "):
            return self._powershell()
        return super()._execute(shell, command_line, skip_cmd, user)

    def _powershell(self) -> Iterator[Any]:
        # Until its input has ended.
        yield Pause(math.inf)
        if self._reply is None:
            arguments = {"date_uformat": "%c", "tcp_filter": ["Listen"]}
            result = {"changed": False, "ansible_facts": listeners(self.host.snapshot()), "invocation": {"module_args": arguments}}
            self._reply = json.dumps(result).encode() + b"\r\n"
        yield Output("stdout", self._reply)
        yield Exit(0)

    def _send(self, request: SoapRequest, caller: Caller) -> str:
        answer = super()._send(request, caller)
        for stream in request.body.iterfind(STREAM) if request.body is not None else ():
            if stream.get("End", "").lower() == "true":
                command_id = stream.get("CommandId", "").upper()
                self._shell(request, caller).commands[command_id]._resume()
        return answer


def main() -> None:
    """Serve until stopped by way of the control port."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fleet", required=True, type=Path)
    parser.add_argument("--directory", required=True, type=Path)
    parser.add_argument("--post-delay-ms", type=float, default=0.0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    # The one seam: every endpoint makes its service by this name.
    vars(http_server)["Service"] = CannedService
    loaded = fleet.load(arguments.fleet)
    asyncio.run(daemon.serve(loaded, arguments.directory, fleet_path=str(arguments.fleet), post_delay=arguments.post_delay_ms / 1000))


if __name__ == "__main__":
    main()
