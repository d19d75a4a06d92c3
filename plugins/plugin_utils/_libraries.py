# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries a WinRM session needs, imported once, and the name of the one that is missing. Private to the collection.

An action has to load without them: the capture of a machine is judged all the same, and what is missing is told in one
sentence instead of a traceback.
"""

from __future__ import annotations

try:
    import requests
    import urllib3
    import winrm
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException
except ImportError as _error:
    MISSING: str | None = _error.name
else:
    MISSING = None

__all__ = ["MISSING", "DefusedXmlException", "ElementTree", "requests", "urllib3", "winrm"]
