# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bare HTTP client for tests: one connection, its answers as they are, NTLM by hand."""

from __future__ import annotations

import base64
import http.client
import ssl
from types import TracebackType
from typing import Any

import spnego

from lab import encryption
from wire_requests import SHELL_BODY, request

USER, PASSWORD = "helpdesk", "p\u00e4ss:word"
SOAP_TYPE = "application/soap+xml;charset=UTF-8"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
CREATE = request("Create", SHELL_BODY)


class Client:
    """One TCP connection to one host of a running lab."""

    def __init__(self, server: Any, name: str = "PC1", *, tls: bool = False, verify: bool = True) -> None:
        address = server.endpoints[name].host.address
        self.context: Any = None
        if tls:
            trust = ssl.create_default_context(cafile=server.state["ca"]) if verify else ssl._create_unverified_context()
            self.connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                address, server.state["https_port"], timeout=20, context=trust
            )
        else:
            self.connection = http.client.HTTPConnection(address, server.state["http_port"], timeout=20)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self.connection.close()

    def send(
        self,
        body: bytes = CREATE,
        authorization: str | None = BASIC,
        *,
        method: str = "POST",
        path: str = "/wsman",
        content_type: str = SOAP_TYPE,
        **headers: str,
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """Status, body and headers of one answer."""
        given = {"Content-Type": content_type} if body else {}
        if authorization:
            given["Authorization"] = authorization
        self.connection.request(method, path, body, {**given, **headers})
        answer = self.connection.getresponse()
        return answer.status, answer.read(), answer.headers

    def log_on(
        self, scheme: str = "Negotiate", *, protocol: str = "ntlm", user: str = USER, password: str = PASSWORD, body: bytes = b""
    ) -> tuple[int, bytes]:
        """NTLM or SPNEGO on this connection; the answer to the last leg."""
        self.context = spnego.client(user, password, hostname="pc1", protocol=protocol, context_req=spnego.ContextReq.default)
        token = self.context.step()
        while True:
            authorization = f"{scheme} {base64.b64encode(token or b'').decode()}"
            status, content, headers = self.send(body, authorization)
            offered = (headers.get("WWW-Authenticate") or "").partition(" ")[2]
            if not offered:
                return status, content
            token = self.context.step(base64.b64decode(offered))
            if status == 200:
                return status, content

    def send_encrypted(self, body: bytes = CREATE) -> tuple[int, bytes]:
        """Status and clear text of the answer to an encrypted request."""
        status, content, headers = self.send(encryption.wrap(self.context, body), None, content_type=encryption.CONTENT_TYPE)
        return status, encryption.unwrap(self.context, headers["Content-Type"], content) if content else b""
