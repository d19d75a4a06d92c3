# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_audit
short_description: Tell which help desk ports are free on thousands of Windows clients, from one task
version_added: 1.0.0
description:
  - Asks every client what M(sms.helpdesk.port_conflict_info) asks, and judges it with the same code, but from a few processes with threads
    instead of a forked worker and a task for each host.
  - Runs once for all hosts of the play. The connection options of each host are those its own P(ansible.builtin.winrm#connection)
    connection has in this play, from variables, vaults and templates.
  - A host that does not answer is a record with a RV(records[].reason), not a failure of the task, and costs nobody else's time.
  - There is one connection to an address at a time. Shells are deleted, also when the time is over or the run is interrupted.
author:
  - The sms.helpdesk contributors (@sms-helpdesk)
extends_documentation_fragment:
  - sms.helpdesk.attributes
  - sms.helpdesk.attributes.client
  - sms.helpdesk.ports
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
  status:
    description:
      - Asks what M(sms.helpdesk.client_status_info) asks instead, so that every record says where the client stands.
      - It needs all ports of the help desk, so O(ports) and O(port_set) have to stay as they are.
    type: bool
    default: false
    version_added: 1.2.0
  service:
    description: The key name of the service of the agent, with O(status).
    type: str
    default: Wuser32
    version_added: 1.2.0
  language:
    description: As in M(sms.helpdesk.client_status_info), with O(status).
    type: str
    default: en
    version_added: 1.2.0
  sha256:
    description: As in M(sms.helpdesk.client_status_info), with O(status).
    type: bool
    default: false
    version_added: 1.2.0
  hosts:
    description:
      - Names from the inventory; all hosts of the play that are still reachable, if it is not given.
      - A name that is given twice is asked once. A name that is not in the inventory is an error.
    type: list
    elements: str
  concurrency:
    description:
      - How many hosts are asked at the same time.
      - It is lowered, with a warning, where the limit of open files of the controller does not allow as many.
    type: int
    default: 100
  connect_timeout:
    description: Seconds to set up a connection; never more than the read time-out of the connection of the host.
    type: float
    default: 15.0
  host_deadline:
    description: Seconds for all that is asked of one host, however slowly it goes on answering.
    type: float
    default: 120.0
  deadline:
    description: Seconds for the whole run. Hosts that are not judged by then have the reason V(run-deadline).
    type: float
    default: 3600.0
  retries:
    description: >-
      How often a host is asked again after a cut connection, an exhausted quota or a lack of file descriptors, each time after a longer
      pause. Time-outs and refused credentials are not tried again.
    type: int
    default: 1
notes:
  - Only the host it runs on has what is registered, unless the task says C(run_once=true).
  - It runs on the first host of the play that is still reachable, so it does nothing in a play that has lost every host.
  - On a terminal it says every two seconds how far it is. Where the output is not a terminal it says nothing.
seealso:
  - module: sms.helpdesk.port_conflict_info
  - module: sms.helpdesk.fleet_summary
"""

EXAMPLES = r"""
- name: Ask the whole fleet
  sms.helpdesk.fleet_audit:
    concurrency: 200
    deadline: 1800
  run_once: true
  register: port_audit_result

- name: Say what the fleet looks like
  sms.helpdesk.fleet_summary:

- name: Ask the whole fleet where it stands
  sms.helpdesk.fleet_audit:
    status: true
  run_once: true
  register: client_status_result
"""

RETURN = r"""
records:
  description: >-
    One entry for each host, in the order of the hosts, with what M(sms.helpdesk.port_conflict_info) returns for it, or with O(status) what
    M(sms.helpdesk.client_status_info) does. C(failed) or C(unreachable), C(msg) and C(reason) for a host that was not judged.
  returned: success
  type: list
  elements: dict
  contains:
    inventory_hostname:
      description: The name of the host.
      type: str
      sample: pc07
    verdict:
      description: As the return value of M(sms.helpdesk.port_conflict_info), like all the others.
      type: str
      sample: clear
    reason:
      description: The class of what kept the host from being judged.
      type: str
      sample: timeout
counts:
  description: How many hosts are in each state; with O(status), of the states of M(sms.helpdesk.compliance_report).
  returned: success
  type: dict
  sample: {conflict: 2, inconclusive: 1, clear: 8, unreachable: 1, failed: 0, not audited: 0}
reasons:
  description: How many hosts were not judged for which reason.
  returned: success
  type: dict
  sample: {credentials: 1}
reason:
  description: The class of what is wrong with the arguments or the controller, for example V(bad-argument).
  returned: failure
  type: str
  sample: bad-argument
warnings:
  description: What was done differently from what was asked for.
  returned: success
  type: list
  elements: str
  sample: []
"""
