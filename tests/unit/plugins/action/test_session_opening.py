# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From Ansible's connection to a session: what the controller lacks, and what the connection plugin gives up on."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _libraries, _preload
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.actions import HOST, Untouchable, run
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.netstat_tables import table, tcp, udp


class Giving:
    """A winrm connection plugin whose `_connect` ends in an exception."""

    transport = "winrm"
    ansible_name = "ansible.builtin.winrm"

    def __init__(self, error: Exception, *transports: str) -> None:
        self._shell = Untouchable()._shell
        self.error = error
        self.options: dict[str, t.Any] = {"transport": list(transports)}
        self.tried: list[t.Any] = []
        self.protocol: t.Any = None
        self.shell_id: str | None = None

    def get_option(self, name: str) -> t.Any:
        return self.options[name]

    def set_option(self, name: str, value: t.Any) -> None:
        self.options[name] = value

    def _connect(self) -> None:
        self.tried.append(self.options["transport"])
        raise self.error


class TestMissingLibraries:
    def test_are_told_with_the_command_that_installs_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_libraries, "MISSING", "winrm")
        connection = Untouchable("winrm")
        result = run("port_conflict_info", {}, connection)
        assert (result["failed"], result["reason"], connection.touched) == (True, "library-missing", [])
        for part in (HOST, "winrm", "python", "pip install"):
            assert part in result["msg"]

    def test_are_not_needed_for_a_capture(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(_libraries, "MISSING", "winrm")
        path = tmp_path / "pc07.txt"
        path.write_text(table([tcp("0.0.0.0:135", 564), udp("0.0.0.0:500", 900)]))
        assert run("port_conflict_info", {"source": "capture", "capture": str(path)}, Untouchable())["verdict"] == "clear"


class TestThePluginGivesUp:
    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (
                AnsibleConnectionFailure("Kerberos auth failure for principal admin: kinit: Clock skew\r\n too great\n\x1b[31m"),
                "credentials",
            ),
            (AnsibleError("The installed version of WinRM does not support\ntransport(s) ['carrier pigeon']"), "configuration"),
        ],
    )
    def test_in_one_line(self, error: Exception, reason: str) -> None:
        result = run("port_conflict_info", {}, Giving(error, "kerberos"))
        assert (result["unreachable"], result["reason"]) == (True, reason)
        assert result["msg"].startswith(f"{HOST}: ")
        assert result["msg"].isprintable()
        assert "not support" in result["msg"] or "Clock skew" in result["msg"]

    def test_no_shell_is_believed_to_be_open_afterwards(self) -> None:
        connection = Giving(AnsibleError("no"), "kerberos")
        run("port_conflict_info", {}, connection)
        assert connection.shell_id is None

    def test_after_all_methods_were_tried_in_order(self) -> None:
        connection = Giving(AnsibleConnectionFailure("no"), "kerberos", "ntlm", "basic")
        result = run("port_conflict_info", {}, connection)
        assert result["unreachable"] is True
        assert connection.tried == [["kerberos"], ["ntlm"], ["basic"]]


class TestPreloading:
    def test_the_rehearsal_works(self) -> None:
        """Whoever calls it ignores its failures, so only a test would notice."""
        _preload._rehearse_ntlm()

    def test_a_failure_is_left_to_the_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_args: object, **_kwargs: object) -> None:
            raise RuntimeError("not here")

        monkeypatch.setattr(_preload, "_rehearse_ntlm", fail)
        monkeypatch.setattr("ansible.plugins.loader.connection_loader.get", fail)
        _preload.preload()
