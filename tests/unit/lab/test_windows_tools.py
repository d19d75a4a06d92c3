# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other console programs of the model: layout, exit codes, effects."""

from __future__ import annotations

import csv

import pytest

from lab.windows.versions import VERSIONS
from windows_host import make, pid_of, run


@pytest.mark.parametrize(
    ("version", "language", "text"),
    [
        ("nt4", "en", "\nWindows NT Version 4.0  \n"),
        ("2000", "en", "\nMicrosoft Windows 2000 [Version 5.00.2195]\n"),
        ("xp", "de", "\nMicrosoft Windows XP [Version 5.1.2600]\n"),
        ("2003", "en", "\nMicrosoft Windows [Version 5.2.3790]\n"),
        ("7", "de", "\nMicrosoft Windows [Version 6.1.7601]\n"),
        ("10", "es", "\nMicrosoft Windows [Versión 10.0.19045.3803]\n"),
        ("11", "zh", "\nMicrosoft Windows [版本 10.0.22631.3007]\n"),
    ],
)
def test_ver(version: str, language: str, text: str) -> None:
    assert run(make(version, language=language), "ver").text == text


EXCLUDED = """
Protocol tcp Port Exclusion Ranges

Start Port    End Port      
----------    --------      
      1661        1760      
      1761        1860      
     50000       50059     *

* - Administered port exclusions.

"""  # noqa: W291
DYNAMIC = """
Protocol udp Dynamic Port Range
---------------------------------
Start Port      : 49152
Number of Ports : 16384

"""


def test_netsh_tables() -> None:
    host = make("10", reserved=["tcp 1761-1860", "tcp 1661-1760", "tcp 50000-50059 administered"])
    for line in (
        "netsh interface ipv4 show excludedportrange protocol=tcp",
        "netsh int ip sh excludedportrange tcp",
        "NETSH INTERFACE IPV4 SHOW EXCLUDEDPORTRANGE TCP",
    ):
        result = run(host, line)
        assert (result.text, result.code) == (EXCLUDED, 0)
    assert run(host, "netsh int ipv4 show dynamicport udp").text == DYNAMIC
    assert run(host, "netsh int ipv4 show dynamicportrange protocol=udp").text == DYNAMIC
    assert 'für das Protokoll "udp"' in run(make("10", language="de"), "netsh int ipv4 show excludedportrange udp").text


@pytest.mark.parametrize("version", VERSIONS)
def test_port_ranges_are_known_to_the_versions_that_have_them(version: str) -> None:
    host, release = make(version), VERSIONS[version].release
    for line, since in (("int ipv4 show dynamicport tcp", (6, 0)), ("interface ipv4 show excludedportrange protocol=tcp", (6, 1))):
        result = run(host, f"netsh {line}")
        if release >= since:
            assert result.code == 0
        elif release >= (5, 0):
            assert (result.text, result.code) == (f"The following command was not found: {line}.\n", 1)
        else:
            assert "is not recognized" in result.error


@pytest.mark.parametrize(
    "line",
    ["netsh int ipv4 show excludedportrange", "netsh int ipv4 show dynamicport sctp", "netsh winsock reset", "netsh int ipv4 show x tcp"],
)
def test_netsh_refuses_what_it_does_not_know(line: str) -> None:
    result = run(make("10"), line)
    assert result.code == 1
    assert result.text


def test_netsh_changes_the_exclusions() -> None:
    host = make("10", processes=[{"name": "a.exe", "sockets": ["tcp 0.0.0.0:2702"]}])
    add = "netsh int ipv4 add excludedportrange protocol=tcp startport={} numberofports={}"
    assert run(host, add.format(3000, 10)).text == "Ok.\n\n"
    assert host.snapshot()["reservations"]["tcp"] == [{"start": 3000, "end": 3009, "administered": True}]
    assert "being used by another process" in run(host, add.format(2700, 4)).text
    assert "being used by another process" in run(host, add.format(3005, 4)).text
    assert run(host, "netsh int ipv4 delete excludedportrange tcp 3000 9").text == "The system cannot find the file specified.\n\n"
    assert run(host, "netsh int ipv4 delete excludedportrange tcp 3000 10").code == 0
    assert run(host, "netsh int ipv4 set dynamicport tcp start=10000 num=1000").code == 0
    assert host.snapshot()["dynamic_ports"]["tcp"] == {"start": 10000, "count": 1000}
    weak = make("10", administrators=["boss"])
    assert "requires elevation" in run(weak, add.format(3000, 1)).text


