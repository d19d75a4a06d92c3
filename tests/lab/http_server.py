# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP as HTTP.SYS and WinRM speak it: paths, methods, logon, message encryption, and the faults on request."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from . import authentication, encryption, fault_catalogue, spoiling
from .connection import Broken, Connection
from .counters import Counters
from .injection import Fault, Injector, bomb
from .service import Answer, Caller, PoweredOff, Received, Service
from .soap_faults import SoapFault

SERVER = "Microsoft-HTTPAPI/2.0"
SOAP_TYPE = "application/soap+xml;charset=UTF-8"
PATHS = ("/wsman", "/wsman/", "/wsman-anon/identify")
# Bodies above this are refused by HTTP already, whatever MaxEnvelopeSizekb says. Synthetic size.
HTTP_LIMIT = 4 * 1024 * 1024
_ERROR_PAGE = (
    '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN""http://www.w3.org/TR/html4/strict.dtd">\r\n'
    "<HTML><HEAD><TITLE>{title}</TITLE></HEAD>\r\n<BODY><h2>{title}</h2>\r\n<hr><p>HTTP Error {status}. {title}.</p>\r\n</BODY></HTML>\r\n"
)
_TITLES = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 413: "Request Entity Too Large", 503: "Service Unavailable"}
_LOG = logging.getLogger("lab")


class Endpoint:
    """One host on the wire: the model, its service, its faults and its counters."""

    def __init__(self, host: Any, directory: Path, post_delay: float = 0.0) -> None:
        self.host = host
        self.counters = Counters()
        self.service = Service(host, self.counters)
        self.injector = Injector(getattr(host, "faults", ()))
        self.accounts = authentication.AccountFile(directory / "accounts", host)
        self.post_delay = post_delay


def plain(status: int, body: bytes = b"", content_type: str = "", extra: tuple[tuple[str, str], ...] = ()) -> web.Response:
    headers: CIMultiDict[str] = CIMultiDict({"Server": SERVER})
    if content_type:
        headers["Content-Type"] = content_type
    for name, value in extra:
        headers.add(name, value)
    return web.Response(status=status, body=body, headers=headers)


def error_page(status: int) -> web.Response:
    """An error page of HTTP.SYS, which also ends the connection."""
    page = _ERROR_PAGE.format(status=status, title=_TITLES.get(status, "Error")).encode()
    response = plain(status, page, "text/html; charset=us-ascii")
    response.force_close()
    return response


def _unauthorized(endpoint: Endpoint, tls: bool) -> web.Response:
    offers = authentication.offers(endpoint.host, tls)
    return plain(401, extra=tuple(("WWW-Authenticate", value) for value in offers))


async def handle(request: web.BaseRequest) -> web.StreamResponse:
    """Answer one HTTP request; every exception of the lab itself ends in its log and a 500."""
    connection = request.protocol
    assert isinstance(connection, Connection)
    try:
        return await _handle(request, connection, connection.endpoint)
    except PoweredOff:
        return _reset(connection)
    except asyncio.CancelledError:
        raise
    except Exception:
        _LOG.exception("%s: the lab failed on %s %s", connection.endpoint.host.name, request.method, request.path)
        return plain(500, b"the lab itself failed; see lab.log", "text/plain")


def _reset(connection: Connection) -> web.Response:
    connection.counting.reset()
    return Broken()


