# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes packages of the hotfix for tests: real PE files of the right sizes and times, with nothing of Microsoft in them."""
