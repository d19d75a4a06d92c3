# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can go wrong on the way to a server, one server for each: one sentence, and nothing half done.

A play runs into all of it at once; then the obstacles are taken away and the next play has to finish everywhere.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import socket
import threading
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from server_plays import OWN_DIRECTORY, PASSWORD, PLACE, Desk, Play, laboratory, left_overs, of_host, own_files, staged

from lab.servers import CuttingProxy, ServerLab
from lab.servers.samba import free_port

X86 = {"role": "site_server", "platforms": ["x86"]}
BOTH = {"role": "site_server", "platforms": ["x86", "alpha"]}
HELD = {
    "held-viewer": ("x86", "Site.srv", "X86.bin", "Sightnt.dll"),
    "held-last": ("x86", "Site.srv", "Maincfg.box", "Client.src", "X86.bin", "Wuser32.exe"),
    "held-alpha": ("alpha", "Site.srv", "Maincfg.box", "Client.src", "Alpha.bin", "Wchat32.exe"),
}
# Requests in the midst of a run: while the first platform is prepared, and while files are replaced.
CUT_AT = {"cut-early": (110, "before"), "cut-late": (200, "after")}
NOBODY = "nobody"
CASES: dict[str, tuple[str, str]] = {
    "reader": ("failed", "access-denied"),
    "no-share": ("unreachable", "share-gone"),
    "vanishing": ("unreachable", ""),
    "wrong-password": ("unreachable", "credentials"),
    "wrong-user": ("unreachable", "credentials"),
    "no-account": ("unreachable", "credentials"),
    "wrong-port": ("unreachable", "refused"),
    "silent": ("unreachable", "timeout"),
    "unanswered": ("unreachable", "timeout"),
    "http": ("unreachable", "not-smb"),
    "no-name": ("unreachable", "dns"),
    "not-sms": ("failed", "path-not-found"),
    "no-directory": ("failed", "name-not-found"),
    "not-mounted": ("failed", "name-not-found"),
    "link": ("failed", "not-a-directory"),
    "directory": ("failed", "not-a-file"),
    "two-spellings": ("failed", "ambiguous-name"),
    "journal": ("failed", "journal-broken"),
    **dict.fromkeys(HELD, ("failed", "file-in-use")),
    **dict.fromkeys(CUT_AT, ("unreachable", "connection-cut")),
}
# What is wrong there is wrong with what is on the disk, or with the address, and stays.
STAYS = ("http", "no-name", "not-sms", "no-directory", "not-mounted", "link", "directory", "two-spellings", "journal")


@dataclasses.dataclass
class Faults:
    """The play that ran into everything, the one after it, and a third one that has nothing left to do."""

    broken: Play
    next: Play
    again: Play
    desk: Desk

    @property
    def servers(self) -> ServerLab:
        return self.desk.servers


