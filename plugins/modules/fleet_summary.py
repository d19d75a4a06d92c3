# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_summary
short_description: Print what was found about the clients of a whole play
version_added: 1.0.0
description:
  - Gathers the registered results of M(sms.helpdesk.port_conflict_info) of all hosts of the play and prints counts, then the conflicts one
    a line, worst first, then the hosts that could not be judged or reached, with the reason.
  - With O(subject=clients) the results are those of M(sms.helpdesk.client_status_info), and the lines are those of
    M(sms.helpdesk.compliance_report).
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
    description: Names of the variables the result of each host was registered in, the one that counts most first.
    type: list
    elements: str
    default: [port_audit_result]
  subject:
    description: What the results tell, the V(ports) or where the V(clients) stand.
    type: str
    choices: [ports, clients]
    default: ports
    version_added: 1.2.0
  title:
    description: What the first line begins with; V(Port conflicts) or V(Clients) if it is not given.
    type: str
    version_added: 1.2.0
  hosts:
    description: The hosts to summarise; all hosts of the play, reached or not, if it is not given.
    type: list
    elements: str
  max_fail_percentage:
    description:
      - Fails, and with it every host of the play, if more hosts than this percentage are unreachable or failed. At the end of a wave it
        keeps the next one from beginning.
      - A result that failed and was rescued counts, as Ansible's own C(max_fail_percentage) does not.
    type: float
    default: 100.0
    version_added: 1.2.0
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
  description: >-
    How many hosts are in each state; with O(subject=clients) the states of
    RV(sms.helpdesk.client_status_info#module:state), V(unreachable), V(failed) and V(skipped).
  returned: always
  type: dict
  sample: {conflict: 2, inconclusive: 1, clear: 8, unreachable: 1, failed: 0, not audited: 0}
hosts:
  description: The names of the hosts in each state, sorted.
  returned: always
  type: dict
  sample: {conflict: [pc07, pc12]}
reasons:
  description: How many hosts could not be audited for which reason.
  returned: always
  type: dict
  sample: {credentials: 1}
lines:
  description: What was printed.
  returned: always
  type: list
  elements: str
  sample: ['Port conflicts: 12 clients: 2 conflict, 1 inconclusive, 8 clear, 1 unreachable']
"""
