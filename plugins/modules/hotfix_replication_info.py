# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hotfix_replication_info
short_description: Tell which logon server has which file of the hotfix, and wait until all have them
version_added: 1.1.0
description:
  - Maintenance Manager copies what was staged on the site server to the logon servers in its own time, and leaves no mark when it is done.
    So
    this module compares by content what every logon server has with what the site server has, or with the package.
  - Clients that are upgraded before their logon server has the files get the old ones and do not come back for the new.
  - Run it for each logon server with O(root), or once for all of them with O(logon_servers); then they are asked side by side, and
    O(wait_timeout) waits for all of them together.
  - It never writes anything.
author:
  - The sms.helpdesk contributors (@sms-helpdesk)
extends_documentation_fragment:
  - sms.helpdesk.attributes
  - sms.helpdesk.hotfix
  - sms.helpdesk.hotfix.platforms
  - sms.helpdesk.hotfix.server
attributes:
  check_mode:
    support: full
    details: It only reads. In check mode it looks once and does not wait.
  diff_mode:
    support: none
    details: It changes nothing.
  idempotent:
    support: full
options:
  root:
    description:
      - The share C(SMS_SHR) of the logon server the task runs for (V(\\\\logon01\\SMS_SHR)), or the directory on the controller where it
        is mounted.
      - Exactly one of O(root) and O(logon_servers) is needed.
    type: str
  logon_servers:
    description:
      - The logon servers to look at, by their names in the inventory.
      - Where each is looked at, its own variables say. C(sms_root) is its share C(SMS_SHR) or the directory on the controller where that
        is mounted,
        C(\\ansible_host\SMS_SHR) if it is not set; C(sms_port) is the port, O(port) if it is not set; C(ansible_user) and
        C(ansible_password)
        are the account unless O(username) and O(password) are given.
    type: list
    elements: str
  site_root:
    description:
      - The SMS directory of the site server, as O(sms.helpdesk.hotfix_files#module:root). Its files are what the logon servers should have.
      - Exactly one of O(site_root) and O(package) is needed.
    type: str
  site_port:
    description: The TCP port of SMB on the site server.
    type: int
    default: 445
  site_username:
    description: The account that connects to the site server. Without it, C(ansible_user) of the host the task runs for.
    type: str
  site_password:
    description: Its password. Without it, C(ansible_password) of the host the task runs for.
    type: str
  package:
    description: The directory of a package on the controller. Its files are what the logon servers should have.
    type: path
  wait_timeout:
    description: Seconds to wait at most until every server has every file. V(0) looks once.
    type: int
    default: 0
  wait_interval:
    description: Seconds between two looks, each of which says how many servers are done.
    type: int
    default: 30
notes:
  - It does not fail if servers lag behind when the time is up; RV(replicated) says so.
seealso:
  - module: sms.helpdesk.hotfix_files
"""

EXAMPLES = r"""
- name: See how far the logon server is
  sms.helpdesk.hotfix_replication_info:
    root: \\{{ inventory_hostname }}\SMS_SHR
    site_root: \\siteserver\SMS_SHRD
  register: replication

- name: Wait up to four hours for both logon servers of the site
  sms.helpdesk.hotfix_replication_info:
    logon_servers: "{{ groups['sms_logon_servers'] }}"
    package: files/Q229097
    wait_timeout: 14400
    wait_interval: 120
  register: replication
  failed_when: not replication.replicated
"""

RETURN = r"""
replicated:
  description: Whether every server has every file.
  returned: success
  type: bool
  sample: false
servers:
  description: One entry for each logon server.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name in the inventory.
      type: str
      sample: logon02
    root:
      description: Where was looked.
      type: str
      sample: \\logon02.example.com\SMS_SHR
    status:
      description: V(replicated); V(missing) if any file is missing, else V(stale) if any is another; V(unreachable) if it could not be
        looked at.
      type: str
      sample: stale
    done:
      description: How many files it has.
      type: int
      sample: 5
    total:
      description: How many files it should have.
      type: int
      sample: 6
    message:
      description: What is wrong, file by file, or why it could not be looked at.
      type: str
      sample: Wuser32.exe for x86 is still another file, 170,720 bytes of 1998-10-05 (Q192788).
    reason:
      description: The class of why it could not be looked at, as in RV(reason); null if it could.
      type: str
      sample: timeout
files:
  description: One entry for each file on each server that could be looked at.
  returned: success
  type: list
  elements: dict
  contains:
    server:
      description: The logon server.
      type: str
      sample: logon02
    name:
      description: The file.
      type: str
      sample: Wuser32.exe
    platform:
      description: Its platform.
      type: str
      sample: x86
    destination:
      description: Where it is or should be.
      type: str
      sample: \\logon02.example.com\SMS_SHR\X86.bin\WUSER32.EXE
    status:
      description:
        - V(replicated), the content is that of the site server or package.
        - V(stale), it is another content, or a file the site server does not have.
        - V(missing), there is none.
      type: str
      sample: stale
    expected:
      description: What should be there, null for nothing.
      type: dict
      contains:
        size:
          description: Its size in bytes.
          type: int
          sample: 170720
        sha256:
          description: The hash of its content.
          type: str
          sample: 5d5b09f6dcb2d53a5fffc60c4ac0d55fabdf556069d6631545f42aa6e3500f2e
    found:
      description: What is there, null for nothing.
      type: dict
      contains:
        size:
          description: Its size in bytes.
          type: int
          sample: 170720
        time:
          description: The time of its last change, ISO 8601 in UTC.
          type: str
          sample: '1998-10-05T16:04:00+00:00'
        sha256:
          description: The hash of its content.
          type: str
          sample: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        build:
          description: The build it seems to be by size and date.
          type: str
          sample: Q192788
    message:
      description: One sentence.
      type: str
      sample: Wuser32.exe for x86 is still another file, 170,720 bytes of 1998-10-05 (Q192788).
lagging:
  description: The names of the servers that do not have every file.
  returned: success
  type: list
  elements: str
  sample: [logon02]
waited:
  description: Seconds that were waited.
  returned: success
  type: int
  sample: 3600
message:
  description: How far it is, in one sentence.
  returned: success
  type: str
  sample: 1 of 2 logon servers has every file after 3600 s; logon02 (5 of 6 files) lags behind.
causes:
  description: The usual causes of a server that lags behind, with what to look at; empty if none does.
  returned: success
  type: list
  elements: str
  sample: []
reason:
  description: >-
    One stable word for what went wrong, for counting. The words are listed in the guide C(docs/staging_the_hotfix.md).
  returned: failure
  type: str
  sample: access-denied
"""
