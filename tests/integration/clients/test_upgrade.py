# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`client_upgrade` on the lab's clients, judged by their Sms.ini, files, drives and processes."""

from __future__ import annotations

import typing as t

import pytest

from controller import Controller, Run
from lab.client import Lab

MODULE = "client_upgrade"
SHARE = r"\\LOGON01\SMS_SHR"


def client(name: str, share: dict[str, t.Any] | None = None, **keys: t.Any) -> dict[str, t.Any]:
    """A client of SMS 1.2 that needs the hotfix and whose logon server is as `share` says."""
    return {"name": name, "agent": "original", "sms": {"logon_server": "LOGON01"}, "shares": {SHARE: share or {}}, **keys}


DENIED: dict[str, tuple[dict[str, t.Any], str]] = {
    "denied": ({"state": "denied"}, "share-denied"),
    "nowhere": ({"state": "no-server"}, "share-not-found"),
}
SCRIPTS = {"liar": ("says-so", "not-flagged"), "failing": ("fails", "not-flagged"), "asking": ("asks", "script-ended"),
           "hanging": ("hangs", "script-ended"), "flooding": ("floods", "script-ended")}  # fmt: skip
LEFT_ALONE: dict[str, tuple[str, dict[str, t.Any]]] = {
    "patched": ("not-needed", {"agent": "hotfix"}),
    "flagged": ("already-flagged", {"files": {r"C:\Sms.ini": "[Local]\nSetupPhase=verifying_files\n"}}),
    "waiting": ("not-needed", {"files": {r"C:\Windows\Wuser32.exe$sms00$": {"size": 170720, "modified": "2000-04-03T23:41:00"}}}),
    "two": (
        "not-applicable",
        {"agent": "none", "registry": {r"HKLM\SOFTWARE\Microsoft\SMS\Client\Client Components\Remote Control": {"a": 1}}},
    ),
    "landesk": ("not-applicable", {"registry": {r"HKLM\SOFTWARE\INTEL\LANDESK\WUSER32": {"a": 1}}}),
    "bare": ("not-applicable", {"agent": "none"}),
}
FLEET: dict[str, t.Any] = {
    "defaults": {"groups": ["sms_clients"]},
    "hosts": [
        client("plain", version="2003"),
        client("german", version="7", language="de"),
        client("crowded", files={r"C:\Temp\x": "y"}),
        client("taken", processes=[{"name": "other.exe", "sockets": ["tcp 0.0.0.0:2702"]}]),
        client("reserved", reserved=["udp 2701-2800"]),
        client("homeless", sms={"logon_server": ""}),
        client("back", {"holds": "original"}, agent="hotfix", sms={"logon_server": "LOGON01", "autologon": "anna"}),
        client("gone", faults=[{"kind": "refuse"}]),
        *(client(name, share) for name, (share, _reason) in DENIED.items()),
        *(client(name, {"script": script}) for name, (script, _reason) in SCRIPTS.items()),
        *(client(name, **keys) for name, (_action, keys) in LEFT_ALONE.items()),
    ],
}


