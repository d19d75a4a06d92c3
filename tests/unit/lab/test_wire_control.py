# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control port, the state directory and the generated inventory."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import daemon, inventory, network
from wire_http import PASSWORD, USER, Client
from wire_stub import StubHost, StubSettings, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    hosts = [StubHost("PC1", "127.77.3.1"), StubHost("PC2", "127.77.3.2", http=False, authentication=frozenset({"basic"}))]
    with running(tmp_path_factory.mktemp("lab"), *hosts) as running_lab:
        yield running_lab


def control(server: Any, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(server.state["control"] + path, data, method=method), timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_hosts(server: Any) -> None:
    assert control(server, "GET", "/hosts") == (200, {"PC1": "127.77.3.1", "PC2": "127.77.3.2"})


def test_one_host(server: Any) -> None:
    status, host = control(server, "GET", "/hosts/PC1")
    assert status == 200
    assert (host["address"], host["accepting"], host["faults"]) == ("127.77.3.1", True, [])
    assert host["state"]["rows"] == [{"Handle": "0", "Name": "System Idle Process"}]
    assert set(host["counters"]) >= {"posts", "bytes_in", "bytes_out", "connections", "shells_open", "faults_sent"}


def test_change(server: Any) -> None:
    assert control(server, "POST", "/hosts/PC1/change", {"class_name": "Win32_Other"})[0] == 200
    assert server.endpoints["PC1"].host.class_name == "Win32_Other"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "/hosts/NOBODY", None, 404, "NOBODY"),
        ("PUT", "/hosts/PC1/faults", {"kind": "explode"}, 400, "explode"),
        ("PUT", "/hosts/PC1/faults", "text", 400, "mapping"),
        ("GET", "/nothing", None, 404, "Not Found"),
        ("DELETE", "/counters", None, 405, "Not Allowed"),
    ],
)
def test_mistakes_are_named(server: Any, method: str, path: str, body: Any, status: int, message: str) -> None:
    got, answer = control(server, method, path, body)
    assert got == status and message in answer["error"]


def test_faults_are_added_replaced_and_taken_away(server: Any) -> None:
    def kinds() -> list[str]:
        return [fault["kind"] for fault in control(server, "GET", "/hosts/PC1/faults")[1]]

    control(server, "PUT", "/hosts/PC1/faults", {"kind": "drop", "on": "Pull"})
    control(server, "PUT", "/hosts/PC1/faults", {"kind": "hang", "on": "Pull"})
    assert kinds() == ["drop", "hang"]
    control(server, "PUT", "/hosts/PC1/faults", [{"kind": "html", "on": "Pull"}])
    assert kinds() == ["html"]
    control(server, "DELETE", "/hosts/PC1/faults")
    assert kinds() == []


def test_counters(server: Any) -> None:
    control(server, "POST", "/counters/reset")
    with Client(server) as client:
        client.send()
    counted = control(server, "GET", "/counters")[1]
    assert counted["total"]["posts"] == counted["hosts"]["PC1"]["posts"] == 1
    assert counted["hosts"]["PC2"]["posts"] == 0
    assert counted["total"]["shells_open"] >= 1
    control(server, "POST", "/counters/reset")
    after = control(server, "GET", "/counters")[1]["total"]
    assert after["posts"] == 0 and after["shells_open"] == counted["total"]["shells_open"]


def test_the_control_port_is_no_way_in_from_elsewhere(server: Any) -> None:
    assert server.state["control"].startswith("http://127.0.0.1:")


def test_state_file(server: Any) -> None:
    state = daemon.read_state(server.directory)
    assert state is not None and state["pid"] == os.getpid() and state["hosts"] == 2
    assert daemon.is_running(state)
    assert not daemon.is_running({**state, "start_ticks": state["start_ticks"] + 1})
    assert not daemon.is_running(None)


def test_inventory(server: Any) -> None:
    data = yaml.safe_load((server.directory / "inventory.yml").read_text(encoding="utf-8"))
    clients = data["all"]["children"]["sms_clients"]
    assert clients["hosts"]["PC1"] == {
        "ansible_host": "127.77.3.1",
        "ansible_port": server.state["http_port"],
        "ansible_winrm_scheme": "http",
        "ansible_winrm_transport": "ntlm",
        "ansible_user": USER,
        "ansible_password": PASSWORD,
    }
    assert clients["hosts"]["PC2"]["ansible_port"] == server.state["https_port"]
    assert clients["hosts"]["PC2"]["ansible_winrm_transport"] == "basic"
    assert clients["vars"]["ansible_connection"] == "winrm"
    assert clients["vars"]["ansible_winrm_ca_trust_path"] == server.state["ca"]
    assert set(data["all"]["children"]["stubs"]["hosts"]) == {"PC1", "PC2"}


def test_inventory_of_a_host_without_winrm() -> None:
    host = StubHost(http=False, https=False, users={})
    assert inventory.host_variables(host, 5985, 5986)["ansible_port"] == 5985
    assert StubSettings().users


def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_open() -> None:
    with socket.create_server(("127.77.3.99", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            network.listen_all(["127.77.3.98", "127.77.3.99"], port)
        with socket.create_server(("127.77.3.98", port)):
            pass


def test_too_many_hosts_for_the_limit_on_open_files() -> None:
    script = (
        "import resource, lab.network as n\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))\n"
        "try:\n    n.raise_file_limit(10**9)\nexcept n.TooFewFiles as error:\n    print(error)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(daemon.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert "https: false" in done.stdout


def test_closing_leaves_no_listener_and_no_state(tmp_path: Path) -> None:
    with running(tmp_path, StubHost("PC1", "127.77.3.50")) as server:
        port = server.state["http_port"]
        with Client(server) as client:
            client.send()
    assert not (tmp_path / "lab.json").exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.77.3.50", port), timeout=5)


def test_post_delay(tmp_path: Path) -> None:
    with running(tmp_path, StubHost("PC1", "127.77.3.51"), post_delay=0.01) as server, Client(server) as client:
        assert server.endpoints["PC1"].post_delay == 0.01
        assert client.send()[0] == 200
