# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: client_upgrade
short_description: Run Upgrade.bat of the logon server on a client, once, and report the phase it reached
version_added: 1.2.0
description:
  - Step 5 of Q229097. C(Upgrade.bat) in the share C(SMS_SHR) of a logon server tells the client, in its C(Sms.ini), to look for new
    files. The files are copied when somebody logs on afterwards, and the new agent becomes live with a restart (Q125978, Q186412).
  - Runs the script only where it is needed, which is where the agent is an older build. Not on a client that has the hotfix, that was told
    already, or that waits for its restart; not on clients of SMS 2.0, of LANDesk or without SMS; not where one of the ports 2701-2704 is
    taken or reserved; and with O(require_replicated) not while the logon server lacks the files.
  - The share is mapped to a drive letter, which is made the current drive, because the script fails from elsewhere (Q153303). The drive
    is unmapped whatever happens.
  - What the script says proves nothing, nor does its exit code. The verdict comes from C(Sms.ini) and the agent, read before and after.
  - Before the script runs, C(Sms.ini) and the registry keys of the agent are kept in a directory on the client, RV(snapshot).
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
  diff_mode:
    support: full
    details: The phase in C(Sms.ini) before and after.
  idempotent:
    support: full
    details: With O(force) it runs each time.
options:
  logon_server:
    description:
      - The logon server whose script is run, by its name alone.
      - Without it, the one C(Sms.ini) names as C(CurrentLogonServer), else the first of its section C(Servers).
    type: str
  share:
    description: The share of the logon server.
    type: str
    default: SMS_SHR
  script:
    description: The script, by its path below the share.
    type: str
    default: Upgrade.bat
  drive:
    description: The drive letter, D to Z. Without it, the first that is free of S, R, Q and so on down to J.
    type: str
  timeout:
    description: Seconds the script may take. After that, or after 1 MiB of output, it is ended with all it has started.
    type: int
    default: 300
  require_replicated:
    description: Whether the script is refused unless O(replication) says that the logon server has every file.
    type: bool
    default: false
  replication:
    description: The result of M(sms.helpdesk.hotfix_replication_info). The logon server is looked for by its name or by that of its root.
    type: dict
  force:
    description: Runs the script on a client of SMS 1.2 in whatever state it is, also onto ports that are taken.
    type: bool
    default: false
  service:
    description: The key name of the service of the agent.
    type: str
    default: Wuser32
  language:
    description: As in M(sms.helpdesk.client_status_info).
    type: str
    default: en
  sha256:
    description: As in M(sms.helpdesk.client_status_info).
    type: bool
    default: false
notes:
  - The client connects to the logon server in your name. That is a second hop, which NTLM and plain Kerberos do not make. Use CredSSP, or
    Kerberos with delegation; the guide C(docs/moving_the_clients.md) says how.
  - The account needs the right to write C(Sms.ini) and to create files in the root of the system drive (Q161216).
  - No article says which exit codes the script has, so none is believed.
seealso:
  - module: sms.helpdesk.client_status_info
  - module: sms.helpdesk.client_restart
  - module: sms.helpdesk.hotfix_replication_info
"""

EXAMPLES = r"""
- name: Tell the client to update
  sms.helpdesk.client_upgrade:
  register: client_upgrade_result

- name: The same, from a certain logon server and only if that has the files
  sms.helpdesk.client_upgrade:
    logon_server: LOGON01
    require_replicated: true
    replication: "{{ hostvars['siteserver'].hotfix_stage_replication_result }}"
"""

RETURN = r"""
action:
  description: >-
    V(ran), V(would-run) (in check mode), V(not-needed) (it has the hotfix, or waits for its restart), V(already-flagged), or
    V(not-applicable).
  returned: success
  type: str
  sample: ran
phase:
  description: >-
    The phase of C(Sms.ini) afterwards, as in RV(sms.helpdesk.client_status_info#module:sms_ini.phase); the expected one in check mode.
  returned: success
  type: str
  sample: verify_files
before:
  description: What C(Sms.ini) said before, as in RV(sms.helpdesk.client_status_info#module:sms_ini).
  returned: success
  type: dict
  sample: {path: C:\Sms.ini, readable: true, phase: installed, setup_phase: installed, copy_list_version: '1', logon_server: LOGON01}
after:
  description: What it says afterwards.
  returned: success
  type: dict
  sample: {path: C:\Sms.ini, readable: true, phase: verify_files, setup_phase: verify_files, copy_list_version: '2', logon_server: LOGON01}
exit_code:
  description: Exit code of the script, null if it was not run or was ended.
  returned: success
  type: int
  sample: 0
stdout:
  description: What it printed, at most 4000 characters from its beginning and end.
  returned: success
  type: str
  sample: Phase 1 complete
stderr:
  description: The same of its error output.
  returned: success
  type: str
  sample: ''
logon_server:
  description: The logon server.
  returned: success
  type: str
  sample: LOGON01
snapshot:
  description: Directory on the client with C(Sms.ini) and the registry keys of the agent as they were; null if the script was not run.
  returned: success
  type: str
  sample: C:\Windows\sms.helpdesk\20261127T090000Z
state:
  description: State of the client afterwards, as in RV(sms.helpdesk.client_status_info#module:state).
  returned: success
  type: str
  sample: pending
agent_build:
  description: As in RV(sms.helpdesk.client_status_info#module:agent_build).
  returned: success
  type: str
  sample: original
pending:
  description: What is still to come, as in RV(sms.helpdesk.client_status_info#module:pending).
  returned: success
  type: list
  elements: str
  sample: [flagged, download, logon]
message:
  description: The state in one sentence.
  returned: success
  type: str
  sample: >-
    pc07 is told to update and does so when somebody logs on after a restart, unless a program of SMS runs then (Q125978).
service:
  description: As in RV(sms.helpdesk.client_status_info#module:service).
  returned: success
  type: dict
  sample: {name: Wuser32, exists: true, state: Running, start_mode: Auto}
conflicts:
  description: As in RV(sms.helpdesk.client_status_info#module:conflicts).
  returned: success
  type: list
  elements: dict
  sample: []
ports:
  description: As in RV(sms.helpdesk.client_status_info#module:ports).
  returned: success
  type: list
  elements: dict
  sample: [{port: 1761, protocol: tcp, purpose: Remote Reboot/Execute, status: free, dynamic_range: false, endpoints: []}]
host:
  description: As in RV(sms.helpdesk.client_status_info#module:host).
  returned: success
  type: dict
  sample: {os_version: 10.0.19045, netstat_has_pids: true}
warnings:
  description: As in RV(sms.helpdesk.client_status_info#module:warnings).
  returned: success
  type: list
  elements: str
  sample: []
reason:
  description: >-
    The class of a failure, such as V(share-denied), V(share-not-found), V(drive-in-use), V(not-replicated), V(port-taken),
    V(build-undetermined), V(no-logon-server), V(snapshot-refused), V(script-ended), V(not-flagged) or V(credentials).
  returned: failure
  type: str
  sample: share-denied
"""
