# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cmd.exe of the model: what it prints and returns for a line."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.windows.events import ProgramNotFound
from lab.windows.host import WindowsHost
from lab.windows.shell.call import split_arguments
from lab.windows.shell.grammar import SyntaxProblem, parse
from windows_host import make, run

UNKNOWN = "'{}' is not recognized as an internal or external command,\noperable program or batch file.\n"


@pytest.fixture(scope="module")
def shared() -> WindowsHost:
    return make(files={r"C:\Work\list.txt": "beta\nalpha\n", r"C:\Work\two words.txt": "x\n"})


@pytest.mark.parametrize(
    ("line", "text", "code"),
    [
        ("echo hi", "hi\n", 0),
        ('"echo hi"', "hi\n", 0),
        ("@echo hi", "hi\n", 0),
        ("echo a & echo b", "a \nb\n", 0),
        ("echo a&&echo b", "a\nb\n", 0),
        ("echo a||echo b", "a\n", 0),
        ("foo 2>nul || echo failed", "failed\n", 0),
        ("foo 2>nul && echo unseen", "", 1),
        ("(echo a& echo b)", "a\nb\n", 0),
        ("(echo a\necho b)", "a\nb\n", 0),
        ("(foo 2>nul || (echo in&echo ner)) & echo out", "in\nner\nout\n", 0),
        ("echo a^&b", "a&b\n", 0),
        ('echo "a&b" ^> c', '"a&b" > c\n', 0),
        ("echo ^^", "^\n", 0),
        ("echo.", "\n", 0),
        ("echo.x", "x\n", 0),
        ("echo(x", "x\n", 0),
        ("echo", "ECHO is on.\n", 0),
        ("echo %OS%", "Windows_NT\n", 0),
        ("echo %os%-%NoSuchThing%", "Windows_NT-%NoSuchThing%\n", 0),
        ("echo 100%", "100%\n", 0),
        ("echo %OS:~0,3%%OS:NT=XP%", "WinWindows_XP\n", 0),
        ("set A=1& echo %A%", "%A%\n", 0),
        ('set "A=x y"&call echo %A%', "x y\n", 0),
        ('cmd /v:on /c "set A=1& echo !A!"', "1\n", 0),
        ("cmd /c echo in & echo out", "in \nout\n", 0),
        ('cmd /c "echo a & echo b"', "a \nb\n", 0),
        ("cmd /c exit 7", "", 7),
        ("exit 5 & echo never", "", 5),
        ("exit /b 6", "", 6),
        ("exit /b -1", "", 0xFFFFFFFF),
        ("(exit /b 3)", "", 3),
        ("echo 1>nul", "", 0),
        ("echo a 2>&1", "a \n", 0),
        ("foo >nul 2>&1", "", 1),
        ("foo 2>&1 >nul", UNKNOWN.format("foo"), 1),
        ("if 1==1 (echo y) else echo n", "y\n", 0),
        ("if 1==2 (echo y) else echo n", "n\n", 0),
        ("if not a==b echo differs", "differs\n", 0),
        ("if /i A==a echo same", "same\n", 0),
        ("if 10 GTR 9 echo number", "number\n", 0),
        ("if a GTR b echo text", "", 0),
        (r"if exist C:\Work\list.txt echo there", "there\n", 0),
        (r"if exist C:\Work\*.bak (echo there) else echo not", "not\n", 0),
        ("if defined OS echo set", "set\n", 0),
        ("if errorlevel 1 (echo bad) else echo good", "good\n", 0),
        ("if 1==2 echo a & echo b", "", 0),
        ("@for %i in (1 2 3) do @echo %i", "1\n2\n3\n", 0),
        ("@for /l %i in (3,-1,1) do @echo %i", "3\n2\n1\n", 0),
        (r'@for /f "tokens=1,2 delims=-" %a in ("x-y") do @echo %b%a', "yx\n", 0),
        (r"@for /f %l in (C:\Work\list.txt) do @echo [%l]", "[beta]\n[alpha]\n", 0),
        ("@for /f \"tokens=2\" %v in ('echo one two') do @echo %v", "two\n", 0),
        (r"type C:\Work\list.txt | sort", "alpha\nbeta\n", 0),
        (r"sort < C:\Work\list.txt", "alpha\nbeta\n", 0),
        (r'type C:\Work\list.txt | find "a" | find /c "beta"', "1\n", 0),
        (r'type "C:\Work\two words.txt"', "x\n", 0),
        ("rem echo no & echo no", "", 0),
        ("set /a 2*(3+4)", "14", 0),
        ("", "", 0),
    ],
)
def test_a_line(shared: WindowsHost, line: str, text: str, code: int) -> None:
    result = run(shared, line)
    assert (result.text, result.code) == (text, code)


