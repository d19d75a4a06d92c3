# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: copy_list_refresh
short_description: Make every client of a site look at its files, once for what is staged
version_added: 1.2.0
description:
  - The site-wide update of Q166771. Gives C(System.map) of a site server a new time, and nothing else, so that Maintenance Manager
    regenerates the copy lists with a new C(CopyListVersion). Every client then looks at all its files at its next logon.
  - It touches clients of every operating system, not only those the hotfix is for, and may reach secondary sites. So it does nothing unless
    O(touch_every_client) is true.
  - Nothing is touched unless what is staged is the hotfix and has arrived on every logon server. Clients that look too early compare with
    the old files, note the new version, and do not come back.
  - What was touched is remembered on the site server, beside the backups, in C(sms.helpdesk\\refresh). A build that was staged and touched
    is not touched again, by whichever controller.
  - The content of C(System.map) is read before and after and has to be the same.
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
    details: It proves everything and touches nothing. It does not wait.
  diff_mode:
    support: full
    details: The time of C(System.map) before and after.
  idempotent:
    support: full
    details: With O(force) it touches each time.
options:
  root:
    description:
      - The SMS directory of the site server, as O(sms.helpdesk.hotfix_files#module:root).
    type: str
    required: true
  logon_servers:
    description:
      - All logon servers of the site, by their names in the inventory, as O(sms.helpdesk.hotfix_replication_info#module:logon_servers).
    type: list
    elements: str
    required: true
  touch_every_client:
    description: Has to be V(true). It says that every client of the site, of every operating system, may be updated at its next logon.
    type: bool
    default: false
  force:
    description: Touches C(System.map) again although it was touched for what is staged.
    type: bool
    default: false
  wait_timeout:
    description: >-
      Seconds to wait until the copy lists of the site server and of every logon server are new. V(0) looks once. It is no error if they are
      not; RV(regenerated) tells.
    type: int
    default: 0
  wait_interval:
    description: Seconds between two looks.
    type: int
    default: 30
notes:
  - Never edit C(System.map). A damaged one can break the site (Q166771, Q122179).
  - No client is touched at once. One whose user never logs off looks when a monitor of SMS wakes it, if it has Service Pack 3 or later
    (Q174961).
seealso:
  - module: sms.helpdesk.hotfix_replication_info
  - module: sms.helpdesk.client_upgrade
"""

EXAMPLES = r"""
- name: Update the whole site in the change window
  sms.helpdesk.copy_list_refresh:
    root: \\siteserver.example.com\SMS_SHRD
    logon_servers: "{{ groups['sms_logon_servers'] }}"
    touch_every_client: true
    wait_timeout: 14400
"""

RETURN = r"""
action:
  description: V(touched), V(would-touch) (in check mode), or V(already-done).
  returned: success
  type: str
  sample: touched
system_map:
  description: The file.
  returned: success
  type: dict
  contains:
    path:
      description: Where it is.
      type: str
      sample: \\siteserver\SMS_SHRD\System.map
    size:
      description: Its size in bytes.
      type: int
      sample: 183422
    sha256:
      description: The hash of its content, which is the same before and after.
      type: str
      sample: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    before:
      description: Its time before, ISO 8601 in UTC.
      type: str
      sample: '1998-11-02T09:15:00+00:00'
    after:
      description: Its time afterwards.
      type: str
      sample: '2026-11-27T09:15:00+00:00'
build:
  description: One hash for all that is staged; another build has another.
  returned: success
  type: str
  sample: 5d5b09f6dcb2d53a5fffc60c4ac0d55fabdf556069d6631545f42aa6e3500f2e
copy_lists:
  description: One entry for the site server and one for each logon server.
  returned: success
  type: list
  elements: dict
  contains:
    server:
      description: Its name in the inventory.
      type: str
      sample: logon02
    versions:
      description: C(CopyListVersion) of each copy list, by its name in lower case.
      type: dict
      sample: {cl_nt.txt: '891234568'}
    regenerated:
      description: Whether every list has another version than before the touch.
      type: bool
      sample: true
    message:
      description: One sentence.
      type: str
      sample: Its copy lists are new.
regenerated:
  description: Whether the lists of all servers are new.
  returned: success
  type: bool
  sample: true
lagging:
  description: Servers whose lists are not.
  returned: success
  type: list
  elements: str
  sample: []
reason:
  description: >-
    One stable word for what went wrong, such as V(not-confirmed), V(not-staged), V(not-replicated), V(map-missing), V(map-broken),
    V(memory-broken), V(not-verified), V(other-run) or one of those in the guide C(docs/staging_the_hotfix.md).
  returned: failure
  type: str
  sample: not-replicated
"""
