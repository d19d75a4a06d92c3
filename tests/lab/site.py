# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients and servers of one site: what the logon servers share with Samba is what the clients map."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from .servers import ServerLab

SHARE = "SMS_SHR"


def joined(fleet: Mapping[str, Any], servers: ServerLab) -> dict[str, Any]:
    r"""A description of clients whose shares, such as ``\\LOGON-01\SMS_SHR``, are the directories of these servers.

    :param fleet: as a fleet file has it. A share with a `script` is one that misbehaves, and stays the model's.
    """
    found = copy.deepcopy(dict(fleet))
    usual = found["defaults"].pop("shares")
    for host in found["hosts"]:
        for unc, share in host.setdefault("shares", copy.deepcopy(usual)).items():
            if "script" not in share:
                share["directory"] = str(servers.path(unc.split("\\")[2].lower(), SHARE))
    return found
