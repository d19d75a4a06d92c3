# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The composite command line of detection in Wine's cmd.exe, and what is made of it.

Wine's netstat lists no listening TCP socket and no process ids, and its netsh is silent: neither can be judged here. Its UDP rows are
genuine.
"""

from __future__ import annotations

import socket

from ansible_collections.sms.helpdesk.plugins.plugin_utils import _audit, _netstat
from ansible_collections.sms.helpdesk.plugins.plugin_utils._ports import from_set
from ansible_collections.sms.helpdesk.plugins.plugin_utils._text import decode
from wine_client import HOST, RealShell

from controller import Controller


def test_every_part_of_the_line_is_run_in_its_order(shell: RealShell) -> None:
    question = _audit.Question(tuple(from_set("all")), frozenset({"wuser32.exe"}))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        text = decode(shell.run(question.command).stdout)
        port = bound.getsockname()[1]
    marks = ["Microsoft Windows", "Proto", "excludedportrange tcp", "excludedportrange udp", "dynamicport tcp", "dynamicport udp"]
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)
    assert (port,) in [endpoint.ports for endpoint in _netstat.parse(text).endpoints]


def test_a_part_that_is_unknown_does_not_stop_the_rest(shell: RealShell) -> None:
    text = decode(shell.run("nosuchprogram -ano & echo after").stdout)
    assert "after" in text


def test_who_binds_a_port_of_the_help_desk_is_found(controller: Controller) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.77.1", 1762))
        run = controller.tasks({"sms.helpdesk.port_conflict_info": {"expected_processes": []}})
        found = run.of(HOST)
    assert found["outcome"] == "ok", run.output
    assert [(each["port"], each["protocol"], each["kind"], each["address"]) for each in found["conflicts"]] == [
        (1762, "udp", "bound", "127.0.77.1")
    ]
    assert found["host"]["os_version"] == "6.1.7601"
    assert not found["host"]["netstat_has_pids"]


def test_without_it_nothing_is_found(controller: Controller) -> None:
    found = controller.tasks({"sms.helpdesk.port_conflict_info": {"expected_processes": []}}).of(HOST)
    assert found["conflicts"] == []
