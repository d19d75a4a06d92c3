# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of Windows clients on loopback: a WinRM server in front of a model of each host."""

from __future__ import annotations
