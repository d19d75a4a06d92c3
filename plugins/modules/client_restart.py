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
    support: none
    details: Each run is one restart.
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
"""

RETURN = r"""
boot_time_before:
  description: When the client had been started, by its own clock, ISO 8601.
  returned: success
  type: str
  sample: '2026-03-02T07:58:11.500000+00:00'
boot_time_after:
  description: When it was started now.
  returned: when it was restarted
  type: str
  sample: '2026-03-05T12:01:40.250000+00:00'
elapsed:
  description: Seconds from the request until the client answered with its new boot time.
  returned: when it was restarted
  type: float
  sample: 74.2
reason:
  description: The class of what went wrong, for example V(did-not-go-down), V(did-not-come-back) or V(restart-refused).
  returned: failure
  type: str
  sample: did-not-come-back
"""