async def _handle(request: web.BaseRequest, connection: Connection, endpoint: Endpoint) -> web.StreamResponse:
    if request.method == "POST":
        endpoint.counters.posts += 1
    if request.headers.get("Expect", "").lower() == "100-continue":
        connection.counting.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return error_page(413)
    if endpoint.post_delay:
        await asyncio.sleep(endpoint.post_delay)
    endpoint.service.refresh()
    if not endpoint.host.accepting:
        return _reset(connection)
    path = request.path.lower()
    if path not in PATHS:
        return error_page(404)
    if request.method != "POST":
        return plain(405, extra=(("Allow", "POST"),))

    content_type = request.headers.get("Content-Type", "")
    anonymous = request.headers.get("WSMANIDENTIFY", "").lower() == "unauthenticated" or path == PATHS[2]
    if anonymous:
        return await _identify_anonymously(endpoint, connection, body, request)

    tls = request.transport is not None and request.transport.get_extra_info("sslcontext") is not None
    authorization = request.headers.get("Authorization", "")
    session = connection.session
    leg = _authenticate(endpoint, connection, authorization, tls)
    if isinstance(leg, web.Response) or not body:
        # pywinrm and pypsrp log on with an empty post, which WinRM answers with 200 and nothing.
        response = leg if isinstance(leg, web.Response) else plain(200, extra=leg[2])
        return await _with_faults(endpoint, connection, endpoint.injector.for_post("auth"), response, tls)
    user, owner, extra = leg

    encrypted = encryption.is_encrypted(content_type)
    if encrypted:
        if session.context is None or not session.context.complete:
            return error_page(400)
        try:
            body = encryption.unwrap(session.context, content_type, body)
        except encryption.InvalidMessage:
            return error_page(400)
    elif not content_type.lower().startswith("application/soap+xml"):
        # Synthetic: no recording has another content type.
        return plain(415)
    elif session.user is not None and not tls and not endpoint.host.winrm.allow_unencrypted:
        # Windows refuses a clear-text body after NTLM with an empty 500 (diyan/pywinrm#129 and #208, cloudsoft/winrm4j#151).
        return plain(500)

    received = endpoint.service.read(body)
    places = (received.name, "auth") if authorization else (received.name,)
    faults = endpoint.injector.for_post(*places)
    caller = _caller(request, endpoint, user, owner, tls)
    exchange = Exchange(endpoint, connection, received, caller, extra, encrypted, tls)
    return await exchange.run(faults)


def _authenticate(
    endpoint: Endpoint, connection: Connection, authorization: str, tls: bool
) -> web.Response | tuple[str, str, tuple[Any, ...]]:
    """(account, owner, extra headers) of an authenticated request, or the 401 that is due."""
    host, session = endpoint.host, connection.session
    scheme, _space, value = authorization.partition(" ")
    allowed = {offer.partition(" ")[0].lower() for offer in authentication.offers(host, tls)}
    if not scheme:
        if session.user is not None:
            return session.user, session.owner, ()
        return _unauthorized(endpoint, tls)
    if scheme.lower() not in allowed:
        return _unauthorized(endpoint, tls)
    if scheme.lower() == "basic":
        found = authentication.check_basic(host, value.strip())
        return (*found, ()) if found else _unauthorized(endpoint, tls)
    token = authentication.step(session, host, endpoint.accounts, scheme, value.strip())
    if token is None:
        return _unauthorized(endpoint, tls)
    if session.user is None:
        return plain(401, extra=(("WWW-Authenticate", token),))
    return session.user, session.owner, ((("WWW-Authenticate", token),) if token else ())


def _caller(request: web.BaseRequest, endpoint: Endpoint, user: str, owner: str, tls: bool) -> Caller:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    where = request.headers.get("Host", endpoint.host.address)
    machine = where.rpartition(":")[0] if where.rpartition(":")[2].isdigit() else where
    return Caller(user, owner, peer[0] if peer else "", machine or where, f"{'https' if tls else 'http'}://{where}/wsman")


async def _identify_anonymously(endpoint: Endpoint, connection: Connection, body: bytes, request: web.BaseRequest) -> web.StreamResponse:
    received = endpoint.service.read(body)
    if received.name != "Identify":
        return _unauthorized(endpoint, False)
    text = endpoint.service.identify(anonymous=True)
    faults = endpoint.injector.for_post("Identify")
    return await _with_faults(endpoint, connection, faults, plain(200, text.encode(), SOAP_TYPE), False)


