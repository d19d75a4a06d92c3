# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: port_conflict_info
short_description: Tell which help desk ports of a Windows client are free, and who holds the others
version_added: 1.0.0
description:
  - The remote control agent of SMS needs the TCP and UDP ports 1761-1764, or 2701-2704 after the hotfix of Microsoft's article Q229097.
    If another program has one of them, the agent crashes or hangs.
  - For every port, and for TCP and UDP on their own, this module tells whether it is free, held by the agent, held by another program, or
    reserved by Windows, and names the process, its path and its services.
  - It asks the client with C(netstat), C(netsh) and WMI over the WinRM connection of the host, without PowerShell. It works on every
    Windows that has WinRM, in every language.
  - What cannot be known is reported as V(unknown) and V(inconclusive), never as free.
author:
  - The sms.helpdesk contributors (@sms-helpdesk)
extends_documentation_fragment:
  - sms.helpdesk.attributes
  - sms.helpdesk.attributes.client
  - sms.helpdesk.ports
  - sms.helpdesk.ports.evidence
attributes:
  check_mode:
    support: full
    details: It only reads, so check mode is the normal mode.
  diff_mode:
    support: none
    details: It changes nothing.
  idempotent:
    support: full
options:
  source:
    description:
      - Where the evidence comes from.
      - With V(client), the client is asked over WinRM.
      - With V(capture), the file O(capture) is read and no host is contacted. For machines that have no WinRM at all.
    type: str
    default: client
    choices: [client, capture]
  capture:
    description:
      - Path on the controller of the saved output of C(netstat -ano), or C(netstat -an) on Windows 2000 and older. Required if
        O(source=capture).
      - The output of C(ver), C(tasklist /svc /fo csv /nh), C(netsh interface ipv4 show excludedportrange protocol=tcp), the same for UDP,
        and C(netsh interface ipv4 show dynamicport tcp) may stand in the same file, in any order, and is used.
      - UTF-8, UTF-16 and OEM code pages are read.
    type: path
seealso:
  - name: Q229097
    description: The article about the port conflicts of the help desk.
    link: https://jeffpar.github.io/kbarchive/kb/229/Q229097/
  - module: ansible.windows.win_listen_ports_facts
"""

EXAMPLES = r"""
- name: Tell who holds the help desk's ports
  sms.helpdesk.port_conflict_info:
  register: ports

- name: Before the hotfix, make sure that the new ports are free
  sms.helpdesk.port_conflict_info:
    port_set: hotfix
  register: ports
  failed_when: ports.verdict != 'clear'

- name: Judge ports of your own
  sms.helpdesk.port_conflict_info:
    ports:
      - port: 8443
        protocol: tcp
        purpose: management console
    expected_processes: [console.exe]

- name: Judge what was saved on a machine without WinRM
  sms.helpdesk.port_conflict_info:
    source: capture
    capture: captures/{{ inventory_hostname }}.txt
"""

RETURN = r"""
verdict:
  description: V(conflict) if there is any conflict, else V(inconclusive) if any port is V(unknown), else V(clear).
  returned: success
  type: str
  sample: conflict
conflicts:
  description: One entry for each process that holds a port that is not its own, and for each port that is reserved.
  returned: success
  type: list
  elements: dict
  contains:
    port:
      description: The port number.
      type: int
      sample: 1762
    protocol:
      description: V(tcp) or V(udp).
      type: str
      sample: udp
    purpose:
      description: What the help desk needs the port for.
      type: str
      sample: Remote Control
    kind:
      description: >-
        V(listener) (a listening TCP socket), V(bound) (a bound UDP socket), V(connection) (a live outgoing connection with this local port)
        or V(reserved) (an excluded port range).
      type: str
      sample: bound
    address:
      description: Local address of the first endpoint, empty for a reserved port.
      type: str
      sample: 0.0.0.0
    remote:
      description: Foreign address and port of the first endpoint, empty if there is none.
      type: str
      sample: ''
    pid:
      description: Process id of the holder, null if the listing has none.
      type: int
      sample: 2316
    process:
      description: Image name of the holder, null if it has exited or is not known.
      type: str
      sample: backupd.exe
    path:
      description: Path of its executable, null if it is not known.
      type: str
      sample: C:\Program Files\Backup\backupd.exe
    services:
      description: Short names of the services in the process.
      type: list
      elements: str
      sample: [BackupAgent]
    dynamic_range:
      description: Whether the port lies in the dynamic port range of the client, so that it may be taken at random.
      type: bool
      sample: false
    endpoints:
      description: All sockets of this process on the port, as in RV(ports[].endpoints).
      type: list
      elements: dict
    message:
      description: One sentence a person can act on.
      type: str
      sample: >-
        UDP 1762 (Remote Control) is bound at 0.0.0.0 by backupd.exe (PID 2316, C:\Program Files\Backup\backupd.exe) hosting the service
        BackupAgent; stop that program or give it another port, or move the agent to 2701-2704 with the hotfix of Q229097.
ports:
  description: One entry for each port and protocol, in order, TCP before UDP.
  returned: success
  type: list
  elements: dict
  contains:
    port:
      description: The port number.
      type: int
      sample: 1762
    protocol:
      description: V(tcp) or V(udp).
      type: str
      sample: udp
    purpose:
      description: What the help desk needs the port for.
      type: str
      sample: Remote Control
    status:
      description: V(free), V(agent), V(conflict), V(reserved) or V(unknown).
      type: str
      sample: conflict
    dynamic_range:
      description: Whether the port lies in the dynamic port range of the client.
      type: bool
      sample: false
    endpoints:
      description: Every socket on the port, whoever holds it.
      type: list
      elements: dict
      contains:
        kind:
          description: V(listener), V(bound) or V(connection).
          type: str
          sample: bound
        address:
          description: Local address.
          type: str
          sample: 0.0.0.0
        remote:
          description: Foreign address and port, empty if there is none.
          type: str
          sample: ''
        pid:
          description: Process id, null if the listing has none.
          type: int
          sample: 2316
        process:
          description: Image name, null if it is not known.
          type: str
          sample: backupd.exe
host:
  description: What the judgement rests on.
  returned: success
  type: dict
  contains:
    os_version:
      description: Version of Windows as C(ver) prints it, null if it is not known.
      type: str
      sample: 10.0.19045.3803
    source:
      description: V(client) or V(capture).
      type: str
      sample: client
    owner_source:
      description: What named the processes, V(wmi), V(tasklist) or V(none) (no process had to be named, or nothing could name it).
      type: str
      sample: wmi
    netstat_rows:
      description: How many sockets were listed.
      type: int
      sample: 61
    netstat_has_pids:
      description: Whether the listing has process ids (Windows XP and later).
      type: bool
      sample: true
    excluded_port_ranges:
      description: The excluded port ranges of each protocol that was answered.
      type: dict
      sample: {tcp: [{start: 1761, end: 1860, administered: false}], udp: []}
    dynamic_port_ranges:
      description: The dynamic port range of each protocol, as read or else the default of the Windows version.
      type: dict
      sample: {tcp: {start: 49152, end: 65535}, udp: {start: 49152, end: 65535}}
warnings:
  description: Why something is V(unknown), and what was answered by a second-best source. Each begins with the name of the host.
  returned: success
  type: list
  elements: str
  sample: []
reason:
  description: >-
    The class of what kept the host from being audited, for example V(refused), V(timeout), V(tls-certificate), V(credentials),
    V(quota-shells) or V(not-winrm).
  returned: failure
  type: str
  sample: credentials
"""
