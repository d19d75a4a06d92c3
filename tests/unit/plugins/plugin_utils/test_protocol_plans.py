# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one protocol of the agent to another, and back."""

from __future__ import annotations

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _protocol
from ansible_collections.sms.helpdesk.plugins.plugin_utils._errors import ActionRefused
from ansible_collections.sms.helpdesk.plugins.plugin_utils._protocol import Memory, Settings, Wanted
from ansible_collections.sms.helpdesk.plugins.plugin_utils._registry import Value

KEY = r"HKLM\SOFTWARE\Microsoft\SMS\Client Services\Remote Control"
MEMORY = r"HKLM\SOFTWARE\sms.helpdesk.protocol"
NOTHING = Memory(None, False)
IP = Settings(KEY, Value("REG_SZ", "-IP"), None)
NETBIOS = Settings(KEY, Value("REG_SZ", "-L0"), Value("REG_DWORD", 1))


def wanted(protocol: str, lana: int = 0, override: bool = True) -> Wanted:
    return Wanted(protocol, lana, override, "REG_SZ", "REG_DWORD")


class TestRefused:
    def test_no_client_of_sms(self) -> None:
        with pytest.raises(ActionRefused, match=r"no client of SMS 1\.2"):
            _protocol.plan("pc07", wanted("netbios"), Settings(None, None, None), NOTHING)

    def test_a_value_that_could_not_be_put_back(self) -> None:
        with pytest.raises(ActionRefused, match="could not be put back"):
            _protocol.plan("pc07", wanted("netbios"), IP._replace(command_line=Value("REG_EXPAND_SZ", "-IP %X%")), NOTHING)


class TestNothingToDo:
    @pytest.mark.parametrize(
        ("protocol", "now"),
        [("netbios", NETBIOS), ("ip", IP), ("ip", IP._replace(command_line=None)), ("ip", Settings(None, None, None))],
    )
    def test_where_it_is_so(self, protocol: str, now: Settings) -> None:
        assert not _protocol.plan("pc07", wanted(protocol), now, NOTHING).changes

    def test_override_may_stay_as_it_is(self) -> None:
        now = NETBIOS._replace(override=None)
        assert not _protocol.plan("pc07", wanted("netbios", override=False), now, NOTHING).changes


class TestSet:
    def test_everything_is_kept_before_and_the_override_comes_first(self) -> None:
        plan = _protocol.plan("pc07", wanted("netbios"), IP, NOTHING)
        assert plan.remember == [
            rf'reg add "{MEMORY}" /v "CommandLine" /t REG_SZ /d "-IP" /f',
            rf'reg add "{MEMORY}" /v "Kept" /t REG_SZ /d "yes" /f',
        ]
        assert plan.write == [
            rf'reg add "{KEY}" /v "Override Site CommandLine" /t REG_DWORD /d "1" /f',
            rf'reg add "{KEY}\Parameters" /v "CommandLine" /t REG_SZ /d "-L0" /f',
        ]
        assert plan.after == NETBIOS
        assert (plan.restart, plan.forget) == (True, False)

    def test_types_and_other_words_stay(self) -> None:
        now = Settings(KEY, Value("REG_EXPAND_SZ", "-debug -ip -x"), Value("REG_SZ", "0"))
        after = _protocol.plan("pc07", wanted("ipx"), now, NOTHING).after
        assert after == Settings(KEY, Value("REG_EXPAND_SZ", "-debug -IPX -x"), Value("REG_SZ", "1"))
        several = now._replace(command_line=Value("REG_MULTI_SZ", ["-IP"]))
        assert _protocol.plan("pc07", wanted("netbios", 3), several, NOTHING).after.command_line == Value("REG_MULTI_SZ", ["-L3"])

    def test_what_an_earlier_run_kept_is_not_kept_over(self) -> None:
        plan = _protocol.plan("pc07", wanted("netbios", 1), NETBIOS, Memory(IP, False))
        assert plan.remember == []
        assert len(plan.write) == 1

    def test_another_lana_is_a_change(self) -> None:
        assert _protocol.plan("pc07", wanted("netbios", 1), NETBIOS, NOTHING).changes

    def test_a_restart_that_is_owed_is_done(self) -> None:
        plan = _protocol.plan("pc07", wanted("netbios"), NETBIOS, Memory(IP, True))
        assert (plan.write, plan.restart, plan.changes) == ([], True, True)


class TestRestored:
    def test_exactly_what_was_there_the_override_first(self) -> None:
        plan = _protocol.plan("pc07", wanted("ip"), NETBIOS, Memory(Settings(None, Value("REG_SZ", "-IP"), None), False))
        assert plan.write == [
            rf'reg delete "{KEY}" /v "Override Site CommandLine" /f',
            rf'reg add "{KEY}\Parameters" /v "CommandLine" /t REG_SZ /d "-IP" /f',
        ]
        assert plan.forget

    def test_a_value_that_had_not_been_there_goes(self) -> None:
        plan = _protocol.plan("pc07", wanted("ip"), NETBIOS, Memory(Settings(None, None, None), False))
        assert plan.write[-1] == rf'reg delete "{KEY}\Parameters" /v "CommandLine" /f'

    def test_what_was_no_ip_does_not_come_back(self) -> None:
        plan = _protocol.plan("pc07", wanted("ip"), NETBIOS, Memory(Settings(None, Value("REG_SZ", "-L7"), None), False))
        assert plan.after.command_line == Value("REG_SZ", "-IP")

    def test_without_anything_kept_the_override_stays(self) -> None:
        plan = _protocol.plan("pc07", wanted("ip"), NETBIOS, NOTHING)
        assert plan.after == Settings(KEY, Value("REG_SZ", "-IP"), Value("REG_DWORD", 1))

    def test_an_interrupted_one_is_completed(self) -> None:
        plan = _protocol.plan("pc07", wanted("ip"), IP, Memory(Settings(None, Value("REG_SZ", "-IP"), None), True))
        assert (plan.write, plan.restart, plan.forget) == ([], True, True)


def test_what_a_client_prints() -> None:
    text = (
        "HKEY_LOCAL_MACHINE\\SOFTWARE\\Wow6432Node\\Microsoft\\SMS\\Client Services\\Remote Control\\Parameters\r\n"
        "    CommandLine    REG_SZ    -L0\r\n\r\n"
        "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\SMS\\Client Services\\Remote Control\\Parameters\r\n"
        "    CommandLine    REG_SZ    -IP\r\n\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\sms.helpdesk.protocol\r\n"
        "    Kept    REG_SZ    yes\r\n    Restart    REG_SZ    yes\r\nsms.helpdesk.computer PC07 \r\n"
    )
    now, memory, computer = _protocol.read(text)
    assert now.key == r"HKLM\SOFTWARE\Wow6432Node\Microsoft\SMS\Client Services\Remote Control"
    assert now.command_line == Value("REG_SZ", "-L0")
    assert (memory.before, memory.restart) == (Settings(None, None, None), True)
    assert computer == "PC07"


@pytest.mark.parametrize(("computer", "count"), [("PC07", 1), ("ABCDEFGHIJKLMN", 1), ("ABCDEFGHIJKLMNO", 2), ("pc07", 2), ("", 1)])
def test_names_that_netbios_cannot_reach(computer: str, count: int) -> None:
    assert len(_protocol.remarks(wanted("netbios"), computer)) == count
    assert _protocol.remarks(wanted("ip"), computer) == []
