# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_summary
short_description: Print what the port audits of a whole play found
version_added: 1.0.0
description:
  - Gathers the registered results of M(sms.helpdesk.port_conflict_info) of all hosts of the play and prints counts, then the conflicts one
    a line, worst first, then the hosts that could not be judged or reached, with the reason.
  - Runs once for all hosts and contacts none.
author:
  - The sms.helpdesk contributors (@sms-helpdesk)
extends_documentation_fragment:
  - sms.helpdesk.attributes
attributes:
  check_mode:
    support: full
    details: It only prints.
  diff_mode:
    support: none
    details: It changes nothing.
  idempotent:
    support: full
options:
  results:
    description: Name of the variable the result of each host was registered in.
    type: str
    default: port_audit_result
  hosts:
    description: The hosts to summarise; all hosts of the play, reached or not, if it is not given.
    type: list
    elements: str
notes:
  - It runs on the first host of the play that is still reachable, so it prints nothing in a play that has lost every host.
seealso:
  - module: sms.helpdesk.port_conflict_info
"""

EXAMPLES = r"""
- name: Ask every client
  sms.helpdesk.port_conflict_info:
  register: port_audit_result

- name: Say what the fleet looks like
  sms.helpdesk.fleet_summary:
"""

RETURN = r"""
counts:
  description: How many hosts are in each state.
  returned: success
  type: dict
  sample: {conflict: 2, inconclusive: 1, clear: 8, unreachable: 1, failed: 0, not audited: 0}
hosts:
  description: The names of the hosts in each state, sorted.
  returned: success
  type: dict
  sample: {conflict: [pc07, pc12]}
reasons:
  description: How many hosts could not be audited for which reason.
  returned: success
  type: dict
  sample: {credentials: 1}
lines:
  description: What was printed.
  returned: success
  type: list
  elements: str
  sample: ['Port conflicts: 12 clients: 2 conflict, 1 inconclusive, 8 clear, 1 unreachable']
"""