def test_tasklist_tables() -> None:
    host = make("10", processes=[{"name": "a.exe", "pid": 4712, "memory": 12345, "session": 1}], language="en")
    lines = run(host, "tasklist").text.splitlines()
    assert lines[0] == ""
    assert lines[1] == "Image Name                     PID Session Name        Session#    Mem Usage"
    assert lines[2] == "========================= ======== ================ =========== ============"
    assert lines[3] == "System Idle Process              0 Services                   0          8 K"
    assert "a.exe                         4712 Console                    1     12,345 K" in lines
    old = run(make("2003"), "tasklist").text.splitlines()
    assert old[2] == "========================= ====== ================ ======== ============"
    assert "12.345 K" in run(make("10", language="de", processes=[{"name": "a.exe", "memory": 12345}]), "tasklist").text


def test_tasklist_services_and_filters() -> None:
    host = make("7", processes=[{"name": "a.exe", "pid": 4712}])
    found = list(csv.reader(run(host, "tasklist /svc /fo csv /nh").text.splitlines()))
    assert ["System Idle Process", "0", "N/A"] in found
    assert ["lsass.exe", str(pid_of(host, "lsass.exe")), "SamSs"] in found
    assert any(row[2] == "DcomLaunch,PlugPlay,Power" for row in found)
    table = run(host, "tasklist /svc").text.splitlines()
    wrapped = [line for line in table if line.startswith(" " * 35) and line.strip()]
    assert wrapped
    assert all(len(line) == 79 for line in table[1:] if line)
    assert run(host, 'tasklist /fi "PID eq 4712" /fo csv /nh').text == '"a.exe","4712","Services","0","8,000 K"\n'
    assert run(host, 'tasklist /fi "imagename eq nothing.exe"').text == "INFO: No tasks are running which match the specified criteria.\n"
    assert "Image Name:   a.exe\nPID:          4712\n" in run(host, "tasklist /fo list").text
    assert run(host, "tasklist /nonsense").code == 1
    assert run(host, 'tasklist /fi "what is this"').code == 1


def test_taskkill() -> None:
    host = make("10", agent="original", processes=[{"name": "a.exe", "pid": 4712, "sockets": ["tcp 0.0.0.0:99"]}])
    assert run(host, "taskkill /pid 4712").code == 1
    result = run(host, "taskkill /pid 4712 /f")
    assert (result.text, result.code) == ("SUCCESS: The process with PID 4712 has been terminated.\n", 0)
    assert ":99 " not in run(host, "netstat -an").text
    gone = run(host, "taskkill /im a.exe /f")
    assert (gone.error, gone.code) == ('ERROR: The process "a.exe" not found.\n', 128)
    assert run(host, "taskkill /pid 4 /f").code == 1
    agent = run(host, "taskkill /f /im wuser32.exe")
    assert "has been terminated" in agent.text
    assert host.snapshot()["services"]["Wuser32"]["state"] == "Stopped"
    assert host.snapshot()["services"]["Wuser32"]["exit_code"] == 1067


STOPPED = """
SERVICE_NAME: Wuser32 
        TYPE               : 110  WIN32_OWN_PROCESS  (interactive)
        STATE              : 1  STOPPED 
        WIN32_EXIT_CODE    : 0  (0x0)
        SERVICE_EXIT_CODE  : 0  (0x0)
        CHECKPOINT         : 0x0
        WAIT_HINT          : 0x0
"""  # noqa: W291
CONFIGURATION = """[SC] QueryServiceConfig SUCCESS

SERVICE_NAME: Wuser32
        TYPE               : 110  WIN32_OWN_PROCESS (interactive)
        START_TYPE         : 2   AUTO_START
        ERROR_CONTROL      : 1   NORMAL
        BINARY_PATH_NAME   : C:\\Windows\\Wuser32.exe
        LOAD_ORDER_GROUP   : 
        TAG                : 0
        DISPLAY_NAME       : SMS Remote Control Agent
        DEPENDENCIES       : 
        SERVICE_START_NAME : LocalSystem
"""  # noqa: W291