@pytest.fixture(name="lab", scope="module")
def _lab(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    with Lab(FLEET, directory=tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module")
def predicted(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Run]:
    """Check mode over the whole fleet; nothing may have changed afterwards."""
    before = {name: state(lab, name) for name in names()}
    run = Controller(tmp_path_factory.mktemp("controller"), lab.inventory).tasks(task(), arguments=["--check", "--diff"])
    assert {name: state(lab, name) for name in names()} == before
    yield run


@pytest.fixture(scope="module")
def run(lab: Lab, predicted: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run over the whole fleet, after check mode."""
    del predicted
    return Controller(tmp_path_factory.mktemp("controller"), lab.inventory).tasks(task(timeout=3), arguments=["--diff"])


def task(**arguments: t.Any) -> dict[str, t.Any]:
    return {"sms.helpdesk.client_upgrade": arguments}


def names() -> list[str]:
    return [host["name"] for host in FLEET["hosts"]]


def state(lab: Lab, host: str) -> dict[str, t.Any]:
    found = lab.host(host)["state"]
    return {key: found[key] for key in ("registry", "files", "drives", "boot_count")}


def ini(lab: Lab, host: str) -> str:
    return next(file["content"] for path, file in lab.host(host)["state"]["files"].items() if path.lower() == r"c:\sms.ini")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"logon_server": r"\\LOGON01"}, "no name of a server"),
        ({"logon_server": "a & del"}, "no name of a server"),
        ({"share": r"SMS\SHR"}, "no name of a share"),
        ({"script": r"..\Upgrade.bat"}, "no file below the share"),
        ({"script": "Upgrade.bat & del"}, "no file below the share"),
        ({"drive": "C"}, "no free letter"),
        ({"drive": "S:"}, "no free letter"),
        ({"timeout": 0}, "not positive"),
        ({"service": "a b"}, "no name of a service key"),
    ],
)
def test_bad_arguments_end_before_the_first_post(lab: Lab, controller: Controller, arguments: dict[str, t.Any], words: str) -> None:
    lab.reset_counters()
    found = controller.tasks(task(**arguments), hosts="plain").of("plain", MODULE)
    assert found["outcome"] == "failed"
    assert words in found["msg"]
    assert lab.counters()["posts"] == 0


def test_one_that_refuses_is_unreachable(run: Run) -> None:
    assert (run.of("gone", MODULE)["outcome"], run.of("gone", MODULE)["reason"]) == ("unreachable", "refused")


@pytest.mark.parametrize("host", ["plain", "german", "crowded"])
def test_a_client_that_needs_it_is_flagged(run: Run, predicted: Run, lab: Lab, host: str) -> None:
    found, expected = run.of(host, MODULE), predicted.of(host, MODULE)
    assert (found["changed"], found["action"], found["phase"], found["logon_server"]) == (True, "ran", "verify_files", "LOGON01"), found
    assert (found["state"], found["pending"]) == ("pending", ["flagged", "download", "logon"])
    assert (expected["changed"], expected["action"], expected["phase"]) == (True, "would-run", "verify_files")
    assert expected["diff"] == found["diff"]
    assert (found["exit_code"], "Phase 1 complete" in found["stdout"]) == (0, True)
    assert "SetupPhase=verify_files" in ini(lab, host)


def test_what_was_there_is_kept_on_the_client(run: Run, lab: Lab) -> None:
    place = run.of("plain", MODULE)["snapshot"]
    files = {path.lower(): file for path, file in lab.host("plain")["state"]["files"].items()}
    assert "SetupPhase=installed" in files[f"{place}\\sms.ini".lower()]["content"]
    assert f"{place}\\remote control.reg".lower() in files


@pytest.mark.parametrize("host", DENIED)
def test_a_share_that_cannot_be_mapped_is_explained(run: Run, lab: Lab, host: str) -> None:
    found = run.of(host, MODULE)
    assert (found["outcome"], found["reason"]) == ("failed", DENIED[host][1])
    assert SHARE in found["msg"]
    if host == "denied":
        assert "credssp" in found["msg"]
        assert "ansible_winrm_kerberos_delegation" in found["msg"]
    assert "SetupPhase=installed" in ini(lab, host)


@pytest.mark.parametrize("host", SCRIPTS)
def test_what_the_script_says_proves_nothing(run: Run, lab: Lab, host: str) -> None:
    found = run.of(host, MODULE)
    assert (found["outcome"], found["reason"]) == ("failed", SCRIPTS[host][1]), found
    assert len(found["stdout"]) < 5000
    assert "SetupPhase=installed" in ini(lab, host)
    if host == "failing":
        assert found["exit_code"] == 3
        assert "exit code 3" in found["msg"]


@pytest.mark.parametrize("host", LEFT_ALONE)
def test_a_client_that_does_not_need_it_is_left_alone(run: Run, predicted: Run, lab: Lab, host: str) -> None:
    for each in (run, predicted):
        found = each.of(host, MODULE)
        assert (found["outcome"], found["action"], found["snapshot"]) == ("ok", LEFT_ALONE[host][0], None), found
    assert not any("sms.helpdesk" in path.lower() for path in lab.host(host)["state"]["files"])


@pytest.mark.parametrize(("host", "reason"), [("taken", "port-taken"), ("reserved", "port-taken"), ("homeless", "no-logon-server")])
def test_what_must_not_be_run_is_refused_in_check_mode_too(run: Run, predicted: Run, lab: Lab, host: str, reason: str) -> None:
    assert [each.of(host, MODULE)["reason"] for each in (run, predicted)] == [reason, reason]
    assert "SetupPhase=installed" in ini(lab, host)


def test_no_drive_and_no_shell_is_left_on_any_client(run: Run, lab: Lab) -> None:
    del run
    for host in names():
        assert lab.host(host)["state"]["drives"] == {}, host
        assert lab.host(host)["counters"]["shells_open"] == 0, host
        assert not any(process["name"].lower() == "ping.exe" for process in lab.host(host)["state"]["processes"]), host


def test_a_second_run_runs_nothing(run: Run, lab: Lab, controller: Controller) -> None:
    del run
    before = state(lab, "plain")
    found = controller.tasks(task(), hosts="plain").of("plain", MODULE)
    assert (found["changed"], found["action"]) == (False, "already-flagged")
    assert state(lab, "plain") == before


def test_only_from_a_server_that_has_the_files(run: Run, lab: Lab, controller: Controller) -> None:
    del run
    lab.change("crowded", {"files": {r"C:\Sms.ini": "[Local]\r\nSetupPhase=installed\r\n[Servers]\r\nCurrentLogonServer=LOGON01\r\n"}})
    stale = {"servers": [{"name": "logon01", "root": "", "status": "stale", "message": "Wuser32.exe is old."}]}
    for replication, words in ((None, "nothing says"), ({"servers": []}, "nothing says"), (stale, "Wuser32.exe is old")):
        found = controller.tasks(task(require_replicated=True, replication=replication), hosts="crowded").of("crowded", MODULE)
        assert (found["outcome"], found["reason"]) == ("failed", "not-replicated")
        assert words in found["msg"]
    done = {"servers": [{"name": "other", "root": r"\\logon01.example.com\SMS_SHR", "status": "replicated"}]}
    found = controller.tasks(task(require_replicated=True, replication=done), hosts="crowded").of("crowded", MODULE)
    assert found["action"] == "ran"


def test_a_run_that_is_cut_off_goes_on(lab: Lab, controller: Controller) -> None:
    lab.change("homeless", {"files": {r"C:\Sms.ini": "[Local]\r\nSetupPhase=installed\r\n[Servers]\r\nCurrentLogonServer=LOGON01\r\n"}})
    for command in (2, 3, 4):
        lab.fault("homeless", "drop", on="Command", nth=command, times=1)
        assert controller.tasks(task(), hosts="homeless").of("homeless", MODULE)["outcome"] == "unreachable"
        lab.clear_faults("homeless")
    found = controller.tasks(task(), hosts="homeless").of("homeless", MODULE)
    assert found["outcome"] == "ok", found
    assert "SetupPhase=verify_files" in ini(lab, "homeless")


def test_the_way_back(lab: Lab, controller: Controller) -> None:
    """The guide's: with the old files on the logon server, a forced run and two restarts bring the old agent back."""
    restart = {"sms.helpdesk.client_restart": {"delay": 0, "up_timeout": 30}}
    run = controller.tasks(task(force=True), restart, restart, {"sms.helpdesk.client_status_info": {}}, hosts="back")
    assert run.of("back", MODULE)["action"] == "ran"
    found = run.of("back", "client_status_info")
    assert (found["state"], found["agent_build"]) == ("vulnerable", "original")
    agents = [each for each in lab.host("back")["state"]["processes"] if each["name"].lower() == "wuser32.exe"]
    assert {socket.rpartition(":")[2] for each in agents for socket in each["sockets"]} == {"1761", "1762"}
