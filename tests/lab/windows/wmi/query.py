# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answering a WQL query."""

from __future__ import annotations

import typing as t

from ..events import ACCESS_DENIED, INVALID_CLASS, INVALID_NAMESPACE, INVALID_QUERY, PROVIDER_FAILURE, Instance, WmiError
from .computer import COMPUTER_SYSTEM, OPERATING_SYSTEM
from .data_file import DATA_FILE
from .process import PROCESS
from .provider import Provider
from .service import SERVICE
from .wql import holds, parse

if t.TYPE_CHECKING:
    from ..host import WindowsHost

_CIMV2: dict[str, Provider] = {
    provider.class_name.lower(): provider for provider in (COMPUTER_SYSTEM, DATA_FILE, OPERATING_SYSTEM, PROCESS, SERVICE)
}
# What a repository without the provider's registration lacks.
_LOSABLE = ("win32_process", "win32_service")


def run_query(host: WindowsHost, namespace: str, wql: str, user: str) -> list[Instance]:
    """The objects a query finds.

    :raises WmiError: as WMI would.
    """
    state = host.settings["wmi"]
    if state == "denied" or not host.is_administrator(user):
        raise WmiError(ACCESS_DENIED)
    if state == "broken":
        raise WmiError(PROVIDER_FAILURE)
    classes = _classes(host, namespace)
    query = parse(wql)
    provider = classes.get(query.class_name.lower())
    if provider is None or (state == "missing-class" and query.class_name.lower() in _LOSABLE):
        raise WmiError(INVALID_CLASS)
    properties = provider.properties(host)
    spelled = {name.lower(): name for name in properties}
    if any(name.lower() not in spelled for name in query.names()):
        raise WmiError(INVALID_QUERY)
    wanted = {name.lower() for name in query.columns} or set(spelled)
    # An object shows its properties in the order of its class, whatever the order in the query.
    chosen = [name for name in properties if name.lower() in wanted]
    found = []
    for item in provider.items(host):
        row = _Row(host, item, properties, spelled)
        if holds(query.where, row):
            found.append(Instance(provider.class_name, "root/cimv2", {name: row[name.lower()] for name in chosen}, not query.columns))
    return found


def _classes(host: WindowsHost, namespace: str) -> dict[str, Provider]:
    name = namespace.replace("\\", "/").strip("/").lower()
    if name.startswith("./"):
        name = name[2:]
    if name == "root/cimv2":
        return _CIMV2
    # Namespaces that exist, with classes the model does not have.
    if name in ("root", "root/default", "root/wmi") or (name == "root/standardcimv2" and host.version.release >= (6, 2)):
        return {}
    raise WmiError(INVALID_NAMESPACE)


class _Row(dict[str, t.Any]):
    """Property values by lower-case name, worked out when asked for."""

    def __init__(self, host: WindowsHost, item: t.Any, properties: dict[str, t.Any], spelled: dict[str, str]) -> None:
        super().__init__()
        self._host, self._item, self._properties, self._spelled = host, item, properties, spelled

    def __missing__(self, name: str) -> t.Any:
        value = self[name] = self._properties[self._spelled[name]](self._host, self._item)
        return value