def test_for_shows_its_rounds_unless_told_not_to(shared: WindowsHost) -> None:
    assert run(shared, "for %i in (a) do echo %i").text == "\nC:\\Users\\helpdesk>echo a \na\n"


def test_errorlevel_is_expanded_before_the_line_runs(shared: WindowsHost) -> None:
    result = run(shared, "foo & echo %errorlevel%")
    assert result.text == "0\n"
    assert run(shared, 'cmd /v:on /c "foo & echo !errorlevel!"').text == "9009\n"
    assert run(shared, "foo & call echo %^errorlevel%").text == "9009\n"


@pytest.mark.parametrize("line", ["foo", "powershell -c 1", "pwsh", r"C:\Windows\system32\foo.exe", "netstatt", "ls"])
def test_an_unknown_command_is_not_recognized(shared: WindowsHost, line: str) -> None:
    result = run(shared, line)
    assert (result.text, result.code) == ("", 1)
    assert result.error == UNKNOWN.format(line.split()[0])


@pytest.mark.parametrize(
    ("language", "code_page", "error"),
    [
        ("de", 850, b'Der Befehl "foo" ist entweder falsch geschrieben oder\r\nkonnte nicht gefunden werden.\r\n'),
        (
            "fr",
            850,
            b"'foo' n'est pas reconnu en tant que commande interne\r\n"
            b"ou externe, un programme ex\x82cutable ou un fichier de commandes.\r\n",
        ),
        ("ru", 437, b'"foo" ?? ???????? ?????????? ??? ???????\r\n????????, ??????????? ?????????? ??? ???????? ??????.\r\n'),
    ],
)
def test_it_says_so_in_the_language_and_code_page_of_the_host(language: str, code_page: int, error: bytes) -> None:
    assert run(make(language=language), "foo", code_page=code_page).stderr == error


@pytest.mark.parametrize(
    "line", ["& echo a", "echo a &&", "| more", "(echo a", "echo a | ", "if", "if a==b", "for %i in x do echo", "if 1 FOO 2 echo"]
)
def test_a_line_that_cannot_be_read_fails(shared: WindowsHost, line: str) -> None:
    result = run(shared, line)
    assert result.code == 1
    assert result.stdout == b""
    assert "unexpected at this time" in result.error or "syntax of the command is incorrect" in result.error


def test_without_cmd_only_programs_are_found(shared: WindowsHost) -> None:
    assert run(shared, "hostname", skip_cmd=True).text == "PC1\n"
    assert run(shared, r'"C:\Windows\system32\HOSTNAME.EXE"', skip_cmd=True).text == "PC1\n"
    for line in ("echo hi", "powershell.exe", "dir"):
        with pytest.raises(ProgramNotFound):
            run(shared, line, skip_cmd=True)


def test_output_is_crlf_in_the_code_page_of_the_shell_and_chcp_changes_it(shared: WindowsHost) -> None:
    assert run(shared, "echo ä", code_page=850).stdout == b"\x84\r\n"
    assert run(shared, "chcp 65001 >nul & echo ä", code_page=850).stdout == "ä\r\n".encode()
    assert run(shared, "echo 本", code_page=850).stdout == b"?\r\n"
    assert run(shared, "chcp 12345").error == "Invalid code page\n"


def test_redirection_to_files_persists_and_appends() -> None:
    host = make()
    run(host, r"echo one>C:\a.txt& echo two>>C:\a.txt")
    assert run(host, r"type C:\A.TXT").stdout == b"one\r\ntwo\r\n"
    assert run(host, r"(echo new& foo) > C:\a.txt 2>&1").stdout == b""
    assert run(host, r"type C:\a.txt").text == "new\n" + UNKNOWN.format("foo")
    missing = run(host, r"echo x> C:\nowhere\a.txt")
    assert (missing.error, missing.code) == ("The system cannot find the path specified.\n", 1)