class WebServer(http.server.BaseHTTPRequestHandler):
    """Answers whatever it is sent with a page."""

    def handle(self) -> None:
        self.request.recv(4096)
        self.request.sendall(b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<h1>Bad request</h1>\r\n")


@contextlib.contextmanager
def web_server(address: str) -> Iterator[int]:
    with http.server.ThreadingHTTPServer((address, 0), WebServer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def deaf(address: str, accepts: bool) -> Iterator[int]:
    """A port that takes connections and never says a word, or one whose queue is full so that no connection comes about."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((address, 0))
        listener.listen(8 if accepts else 0)
        if not accepts:
            for _attempt in range(3):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def spoil(servers: ServerLab) -> None:
    """Put what cannot be worked with onto the disks."""
    site = {host: servers.path(host, "SMS_SHRD", "Site.srv") for host in ("link", "directory", "two-spellings")}
    (site["link"] / "X86.bin").rename(site["link"].parent / "Moved.bin")
    (site["link"] / "X86.bin").symlink_to("../Moved.bin")
    (site["directory"] / "X86.bin" / "Sightnt.dll").unlink()
    (site["directory"] / "X86.bin" / "Sightnt.dll").mkdir()
    double = site["two-spellings"] / "X86.bin" / "SIGHTNT.DLL"
    double.write_bytes((site["two-spellings"] / "X86.bin" / "Sightnt.dll").read_bytes())
    journal = servers.path("journal", "SMS_SHRD", OWN_DIRECTORY, "backup", "Q229097", "manifest.json")
    journal.parent.mkdir(parents=True)
    journal.write_text('{"format": 1, "files": [{"path": "..\\\\..\\\\boot.ini"', encoding="utf-8")


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory, package: Path) -> Iterator[Faults]:
    on_disk = ["reader", "no-share", "wrong-password", "wrong-user", "no-account", "wrong-port", "silent", "unanswered"]
    odd = ["link", "directory", "two-spellings", "journal"]
    specification: list[dict[str, t.Any]] = [
        *({"name": name, **BOTH} for name in (*HELD, *CUT_AT)),
        *({"name": name, **X86} for name in (*on_disk, *odd)),
        # A share of this name is closed for everybody.
        {"name": "vanishing", **X86, "shares": {"SMS_SHRV": "SMS"}},
    ]
    with (
        laboratory(tmp_path_factory.mktemp("servers"), *specification) as servers,
        contextlib.ExitStack() as stack,
        contextlib.ExitStack() as obstacles,
    ):
        spoil(servers)
        address = servers.address("reader")
        root = servers.path("reader", "SMS_SHRD")
        deaf_port, full_port = (stack.enter_context(deaf(servers.address(host), host == "silent")) for host in ("silent", "unanswered"))
        variables: dict[str, dict[str, t.Any]] = {
            "reader": {"ansible_user": "viewer", "ansible_password": "Re4d0nly"},
            "wrong-password": {"ansible_password": "n0t-it"},
            "wrong-user": {"share_user": NOBODY, "share_password": "n0t-it"},
            "no-account": {"ansible_user": NOBODY, "ansible_password": ""},
            "wrong-port": {"sms_port": free_port([servers.address("wrong-port")])},
            "silent": {"sms_port": deaf_port, "share_timeout": 2},
            "unanswered": {"sms_port": full_port, "share_timeout": 2},
            "http": {"sms_root": rf"\\{address}\SMS_SHRD", "sms_port": stack.enter_context(web_server(address))},
            "no-name": {"sms_root": r"\\server.invalid\SMS_SHRD"},
            "not-sms": {"sms_root": rf"\\{address}\SMS_SHR"},
            "no-directory": {"sms_root": rf"\\{address}\SMS_SHRD\Nowhere"},
            # Samba follows links itself.
            "link": {"sms_root": str(servers.path("link", "SMS_SHRD"))},
            "not-mounted": {"sms_root": str(root / "Nowhere")},
        }
        for host, (number, when) in CUT_AT.items():
            proxy = obstacles.enter_context(servers.proxy())
            proxy.cut(number, when=when)
            variables[host] = {"sms_port": proxy.port}
        vanishing: CuttingProxy = obstacles.enter_context(servers.proxy())
        vanishing.on_request(lambda message: servers.hide_share("vanishing", "SMS_SHRV") if message.number == 100 else None)
        variables["vanishing"] = {"sms_port": vanishing.port}
        servers.hide_share("no-share", "SMS_SHRD")
        desk = Desk(servers, tmp_path_factory.mktemp("desk"), package, variables)
        with contextlib.ExitStack() as consoles:
            for host, (_platform, *path) in HELD.items():
                consoles.enter_context(servers.held_open(host, "SMS_SHRD", *path))
            broken = desk.watched(lambda: desk.stage("-vvv"), idle=False)
        servers.show_share("no-share", "SMS_SHRD")
        servers.show_share("vanishing", "SMS_SHRV")
        obstacles.close()
        desk.say({host: values for host, values in variables.items() if host in STAYS})
        yield Faults(broken, desk.play("-vvv"), desk.play(), desk)


@pytest.mark.parametrize("host", CASES)
def test_one_sentence_says_what_is_wrong(faults: Faults, host: str) -> None:
    outcome, reason = CASES[host]
    result = faults.broken.of(host)
    assert result["outcome"] == outcome, result
    assert result["reason"] == reason or (host == "vanishing" and result["reason"] in ("share-gone", "connection-cut"))
    assert result["msg"].startswith(f"{host}: ")
    assert result["msg"].count("; ") >= 1 and "\n" not in result["msg"]
    assert faults.broken.run.recap(host)["unreachable" if outcome == "unreachable" else "failed"] == 1


def test_nobody_sees_a_traceback_or_a_password(faults: Faults) -> None:
    for play in (faults.broken, faults.next):
        assert "Traceback" not in play.run.output
        for secret in (PASSWORD, "Re4d0nly", "n0t-it"):
            assert secret not in play.run.output
            assert secret not in str(play.run.records)


@pytest.mark.parametrize("host", HELD)
def test_a_file_in_use_is_named_with_its_server_and_what_to_close(faults: Faults, host: str) -> None:
    message = faults.broken.of(host)["msg"]
    _platform, *path = HELD[host]
    assert faults.servers.unc(host, "SMS_SHRD", *path) in message
    assert "close every SMS Administrator console" in message


@pytest.mark.parametrize("host", HELD)
def test_nothing_of_the_platform_of_a_file_in_use_is_touched(faults: Faults, host: str) -> None:
    platform = HELD[host][0]
    before, after = faults.broken.before, faults.broken.after
    # Platforms are served in order of their names.
    served = ("alpha",) if platform == "x86" else ()
    assert of_host(after, host) == (staged(before, faults.desk.package, host, served) if served else of_host(before, host))
    result = faults.broken.of(host)
    changed = [path for path, entry in of_host(after, host).items() if before[path] != entry]
    assert result["changed"] is bool(served)
    assert sorted(name.rpartition("\\")[2] for name in result["replaced"]) == sorted(path.rpartition("/")[2] for path in changed)
    assert not [path for path in own_files(after, host) if "/backup/" not in path]
    assert faults.next.of(host)["left_overs"] == []


@pytest.mark.parametrize("host", [host for host in CASES if host not in (*HELD, *CUT_AT, "vanishing", "http", "no-name", "not-mounted")])
def test_a_run_that_cannot_work_changes_nothing(faults: Faults, host: str) -> None:
    if host in faults.servers.servers:
        assert faults.broken.writes(host) == []
    result = faults.broken.of(host)
    assert result.get("changed", False) is False
    assert result.get("replaced", []) == []


@pytest.mark.parametrize("host", [*CUT_AT, "vanishing"])
def test_a_connection_that_breaks_leaves_whole_files(faults: Faults, host: str) -> None:
    before, after = of_host(faults.broken.before, host), of_host(faults.broken.after, host)
    wanted = staged(faults.broken.before, faults.desk.package, host)
    assert set(after) == set(before)
    for path, entry in after.items():
        assert {key: entry[key] for key in ("sha256", "modified")} in [
            {key: state[path][key] for key in ("sha256", "modified")} for state in (before, wanted)
        ]
    assert faults.broken.writes(host), "it broke before anything was written"
    assert wanted != after


@pytest.mark.parametrize("host", [host for host in CASES if host not in STAYS])
def test_the_next_run_finishes(faults: Faults, host: str) -> None:
    result = faults.next.of(host)
    assert (result["outcome"], result["changed"]) == ("ok", True), result
    assert of_host(faults.next.after, host) == staged(faults.broken.before, faults.desk.package, host)
    assert left_overs(faults.servers, host) == []
    originals = {entry["sha256"] for path, entry in faults.broken.before.items() if path.startswith(f"{host}/") and PLACE.fullmatch(path)}
    assert originals <= {entry["sha256"] for entry in own_files(faults.next.after, host).values()}
    assert faults.again.of(host)["changed"] is False
    assert faults.again.writes(host) == []


@pytest.mark.parametrize("host", [*CUT_AT, "vanishing"])
def test_what_a_broken_run_left_is_told_and_gone(faults: Faults, host: str) -> None:
    lying = {path.rpartition("/")[2] for path in own_files(faults.broken.after, host) if f"/{OWN_DIRECTORY}/staging/" in path}
    assert lying
    assert {path.rpartition("\\")[2] for path in faults.next.of(host)["left_overs"]} == {*lying, "staging"}


@pytest.mark.parametrize("host", STAYS)
def test_what_is_wrong_on_the_disk_stays_untouched(faults: Faults, host: str) -> None:
    result = faults.next.of(host)
    assert (result["outcome"], result["reason"]) == CASES[host]
    assert faults.next.writes(host) == []


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("no-directory", r"\SMS_SHRD\Nowhere"),
        ("not-sms", "Site.srv"),
        ("link", "X86.bin"),
        ("directory", "Sightnt.dll"),
        ("two-spellings", "SIGHTNT.DLL and Sightnt.dll"),
        ("journal", "manifest.json"),
        ("no-share", "SMS_SHRD"),
        ("wrong-port", "port "),
        ("no-name", "server.invalid"),
        ("http", "SMB 2 or 3"),
        ("reader", "Change rights"),
        ("wrong-password", "ansible_password"),
    ],
)
def test_the_sentence_names_the_thing(faults: Faults, host: str, words: str) -> None:
    assert words in faults.broken.of(host)["msg"]
