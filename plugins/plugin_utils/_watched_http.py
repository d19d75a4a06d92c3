# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the posts of a watched session travel. Private to the collection.

pywinrm, requests and requests_ntlm stay in charge of options, logon and encryption; this is the transport adapter that
requests lets a program put under them. Of the processor's time of a post over plain HTTP they leave the greater part in
layers that have nothing to do for WinRM (connection pools, cookies, the parser for headers of electronic mail), which is
what an audit of thousands of clients waits for. TLS and proxies go through urllib3 as ever.
"""

from __future__ import annotations

import http.client
import os
import threading
import typing as t
from urllib.parse import urlsplit

from . import _libraries as lib
from ._plain_http import PlainConnection, Reply
from ._trouble import AnswerTooLarge

# No answer of WinRM is larger than its envelopes, which are 150 kB here; a web page may be.
LARGEST_ANSWER = 16 * 1024 * 1024


class WatchLike(t.Protocol):
    """What the adapter needs of a watch."""

    connect_timeout: float

    def add(self, opened: t.Any) -> None:
        """Know a socket."""


class _Raw:
    """Stands where urllib3's answer is expected."""

    def release_conn(self) -> None:
        """The connection is kept as it is."""

    def close(self) -> None:
        """The answer has been read."""


def prepare(session: t.Any, watch: WatchLike, tls: bool) -> None:
    """Make a session of requests, as pywinrm has built it, use the adapter of this file; a second time does nothing."""
    if isinstance(session.adapters["http://"], _adapter_class()):
        return
    adapter = _adapter_class()(watch)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    # pywinrm has taken the proxies from the environment by now; requests would search it again for every post.
    session.trust_env = False
    if type(session.auth).__module__.startswith("requests_ntlm"):
        _hash_password(session.auth)
        # There is no certificate to bind a logon to; it would be looked for in urllib3's answer.
        session.auth.send_cbt = session.auth.send_cbt and tls
    elif session.auth is not None and not isinstance(session.auth, lib.requests.auth.HTTPBasicAuth):
        return  # others look at every request
    _prepare_once(session)


_HASHES: dict[str, str] = {}


def _hash_password(auth: t.Any) -> None:
    """Give requests_ntlm the hash of the password, which it takes too: every logon would compute it and one that is never used."""
    if not auth.password or "LM_COMPAT_LEVEL" in os.environ:
        return
    if auth.password not in _HASHES:
        try:
            from spnego._ntlm_raw.crypto import ntowfv1  # no public function hashes a password
        except ImportError:
            return
        _HASHES[auth.password] = f"{'0' * 32}:{ntowfv1(auth.password).hex()}"
    auth.password = _HASHES[auth.password]


def _prepare_once(session: t.Any) -> None:
    """Let all requests to one address be copies of the first, with another body."""
    original = session.prepare_request
    template: list[t.Any] = []

    def prepared(request: t.Any) -> t.Any:
        if not template or request.url != template[0][0]:
            whole = original(request)
            template[:] = [(request.url, whole, whole.headers.copy())]
            return whole
        _url, first, headers = template[0]
        made: t.Any = lib.requests.PreparedRequest()
        made.method, made.url, made.hooks, made._cookies = first.method, first.url, first.hooks, first._cookies
        made.body = request.data or None
        made.headers = headers.copy()
        made.headers["Content-Length"] = str(len(made.body or b""))
        return made

    session.prepare_request = prepared


_CLASSES: dict[str, t.Any] = {}
_MAKING = threading.Lock()


def _adapter_class() -> t.Any:
    """Made on first use, because the libraries may be missing; once, or a session would not know the adapter it has been given."""
    with _MAKING:
        if "adapter" not in _CLASSES:
            _CLASSES["adapter"] = _make_adapter_class()
    return _CLASSES["adapter"]


def _make_adapter_class() -> t.Any:
    errors = lib.requests.exceptions

    class Adapter(lib.requests.adapters.HTTPAdapter):
        def __init__(self, watch: WatchLike) -> None:
            self._watch = watch
            self._pools = _pools(watch)
            self._plain: PlainConnection | None = None
            super().__init__()

        def init_poolmanager(self, *arguments: t.Any, **more: t.Any) -> None:
            super().init_poolmanager(*arguments, **more)
            self.poolmanager.pool_classes_by_scheme = self._pools

        def proxy_manager_for(self, *arguments: t.Any, **more: t.Any) -> t.Any:
            manager = super().proxy_manager_for(*arguments, **more)
            manager.pool_classes_by_scheme = self._pools
            return manager

        def send(
            self,
            request: t.Any,
            stream: bool = False,
            timeout: t.Any = None,
            verify: t.Any = True,
            cert: t.Any = None,
            proxies: t.Any = None,
        ) -> t.Any:
            where = urlsplit(request.url)
            proxy = lib.requests.utils.select_proxy(request.url, proxies)
            if where.scheme == "http" and not proxy and "%" not in where.netloc and "@" not in where.netloc:
                return self._send_plain(request, where, timeout)
            limits = (min(self._watch.connect_timeout, timeout), timeout) if isinstance(timeout, (int, float)) else timeout
            answer = super().send(request, stream, limits, verify, cert, proxies)
            if answer.status_code != 401:  # requests_ntlm reads the certificate off the unread answer
                _read_all(answer)
            return answer

        def _send_plain(self, request: t.Any, where: t.Any, timeout: float) -> t.Any:
            if self._plain is None:
                self._plain = PlainConnection(where.hostname or "", where.port or 80, where.netloc, self._watch, LARGEST_ANSWER)
            path = (where.path or "/") + (f"?{where.query}" if where.query else "")
            try:
                reply = self._plain.post(request.method, path, request.headers, request.body, timeout)
            except UnicodeError as error:
                raise errors.InvalidURL(error, request=request) from error
            except TimeoutError as error:
                raise errors.Timeout(error, request=request) from error
            except (OSError, http.client.HTTPException) as error:
                raise errors.ConnectionError(error, request=request) from error
            return _answer(self, request, reply)

        def close(self) -> None:
            super().close()
            if self._plain is not None:
                self._plain.close()

    return Adapter


def _answer(adapter: t.Any, request: t.Any, reply: Reply) -> t.Any:
    answer: t.Any = lib.requests.Response()
    answer.status_code, answer.reason = reply.status, reply.reason
    answer.headers = lib.requests.structures.CaseInsensitiveDict(reply.headers)
    answer.encoding = lib.requests.utils.get_encoding_from_headers(answer.headers)
    answer.url, answer.request, answer.connection, answer.raw = request.url, request, adapter, _Raw()
    answer._content, answer._content_consumed = reply.body, True
    return answer


def _read_all(answer: t.Any) -> None:
    pieces, size = [], 0
    for piece in answer.iter_content(65536):
        size += len(piece)
        if size > LARGEST_ANSWER:
            answer.close()
            raise AnswerTooLarge(LARGEST_ANSWER)
        pieces.append(piece)
    answer._content = b"".join(pieces)


def _pools(watch: WatchLike) -> dict[str, t.Any]:
    """urllib3's pools, with connections that the watch knows."""
    connectionpool = lib.urllib3.connectionpool

    def watched(pool_class: t.Any) -> t.Any:
        class Connection(pool_class.ConnectionCls):
            def connect(self) -> None:
                super().connect()
                watch.add(self.sock)

        class Pool(pool_class):
            ConnectionCls = Connection

        return Pool

    return {"http": watched(connectionpool.HTTPConnectionPool), "https": watched(connectionpool.HTTPSConnectionPool)}
