# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: client_restart
short_description: Restart a Windows client once and wait until it is back
version_added: 1.0.0
description:
  - Asks the client to restart with C(shutdown), exactly once, and waits until it answers again with a new boot time.
  - A client that was already about to restart is waited for and not asked again.
  - A restart is proven by the time the client has been up, so a clock that is set, or wrong after the restart, does not matter.
  - Nobody is asked to log off. Who is logged on at the screen is named in a warning and in RV(logged_on).
  - Uses WMI over the WinRM connection of the host, without PowerShell.
author:
  - The sms.helpdesk contributors (@sms-helpdesk)
extends_documentation_fragment:
  - sms.helpdesk.attributes
  - sms.helpdesk.attributes.client
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: A restart has nothing to compare.
  idempotent:
    support: partial
    details: Each run is one restart, unless O(since_boot) or O(once_for) says which one is meant.
options:
  delay:
    description: Seconds Windows waits before it shuts down, so that the user at the screen can read O(message) and save.
    type: int
    default: 5
  message:
    description: What the user at the screen is told. At most 512 characters, without quotation marks, percent signs and line breaks.
    type: str
    default: The help desk restarts this computer.
  down_timeout:
    description: Seconds after O(delay) within which the client must have gone down.
    type: int
    default: 300
  up_timeout:
    description: Seconds after it went down within which it must answer again.
    type: int
    default: 600
  since_boot:
    description:
      - The boot time at which the restart was decided on, as RV(boot_time_before) returned it. A client that has been started since then
        is not restarted again, whoever started it. So a task that is tried again after a broken connection, or a play that is run again
        after its controller died, does not restart a client twice.
      - Two boot times that differ by 30 seconds or less are taken for the same one, because a clock that is set moves them.
      - Mutually exclusive with O(once_for).
    type: str
    version_added: 1.2.0
  once_for:
    description:
      - What the restart is for, in a few words. A client that was restarted for the same thing last time is not restarted again. It is
        kept in the registry of the client, in C(HKLM\SOFTWARE\sms.helpdesk.restart), so it also counts for other controllers and after
        days.
      - At most 100 letters, digits, blanks, dots, commas, colons, slashes, hyphens and underscores.
      - Mutually exclusive with O(since_boot).
    type: str
    version_added: 1.2.0
notes:
  - A client that stays up and a client that stays away are different errors, V(did-not-go-down) and V(did-not-come-back).
seealso:
  - module: sms.helpdesk.remote_control_agent
"""

EXAMPLES = r"""
- name: Restart, with five minutes of notice
  sms.helpdesk.client_restart:
    delay: 300
    message: The help desk restarts this computer in five minutes to repair remote control. Please save your work.

- name: Decide on a restart
  sms.helpdesk.client_restart:
  check_mode: true
  register: decision

- name: Restart, once, however often this is tried
  sms.helpdesk.client_restart:
    since_boot: "{{ decision.boot_time_before }}"

- name: Restart, once for this change
  sms.helpdesk.client_restart:
    once_for: change CHG0042
"""

RETURN = r"""
boot_time_before:
  description: When the client had been started, by its own clock, ISO 8601. O(since_boot) if it had been started since then.
  returned: success
  type: str
  sample: '2026-03-02T07:58:11.500000+00:00'
boot_time_after:
  description: When it was started now.
  returned: when it was restarted, by this task or since O(since_boot)
  type: str
  sample: '2026-03-05T12:01:40.250000+00:00'
elapsed:
  description: Seconds from the request until the client answered with its new boot time.
  returned: when it was restarted
  type: float
  sample: 74.2
logged_on:
  description:
    - Who was logged on at the screen when the task began, null if nobody was or WMI does not tell.
    - People in remote sessions are not seen.
  returned: success
  type: str
  sample: EXAMPLE\anna
reason:
  description: The class of what went wrong, for example V(did-not-go-down), V(did-not-come-back), V(restart-refused) or V(note-refused).
  returned: failure
  type: str
  sample: did-not-come-back
"""