async def _with_faults(
    endpoint: Endpoint, connection: Connection, faults: list[Fault], response: web.Response, tls: bool
) -> web.StreamResponse:
    """Apply what makes sense to an answer that is no SOAP exchange: a leg of the logon."""
    for fault in faults:
        if fault.kind == "delay":
            await asyncio.sleep(fault.parameters["seconds"])
        elif fault.kind == "drop":
            return _reset(connection)
        elif fault.kind == "hang":
            await asyncio.Event().wait()
        elif fault.kind in ("status", "html"):
            return http_fault(fault, endpoint, tls)
        elif fault.kind in ("drop-mid-body", "truncate", "trickle"):
            return await spoiling.spoil_http(fault, connection, response)
    return response


def http_fault(fault: Fault, endpoint: Endpoint, tls: bool) -> web.Response:
    """``status`` and ``html``: an answer that never came near WinRM."""
    if fault.kind == "html":
        return plain(200, spoiling.HTML_PAGE, "text/html; charset=utf-8")
    status = fault.parameters["code"]
    if status == 401:
        return _unauthorized(endpoint, tls)
    if not fault.parameters["html"]:
        return plain(status)
    return error_page(status)


class Exchange:
    """One SOAP request of an authenticated client, from the parsed envelope to the HTTP answer."""

    def __init__(
        self,
        endpoint: Endpoint,
        connection: Connection,
        received: Received,
        caller: Caller,
        extra: tuple[Any, ...],
        encrypted: bool,
        tls: bool,
    ) -> None:
        self.endpoint = endpoint
        self.connection = connection
        self.received = received
        self.caller = caller
        self.extra = extra
        self.encrypted = encrypted
        self.tls = tls

    async def run(self, faults: list[Fault]) -> web.StreamResponse:
        after: list[Fault] = []
        piece = pieces = 0
        for fault in faults:
            if fault.kind == "delay":
                await asyncio.sleep(fault.parameters["seconds"])
            elif fault.kind == "split-output":
                piece, pieces = fault.parameters["bytes"], fault.parameters["pieces"]
            elif fault.kind in spoiling.SPOILING:
                after.append(fault)
            else:
                return await self._instead(fault)
        answer = await self.endpoint.service.answer(self.received, self.caller, piece=piece, pieces=pieces)
        text = answer.text
        for fault in after:
            text = spoiling.spoil_text(fault, text)
        response = self.response(answer.status, text.encode("utf-8"))
        for fault in after:
            if spoiling.is_http(fault):
                return await spoiling.spoil_http(fault, self.connection, response)
        return response

    def response(self, status: int, content: bytes) -> web.Response:
        if not self.encrypted:
            return plain(status, content, SOAP_TYPE, self.extra)
        sealed = encryption.wrap(self.connection.session.context, content)
        return plain(status, sealed, encryption.CONTENT_TYPE, self.extra)

    def _soap(self, answer: Answer) -> web.Response:
        return self.response(answer.status, answer.text.encode("utf-8"))

    def _fault(self, fault: SoapFault) -> web.Response:
        return self._soap(self.endpoint.service.fault(fault, self.received.message_id, self.caller))

    async def _instead(self, fault: Fault) -> web.StreamResponse:
        """Faults that take the place of an answer; only ``executed`` ones carry the request out."""
        service, winrm = self.endpoint.service, self.endpoint.host.winrm
        if fault.parameters.get("executed"):
            await service.answer(self.received, self.caller)
        if fault.kind == "drop":
            return _reset(self.connection)
        if fault.kind == "hang":
            await asyncio.Event().wait()
        if fault.kind == "timed-out":
            return self._fault(fault_catalogue.timed_out())
        if fault.kind == "quota-shells":
            return self._fault(fault_catalogue.shells_quota(winrm.max_shells_per_user, service.stack))
        if fault.kind == "quota-operations":
            return self._fault(fault_catalogue.operations_quota(winrm.max_operations_per_user, service.stack))
        if fault.kind == "fault":
            wanted = fault.parameters
            return self._fault(SoapFault(wanted["subcode"], wanted["code"], wanted["text"], wanted["text"], sender=wanted["sender"]))
        if fault.kind == "xml-bomb":
            return self.response(fault.parameters["status"], bomb(fault.parameters["variant"]))
        return http_fault(fault, self.endpoint, self.tls)
