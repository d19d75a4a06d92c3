# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the modules share which judge ports. Private to the collection."""

from __future__ import annotations


class ModuleDocFragment:
    """Which ports are judged; what counts as the agent's and as a conflict."""

    DOCUMENTATION = r"""
options:
  port_set:
    description:
      - Which of the help desk's ports to judge. Not looked at if O(ports) is given.
      - V(original) are the ports 1761-1764 the agent uses before the hotfix.
      - V(hotfix) are the ports 2701-2704 it uses afterwards.
      - V(all) are both, as long as a fleet has both.
    type: str
    default: all
    choices: [original, hotfix, all]
  ports:
    description:
      - Judge these ports instead of O(port_set).
      - An empty list, a port outside 1-65535, and the same port and protocol twice are errors.
    type: list
    elements: dict
    suboptions:
      port:
        description: The port number, 1 to 65535.
        type: int
        required: true
      protocol:
        description: The protocol; the two are different ports to Windows.
        type: str
        default: both
        choices: [tcp, udp, both]
      purpose:
        description: What the port is needed for; repeated in the messages.
        type: str
        default: ''
"""

    EVIDENCE = r"""
options:
  expected_processes:
    description:
      - Image names of the agent, compared without case. Their sockets have the status V(agent) and are no conflicts.
      - An empty list means that nothing is expected on the ports, as after the agent was disabled.
    type: list
    elements: str
    default: [wuser32.exe]
  reserved_ranges:
    description: >-
      Whether a port inside an excluded port range (C(netsh interface ipv4 show excludedportrange)) is a conflict. Hyper-V and WSL reserve
      such blocks; nothing listens there and yet no program can bind.
    type: bool
    default: true
"""
