# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`port_conflict_info` and the playbook `detect` against a whole fleet, compared with what the fleet file planted."""

from __future__ import annotations

import typing as t

import pytest

from controller import Controller, Run
from lab.client import Lab

REACHED = [
    "clean", "patched", "no_agent", "foreign_udp", "other_protocol", "shared_service", "kernel", "reserved", "german", "eleven", "old",
    "outgoing", "lookalikes", "wmi_denied", "nothing_names", "vanished", "no_netstat", "empty_netstat", "busy", "japanese", "https_basic",
    "faulty", "hostile",
]  # fmt: skip


@pytest.fixture(scope="module")
def run(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run of `detect` over the whole fleet, which the read-only tests share."""
    for name in lab.request("GET", "/hosts"):
        assert lab.host(name), name
    return Controller(tmp_path_factory.mktemp("controller"), lab.inventory).playbook("sms.helpdesk.detect")


def statuses(result: dict[str, t.Any]) -> dict[tuple[int, str], str]:
    """(port, protocol) -> status."""
    return {(entry["port"], entry["protocol"]): entry["status"] for entry in result["ports"]}


def others(result: dict[str, t.Any], *known: tuple[int, str]) -> set[str]:
    """The statuses of all ports but `known`."""
    return {status for key, status in statuses(result).items() if key not in known}


def only_conflict(result: dict[str, t.Any]) -> dict[str, t.Any]:
    """The one conflict there is."""
    assert result["verdict"] == "conflict", result
    assert len(result["conflicts"]) == 1, result["conflicts"]
    return result["conflicts"][0]


def test_every_pair_is_judged_in_order(run: Run) -> None:
    keys = list(statuses(run.of("clean")))
    assert keys == [(port, protocol) for port in (1761, 1762, 1763, 1764, 2701, 2702, 2703, 2704) for protocol in ("tcp", "udp")]


@pytest.mark.parametrize("host", REACHED)
def test_no_host_is_changed_or_left_with_a_shell(run: Run, lab: Lab, host: str) -> None:
    result = run.of(host)
    assert result["outcome"] == "ok", result
    assert result["changed"] is False
    state = lab.host(host)
    assert state["counters"]["shells_open"] == 0


@pytest.mark.parametrize(
    ("host", "ports"),
    [("clean", (1761, 1762)), ("patched", (2701, 2702)), ("japanese", (1761, 1762)), ("https_basic", (1761, 1762))],
)
def test_the_agent_is_no_conflict(run: Run, host: str, ports: tuple[int, int]) -> None:
    result = run.of(host)
    assert result["verdict"] == "clear", result
    held = [(port, "udp") for port in ports]
    assert {statuses(result)[key] for key in held} == {"agent"}
    assert others(result, *held) == {"free"}


def test_nothing_there_is_clear(run: Run) -> None:
    assert others(run.of("no_agent")) == {"free"}


def test_one_process_on_both_address_families_is_one_conflict(run: Run) -> None:
    result = run.of("foreign_udp")
    conflict = only_conflict(result)
    assert (conflict["port"], conflict["protocol"], conflict["kind"]) == (1762, "udp", "bound")
    assert (conflict["pid"], conflict["process"], conflict["services"]) == (2316, "backupd.exe", ["BackupAgent"])
    assert conflict["path"] == r"C:\Program Files\Backup\backupd.exe"
    assert {endpoint["address"] for endpoint in conflict["endpoints"]} == {"0.0.0.0", "[::]"}
    assert others(result, (1762, "udp")) == {"free"}


def test_a_foreign_process_in_the_other_protocol(run: Run) -> None:
    result = run.of("other_protocol")
    assert only_conflict(result)["process"] == "mediasrv.exe"
    assert (statuses(result)[1762, "tcp"], statuses(result)[1762, "udp"]) == ("conflict", "agent")


def test_a_service_host_names_its_services(run: Run) -> None:
    conflict = only_conflict(run.of("shared_service"))
    assert (conflict["port"], conflict["process"]) == (2702, "svchost.exe")
    assert set(conflict["services"]) == {"AlphaSvc", "BetaSvc"}


def test_the_kernel_is_named_and_explained(run: Run) -> None:
    conflict = only_conflict(run.of("kernel"))
    assert (conflict["pid"], conflict["process"]) == (4, "System")
    assert "kernel" in conflict["message"]


def test_a_reserved_block(run: Run) -> None:
    result = run.of("reserved")
    assert [c["kind"] for c in result["conflicts"]] == ["reserved"] * 4
    assert {key for key, status in statuses(result).items() if status == "reserved"} == {(port, "tcp") for port in range(1761, 1765)}
    assert "1761-1860" in result["conflicts"][0]["message"]


@pytest.mark.parametrize(
    ("host", "process", "key", "kind"),
    [
        ("german", "zeiterfassung.exe", (1763, "tcp"), "listener"),
        ("eleven", "voip.exe", (1764, "udp"), "bound"),
        ("old", "oldapp.exe", (1764, "tcp"), "listener"),
        ("outgoing", "browser.exe", (1763, "tcp"), "connection"),
        ("busy", "taker.exe", (2703, "tcp"), "listener"),
    ],
)
def test_languages_versions_and_kinds(run: Run, host: str, process: str, key: tuple[int, str], kind: str) -> None:
    conflict = only_conflict(run.of(host))
    assert (conflict["process"], (conflict["port"], conflict["protocol"]), conflict["kind"]) == (process, key, kind)


def test_a_connected_udp_socket_shows_its_remote(run: Run) -> None:
    assert only_conflict(run.of("eleven"))["remote"] == "162.159.136.232:443"


def test_dynamic_ranges(run: Run) -> None:
    assert only_conflict(run.of("old"))["dynamic_range"] is True
    assert only_conflict(run.of("german"))["dynamic_range"] is False


def test_lookalikes_are_nothing(run: Run) -> None:
    assert run.of("lookalikes")["verdict"] == "clear"


def test_wmi_refused_asks_tasklist(run: Run) -> None:
    result = run.of("wmi_denied")
    conflict = only_conflict(result)
    assert (conflict["process"], conflict["path"], conflict["services"]) == ("backupd.exe", None, ["BackupAgent"])
    assert statuses(result)[1761, "udp"] == "agent"
    assert result["host"]["owner_source"] == "tasklist"
    assert any("WMI" in warning for warning in result["warnings"])


def test_an_owner_nobody_names_is_unknown_but_listed(run: Run, lab: Lab) -> None:
    result = run.of("nothing_names")
    assert result["verdict"] == "inconclusive"
    entry = next(e for e in result["ports"] if (e["port"], e["protocol"]) == (1761, "udp"))
    agent = next(p for p in lab.host("nothing_names")["state"]["processes"] if p["name"].lower() == "wuser32.exe")
    assert entry["status"] == "unknown"
    assert [endpoint["pid"] for endpoint in entry["endpoints"]] == [agent["pid"]]
    assert result["warnings"]


def test_a_process_that_has_gone_says_so(run: Run) -> None:
    conflict = only_conflict(run.of("vanished"))
    assert (conflict["pid"], conflict["process"]) == (7777, None)
    assert "exited" in conflict["message"]


@pytest.mark.parametrize("host", ["no_netstat", "empty_netstat"])
def test_what_cannot_be_known_is_not_clear(run: Run, host: str) -> None:
    result = run.of(host)
    assert result["verdict"] == "inconclusive"
    assert others(result) == {"unknown"}
    assert result["warnings"]


def test_an_untrusted_certificate_is_unreachable(run: Run) -> None:
    result = run.of("self_signed")
    assert result["outcome"] == "unreachable"
    assert result["reason"] == "tls-certificate"
    assert result["msg"].startswith("self_signed: ")
    assert run.recap("self_signed")["unreachable"] == 1
    assert run.status == 4


def test_a_clean_host_costs_eight_posts_and_fifteen_kilobytes(controller: Controller, lab: Lab) -> None:
    lab.reset_counters()
    result = controller.tasks({"sms.helpdesk.port_conflict_info": {}}, hosts="clean")
    assert result.of("clean")["verdict"] == "clear"
    counters = lab.counters("clean")
    assert counters["posts"] <= 8, counters
    assert counters["bytes_in"] <= 15000, counters


def test_the_summary_counts_and_lists_every_conflict(run: Run) -> None:
    text = run.output
    total = len({record["host"] for record in run.records})
    assert f"Port conflicts: {total} clients: 13 conflict, 3 inconclusive, " in text
    for host, process in (("foreign_udp", "backupd.exe"), ("busy", "taker.exe"), ("outgoing", "browser.exe")):
        assert any(line.startswith(f"  {host}: ") and process in line for line in text.splitlines()), host
    lines = text.splitlines()
    assert lines.index(next(line for line in lines if line.startswith("  german: "))) < lines.index(
        next(line for line in lines if line.startswith("  outgoing: "))
    )


def test_nothing_a_client_sends_is_evaluated_or_moves_the_cursor(run: Run) -> None:
    conflict = only_conflict(run.of("hostile"))
    assert conflict["process"] == r"a\n  clean: {{ 7 * 7 }}\u202egpj.exe"
    assert "{{ 8 * 8 }}" in conflict["path"]
    lines = [line for line in run.output.splitlines() if "gpj.exe" in line]
    assert all("{{ 7 * 7 }}" in line and "\u202e" not in line for line in lines)
    assert any(line.startswith("  hostile: ") for line in lines)


def test_check_mode_is_the_normal_mode(controller: Controller) -> None:
    normal = controller.tasks({"sms.helpdesk.port_conflict_info": {}}, hosts="foreign_udp,clean")
    checked = controller.tasks({"sms.helpdesk.port_conflict_info": {}}, hosts="foreign_udp,clean", arguments=["--check", "--diff"])
    for host in ("foreign_udp", "clean"):
        assert checked.of(host) == normal.of(host)


FAULTS: list[tuple[dict[str, t.Any], str | None]] = [
    ({"kind": "refuse"}, "refused"),
    ({"kind": "drop", "on": "Create"}, "reset"),
    ({"kind": "drop", "on": "Receive"}, "reset"),
    ({"kind": "drop-mid-body", "on": "Receive"}, None),
    ({"kind": "truncate", "what": "xml", "on": "Receive"}, "not-winrm"),
    ({"kind": "status", "code": 401, "on": "any"}, "credentials"),
    ({"kind": "status", "code": 403, "on": "Create"}, "access-denied"),
    ({"kind": "status", "code": 500, "on": "Create"}, "not-winrm"),
    ({"kind": "status", "code": 503, "on": "Command"}, "not-winrm"),
    ({"kind": "html", "on": "Create"}, "not-winrm"),
    ({"kind": "malformed-xml", "on": "Receive"}, "not-winrm"),
    ({"kind": "xml-bomb", "variant": "entities", "on": "Create"}, "not-winrm"),
    ({"kind": "xml-bomb", "variant": "quadratic", "on": "Receive"}, "not-winrm"),
    ({"kind": "xml-bomb", "variant": "external", "status": 500, "on": "Command"}, "not-winrm"),
    ({"kind": "quota-shells", "on": "Create"}, "quota-shells"),
    ({"kind": "quota-operations", "on": "Create"}, "quota-operations"),
    ({"kind": "hang", "on": "Create"}, "timeout"),
    ({"kind": "black-hole", "on": "connect"}, "timeout"),
]


@pytest.mark.parametrize(("fault", "reason"), FAULTS, ids=["-".join(map(str, fault.values())) for fault, _reason in FAULTS])
def test_every_broken_conversation_is_one_sentence(controller: Controller, lab: Lab, fault: dict[str, t.Any], reason: str | None) -> None:
    details = {key: value for key, value in fault.items() if key != "kind"}
    lab.fault("faulty", fault["kind"], **details)
    try:
        done = controller.tasks(
            {"sms.helpdesk.port_conflict_info": {}},
            hosts="faulty",
            ansible_winrm_operation_timeout_sec=2,
            ansible_winrm_read_timeout_sec=4,
        )
    finally:
        lab.clear_faults("faulty")
    result = done.of("faulty")
    assert result["outcome"] == "unreachable", result
    assert done.status == 4
    assert result["msg"].startswith("faulty: WinRM at http://") or result["msg"].startswith("faulty: WinRM"), result["msg"]
    assert result["msg"].count("; ") >= 1
    assert result["reason"] == (reason or result["reason"])
    assert "Traceback" not in done.output
    assert "Pa55word" not in done.output


def test_a_quota_that_is_soon_free_is_waited_for(controller: Controller, lab: Lab) -> None:
    lab.fault("faulty", "quota-shells", on="Create", times=1)
    try:
        assert controller.tasks({"sms.helpdesk.port_conflict_info": {}}, hosts="faulty").of("faulty")["verdict"] == "clear"
    finally:
        lab.clear_faults("faulty")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"ports": [{"port": 0}]}, "port 0"),
        ({"ports": [{"port": 70000}]}, "70000"),
        ({"ports": [{"port": 80, "protocol": "tcp/udp"}]}, "tcp/udp"),
        ({"ports": [{"port": 80}, {"port": 80, "protocol": "udp"}]}, "twice"),
        ({"ports": []}, "empty"),
        ({"source": "capture"}, "capture"),
        ({"source": "capture", "capture": "/nonexistent/file.txt"}, "/nonexistent/file.txt"),
        ({"port_set": "both"}, "port_set"),
        ({"prots": []}, "prots"),
    ],
)
def test_invalid_arguments_fail_before_the_first_post(controller: Controller, lab: Lab, arguments: dict[str, t.Any], words: str) -> None:
    lab.reset_counters()
    done = controller.tasks({"sms.helpdesk.port_conflict_info": arguments}, hosts="clean")
    result = done.of("clean")
    assert result["outcome"] == "failed"
    assert words in result["msg"]
    assert lab.counters("clean")["connections"] == 0


@pytest.mark.parametrize("connection", ["local", "ssh", "psrp"])
def test_another_connection_plugin_is_one_clear_error(controller: Controller, connection: str) -> None:
    result = controller.tasks({"sms.helpdesk.port_conflict_info": {}}, hosts="clean", ansible_connection=connection).of("clean")
    assert result["outcome"] == "failed"
    assert "ansible_connection" in result["msg"] and "winrm" in result["msg"] and connection in result["msg"]


def test_wrong_password(controller: Controller) -> None:
    done = controller.tasks({"sms.helpdesk.port_conflict_info": {}}, hosts="clean", ansible_password="not it")
    assert (done.of("clean")["outcome"], done.of("clean")["reason"]) == ("unreachable", "credentials")
    assert "not it" not in done.output


def test_a_list_of_transports_is_tried_in_order(controller: Controller) -> None:
    done = controller.tasks({"sms.helpdesk.port_conflict_info": {}}, hosts="clean", ansible_winrm_transport=["basic", "ntlm"])
    assert done.of("clean")["verdict"] == "clear"
