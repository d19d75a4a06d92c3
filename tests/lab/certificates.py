# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own certificate authority and the certificates of its hosts: good ones and three kinds of bad ones."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
KINDS = ("valid", "self-signed", "expired", "wrong-name")


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


class Authority:
    """Signs host certificates. ``ca.pem`` in the state directory is what a client must trust."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        # One key for all hosts: ten thousand keys would say no more.
        self._host_key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.timezone.utc)
        self._subject = _name("lab certificate authority")
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(self._subject)
            .issuer_name(self._subject)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 400 * DAY)
            .not_valid_after(now + 365 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(identifier, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.path = directory / "ca.pem"
        self.path.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def certificate(self, host: Any) -> bytes:
        """Key and certificate of a host as PEM, of the kind its ``winrm.certificate`` says."""
        kind = host.winrm.certificate
        if kind not in KINDS:
            raise ValueError(f"{host.name}: certificate {kind!r} is not one of {', '.join(KINDS)}")
        now = datetime.datetime.now(datetime.timezone.utc)
        expires = now - DAY if kind == "expired" else now + 90 * DAY
        address = ipaddress.ip_address("127.255.255.253" if kind == "wrong-name" else host.address)
        common_name = "another-computer" if kind == "wrong-name" else host.computer_name
        own = kind == "self-signed"
        names = x509.SubjectAlternativeName([x509.DNSName(common_name), x509.IPAddress(address)])
        signing_key = self._host_key if own else self._key
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(common_name))
            .issuer_name(_name(common_name) if own else self._subject)
            .public_key(self._host_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 30 * DAY)
            .not_valid_after(expires)
            .add_extension(names, critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
        )
        certificate = builder.sign(signing_key, hashes.SHA256())
        key = self._host_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return key + certificate.public_bytes(serialization.Encoding.PEM)


class Contexts:
    """TLS contexts per host, made at the first connection: ten thousand at once would cost gigabytes."""

    def __init__(self, authority: Authority, directory: Path) -> None:
        self._authority = authority
        self._directory = directory
        self._contexts: dict[str, ssl.SSLContext] = {}

    def get(self, host: Any) -> ssl.SSLContext:
        context = self._contexts.get(host.name)
        if context is None:
            context = self._contexts[host.name] = self._make(host)
        return context

    def _make(self, host: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The ssl module loads a chain from a file only.
        path = self._directory / f"{host.name}.pem"
        path.touch(mode=0o600)
        path.write_bytes(self._authority.certificate(host))
        context.load_cert_chain(path)
        return context
