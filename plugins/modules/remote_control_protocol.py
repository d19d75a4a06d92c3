# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: remote_control_protocol
short_description: Set the protocol of the remote control agent, and back
version_added: 1.2.0
description:
  - The workaround of Q229097. An agent of SMS 1.2 that uses NetBIOS sessions or IPX needs none of the ports 1761-1764.
  - Sets C(CommandLine) below C(Remote Control\Parameters), and C(Override Site CommandLine) one key above, which keeps an update from
    setting the site's protocol again (Q170440, Q173120). Both keep their types. On 64-bit Windows the keys below C(Wow6432Node) count.
  - What both were is first kept in the registry of the client (C(HKLM\SOFTWARE\sms.helpdesk.protocol)), so that O(protocol=ip) can put
    back exactly that, also from another controller.
  - The service is restarted if something was changed and it runs; without that the agent goes on as before (Q173594). A run that was
    interrupted before the restart is completed by the next one.
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
    support: full
options:
  protocol:
    description:
      - V(netbios) and V(ipx) set the workaround.
      - V(ip) puts back what was there before, the override first. Where this collection kept nothing, C(CommandLine) becomes V(-IP) and
        the override stays as it is.
    type: str
    required: true
    choices: [ip, netbios, ipx]
  lana:
    description: >-
      The LANA number of O(protocol=netbios), 0 to 255. It has to exist in the client's NetBIOS Interface; that of NetBT is usually 0.
    type: int
    default: 0
  override:
    description:
      - Whether C(Override Site CommandLine) is set to 1 with O(protocol=netbios) or O(protocol=ipx). Without it the next update of the
        client goes back to the protocol of the site.
      - With V(false) it stays as it is.
    type: bool
    default: true
  command_line_type:
    description: Type of C(CommandLine) where there is none yet. No article says which it has; one that is there keeps its own.
    type: str
    default: REG_SZ
    choices: [REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ]
  override_type:
    description: The same of C(Override Site CommandLine).
    type: str
    default: REG_DWORD
    choices: [REG_DWORD, REG_SZ]
  service:
    description: The key name of the service of the agent.
    type: str
    default: Wuser32
  timeout:
    description: Seconds a start or stop of the service may take.
    type: int
    default: 180
notes:
  - The Administrator's computer needs NetBIOS as well, and firewalls the ports 137-139. Names of 15 characters, and names that are kept in
    lower case, cannot be reached over NetBIOS; the module warns of both.
  - A client that has no agent of SMS 1.2 is an error, except with O(protocol=ip), for which nothing is to be done there.
seealso:
  - module: sms.helpdesk.client_status_info
  - module: sms.helpdesk.remote_control_agent
"""

EXAMPLES = r"""
- name: Work around the conflict
  sms.helpdesk.remote_control_protocol:
    protocol: netbios

- name: Put back what was there
  sms.helpdesk.remote_control_protocol:
    protocol: ip
"""

RETURN = r"""
protocol:
  description: What is set afterwards, or would be in check mode.
  returned: success
  type: dict
  contains:
    command_line:
      description: The value C(CommandLine), null if there is none.
      type: str
      sample: -L0
    override:
      description: The value C(Override Site CommandLine), null if there is none.
      type: str
      sample: '1'
    protocol:
      description: V(ip), V(netbios), V(ipx), or null if C(CommandLine) names none, which means IP.
      type: str
      sample: netbios
    lana:
      description: The LANA number of V(netbios).
      type: int
      sample: 0
restarted:
  description: Whether the service was restarted, or would be in check mode.
  returned: success
  type: bool
  sample: true
remembered:
  description: What was kept when the module began, with the keys of RV(protocol); null if nothing was.
  returned: success
  type: dict
  sample: null
warnings:
  description: What to know before such a client is reached. Each begins with the name of the host.
  returned: success
  type: list
  elements: str
  sample: []
reason:
  description: The class of a failure, for example V(not-sms-1.2), V(registry-refused), V(service-timeout) or V(credentials).
  returned: failure
  type: str
  sample: not-sms-1.2
"""
