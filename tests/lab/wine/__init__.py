# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wine's cmd.exe in the place of the model's: a command interpreter that nobody here wrote."""
