# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A model of a Windows host: processes, sockets, services, registry, files, WMI, cmd.exe and the console tools, restarts."""

from __future__ import annotations
