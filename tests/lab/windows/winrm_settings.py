# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a host answers over WinRM, as its fleet file says."""

from __future__ import annotations

import dataclasses

from .languages import Language
from .reading import Reader, choice
from .versions import Version


@dataclasses.dataclass(frozen=True)
class WinrmSettings:
    """How the host answers over WinRM; the server in front of the model obeys it."""

    stack: str
    authentication: frozenset[str]
    allow_unencrypted: bool
    users: dict[str, str]
    http: bool
    https: bool
    max_shells_per_user: int
    max_operations_per_user: int
    max_envelope_kb: int
    certificate: str
    language: str


def read_winrm(read: Reader, version: Version, language: Language) -> WinrmSettings:
    """The settings under ``winrm``; what is not said is as Windows installs it."""
    inner = Reader(read.mapping("winrm"), f"{read.where}, winrm")
    # NT 4 and 2000 have no WinRM in the box; a fleet that lists them anyway gets the oldest.
    stack = choice(inner, "stack", ("1.1", "2.0", "3.0"), version.stack or "1.1")
    authentication = inner.texts("authentication") or ["ntlm", "negotiate"]
    for name in authentication:
        if name not in ("basic", "ntlm", "negotiate"):
            raise inner.wrong("authentication", f"'{name}' is none of basic, ntlm, negotiate")
    users = inner.mapping("users") or {"helpdesk": "Pa55word!"}
    # Defaults of the service: 5 shells and 15 operations a user up to 2.0, 30 and 1500 since; envelopes of 150 and 500 kB.
    new = stack == "3.0"
    found = WinrmSettings(
        stack=stack,
        authentication=frozenset(authentication),
        allow_unencrypted=inner.flag("allow_unencrypted", False),
        users={str(user): str(password) for user, password in users.items()},
        http=inner.flag("http", True),
        https=inner.flag("https", False),
        max_shells_per_user=inner.number("max_shells_per_user", 30 if new else 5, 0, 1 << 31),
        max_operations_per_user=inner.number("max_operations_per_user", 1500 if new else 15, 0, 1 << 31),
        max_envelope_kb=inner.number("max_envelope_kb", 500 if new else 150, 1, 8192),
        certificate=choice(inner, "certificate", ("valid", "self-signed", "expired", "wrong-name"), "valid"),
        language=inner.text("language", language.tag),
    )
    inner.done()
    return found
