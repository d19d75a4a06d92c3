# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: client_status_info
short_description: Tell where a client stands, from the build of its agent to what it still waits for
version_added: 1.2.0
description:
  - Reads which SMS a Windows client has, which build of the remote control agent, how that is configured, what C(Sms.ini) says and which
    ports it really holds, and makes one RV(state) of it.
  - Strongest is what the agent does. The ports its process holds outweigh a hash, a hash outweighs size and date of the file. What
    C(Sms.ini) says never proves success, because it is written before any file is copied (Q166771).
  - Judges the ports as M(sms.helpdesk.port_conflict_info) does, with the same one command line, so there is no need to run both.
  - It asks the client with C(netstat), C(netsh), C(reg query), C(type) and WMI over the WinRM connection of the host, without PowerShell.
    Nothing is changed.
author:
  - The sms.helpdesk contributors (@sms-helpdesk)
extends_documentation_fragment:
  - sms.helpdesk.attributes
  - sms.helpdesk.attributes.client
  - sms.helpdesk.ports.evidence
  - sms.helpdesk.hotfix
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
  service:
    description: The key name of the service of the agent.
    type: str
    default: Wuser32
  language:
    description:
      - Whose table of the article decides about a file that no table has, V(en) or V(de) for Q229097. A file that another table has is the
        hotfix's too, because a client does not tell the language of its agent.
    type: str
    default: en
  sha256:
    description:
      - Whether the client computes the hash of its agent, with C(certutil), which Windows XP and 2003 do not have. Needed for
        O(trusted_sha256) to decide.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait while the client is told to update and has not looked at its files (V(flagged) in RV(pending)), for instance after a
        restart, until somebody has logged on. What it is then is the result; a client that still waits is no error.
      - Not in check mode.
    type: int
    default: 0
  wait_interval:
    description: Seconds between two looks.
    type: int
    default: 15
notes:
  - Where WMI does not answer, the files of the agent cannot be looked at; the ports still tell the build of an agent that runs.
  - On a client whose C(netstat) has no process ids the build is told by size and date.
seealso:
  - module: sms.helpdesk.port_conflict_info
  - module: sms.helpdesk.compliance_report
  - name: Q229097
    description: The article about the port conflicts of the help desk.
    link: https://jeffpar.github.io/kbarchive/kb/229/Q229097/
"""

EXAMPLES = r"""
- name: Tell where the client stands
  sms.helpdesk.client_status_info:
  register: client_status_result

- name: Stop where the client was told to update and has not done so
  ansible.builtin.fail:
    msg: "{{ client_status_result.message }}"
  when: client_status_result.state == 'pending'

- name: Believe a hash more than a date
  sms.helpdesk.client_status_info:
    sha256: true
    trusted_sha256:
      x86/Wuser32.exe: "{{ agent_sha256 }}"
"""

RETURN = r"""
state:
  description:
    - V(compliant), the agent is the hotfix's and nothing holds a port it needs.
    - V(mitigated), the agent uses NetBIOS sessions or IPX and needs none of the ports.
    - V(vulnerable), the agent needs the ports 1761-1764.
    - V(conflict), something else holds or reserves a port that this agent needs. Of an agent with another protocol no port is.
    - V(pending), the client was told to update, or needs a restart for it; RV(pending) says what is to come.
    - V(not_applicable), the hotfix is not for this client; RV(reason) says why.
    - V(unknown), the evidence is not enough.
  returned: success
  type: str
  sample: vulnerable
agent_build:
  description: V(hotfix), V(original), V(undetermined) or V(absent).
  returned: success
  type: str
  sample: original
pending:
  description:
    - What is still to come, as far as it can be seen, of V(flagged) (C(Sms.ini) tells the client to look for new files), V(download)
      (it has not), V(restart) (a new agent lies beside the running one) and V(logon) (nobody is at the screen, and files are copied when
      somebody logs on).
  returned: success
  type: list
  elements: str
  sample: [flagged, download, logon]
reason:
  description: >-
    One stable word for the state, such as V(bound-ports), V(file-date), V(original-build), V(sms-2.0), V(landesk), V(dummy-file) or
    V(no-sms); for a failure its class, such as V(credentials).
  returned: always
  type: str
  sample: original-build
message:
  description: The state in one sentence.
  returned: success
  type: str
  sample: pc07 has an agent that needs the ports 1761-1764 (it holds 1761, 1762).
operating_system:
  description: The operating system.
  returned: success
  type: dict
  contains:
    name:
      description: Its name in WMI's words, or its version if WMI does not answer.
      type: str
      sample: Microsoft Windows 10 Pro
    version:
      description: Its version, null if it is not known.
      type: str
      sample: 10.0.19045
    service_pack:
      description: Its service pack, null if there is none or WMI does not answer.
      type: str
      sample: Service Pack 1
    directory:
      description: The Windows directory, null if WMI does not answer.
      type: str
      sample: C:\Windows
    processor:
      description: C(PROCESSOR_ARCHITECTURE), null if it is not known.
      type: str
      sample: x86
    computer_name:
      description: The NetBIOS name, null if WMI does not answer.
      type: str
      sample: PC07
sms:
  description: The SMS client.
  returned: success
  type: dict
  contains:
    generation:
      description: V(1.2), V(2.0), V(landesk), V(dummy) (a text file in the place of the agent), V(none), or null if it could not be told.
      type: str
      sample: '1.2'
    site_code:
      description: The site C(Sms.ini) names.
      type: str
      sample: ABC
    logon_server:
      description: The logon server C(Sms.ini) names.
      type: str
      sample: LOGON01