def test_sc_layout() -> None:
    host = make("7", agent="original")
    running = run(host, "sc queryex wuser32").text.splitlines()
    assert running[3] == "        STATE              : 4  RUNNING "
    assert running[4] == "                                (STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN)"
    assert running[9] == f"        PID                : {pid_of(host, 'wuser32.exe')}"
    assert "        STATE              : 3  STOP_PENDING " in run(host, "sc stop Wuser32").text.splitlines()
    assert run(host, "sc query wuser32").text == STOPPED
    assert run(host, "sc qc wuser32").text == CONFIGURATION
    started = run(host, "sc start wuser32").text.splitlines()
    assert started[3] == "        STATE              : 2  START_PENDING "
    assert started[-2] == f"        PID                : {pid_of(host, 'wuser32.exe')}"
    listed = run(host, "sc query").text
    assert "\nSERVICE_NAME: Spooler\nDISPLAY_NAME: Print Spooler\n" in listed
    assert "BITS" not in listed
    assert "SERVICE_NAME: BITS\n" in run(host, "sc query state= all").text


@pytest.mark.parametrize(
    ("line", "code", "function"),
    [
        ("sc query nothing", 1060, "EnumQueryServicesStatus:OpenService"),
        ("sc qc nothing", 1060, "OpenService"),
        ("sc start nothing", 1060, "StartService: OpenService"),
        ("sc stop nothing", 1060, "OpenService"),
        ("sc config nothing start= auto", 1060, "OpenService"),
        ("sc delete nothing", 1060, "OpenService"),
        ("sc start spooler", 1056, "StartService"),
        ("sc stop bits", 1062, "ControlService"),
        ("sc stop rpcss", 1052, "ControlService"),
        ("sc start remoteregistry", 1058, "StartService"),
        ("sc create spooler binpath= x.exe", 1073, "CreateService"),
    ],
)
def test_sc_errors(line: str, code: int, function: str) -> None:
    result = run(make("10"), line)
    assert result.code == code
    assert result.text.startswith(f"[SC] {function} FAILED {code}:\n\n")


@pytest.mark.parametrize("line", ["sc start wuser32", "sc stop wuser32", "sc config wuser32 start= disabled", "sc delete wuser32"])
def test_sc_changes_nothing_without_rights(line: str) -> None:
    host = make("10", agent="original", administrators=["boss"])
    before = host.snapshot()
    assert run(host, line).code == 5
    assert host.snapshot() == before


def test_sc_needs_a_blank_behind_the_sign_before_windows_10() -> None:
    assert run(make("7", agent="original"), "sc config wuser32 start=disabled").code == 1639
    assert run(make("10", agent="original"), "sc config wuser32 start=disabled").code == 0
    assert run(make("10", agent="original"), "sc config wuser32 start= sometimes").code == 1639
    assert run(make("10"), "sc nonsense").code == 1639


def test_net_start_and_stop() -> None:
    host = make("10", agent={"build": "original", "stop_seconds": 4.0})
    stopped = run(host, "net stop wuser32")
    assert stopped.text == (
        "The SMS Remote Control Agent service is stopping...\nThe SMS Remote Control Agent service was stopped successfully.\n\n"
    )
    assert (stopped.code, stopped.waited) == (0, 5.0)
    again = run(host, 'net stop "SMS Remote Control Agent"')
    assert (again.code, again.error) == (
        2,
        "The SMS Remote Control Agent service is not started.\n\nMore help is available by typing NET HELPMSG 3521.\n\n",
    )
    assert run(host, "net start wuser32").code == 0
    assert run(host, "net start wuser32").error.endswith("NET HELPMSG 2182.\n\n")
    assert run(host, "net start nothing").error.startswith("The service name is invalid.")
    assert "   Print Spooler\n" in run(host, "net start").text
    assert run(host, "net helpmsg 1060").text == "\nThe specified service does not exist as an installed service.\n\n"
    assert run(host, "net user").code == 1


def test_net_stop_gives_up_on_a_service_that_hangs() -> None:
    result = run(make("10", agent={"build": "original", "stop_hangs": True}), "net stop wuser32")
    assert (result.code, result.error) == (2, "The SMS Remote Control Agent service could not be stopped.\n\n")


