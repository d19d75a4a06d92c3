# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line and the helper for tests, with real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import cli, daemon
from lab.client import Lab

FLEET: dict[str, Any] = {"hosts": [{"name": "pc1", "address": "127.77.4.1", "groups": ["floor2"]}]}


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    path = tmp_path / "fleet.yml"
    path.write_text(yaml.safe_dump(FLEET), encoding="utf-8")
    return path


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "state"
    yield path
    daemon.stop(path)


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "lab", *map(str, arguments)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(daemon.__file__).parents[1])}


def test_start_gives_its_output_back_to_the_caller(fleet: Path, directory: Path) -> None:
    """A shell that captures the output of start must not wait for the lab to end."""
    arguments = command("start", "--fleet", fleet, "--directory", directory)
    done = subprocess.run(arguments, env=environment(), capture_output=True, text=True, timeout=120, check=True)
    state = json.loads((directory / "lab.json").read_text(encoding="utf-8"))
    assert f"1 hosts on ports {state['http_port']} (http)" in done.stdout
    assert os.getsid(state["pid"]) == state["pid"], "it has a session of its own"
    for descriptor in Path(f"/proc/{state['pid']}/fd").iterdir():
        if descriptor.name in ("0", "1", "2"):
            assert os.readlink(descriptor) in ("/dev/null", str(directory / "lab.log"))
    data = yaml.safe_load((directory / "inventory.yml").read_text(encoding="utf-8"))
    assert set(data["all"]["children"]) == {"sms_clients", "floor2"}


def test_life(fleet: Path, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--directory", str(directory)]) == 3
    assert cli.main(["stop", "--directory", str(directory)]) == 0
    assert cli.main(["start", "--fleet", str(fleet), "--directory", str(directory)]) == 0
    assert cli.main(["status", "--directory", str(directory)]) == 0
    capsys.readouterr()
    assert cli.main(["show", "pc1", "--directory", str(directory)]) == 0
    assert json.loads(capsys.readouterr().out)["computer_name"] == "PC1"
    assert cli.main(["show", "pc2", "--directory", str(directory)]) == 1
    assert "pc2" in capsys.readouterr().err
    assert cli.main(["start", "--fleet", str(fleet), "--directory", str(directory)]) == 1
    assert "runs in" in capsys.readouterr().err
    assert cli.main(["stop", "--directory", str(directory)]) == 0
    assert cli.main(["status", "--directory", str(directory)]) == 3
    assert cli.main(["show", "pc1", "--directory", str(directory)]) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [("hosts: [{name: pc1, versoin: '10'}]", "did you mean 'version'"), ("hosts: [{name: pc1, faults: [{kind: explode}]}]", "explode")],
)
def test_a_fleet_file_with_a_mistake(
    tmp_path: Path, directory: Path, capsys: pytest.CaptureFixture[str], content: str, message: str
) -> None:
    path = tmp_path / "bad.yml"
    path.write_text(content, encoding="utf-8")
    assert cli.main(["start", "--fleet", str(path), "--directory", str(directory)]) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert len(error.strip().splitlines()) == 1


def test_serve_ends_cleanly_on_a_signal(fleet: Path, directory: Path) -> None:
    arguments = command("serve", "--fleet", fleet, "--directory", directory)
    with subprocess.Popen(arguments, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "serving 1 hosts" in line:
                break
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 0 and "stopped" in rest and "Traceback" not in rest
    assert not (directory / "lab.json").exists()


def test_a_killed_lab_does_not_stand_in_the_way(fleet: Path, directory: Path) -> None:
    state = daemon.start(fleet, directory, [])
    os.kill(state["pid"], signal.SIGKILL)
    os.waitpid(state["pid"], 0)
    assert not daemon.is_running(state)
    assert daemon.start(fleet, directory, [])["pid"] != state["pid"]


def test_stop_through_the_control_port(fleet: Path, directory: Path) -> None:
    state = daemon.start(fleet, directory, [])
    request = urllib.request.Request(state["control"] + "/stop", data=b"", method="POST")
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 200
    assert os.waitpid(state["pid"], 0)[1] == 0


def test_the_helper() -> None:
    with Lab(FLEET) as lab:
        directory = lab.directory
        assert lab.inventory.exists() and lab.ca.exists()
        assert lab.endpoint("pc1") == f"http://127.77.4.1:{lab.state['http_port']}/wsman"
        assert lab.host("pc1")["accepting"] is True
        lab.fault("pc1", "drop", on="Receive", nth=2, times=1)
        assert [fault["kind"] for fault in lab.host("pc1")["faults"]] == ["drop"]
        lab.clear_faults("pc1")
        assert lab.host("pc1")["faults"] == []
        with pytest.raises(daemon.LabError, match="explode"):
            lab.fault("pc1", "explode")
        lab.reset_counters()
        assert lab.counters()["posts"] == lab.counters("pc1")["posts"] == 0
        assert "serving 1 hosts" in lab.log
    assert not directory.exists()


def test_the_helper_cleans_up_after_a_fleet_that_does_not_load() -> None:
    helper = Lab({"hosts": []})
    with pytest.raises(daemon.LabError, match="there are none"), helper:
        pass
    assert not helper.directory.exists()