agent:
  description: The program of the agent.
  returned: success
  type: dict
  contains:
    path:
      description: Where the service says it lies, else where it usually does.
      type: str
      sample: C:\WINNT\Wuser32.exe
    exists:
      description: Whether it is there, null if that could not be read.
      type: bool
      sample: true
    size:
      description: Bytes.
      type: int
      sample: 170720
    modified:
      description: Time of the last change, in ISO 8601.
      type: str
      sample: '1998-10-05T18:13:00+00:00'
    version:
      description: The fixed file version. "786" in the article is the number of the product's build and not this.
      type: str
      sample: 1.20.786.0
    sha256:
      description: Its hash, null unless O(sha256) was asked for and the client could compute it.
      type: str
      sample: null
    verdict:
      description: >-
        What the article's table says of it, as RV(sms.helpdesk.hotfix_package_info#module:files[].status). Null if it could not be looked
        at.
      type: str
      sample: older
    message:
      description: The same in a sentence.
      type: str
      sample: Wuser32.exe for x86 is older than Q229097, 170,720 bytes of 1998-10-05 instead of 170,720 bytes of 2000-04-03.
    swap_file:
      description: Path of the new agent that becomes live at the next restart, null if there is none.
      type: str
      sample: null
    other_files:
      description: Paths of other copies and of the programs for chat and file transfer, wherever they were found.
      type: list
      elements: str
      sample: [C:\WINNT\System32\Wchat32.exe]
service:
  description: The service of the agent.
  returned: success
  type: dict
  contains:
    name:
      description: The key name.
      type: str
      sample: Wuser32
    exists:
      description: Whether it is installed, null if that could not be read.
      type: bool
      sample: true
    start_mode:
      description: Its start type in WMI's words. Absent if it is not installed.
      type: str
      sample: Auto
    state:
      description: Its state in WMI's words. Absent if it is not installed.
      type: str
      sample: Running
protocol:
  description: How the agent is reached, from its registry keys (Q170440).
  returned: success
  type: dict
  contains:
    key:
      description: The key C(Remote Control) that was found, null if there is none.
      type: str
      sample: HKLM\SOFTWARE\Microsoft\SMS\Client Services\Remote Control
    command_line:
      description: The value C(CommandLine), null if there is none.
      type: str
      sample: -IP
    value:
      description: V(ip), V(netbios), V(ipx), or null if it is not said, which means IP.
      type: str
      sample: ip
    lana:
      description: The LANA number of V(netbios).
      type: int
      sample: null
    override:
      description: Whether C(Override Site CommandLine) keeps the site's setting away.
      type: bool
      sample: false
    override_viewers:
      description: Whether C(Override Site Permitted Viewer List) does so for the permitted viewers.
      type: bool
      sample: false
sms_ini:
  description: What C(Sms.ini) says, null if there is none.
  returned: success
  type: dict
  contains:
    path:
      description: Where it lies.
      type: str
      sample: C:\Sms.ini
    readable:
      description: Whether it could be read.
      type: bool
      sample: true
    phase:
      description: V(installed), V(verify_files), V(deinstall), V(other), or null.
      type: str
      sample: installed
    setup_phase:
      description: C(SetupPhase) as it is written there; spellings differ (Q166771).
      type: str
      sample: installed
    copy_list_version:
      description: C(CopyListVersion); proves nothing.
      type: str
      sample: '940711'
    files_not_downloaded:
      description: C(FilesNotDownloaded), a file that is missing on the logon server (Q168598).
      type: str
      sample: null
    logon_server:
      description: C(CurrentLogonServer).
      type: str
      sample: LOGON01
    logon_servers:
      description: The section C(Servers).
      type: list
      elements: str
      sample: [LOGON01, LOGON02]
    site_code:
      description: C(SiteCode).
      type: str
      sample: ABC
    pending_work:
      description: C(PendingWork).
      type: str
      sample: null
endpoints:
  description: The sockets the agent's process holds; empty where C(netstat) has no process ids.
  returned: success
  type: list
  elements: dict
  contains:
    protocol:
      description: V(tcp) or V(udp).
      type: str
      sample: udp
    address:
      description: Local address.
      type: str
      sample: 0.0.0.0
    port:
      description: Local port.
      type: int
      sample: 1761
    pid:
      description: Process id.
      type: int
      sample: 1180
verdict:
  description: As RV(sms.helpdesk.port_conflict_info#module:verdict) for all eight ports.
  returned: success
  type: str
  sample: clear
ports:
  description: As RV(sms.helpdesk.port_conflict_info#module:ports).
  returned: success
  type: list
  elements: dict
conflicts:
  description: As RV(sms.helpdesk.port_conflict_info#module:conflicts), of all eight ports, also those this agent does not need.
  returned: success
  type: list
  elements: dict
host:
  description: As RV(sms.helpdesk.port_conflict_info#module:host).
  returned: success
  type: dict
  sample: {os_version: 10.0.19045.3803, source: client, owner_source: wmi, netstat_rows: 61, netstat_has_pids: true}
warnings:
  description: What could not be read, and what somebody ought to know. Each begins with the name of the host.
  returned: success
  type: list
  elements: str
  sample: []
"""