def test_reg() -> None:
    host = make("10")
    key = r"HKLM\SOFTWARE\Acme"
    done = "The operation completed successfully.\n"
    assert run(host, rf"reg add {key} /v Number /t REG_DWORD /d 0x10 /f").text == done
    assert run(host, rf'reg add "{key}" /v Text /d "two words" /f').text == done
    assert run(host, rf"reg add {key} /v List /t REG_MULTI_SZ /d a\0b /f").text == done
    assert run(host, rf"reg add {key}\Below /ve /d x /f").text == done
    assert run(host, rf"reg query {key}").text == (
        "\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Acme\n    Number    REG_DWORD    0x10\n    Text    REG_SZ    two words\n"
        "    List    REG_MULTI_SZ    a\\0b\n\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Acme\\Below\n"
    )
    assert run(host, rf"reg query {key} /v text").text == "\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Acme\n    Text    REG_SZ    two words\n\n"
    assert "    (Default)    REG_SZ    x\n" in run(host, rf"reg query {key}\Below /ve").text
    missing = run(host, rf"reg query {key} /v nothing")
    assert (missing.error, missing.code) == ("ERROR: The system was unable to find the specified registry key or value.\n", 1)
    assert run(host, rf"reg delete {key} /v Number /f").text == done
    assert run(host, rf"reg delete {key} /f & reg query {key}").code == 1
    assert run(host, rf"reg add {key} /v n /t REG_DWORD /d many /f").code == 1
    assert run(host, r"reg add HKXX\a /f").code == 1
    assert run(host, r"reg save HKLM\SOFTWARE x").code == 1
    assert run(make("10", administrators=["boss"]), rf"reg add {key} /f").error == "ERROR: Access is denied.\n"


def test_reg_of_windows_xp_has_its_own_layout() -> None:
    host = make("xp", registry={r"HKLM\SOFTWARE\Acme": {"Text": "x"}})
    assert (
        run(host, r"reg query HKLM\SOFTWARE\Acme").text
        == "\n! REG.EXE VERSION 3.0\n\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Acme\n    Text\tREG_SZ\tx\n\n"
    )


@pytest.mark.parametrize(
    ("line", "text", "code"),
    [
        (r'find "UDP" C:\n.txt', "\n---------- C:\\N.TXT\n UDP :1761 x\n", 0),
        (r'find /v /c "UDP" < C:\n.txt', "2\n", 0),
        (r'type C:\n.txt | find /i "udp"', " UDP :1761 x\n", 0),
        (r'type C:\n.txt | find "nothing"', "", 1),
        (r"findstr :176 C:\n.txt", " UDP :1761 x\n TCP :17610 y\n", 0),
        (r'findstr ":1761[^0-9]" C:\n.txt', " UDP :1761 x\n", 0),
        (r'findstr /c:":1761 x" C:\n.txt', " UDP :1761 x\n", 0),
        (r'findstr /r /n "^.UDP z$" C:\n.txt', "1: UDP :1761 x\n3:z\n", 0),
        (r"findstr /i /m udp C:\n.txt", "C:\\n.txt\n", 0),
        (r"findstr /v P C:\n.txt", "z\n", 0),
        (r"findstr nothing C:\n.txt", "", 1),
        (r"findstr", "", 2),
        (r"find UDP C:\n.txt", "", 2),
    ],
)
def test_filters(line: str, text: str, code: int) -> None:
    result = run(make(files={r"C:\n.txt": " UDP :1761 x\n TCP :17610 y\nz\n"}), line)
    assert (result.text, result.code) == (text, code)


def test_who_and_where() -> None:
    host = make("10")
    assert run(host, "whoami").text == "pc1\\helpdesk\n"
    assert run(host, "whoami", user="ACME\\Anna").text == "acme\\anna\n"
    assert run(host, "hostname").text == "PC1\n"
    assert "192.168.80.10" in run(host, "ipconfig").text
    pinged = run(host, "ping -n 3 127.0.0.1 >nul")
    assert (pinged.code, pinged.waited) == (0, 2.0)
    assert run(host, "ping -n 1 10.0.0.1").code == 1


def test_wmic() -> None:
    host = make("10", processes=[{"name": "a.exe", "pid": 4712}])
    assert (
        run(host, "wmic os get version,caption").stdout
        == b"Caption                   Version     \r\r\nMicrosoft Windows 10 Pro  10.0.19045  \r\r\n\r\r\n"
    )
    assert run(host, 'wmic process where "ProcessId=4712" get name /value').stdout == b"\r\r\n\r\r\nName=a.exe\r\r\n\r\r\n\r\r\n"
    assert run(host, "wmic nothing get x").code != 0
    assert "Invalid query" in run(host, "wmic os get nothing").error
    assert "is not recognized" in run(make("2025"), "wmic os get version").error
