# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines of reg, and what it prints."""

from __future__ import annotations

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _registry
from ansible_collections.sms.helpdesk.plugins.plugin_utils._registry import Unsafe, Value

VISTA_AND_LATER = (
    "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\SMS\\Client Services\\Remote Control\r\n"
    "    Override Site CommandLine    REG_DWORD    0x1\r\n"
    "    (Standard)    REG_SZ    (Wert nicht gesetzt)\r\n"
    "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\SMS\\Client Services\\Remote Control\\Parameters\r\n"
    "    CommandLine    REG_SZ    -IP\r\n"
    "    PermittedViewers    REG_MULTI_SZ    Domain Admins\\0Help Desk\r\n"
    "    Empty    REG_SZ    \r\n\r\n"
)
XP = (
    "\r\n! REG.EXE VERSION 3.0\r\n\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Key\r\n"
    "    <NO NAME>\tREG_SZ\tx\r\n    Name with blanks\tREG_EXPAND_SZ\t%SystemRoot%\\a  b\r\n"
)


@pytest.mark.parametrize(
    "text", ["", "\r\n", "ERROR: The system was unable to find the specified registry key or value.\r\n", "    Name    REG_SZ    x\r\n"]
)
def test_what_names_no_key_has_no_values(text: str) -> None:
    assert _registry.parse(text) == {}


def test_values_of_a_tree() -> None:
    keys = _registry.parse(VISTA_AND_LATER)
    remote_control = r"HKLM\SOFTWARE\Microsoft\SMS\Client Services\Remote Control"
    assert _registry.get(keys, remote_control, "override site commandline") == Value("REG_DWORD", 1)
    assert _registry.get(keys, remote_control, "") == Value("REG_SZ", "(Wert nicht gesetzt)")
    assert _registry.get(keys, remote_control + r"\PARAMETERS", "CommandLine") == Value("REG_SZ", "-IP")
    assert _registry.get(keys, remote_control + r"\Parameters", "PermittedViewers") == Value("REG_MULTI_SZ", ["Domain Admins", "Help Desk"])
    assert _registry.get(keys, remote_control + r"\Parameters", "Empty") == Value("REG_SZ", "")
    assert _registry.get(keys, remote_control, "CommandLine") is None
    assert _registry.get(keys, "HKLM\\Elsewhere", "CommandLine") is None


def test_tabulators_of_windows_xp() -> None:
    keys = _registry.parse(XP)
    assert _registry.get(keys, r"HKLM\SOFTWARE\Key", "Name with blanks") == Value("REG_EXPAND_SZ", "%SystemRoot%\\a  b")
    assert _registry.get(keys, r"HKLM\SOFTWARE\Key", "") == Value("REG_SZ", "x")


def test_output_of_other_commands_between_ends_a_key() -> None:
    keys = _registry.parse(VISTA_AND_LATER + "[SMS]\r\n    Stray    REG_SZ    x\r\n")
    assert all("stray" not in values for values in keys.values())


def test_a_number_that_is_none_stays_text() -> None:
    assert _registry.parse("HKEY_LOCAL_MACHINE\\A\r\n    N    REG_DWORD    zero\r\n") == {r"hklm\a": {"n": Value("REG_DWORD", "zero")}}


@pytest.mark.parametrize("bad", ['a"b', "100%", "two\nlines", "tab\tulator", "nul\0"])
def test_what_a_command_line_cannot_carry_is_refused(bad: str) -> None:
    for attempt in (
        lambda: _registry.query(bad),
        lambda: _registry.add(bad, "n", Value("REG_SZ", "x")),
        lambda: _registry.add("HKLM\\A", bad, Value("REG_SZ", "x")),
        lambda: _registry.add("HKLM\\A", "n", Value("REG_SZ", bad)),
        lambda: _registry.delete("HKLM\\A", bad),
    ):
        with pytest.raises(Unsafe):
            attempt()


def test_command_lines() -> None:
    key = r"HKLM\SOFTWARE\A b"
    assert _registry.query(key) == r'reg query "HKLM\SOFTWARE\A b"'
    assert _registry.query(key, recursive=True) == r'reg query "HKLM\SOFTWARE\A b" /s'
    assert _registry.add(key, "N n", Value("REG_DWORD", 1)) == r'reg add "HKLM\SOFTWARE\A b" /v "N n" /t REG_DWORD /d "1" /f'
    assert _registry.add(key, "", Value("REG_SZ", "a & b")) == r'reg add "HKLM\SOFTWARE\A b" /ve /t REG_SZ /d "a & b" /f'
    assert _registry.add(key, "M", Value("REG_MULTI_SZ", ["a", "b"])) == r'reg add "HKLM\SOFTWARE\A b" /v "M" /t REG_MULTI_SZ /d "a\0b" /f'
    assert _registry.add(key, "P", Value("REG_SZ", "C:\\")) == r'reg add "HKLM\SOFTWARE\A b" /v "P" /t REG_SZ /d "C:\\" /f'
    assert _registry.delete(key) == r'reg delete "HKLM\SOFTWARE\A b" /f'
    assert _registry.delete(key, "N n") == r'reg delete "HKLM\SOFTWARE\A b" /v "N n" /f'
    assert _registry.delete(key, "") == r'reg delete "HKLM\SOFTWARE\A b" /ve /f'
