# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every Windows has without being asked: system processes, services and their sockets.

Names, hosts and accounts are those of the recorded Win32_Process and Win32_Service lists of 5.2, 6.1 and 6.2 and, for later builds, of
Microsoft's service documentation. Sockets are those every recorded netstat shows.
"""

from __future__ import annotations

import dataclasses

from .sockets import Socket, make, parse_sockets
from .state import Service
from .versions import Version


@dataclasses.dataclass(frozen=True)
class Program:
    """A process that is there without a service. `parent` names another one; `session` 1 is the user at the screen."""

    name: str
    path: str | None
    command_line: str | None
    parent: str
    session: int
    account: str
    memory: int
    sockets: tuple[Socket, ...] = ()


# name; display name; start (a automatic, d delayed, m manual, x disabled); host; account (S, L, N); since build; until build
_SERVICES = r"""
RpcEptMapper;RPC Endpoint Mapper;a;RPCSS;N;7600;99999
RpcSs;Remote Procedure Call (RPC);a;RPCSS;N;0;99999
DcomLaunch;DCOM Server Process Launcher;a;DcomLaunch;S;2600;99999
PlugPlay;Plug and Play;a;DcomLaunch;S;6000;99999
PlugPlay;Plug and Play;a;services.exe;S;0;5999
Power;Power;a;DcomLaunch;S;7600;99999
LSM;Local Session Manager;a;DcomLaunch;S;9200;99999
SamSs;Security Accounts Manager;a;lsass.exe;S;0;99999
ProtectedStorage;Protected Storage;a;lsass.exe;S;0;5999
Eventlog;Event Log;a;services.exe;S;0;5999
EventLog;Windows Event Log;a;LocalServiceNetworkRestricted;L;6000;99999
Dhcp;DHCP Client;a;LocalServiceNetworkRestricted;L;6000;99999
Dhcp;DHCP Client;a;netsvcs;S;0;5999
lmhosts;TCP/IP NetBIOS Helper;m;LocalServiceNetworkRestricted;L;6000;99999
LmHosts;TCP/IP NetBIOS Helper;a;LocalService;L;0;5999
Dnscache;DNS Client;a;NetworkService;N;0;99999
CryptSvc;Cryptographic Services;a;NetworkService;N;6000;99999
CryptSvc;Cryptographic Services;a;netsvcs;S;0;5999
LanmanWorkstation;Workstation;a;NetworkService;N;6000;99999
lanmanworkstation;Workstation;a;netsvcs;S;0;5999
LanmanServer;Server;a;netsvcs;S;6000;99999
lanmanserver;Server;a;netsvcs;S;0;5999
NlaSvc;Network Location Awareness;a;NetworkService;N;6000;99999
nsi;Network Store Interface Service;a;LocalService;L;6000;99999
EventSystem;COM+ Event System;a;LocalService;L;6000;99999
EventSystem;COM+ Event System;m;netsvcs;S;0;5999
W32Time;Windows Time;m;LocalService;L;6000;99999
W32Time;Windows Time;a;netsvcs;S;0;5999
Schedule;Task Scheduler;a;netsvcs;S;0;99999
gpsvc;Group Policy Client;a;netsvcs;S;6000;99999
ProfSvc;User Profile Service;a;netsvcs;S;6000;99999
IKEEXT;IKE and AuthIP IPsec Keying Modules;a;netsvcs;S;6000;99999
PolicyAgent;IPsec Policy Agent;m;NetworkServiceNetworkRestricted;N;6000;99999
PolicyAgent;IPSEC Services;a;lsass.exe;S;0;5999
iphlpsvc;IP Helper;a;NetSvcs;S;6000;99999
SENS;System Event Notification Service;a;netsvcs;S;0;99999
Themes;Themes;a;netsvcs;S;2600;99999
ShellHWDetection;Shell Hardware Detection;a;netsvcs;S;2600;99999
Winmgmt;Windows Management Instrumentation;a;netsvcs;S;0;99999
seclogon;Secondary Logon;m;netsvcs;S;2195;99999
BITS;Background Intelligent Transfer Service;m;netsvcs;S;2195;99999
wuauserv;Windows Update;m;netsvcs;S;2195;99999
Browser;Computer Browser;m;netsvcs;S;0;15000
BFE;Base Filtering Engine;a;LocalServiceNoNetwork;L;6000;99999
MpsSvc;Windows Firewall;a;LocalServiceNoNetwork;L;6000;99999
DPS;Diagnostic Policy Service;a;LocalServiceNoNetwork;L;6000;99999
WinRM;Windows Remote Management (WS-Management);a;NetworkService;N;3790;99999
SSDPSRV;SSDP Discovery;m;LocalServiceAndNoImpersonation;L;6000;99999
SSDPSRV;SSDP Discovery Service;m;LocalService;L;2600;5999
FDResPub;Function Discovery Resource Publication;m;LocalServiceAndNoImpersonation;L;6000;99999
RemoteRegistry;Remote Registry;a;regsvc;L;0;9599
RemoteRegistry;Remote Registry;x;localService;L;9600;99999
UmRdpService;Remote Desktop Services UserMode Port Redirector;m;LocalSystemNetworkRestricted;S;6000;99999
TermService;Remote Desktop Services;m;termsvcs;N;2195;99999
UxSms;Desktop Window Manager Session Manager;a;LocalSystemNetworkRestricted;S;6000;9000
TrkWks;Distributed Link Tracking Client;a;LocalSystemNetworkRestricted;S;6000;99999
Spooler;Print Spooler;a;spoolsv.exe;S;0;99999
AudioSrv;Windows Audio;m;LocalServiceNetworkRestricted;L;6000;99999
FontCache;Windows Font Cache Service;a;LocalService;L;7600;99999
BrokerInfrastructure;Background Tasks Infrastructure Service;a;DcomLaunch;S;9200;99999
SystemEventsBroker;System Events Broker;a;DcomLaunch;S;9200;99999
CoreMessagingRegistrar;CoreMessaging;a;LocalServiceNoNetwork;L;10240;99999
UserManager;User Manager;a;netsvcs;S;10240;99999
StateRepository;State Repository Service;a;appmodel;S;10240;99999
WpnService;Windows Push Notifications System Service;a;netsvcs;S;10240;99999
CDPSvc;Connected Devices Platform Service;a;LocalService;L;10240;99999
DiagTrack;Connected User Experiences and Telemetry;a;utcsvc;S;10240;99999
SysMain;SysMain;a;LocalSystemNetworkRestricted;S;10240;99999
DoSvc;Delivery Optimization;d;NetworkService;N;10240;99999
UsoSvc;Update Orchestrator Service;d;netsvcs;S;10240;99999
Netlogon;Net Logon;m;lsass.exe;S;0;99999
MSDTC;Distributed Transaction Coordinator;m;msdtc.exe;N;0;99999
"""

_ACCOUNTS = {"S": "LocalSystem", "L": r"NT AUTHORITY\LocalService", "N": r"NT AUTHORITY\NetworkService"}
_STARTS = {"a": "auto", "d": "auto", "m": "manual", "x": "disabled"}
# Services that are manual but run on any machine, because something else starts them.
_RUNNING = {"lmhosts", "w32time", "ssdpsrv", "fdrespub", "termservice"}
# Groups that stay together even where services are split (their hosts are marked so in the registry).
_TOGETHER = {"DcomLaunch", "RPCSS", "LocalServiceNoNetwork"}


def services(version: Version) -> list[Service]:
    """The services of a version, configured as after installation, not yet started."""
    return [service for service in (_service(line, version) for line in _SERVICES.split("\n")[1:-1]) if service]


def runs_without_asking(service: Service) -> bool:
    """It runs after the start of Windows: automatic, or started by what always needs it."""
    return service.start == "auto" or (service.start == "manual" and service.name.lower() in _RUNNING)


def _service(line: str, version: Version) -> Service | None:
    name, display, start, host, account, since, until = line.split(";")
    if not int(since) <= version.build <= int(until):
        return None
    if host.endswith(".exe"):
        path = process_line = rf"{version.system32}\{host}"
        shared = host in ("lsass.exe", "services.exe")
    else:
        path = process_line = rf"{version.system32}\svchost.exe -k {host}"
        shared = True
        if version.split_services:
            path += " -p"
            process_line = path if host in _TOGETHER else f"{path} -s {name}"
    return Service(
        name=name,
        display_name=display,
        description=f"Part of Windows: {display}.",
        start=_STARTS[start],
        delayed=start == "d",
        path=path,
        process_line=process_line,
        account=_ACCOUNTS[account],
        shared=shared,
        depends=() if name in ("RpcSs", "DcomLaunch", "RpcEptMapper", "PlugPlay") or host.endswith(".exe") else ("RPCSS",),
        stoppable=name not in ("RpcSs", "DcomLaunch", "RpcEptMapper", "PlugPlay", "SamSs", "Eventlog", "LSM", "BFE"),
        sockets=_sockets_of(name, version),
    )


def _sockets_of(name: str, version: Version) -> tuple[Socket, ...]:
    first = 1025 if version.release < (6, 0) else (49152 if version.build < 10000 else 49664)
    texts = {
        "RpcSs": ["tcp *:135"],
        "EventLog": [f"tcp *:{first + 2}"],
        "Schedule": [f"tcp *:{first + 3}"],
        "Spooler": [f"tcp *:{first + 4}"] if version.release >= (6, 0) else [],
        "Dnscache": ["udp *:5353", "udp *:5355"] if version.build >= 10000 else ["udp 0.0.0.0:5355"] if version.release >= (6, 0) else [],
        "W32Time": ["udp *:123"] if version.release >= (6, 0) else ["udp own:123", "udp 127.0.0.1:123"],
        "IKEEXT": ["udp *:500", "udp *:4500"],
        "PolicyAgent": ["udp 0.0.0.0:500", "udp 0.0.0.0:4500"] if version.release < (6, 0) else [],
        "SSDPSRV": ["udp own:1900", "udp 127.0.0.1:1900", "udp [::1]:1900", "udp [fe80::1c2d:3e4f:5a6b:7c8d%11]:1900"]
        if version.release >= (6, 0)
        else ["udp own:1900", "udp 127.0.0.1:1900"],
        "FDResPub": ["udp *:3702", f"udp *:{first + 9216}"],
        "TermService": ["tcp *:3389", *(["udp *:3389"] if version.build >= 9200 else [])],
        "DoSvc": ["tcp *:7680"],
        "CDPSvc": ["tcp 0.0.0.0:5040", "udp 0.0.0.0:5050"],
        "iphlpsvc": [f"udp 127.0.0.1:{first + 13000}"] if version.build >= 9200 else [],
    }.get(name, [])
    found = tuple(socket for text in texts for socket in parse_sockets(text))
    return found if version.release >= (6, 0) else tuple(socket for socket in found if not socket.v6)


def programs(version: Version, http: bool, https: bool) -> list[Program]:
    """The processes without a service, in the order Windows starts them."""
    system = r"NT AUTHORITY\SYSTEM"
    folder = version.system32
    first = 49152 if version.build < 10000 else 49664
    user = "user"

    def program(
        name: str, parent: str, session: int = 0, account: str = system, memory: int = 6000, line: str = "", *sockets: str
    ) -> Program:
        path = rf"{folder}\{name}"
        texts = [socket for text in sockets for socket in parse_sockets(text)]
        return Program(name, path, line or path, parent, session, account, memory, tuple(texts))

    found = [
        Program("System Idle Process", None, None, "", 0, system, 8),
        Program("System", None, None, "System Idle Process", 0, system, 1420, _kernel_sockets(version, http, https)),
        Program("smss.exe", None, r"\SystemRoot\System32\smss.exe", "System", 0, system, 1020),
    ]
    csrss = rf"{folder}\csrss.exe ObjectDirectory=\Windows SharedSection=1024,20480,768 Windows=On SubSystemType=Windows"
    if version.release < (6, 0):
        found += [
            program("csrss.exe", "smss.exe", 0, system, 4100, csrss),
            program("winlogon.exe", "smss.exe", 0, system, 9200, "winlogon.exe"),
            program("services.exe", "winlogon.exe", 0, system, 7300),
            program("lsass.exe", "winlogon.exe", 0, system, 8400, "", *(["tcp 0.0.0.0:1025"] if version.release < (5, 1) else [])),
        ]
        if not version.server:
            found += [Program("explorer.exe", version.windows + r"\Explorer.EXE", version.windows + r"\Explorer.EXE", "", 0, user, 21400)]
        return found
    if version.build >= 17000:
        found.insert(2, Program("Registry", None, None, "System", 0, system, 61000))
    found += [
        program("csrss.exe", "", 0, system, 4300, csrss),
        program("wininit.exe", "", 0, system, 4600, "wininit.exe", f"tcp *:{first + 1}"),
        program("csrss.exe", "", 1, system, 5200, csrss),
        program("winlogon.exe", "", 1, system, 9900, "winlogon.exe"),
        program("services.exe", "wininit.exe", 0, system, 9600, "", f"tcp *:{first + 5}"),
        program("lsass.exe", "wininit.exe", 0, system, 15200, "", f"tcp *:{first}"),
        *([program("lsm.exe", "wininit.exe")] if version.build < 9200 else []),
        program("dwm.exe", "winlogon.exe", 1, r"Window Manager\DWM-1" if version.build >= 9200 else user, 38000, '"dwm.exe"'),
    ]
    if version.build >= 10240:
        found.append(program("fontdrvhost.exe", "wininit.exe", 0, r"Font Driver Host\UMFD-0", 3300, '"fontdrvhost.exe"'))
    if version.server:
        found += [program("LogonUI.exe", "winlogon.exe", 1, system, 31000, '"LogonUI.exe" /flags:0x0')]
    else:
        explorer = version.windows + (r"\Explorer.EXE" if version.build < 10240 else r"\explorer.exe")
        found += [
            Program("explorer.exe", explorer, explorer, "", 1, user, 92000),
            program("taskhost.exe" if version.build < 9200 else "taskhostw.exe", "services.exe", 1, user, 12000),
        ]
        if version.build >= 10240:
            found += [
                program(name, "svchost.exe", 1, user, memory)
                for name, memory in (("sihost.exe", 26000), ("RuntimeBroker.exe", 24000), ("ctfmon.exe", 16000))
            ]
    found += [program(r"wbem\WmiPrvSE.exe", "svchost.exe", 0, r"NT AUTHORITY\NETWORK SERVICE", 18000)]
    return [dataclasses.replace(entry, name=entry.name.rpartition("\\")[2]) for entry in found]


def _kernel_sockets(version: Version, http: bool, https: bool) -> tuple[Socket, ...]:
    """What http.sys, the file server and NetBIOS hold in the name of process 4."""
    texts = ["tcp 0.0.0.0:445", "tcp own:139", "udp own:137", "udp own:138"]
    if version.release < (6, 0):
        texts += ["udp 0.0.0.0:445"]
    else:
        texts += ["tcp [::]:445", "tcp *:47001"]
    web, secure = (80, 443) if version.stack == "1.1" else (5985, 5986)
    for wanted, port in ((http, web), (https, secure)):
        if wanted and version.stack:
            texts.append(f"tcp *:{port}" if version.release >= (6, 0) else f"tcp 0.0.0.0:{port}")
    return tuple(socket for text in texts for socket in parse_sockets(text))


def time_wait(own_port: int, remote: str, remote_port: int) -> Socket:
    """A closed connection that still waits, as it is listed under process 0."""
    return make("TCP", "own", own_port, remote, remote_port, "TIME_WAIT")
