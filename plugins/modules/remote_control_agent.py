# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: remote_control_agent
short_description: Start, restart, stop, disable or restore the remote control agent of a Windows client
version_added: 1.0.0
description:
  - Brings the service of the remote control agent into a state. Whatever stops or disables it first keeps its start type and state in the
    registry of the client (C(HKLM\SOFTWARE\sms.helpdesk.Wuser32)), so that O(state=restored) can put back exactly that, also from another
    controller and after an interrupted run.
  - Uses C(sc) and WMI over the WinRM connection of the host, without PowerShell.
author:
  - The sms.helpdesk contributors (@sms-helpdesk)
extends_documentation_fragment:
  - sms.helpdesk.attributes
  - sms.helpdesk.attributes.client
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: partial
    details: Each run with O(state=restarted) restarts the service.
options:
  state:
    description:
      - The state to reach.
      - V(started) means that it runs. A service that this collection had disabled gets its start type back; one that somebody else
        disabled is an error. What was kept of an older state is forgotten, so that a later O(state=restored) does not go back to it.
      - V(restarted) means that it runs, and has been stopped and started if it ran already. Otherwise it is V(started). Added in
        version 1.2.0.
      - V(stopped) means that it does not run; its start type stays.
      - V(disabled) means that its start type is disabled and it does not run. This is how Q229097 begins its diagnosis.
      - V(restored) means that start type and state are what they were before this collection first changed them. Nothing happens if it
        never did.
    type: str
    required: true
    choices: [started, restarted, stopped, disabled, restored]
  service:
    description: The key name of the service.
    type: str
    default: Wuser32
  timeout:
    description: Seconds a start or stop may take. An agent that looks up its permitted viewers may take minutes to stop (Q173594).
    type: int
    default: 180
notes:
  - A client without the service is in the states V(stopped), V(disabled) and V(restored) already.
seealso:
  - module: sms.helpdesk.client_restart
  - module: sms.helpdesk.port_conflict_info
"""

EXAMPLES = r"""
- name: Disable the agent for the diagnosis of Q229097
  sms.helpdesk.remote_control_agent:
    state: disabled

- name: Put it back as it was
  sms.helpdesk.remote_control_agent:
    state: restored
"""

RETURN = r"""
service:
  description: The service as it is afterwards, or would be in check mode.
  returned: success
  type: dict
  contains:
    name:
      description: The key name.
      type: str
      sample: Wuser32
    exists:
      description: Whether it is installed.
      type: bool
      sample: true
    start_mode:
      description: Its start type in WMI's words, V(Auto), V(Manual) or V(Disabled). Absent if it is not installed.
      type: str
      sample: Disabled
    state:
      description: Its state in WMI's words. Absent if it is not installed.
      type: str
      sample: Stopped
remembered:
  description: What was kept on the client when the task began, null if nothing was.
  returned: success
  type: dict
  contains:
    start_mode:
      description: The start type before this collection changed it.
      type: str
      sample: Auto
    state:
      description: The state before this collection changed it.
      type: str
      sample: Running
    delayed:
      description: Whether its automatic start was a delayed one, and is set to that again.
      type: bool
      sample: false
reason:
  description: The class of what went wrong, for example V(service-timeout), V(service-refused), V(service-disabled) or V(credentials).
  returned: failure
  type: str
  sample: service-timeout
"""
