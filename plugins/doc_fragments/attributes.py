# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that the documentation of several modules shares. Private to the collection."""

from __future__ import annotations


class ModuleDocFragment:
    """How the modules of this collection behave; each says itself what it supports."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action:
    description: Runs as an action plugin on the controller; nothing is copied to the client and no PowerShell is started there.
    support: full
  async:
    description: Can be run with the C(async) keyword.
    support: none
    details: It runs on the controller.
  check_mode:
    description: Can run in check mode and says what it would do without doing it.
  diff_mode:
    description: Says in diff mode what changed.
  idempotent:
    description: A second run changes nothing.
  platform:
    description: Systems it works against.
    platforms: windows
    support: full
"""

    CLIENT = r"""
options: {}
requirements:
  - pywinrm >= 0.5.0 on the controller
  - defusedxml >= 0.7.1 on the controller
notes:
  - The client is reached through the connection of the host, which must be P(ansible.builtin.winrm#connection) with whatever transport,
    port and certificates the inventory gives it. Any other connection plugin ends in one clear error.
  - Trouble with the connection is reported as C(unreachable), with the host, the cause and the next step in one sentence.
  - The account must be an administrator of the client. A local account other than the built-in one is cut down by
    C(LocalAccountTokenFilterPolicy), see
    L(Remote UAC,https://learn.microsoft.com/troubleshoot/windows-server/windows-security/user-account-control-and-remote-restriction).
"""
