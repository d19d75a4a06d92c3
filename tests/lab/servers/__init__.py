# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Site servers, logon servers and administrator machines as shares of a real Samba on loopback."""

from __future__ import annotations

from .laboratory import ServerLab
from .maintenance import MaintenanceManager
from .proxy import CuttingProxy
from .specification import ServerError

__all__ = ["CuttingProxy", "MaintenanceManager", "ServerError", "ServerLab"]
