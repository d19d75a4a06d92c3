# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: compliance_report
short_description: Write one report about a fleet as HTML, JSON, CSV and JUnit
version_added: 1.2.0
description:
  - Gathers what the modules of this collection returned about all clients and servers of a run, or what earlier and parallel runs wrote, to
    one record for each host, with the class of the reason for hosts that could not be reached, and writes a report on the controller.
  - C(report.html) is one file without outside resources. C(report.json) has the schema in the guide C(docs/compliance_report.md).
    C(report.csv) is for spreadsheets. C(report.xml) is JUnit's, with every check a test case.
  - Files are written whole or not at all. The report that was there goes to the directory C(previous) below O(dest), and the new one says
    what has changed since.
  - Runs once for all hosts and contacts none.
author:
  - The sms.helpdesk contributors (@sms-helpdesk)
extends_documentation_fragment:
  - sms.helpdesk.attributes
attributes:
  check_mode:
    support: full
    details: It judges and writes nothing.
  diff_mode:
    support: none
    details: The report itself says what has changed.
  idempotent:
    support: full
    details: A report is written each time, with its time. It counts as a change if a host is in another state than in the report before.
options:
  dest:
    description: The directory on the controller the report is written to. It is made if it is not there.
    type: path
    required: true
  formats:
    description: What to write. Files of other formats that are left from the report before are moved to C(previous).
    type: list
    elements: str
    choices: [html, json, csv, junit]
    default: [html, json, csv, junit]
  title:
    description: The title of the report.
    type: str
    default: Help desk compliance
  fail_on:
    description:
      - States that the policy does not allow. If any host is in one of them, the task fails once the report is written.
      - The article advises to fix only the systems that are affected. V([conflict]) is that policy. Clients with the original agent and no
        conflict then pass, and the report says to leave them.
      - V(unreachable) and V(failed) make a run fail that could not see everything.
    type: list
    elements: str
    default: [conflict, vulnerable]
  records:
    description:
      - Earlier or parallel reports to put together with the results of this run. Each is the path of a C(report.json) on the controller, of
        a JSON file with a list of records, or a record itself. What a module returned is one once it has C(inventory_hostname).
      - Paths are relative to the directory the run is started in, or else to the playbook.
      - Of several records of one host the newest counts, and of equally old ones the last. One that says the host was skipped counts only
        if there is no other.
    type: list
    elements: raw
    default: []
  clients:
    description: >-
      The clients to report. All hosts of the group C(sms_clients), and whatever other host of the play registered results, if it is not
      given. A host without results is reported as skipped.
    type: list
    elements: str
  servers:
    description:
      - The site servers and consoles to report, all hosts of C(sms_site_servers) and C(sms_admin_consoles) if it is not given.
      - Logon servers are reported with the site server they were compared with.
    type: list
    elements: str
  port_results:
    description: Name of the variable in which the clients registered M(sms.helpdesk.port_conflict_info).
    type: str
    default: port_audit_result
  status_results:
    description: Name of the variable in which the clients registered the state of their agent. What it says goes before O(port_results).
    type: str
    default: client_status_result
  stage_results:
    description: Name of the variable in which the servers registered M(sms.helpdesk.hotfix_files), normally in check mode.
    type: str
    default: hotfix_stage_result
  replication_results:
    description: Name of the variable in which the site servers registered M(sms.helpdesk.hotfix_replication_info).
    type: str
    default: hotfix_stage_replication_result
  package_results:
    description: Name of the variable in which the servers registered M(sms.helpdesk.hotfix_package_info).
    type: str
    default: hotfix_package_result
seealso:
  - module: sms.helpdesk.port_conflict_info
  - module: sms.helpdesk.fleet_summary
  - module: sms.helpdesk.hotfix_replication_info
"""

EXAMPLES = r"""
- name: Report what this run found
  sms.helpdesk.compliance_report:
    dest: reports/helpdesk

- name: Put the reports of three slices of the fleet together
  sms.helpdesk.compliance_report:
    dest: reports/fleet
    clients: []
    servers: []
    records:
      - reports/slice1/report.json
      - reports/slice2/report.json
      - reports/slice3/report.json

- name: Fix only what is affected, as the article advises
  sms.helpdesk.compliance_report:
    dest: reports/helpdesk
    formats: [html, junit]
    fail_on: [conflict]
"""

RETURN = r"""
files:
  description: The files that were written, or would be in check mode.
  returned: when the input was right
  type: list
  elements: str
  sample: [reports/helpdesk/report.html, reports/helpdesk/report.json]
counts:
  description: How many clients there are, and how many are in each state.
  returned: when the input was right
  type: dict
  sample: {total: 12, conflict: 3, clear: 8, unreachable: 1}
servers:
  description: How many servers there are, and how many are in each state.
  returned: when the input was right
  type: dict
  sample: {total: 3, staged: 1, replicated: 1, stale: 1}
reasons:
  description: How many hosts could not be looked at for which reason.
  returned: when the input was right
  type: dict
  sample: {refused: 1}
passed:
  description: Whether no host is in a state of O(fail_on).
  returned: when the input was right
  type: bool
  sample: false
failing:
  description: The hosts that are.
  returned: when the input was right
  type: list
  elements: str
  sample: [pc03, pc07, pc12]
lines:
  description: What was printed.
  returned: when the input was right
  type: list
  elements: str
  sample: ['Compliance: 12 clients: 3 conflict, 8 clear, 1 unreachable']
reason:
  description: >-
    V(policy) if the report was written and a host is in a state of O(fail_on); V(bad-argument), V(bad-records), V(file-unreadable) or
    V(not-written) if there is no new report.
  returned: failure
  type: str
  sample: policy
"""
