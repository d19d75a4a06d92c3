# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is calling: Basic, NTLM and Negotiate the way HTTP.SYS and WinRM do them.

NTLM binds to the TCP connection. pyspnego is the server side; it takes NTLM accounts from a file named in the environment,
so every host gets a file of its own and the variable is set around each step (one process, one thread).
"""

from __future__ import annotations

import base64
import binascii
import os
import socket
from pathlib import Path
from typing import Any

import spnego
from spnego._ntlm_raw.crypto import ntowfv1  # no public function hashes a password
from spnego.exceptions import NegotiateOptions, SpnegoError

REALM = 'Basic realm="WSMAN"'
NTLM_SIGNATURE = b"NTLMSSP\0"


class AccountFile:
    """The NTLM accounts of one host, as pyspnego reads them; written when first needed."""

    def __init__(self, directory: Path, host: Any) -> None:
        self._path = directory / f"{host.name}.smbpasswd"
        self._host = host
        self._written: dict[str, str] | None = None

    def path(self) -> str:
        """Path of an up-to-date file."""
        users = dict(self._host.winrm.users)
        if users != self._written:
            # The domain a client sends along for a local account: none, the computer, or what the challenge called the target.
            domains = ["", ".", self._host.computer_name, socket.gethostname(), "WORKSTATION"]
            lines = []
            for user, password in users.items():
                # The hash form: pyspnego would compute both hashes in Python at every logon otherwise.
                nt_hash = ntowfv1(password).hex().upper()
                for domain in domains:
                    name = f"{domain}\\{user}" if domain else user
                    lines.append(f"{name}:0:{'0' * 32}:{nt_hash}:[U]:LCT-0")
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            self._path.chmod(0o600)
            self._written = users
        return str(self._path)


class Session:
    """What one TCP connection has proved so far.

    :ivar user: account name of the host once authenticated by NTLM, else None.
    :ivar context: pyspnego's security context, for message encryption.
    """

    def __init__(self) -> None:
        self.user: str | None = None
        self.owner = ""
        self.context: Any = None
        self.scheme = ""

    def reset(self) -> None:
        self.__init__()  # type: ignore[misc]


def offers(host: Any, encrypted_transport: bool) -> list[str]:
    """The WWW-Authenticate values for a request without credentials."""
    allowed = {name.lower() for name in host.winrm.authentication}
    values = []
    if "negotiate" in allowed:
        values.append("Negotiate")
    if "ntlm" in allowed:
        values.append("NTLM")
    # WinRM does not even offer Basic where it would have to refuse it.
    if "basic" in allowed and (encrypted_transport or host.winrm.allow_unencrypted):
        values.append(REALM)
    return values


def local_account(host: Any, name: str) -> str | None:
    """The account for a logon name (``user``, ``COMPUTER\\user``, ``.\\user``), in the host's own spelling."""
    domain, backslash, user = name.rpartition("\\")
    known = {"", ".", host.computer_name.casefold(), socket.gethostname().casefold(), "workstation"}
    if backslash and domain.casefold() not in known:
        return None
    for account in host.winrm.users:
        if account.casefold() == user.casefold():
            return account
    return None


def check_basic(host: Any, value: str) -> tuple[str, str] | None:
    """(account, name as given) for the value of a Basic header, or None."""
    try:
        raw = base64.b64decode(value, validate=True)
    except binascii.Error:
        return None
    # Clients disagree on the encoding: requests sends Latin-1, others UTF-8.
    for encoding in ("utf-8", "latin-1"):
        name, colon, password = raw.decode(encoding, "replace").partition(":")
        account = local_account(host, name)
        if colon and account is not None and host.winrm.users[account] == password:
            return account, name
    return None


def step(session: Session, host: Any, accounts: AccountFile, scheme: str, value: str) -> str | None:
    """One leg of NTLM or Negotiate.

    :returns: the value for WWW-Authenticate of the answer (with the scheme), or "" when done without one.
              None if the credentials are refused; the session is then back at the beginning.
    """
    try:
        token = base64.b64decode(value, validate=True)
    except binascii.Error:
        session.reset()
        return None
    os.environ["NTLM_USER_FILE"] = accounts.path()
    raw = token.startswith(NTLM_SIGNATURE)
    try:
        # A first NTLM message or a fresh SPNEGO token starts over, also on a connection that was authenticated before.
        if session.context is None or session.context.complete or (raw and token[8:9] == b"\1"):
            session.reset()
            session.scheme = scheme
            # pyspnego's own Python code for both, also where a GSSAPI library is installed: that would want a keytab.
            protocol, provider = ("ntlm", NegotiateOptions.use_ntlm) if raw else ("negotiate", NegotiateOptions.use_negotiate)
            session.context = spnego.server(hostname=host.computer_name, service="http", protocol=protocol, options=provider)
        out = session.context.step(token)
    except (SpnegoError, ValueError, IndexError, KeyError):
        session.reset()
        return None
    if session.context.complete:
        principal = session.context.client_principal or ""
        session.user = local_account(host, principal)
        session.owner = principal if "\\" in principal else f"{host.computer_name}\\{principal}"
        if session.user is None:
            session.reset()
            return None
    return f"{scheme} {base64.b64encode(out).decode('ascii')}" if out else ""
