# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The generated inventory: nothing in it that an inventory of real clients would not have."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

GROUP = "sms_clients"


def host_variables(host: Any, http_port: int, https_port: int) -> dict[str, Any]:
    """Connection variables of one host, for the first account it has and the strongest logon it allows."""
    settings = host.winrm
    user, password = next(iter(settings.users.items()), ("", ""))
    # A computer without WinRM is in an inventory all the same, and nothing answers there.
    scheme = "https" if settings.https and not settings.http else "http"
    negotiates = {"ntlm", "negotiate"} & {name.lower() for name in settings.authentication}
    variables: dict[str, Any] = {
        "ansible_host": host.address,
        "ansible_port": http_port if scheme == "http" else https_port,
        "ansible_winrm_scheme": scheme,
        "ansible_winrm_transport": "ntlm" if negotiates else "basic",
        "ansible_user": user,
        "ansible_password": password,
    }
    return variables


def inventory(hosts: Iterable[Any], http_port: int, https_port: int, authority: Path) -> dict[str, Any]:
    """The inventory as data: every host in ``sms_clients`` and in the groups its description names."""
    members: dict[str, Any] = {}
    groups: dict[str, dict[str, Any]] = {}
    for host in hosts:
        members[host.name] = host_variables(host, http_port, https_port)
        for group in getattr(host, "groups", None) or ():
            if group != GROUP:
                groups.setdefault(group, {"hosts": {}})["hosts"][host.name] = {}
    variables = {
        "ansible_connection": "winrm",
        "ansible_winrm_ca_trust_path": str(authority),
        "ansible_winrm_server_cert_validation": "validate",
    }
    return {"all": {"children": {GROUP: {"hosts": members, "vars": variables}, **groups}}}


def write(path: Path, data: dict[str, Any]) -> None:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    path.touch(mode=0o600)
    path.write_text("---\n" + yaml.dump(data, Dumper=dumper, sort_keys=False, allow_unicode=True), encoding="utf-8")
