# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control port: JSON over HTTP on 127.0.0.1, for tests and for people, never for the code under test."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from .counters import total
from .http_server import Endpoint
from .injection import InvalidFault
from .network import Network


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(value, default=str, indent=1) + "\n", status=status, content_type="application/json")


@web.middleware
async def _errors(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """Every mistake is answered with ``{"error": sentence}``."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        return _json({"error": error.text or error.reason}, error.status)
    except (InvalidFault, ValueError, KeyError, TypeError, LookupError) as error:
        return _json({"error": f"{type(error).__name__}: {error}"}, 400)


class Control:
    """The control API of one running lab."""

    def __init__(self, endpoints: dict[str, Endpoint], network: Network, stop: Callable[[], None]) -> None:
        self._endpoints = endpoints
        self._network = network
        self._stop = stop

    def application(self) -> web.Application:
        application = web.Application(middlewares=[_errors], client_max_size=64 * 1024 * 1024)
        routes = application.router
        routes.add_get("/hosts", self._names)
        routes.add_get("/hosts/{name}", self._show)
        routes.add_post("/hosts/{name}/change", self._change)
        routes.add_get("/hosts/{name}/faults", self._show_faults)
        routes.add_put("/hosts/{name}/faults", self._put_faults)
        routes.add_delete("/hosts/{name}/faults", self._delete_faults)
        routes.add_get("/counters", self._counters)
        routes.add_post("/counters/reset", self._reset)
        routes.add_post("/stop", self._shut_down)
        return application

    def _endpoint(self, request: web.Request) -> Endpoint:
        name = request.match_info["name"]
        if name not in self._endpoints:
            raise web.HTTPNotFound(text=f"the lab has no host {name!r}")
        return self._endpoints[name]

    @staticmethod
    async def _body(request: web.Request) -> Any:
        text = await request.text()
        return json.loads(text) if text else {}

    async def _names(self, request: web.Request) -> web.Response:
        return _json({name: endpoint.host.address for name, endpoint in self._endpoints.items()})

    async def _show(self, request: web.Request) -> web.Response:
        endpoint = self._endpoint(request)
        endpoint.service.refresh()
        return _json(
            {
                "name": endpoint.host.name,
                "address": endpoint.host.address,
                "computer_name": endpoint.host.computer_name,
                "accepting": endpoint.host.accepting,
                "state": endpoint.host.snapshot(),
                "counters": endpoint.counters.as_dict(),
                "faults": [fault.as_dict() for fault in endpoint.injector.faults],
            }
        )

    async def _change(self, request: web.Request) -> web.Response:
        endpoint = self._endpoint(request)
        endpoint.host.change(await self._body(request))
        endpoint.service.refresh()
        return _json({"state": endpoint.host.snapshot()})

    async def _show_faults(self, request: web.Request) -> web.Response:
        return _json([fault.as_dict() for fault in self._endpoint(request).injector.faults])

    async def _put_faults(self, request: web.Request) -> web.Response:
        """A list takes the place of all faults; a single mapping is added to them."""
        endpoint = self._endpoint(request)
        body = await self._body(request)
        if isinstance(body, list):
            endpoint.injector.replace(body)
        else:
            endpoint.injector.add(body)
        self._network.update(endpoint)
        return _json([fault.as_dict() for fault in endpoint.injector.faults])

    async def _delete_faults(self, request: web.Request) -> web.Response:
        endpoint = self._endpoint(request)
        endpoint.injector.clear()
        self._network.update(endpoint)
        self._network.release_swallowed()
        return _json([])

    async def _counters(self, request: web.Request) -> web.Response:
        hosts = {name: endpoint.counters for name, endpoint in self._endpoints.items()}
        per_host = {name: counters.as_dict() for name, counters in hosts.items()}
        return _json({"total": total(hosts.values()), "hosts": per_host})

    async def _reset(self, request: web.Request) -> web.Response:
        for endpoint in self._endpoints.values():
            endpoint.counters.reset()
        return _json({"total": total(endpoint.counters for endpoint in self._endpoints.values())})

    async def _shut_down(self, request: web.Request) -> web.Response:
        self._stop()
        return _json({})
