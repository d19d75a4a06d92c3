# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every forked worker needs, loaded and warmed once in the parent. Private to the collection.

Ansible loads an action's class before it forks, so whatever its module did by then is inherited. Measured with NTLM on
one core, for each host: loading pywinrm and the connection plugin in the worker costs 170 ms of CPU, the first NTLM
handshake of a process, whose cryptography is set up on first use, 10 ms more than every later one.
"""

from __future__ import annotations

import contextlib
import struct

import ansible.constants as C
from ansible.plugins.loader import connection_loader

# MS-NLMP 2.2.2.5: Unicode, target information, signing, sealing, extended session security, key exchange, version, 128 and 56 bits.
_FLAGS = 0xE28A8235


def preload() -> None:
    """Load and warm; called at the end of every action module. Never fails: what cannot be warmed is done by the worker."""
    with contextlib.suppress(Exception):
        connection_loader.get("ansible.builtin.winrm", class_only=True)
        C.config.get_configuration_definitions("connection", "winrm")
        _rehearse_ntlm()


def _rehearse_ntlm() -> None:
    """One NTLM handshake of made-up names with a made-up challenge, in memory."""
    import spnego  # not on top: without it an action has to load all the same and say what is missing

    context = spnego.client("user", "password", protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
    context.step()
    context.step(_challenge())
    context.wrap_winrm(b"rehearsal")


def _challenge() -> bytes:
    """A CHALLENGE_MESSAGE (MS-NLMP 2.2.1.2) of the domain TEST."""
    name = "TEST".encode("utf-16-le")
    information = struct.pack("<HH", 2, len(name)) + name + struct.pack("<HH", 0, 0)
    names_at = 56
    return (
        b"NTLMSSP\0"
        + struct.pack("<IHHII", 2, len(name), len(name), names_at, _FLAGS)
        + bytes(range(8))
        + bytes(8)
        + struct.pack("<HHI", len(information), len(information), names_at + len(name))
        + struct.pack("<BBHI", 10, 0, 19045, 0x0F000000)
        + name
        + information
    )