def test_what_reads_the_keyboard_waits_for_ever_and_timeout_refuses(shared: WindowsHost) -> None:
    for line in ("more", "sort", "pause", "set /p X=?", 'find "a"', r"reg delete HKCU\SOFTWARE"):
        assert run(shared, line).code == -1
    refused = run(shared, "timeout /t 5")
    assert (refused.code, refused.error) == (1, "ERROR: Input redirection is not supported, exiting the process immediately.\n")


def test_a_waiting_command_can_be_seen_and_goes_when_it_is_closed() -> None:
    host = make()
    before = set(host.state.processes)
    events = host.execute("ping -n 5 127.0.0.1 >nul", code_page=65001, user="helpdesk")
    next(events)
    (started,) = set(host.state.processes) - before
    assert host.state.processes[started].name == "cmd.exe"
    events.close()
    assert set(host.state.processes) == before


def test_files_and_directories() -> None:
    host = make()
    assert run(host, r"md C:\a\b & cd /d C:\a\b & cd").text == "C:\\a\\b\n"
    run(host, r"echo x>C:\a\b\one.txt")
    assert run(host, r"copy C:\a\b\one.txt C:\a\two.txt").text == "        1 file(s) copied.\n"
    assert run(host, r"ren C:\a\two.txt three.txt & dir /b C:\a").text == "b\nthree.txt\n"
    assert run(host, r"del C:\a\three.txt & if exist C:\a\three.txt echo still").text == ""
    assert run(host, r"rd C:\a\b").code == 145
    assert run(host, r"rd /s /q C:\a & cd C:\a").error == "The system cannot find the path specified.\n"
    assert run(host, r"type C:\nothing.txt").code == 1
    assert run(host, r"del C:\Windows\Wuser32.exe").error.startswith("Could Not Find")


def test_a_program_that_runs_cannot_be_overwritten() -> None:
    host = make(agent="original", files={r"C:\new.exe": "x"})
    result = run(host, r"copy C:\new.exe C:\Windows\Wuser32.exe")
    assert result.code == 1
    assert host.snapshot()["files"][r"C:\Windows\Wuser32.exe"]["size"] == 170_720


BATCH = """@echo off
setlocal enabledelayedexpansion
if "%1"=="" goto usage
set COUNT=0
for %%f in (%*) do (
  set /a COUNT=!COUNT!+1 >nul
  call :show %%f
)
echo %COUNT% of %~nx0
exit /b 3
:show
echo [%~1]
goto :eof
:usage
echo usage
exit /b 2
"""


def test_batch_files() -> None:
    host = make(files={r"C:\Work\show.bat": BATCH})
    result = run(host, r"C:\Work\show.bat one two")
    assert (result.text, result.code) == ("[one]\n[two]\n2 of show.bat\n", 3)
    assert run(host, r"cd C:\Work & show & echo %errorlevel%").text == "usage\n0\n"
    assert run(host, r"call C:\Work\show.bat || echo failed").text == "usage\nfailed\n"


def test_a_batch_file_shows_its_lines_unless_echo_is_off() -> None:
    host = make(files={r"C:\a.cmd": "echo one\n@echo two\n"})
    assert run(host, r"cd C:\ & a").text == "\nC:\\>echo one \none\ntwo\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('a "b c" d', ["a", "b c", "d"]),
        (r'"a\"b" c\d', ['a"b', r"c\d"]),
        (r'"C:\dir\\" x', ["C:\\dir\\", "x"]),
        ('a""b "" c', ["ab", "", "c"]),
    ],
)
def test_programs_get_their_arguments_by_the_rules_of_c(text: str, words: list[str]) -> None:
    assert split_arguments(text) == words


@given(st.text(alphabet='echo if(x)&|<>^"%=@ 12\n:', max_size=40))
def test_reading_a_line_ends_with_a_tree_or_a_syntax_problem(line: str) -> None:
    with contextlib.suppress(SyntaxProblem):
        parse(line)
