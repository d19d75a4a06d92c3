# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's ``wsl`` (Wsman Shell Command Line, shell scripts around curl) and ``winrmcp`` (Go), as far as they go.

``wsl`` needs uuidgen, of Debian's uuid-runtime, which its package does not ask for: without it the message ids are empty and
WinRM refuses every request but Identify.
``winrmcp`` writes the file in base64 with ``echo`` and then wants PowerShell to decode it: against a Windows without PowerShell it
ends there, and so it does here.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from peers_fleet import PASSWORD, USER

from lab.client import Lab

Find = Callable[[str, str], str]
PROCESSES = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_Process"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"


class Wsl:
    """Runs ``wsl`` in a directory of its own; it leaves its requests and answers there."""

    def __init__(self, lab: Lab, directory: Path, find: Find) -> None:
        self._wsl = find("wsl", "wsl")
        find("curl", "curl")
        find("uuidgen", "uuid-runtime")
        self._lab = lab
        self._directory = directory

    def __call__(self, host: str, *arguments: str, scheme: str = "http", password: str = PASSWORD) -> tuple[int, str]:
        environment = {
            **os.environ,
            "HOME": str(self._directory),
            "TERM": "dumb",
            "WSENDPOINT": f"{self._lab.address(host)}:{self._lab.state[scheme + '_port']}",
            "WSUSER": USER,
            "WSPASS": password,
            "WSAUTOMATED": "1",
        }
        if scheme == "http":
            environment["WSNOSSL"] = "true"
        done = subprocess.run(
            [self._wsl, *arguments], cwd=self._directory, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, done.stdout

    def answers(self) -> list[ElementTree.Element]:
        return [ElementTree.parse(path).getroot() for path in sorted(self._directory.glob("response-*.xml"))]


@pytest.fixture
def wsl(lab: Lab, tmp_path: Path, program: Find) -> Wsl:
    return Wsl(lab, tmp_path, program)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_wsl_identify(wsl: Wsl, scheme: str) -> None:
    code, output = wsl("pc-open", "identify", "check", scheme=scheme)
    assert code == 0
    assert "Microsoft Corporation" in output and "OS: 6.2.9200 SP: 0.0 Stack: 3.0" in output


def test_wsl_with_a_wrong_password(wsl: Wsl) -> None:
    """It does not look at the status, and finds the answer empty."""
    _code, output = wsl("pc-open", "identify", "check", password="wrong")
    assert "is empty, verify credentials" in output


@pytest.mark.parametrize("host", ["pc-open", "pc-old", "pc-seven"])
def test_wsl_enumerates_a_class(wsl: Wsl, host: str) -> None:
    code, output = wsl(host, "enum", PROCESSES)
    assert code == 0
    pages = wsl.answers()
    rows = [item for page in pages for item in page.iter(f"{{{PROCESSES}}}Win32_Process")]
    assert len(rows) > 5
    assert len(pages) == (1 if host == "pc-old" else 2)
    assert "EndOfSequence" in output


def test_wsl_asks_in_wql(wsl: Wsl) -> None:
    # The scripts do not quote: an asterisk would become the files of the directory.
    code, output = wsl(
        "pc-open",
        "enum",
        PROCESSES.replace("Win32_Process", "*"),
        "-dialect",
        WQL,
        "-filter",
        "select Name from Win32_Process where ProcessId = 4",
    )
    assert code == 0
    assert "<Name>System</Name>" in output


def test_wsl_gets_an_instance(wsl: Wsl) -> None:
    code, output = wsl("pc-open", "get", PROCESSES, "Handle=4")
    assert code == 0
    assert "<p:Name>System</p:Name>" in output


def test_wsl_shows_a_fault(wsl: Wsl) -> None:
    code, output = wsl("pc-open", "enum", "Win32_Process")
    assert code == 1
    assert 'Code="2150858811"' in output, "its default schema is Dell's, which no Windows has"


def winrmcp(
    lab: Lab, find: Find, tmp_path: Path, host: str, password: str, *options: str, scheme: str = "http"
) -> subprocess.CompletedProcess[str]:
    source = tmp_path / "hotfix.txt"
    source.write_text("hello", encoding="ascii")
    address = f"-addr={lab.address(host)}:{lab.state[scheme + '_port']}"
    command = [find("winrmcp", "winrmcp"), f"-user={USER}", f"-pass={password}", address, *options, str(source), "C:/Temp/hotfix.txt"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_winrmcp_gets_as_far_as_powershell(lab: Lab, program: Find, tmp_path: Path, scheme: str) -> None:
    options = ("-https", f"-cacert={lab.ca}") if scheme == "https" else ()
    done = winrmcp(lab, program, tmp_path, "pc-open", PASSWORD, *options, scheme=scheme)
    assert done.returncode == 1
    assert "Error restoring file" in done.stdout and "code=1" in done.stdout
    assert "is not recognized as an internal or external command" in done.stderr


def test_winrmcp_with_a_wrong_password(lab: Lab, program: Find, tmp_path: Path) -> None:
    done = winrmcp(lab, program, tmp_path, "pc-open", "wrong")
    assert done.returncode == 1
    assert "Couldn't create shell: http response error: 401" in done.stdout


def test_winrmcp_cannot_log_on_where_only_negotiate_is_allowed(lab: Lab, program: Find, tmp_path: Path) -> None:
    done = winrmcp(lab, program, tmp_path, "pc-default", PASSWORD)
    assert done.returncode == 1 and "401" in done.stdout
