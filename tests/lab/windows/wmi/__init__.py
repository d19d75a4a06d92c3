# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""WMI: a WQL parser and the classes it can ask."""

from __future__ import annotations
