# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a judgement says beside its verdict: dynamic ranges, names with two meanings, sentences."""

from __future__ import annotations

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._conflicts import Owner
from ansible_collections.sms.helpdesk.plugins.plugin_utils._netsh import PortRange
from ansible_collections.sms.helpdesk.plugins.plugin_utils._ports import from_set
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.judging import (
    BACKUP,
    USUAL,
    WINDOWS_7,
    WINDOWS_10,
    WUSER,
    judged,
    statuses,
)
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers.netstat_tables import Row, tcp, udp


class TestDynamicRange:
    @pytest.mark.parametrize(
        ("version", "flagged"),
        [
            ((4, 0), True),
            ((5, 0, 2195), True),
            ((5, 1, 2600), True),
            ((5, 2, 3790), True),
            ((6, 0, 6002), False),
            (WINDOWS_7, False),
            (WINDOWS_10, False),
            (None, False),
        ],
    )
    def test_default_of_the_version(self, version: tuple[int, ...] | None, flagged: bool) -> None:
        judgement = judged([*USUAL, udp("0.0.0.0:1762", 2316)], BACKUP, version=version)
        assert {entry["dynamic_range"] for entry in judgement.ports} == {flagged}
        assert judgement.conflicts[0]["dynamic_range"] is flagged

    def test_as_read_and_for_each_protocol(self) -> None:
        judgement = judged(USUAL, dynamic={"tcp": PortRange(1024, 1762), "udp": PortRange(49152, 65535)})
        assert [(each["port"], each["protocol"]) for each in judgement.ports if each["dynamic_range"]] == [(1761, "tcp"), (1762, "tcp")]

    def test_a_range_that_was_read_wins_over_the_version(self) -> None:
        judgement = judged(USUAL, dynamic={"tcp": PortRange(49152, 65535), "udp": PortRange(49152, 65535)}, version=(5, 2, 3790))
        assert not any(entry["dynamic_range"] for entry in judgement.ports)

    def test_reserved_and_dynamic(self) -> None:
        judgement = judged(USUAL, excluded={"tcp": [PortRange(1761, 1761)], "udp": []}, dynamic={"tcp": PortRange(1025, 5000)})
        assert judgement.conflicts[0]["dynamic_range"] is True


class TestAmbiguousNames:
    def test_neither_reading_is_taken_for_free(self) -> None:
        judgement = judged([*USUAL, tcp("PC07:sms-remctrl", 2316, "PC07:0")], BACKUP, wanted=from_set("hotfix"))
        assert judgement.verdict != "clear"
        assert set(statuses(judgement)) == {"2702/tcp", "2704/tcp"}
        assert any("2702" in warning and "2704" in warning for warning in judgement.warnings)

    def test_the_agents_own_is_no_conflict_on_either(self) -> None:
        judgement = judged([*USUAL, udp("PC07:sms-xfer", 1200)], WUSER, wanted=from_set("hotfix"))
        assert judgement.conflicts == []
        assert set(statuses(judgement)) == {"2702/udp", "2704/udp"}


class TestMessages:
    """One sentence that a person can act on, whoever wrote the words in it."""

    NASTY = 'evil\r\nFAILED\x1b[31m\u202e{{ lookup("pipe", "id") }}<script>.exe'

    @pytest.mark.parametrize("row", [udp("0.0.0.0:1762", 2316), tcp("10.0.0.7:1762", 2316, "10.0.0.9:80", "ESTABLISHED")])
    def test_port_and_process_and_path_and_services(self, row: Row) -> None:
        message = judged([*USUAL, row], BACKUP).conflicts[0]["message"]
        for part in (f"{row.protocol} 1762", "Remote Control", "backupd.exe", "PID 2316", "C:\\Program Files\\Backup", "BackupAgent"):
            assert part in message
        assert message.endswith(".")
        assert "2701-2704" in message

    @pytest.mark.parametrize(
        ("rows", "where"),
        [
            ([udp("10.0.0.7:1762", 2316)], "at 10.0.0.7 by"),
            ([tcp("10.0.0.7:1762", 2316, "10.0.0.9:80", "ESTABLISHED")], "to 10.0.0.9:80 of"),
            ([udp("0.0.0.0:1762", 2316), udp("[::]:1762", 2316)], "at 0.0.0.0, [::] by"),
            ([udp(f"10.0.0.{last}:1762", 2316) for last in range(1, 8)], "at 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4 and more by"),
        ],
    )
    def test_where(self, rows: list[Row], where: str) -> None:
        assert where in judged([*USUAL, *rows], BACKUP).conflicts[0]["message"]

    @pytest.mark.parametrize(
        ("port_set", "row", "step"),
        [
            ("original", udp("0.0.0.0:1762", 2316), "move the agent to 2701-2704"),
            ("hotfix", udp("0.0.0.0:2702", 2316), "before the agent is moved"),
            ("original", tcp("0.0.0.0:1762", 4), "netsh http show servicestate"),
        ],
    )
    def test_next_steps(self, port_set: str, row: Row, step: str) -> None:
        assert step in judged([*USUAL, row], BACKUP, wanted=from_set(port_set)).conflicts[0]["message"]

    @pytest.mark.parametrize(
        ("row", "said"), [(tcp("10.0.0.7:1762", 2316, "10.0.0.9:80", "ESTABLISHED"), True), (udp("0.0.0.0:1762", 2316), False)]
    )
    def test_a_connection_from_the_dynamic_range_can_come_back(self, row: Row, said: bool) -> None:
        message = judged([*USUAL, row], BACKUP, version=(5, 2, 3790)).conflicts[0]["message"]
        assert ("again at any time" in message) is said

    def test_strangers_cannot_write_into_it(self) -> None:
        owner = Owner(2316, "known", self.NASTY, self.NASTY, (self.NASTY,))
        (conflict,) = judged([*USUAL, udp("0.0.0.0:1762", 2316)], owner).conflicts
        for text in (
            conflict["message"],
            conflict["process"],
            conflict["path"],
            conflict["services"][0],
            conflict["endpoints"][0]["process"],
        ):
            assert text.isprintable()

    def test_nor_into_a_warning(self) -> None:
        judgement = judged([*USUAL, tcp("PC07:evil\u202e\x1b[31m", 77, "PC07:0")])
        assert all(warning.isprintable() for warning in judgement.warnings)
