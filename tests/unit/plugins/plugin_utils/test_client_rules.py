# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule book of a client's state, as a table of cases."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._client import AgentFile, Facts, stand
from ansible_collections.sms.helpdesk.plugins.plugin_utils._sms_ini import SmsIni
from hypothesis import given
from hypothesis import strategies as st

OLD, NEW = frozenset({1761, 1762}), frozenset({2701, 2702})
FLAGGED = SmsIni(phase="verify_files", setup_phase="verify_files", copy_list_version="2")
AT_LOGON = ["flagged", "download", "logon"]
DONE = SmsIni(phase="installed", copy_list_version="2")


def taken(*ports: int) -> list[dict[str, t.Any]]:
    return [{"port": port, "message": f"UDP {port} is bound by other.exe."} for port in ports]


# facts, state, build, pending, reason
CASES: list[tuple[str, Facts, str, str, list[str], str]] = [
    ("no evidence at all", Facts(generation=None, service_exists=None, protocol=None), "unknown", "undetermined", [], "build-undetermined"),
    ("nothing there, nothing readable", Facts(generation=None, service_exists=False), "unknown", "absent", [], "not-readable"),
    ("no SMS", Facts(generation="none", service_exists=False, file=AgentFile("missing")), "not_applicable", "absent", [], "no-sms"),
    ("no SMS, and a port is taken", Facts(generation="none", service_exists=False, file=AgentFile("missing"), conflicts=taken(1762)),
     "conflict", "absent", [], "port-conflict"),
    ("no SMS, and no netstat", Facts(generation="none", service_exists=False, file=AgentFile("missing"), listed=False),
     "unknown", "absent", [], "ports-unknown"),
    ("SMS without the agent", Facts(service_exists=False, file=AgentFile("missing")), "not_applicable", "absent", [], "no-agent"),
    ("SMS 2.0 with its ports", Facts(generation="2.0", held=NEW), "not_applicable", "hotfix", [], "sms-2.0"),
    ("LANDesk, ports taken", Facts(generation="landesk", conflicts=taken(1762)), "not_applicable", "undetermined", [], "landesk"),
    ("a text file", Facts(generation="dummy", file=AgentFile("mismatch")), "not_applicable", "undetermined", [], "dummy-file"),
    ("Windows 98", Facts(system="Windows 98", windows_9x=True, held=OLD), "not_applicable", "original", [], "windows-9x"),
    ("an idle patched agent", Facts(held=NEW, file=AgentFile("match")), "compliant", "hotfix", [], "bound-ports"),
    ("new ports, old date", Facts(held=NEW, file=AgentFile("older")), "compliant", "hotfix", [], "bound-ports"),
    ("old ports, new date: the process is older than the file",
     Facts(held=OLD, file=AgentFile("match")), "pending", "original", ["restart"], "restart"),
    ("old ports, undetermined date", Facts(held=OLD, file=AgentFile("undetermined")), "vulnerable", "original", [], "original-build"),
    ("both ports", Facts(held=OLD | NEW, file=AgentFile("match")), "unknown", "undetermined", [], "build-undetermined"),
    ("by date", Facts(held=frozenset(), file=AgentFile("later")), "compliant", "hotfix", [], "file-date"),
    ("by hash, no process ids", Facts(held=None, file=AgentFile("match", trusted=True)), "compliant", "hotfix", [], "trusted-hash"),
    ("an old file", Facts(held=frozenset(), file=AgentFile("older")), "vulnerable", "original", [], "original-build"),
    ("a conflict", Facts(held=frozenset(), file=AgentFile("older"), conflicts=taken(1762)), "conflict", "original", [], "port-conflict"),
    ("one on ports it does not need", Facts(held=OLD, conflicts=taken(2702)), "vulnerable", "original", [], "original-build"),
    ("patched, old port taken", Facts(held=NEW, conflicts=taken(1762)), "compliant", "hotfix", [], "bound-ports"),
    ("patched, new port taken", Facts(held=NEW, conflicts=taken(2703)), "conflict", "hotfix", [], "port-conflict"),
    ("of an unknown build every port counts", Facts(conflicts=taken(2703)), "conflict", "undetermined", [], "port-conflict"),
    ("a conflict comes before what is pending",
     Facts(held=OLD, conflicts=taken(1763), sms_ini=FLAGGED), "conflict", "original", AT_LOGON, "port-conflict"),
    ("over NetBIOS no port is needed",
     Facts(file=AgentFile("older"), protocol="netbios", conflicts=taken(1762)), "mitigated", "original", [], "workaround"),
    ("over IPX neither", Facts(file=AgentFile("older"), protocol="ipx"), "mitigated", "original", [], "workaround"),
    ("flagged over NetBIOS",
     Facts(file=AgentFile("older"), protocol="netbios", sms_ini=FLAGGED), "pending", "original", AT_LOGON, "flagged"),
    ("flagged", Facts(held=OLD, sms_ini=FLAGGED), "pending", "original", AT_LOGON, "flagged"),
    ("flagged, somebody at the screen",
     Facts(held=OLD, sms_ini=FLAGGED, logged_on=True), "pending", "original", ["flagged", "download"], "flagged"),
    ("installed proves nothing", Facts(held=OLD, sms_ini=DONE), "vulnerable", "original", [], "original-build"),
    ("a new file beside the old one", Facts(held=OLD, swap_file=True, sms_ini=DONE), "pending", "original", ["restart"], "restart"),
    ("flagged again, has the fix", Facts(held=NEW, sms_ini=FLAGGED), "compliant", "hotfix", AT_LOGON, "bound-ports"),
    ("has the fix, a newer file waits", Facts(held=NEW, swap_file=True), "pending", "hotfix", ["restart"], "restart"),
    ("has the fix, ports not listed", Facts(held=None, listed=False, file=AgentFile("match")), "unknown", "hotfix", [], "ports-unknown"),
    ("old file, ports not listed", Facts(held=None, listed=False, file=AgentFile("older")), "vulnerable", "original", [], "original-build"),
    ("a broken file",
     Facts(held=frozenset(), file=AgentFile("mismatch", "it is cut off.")), "unknown", "undetermined", [], "build-undetermined"),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "state", "build", "pending", "reason"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_case(facts: Facts, state: str, build: str, pending: list[str], reason: str) -> None:
    found = stand("pc07", facts)
    assert (found.state, found.agent_build, found.pending, found.reason) == (state, build, pending, reason)
    assert found.message.startswith("pc07 ")
    assert found.message.endswith(".")
    assert ".." not in found.message


def test_a_file_that_is_missing_on_the_logon_server_is_named() -> None:
    lacking = SmsIni(phase="verify_files", files_not_downloaded="wslave32.exe")
    assert "wslave32.exe" in stand("pc07", Facts(held=OLD, sms_ini=lacking)).message


@given(
    st.builds(
        Facts,
        generation=st.sampled_from(["1.2", "2.0", "landesk", "dummy", "none", None]),
        file=st.builds(AgentFile, st.sampled_from(["match", "later", "older", "undetermined", "mismatch", "missing", None])),
        held=st.none() | st.frozensets(st.sampled_from(sorted(OLD | NEW))),
        conflicts=st.lists(st.sampled_from([1761, 2701])).map(lambda ports: taken(*ports)),
        service_exists=st.sampled_from([True, False, None]),
        swap_file=st.booleans(),
        protocol=st.sampled_from(["ip", "netbios", "ipx", None]),
        sms_ini=st.sampled_from([FLAGGED, DONE, None]),
        listed=st.booleans(),
    )
)
def test_nothing_is_compliant_without_proof(facts: Facts) -> None:
    found = stand("pc07", facts)
    if found.state == "compliant":
        assert not (facts.held or frozenset()) & OLD
        assert (facts.held or frozenset()) & NEW or facts.file.verdict in ("match", "later")
        assert not any(entry["port"] in (2701,) for entry in facts.conflicts) or facts.protocol not in (None, "ip")
