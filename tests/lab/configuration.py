# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``winrm get winrm/config``: the settings of the service as its own tool shows them.

No recording of a Get exists, so every shape here is synthetic.
"""

from __future__ import annotations

from typing import Any

CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"


def config_item(resource: str, host: Any) -> str | None:
    """The XML item for a configuration resource, or None for one that does not exist."""
    settings = host.winrm
    authentication = "".join(
        f"<cfg:{name}>{'true' if enabled else 'false'}</cfg:{name}>"
        for name, enabled in (
            ("Basic", "basic" in settings.authentication),
            ("Kerberos", False),
            ("Negotiate", bool({"ntlm", "negotiate"} & set(settings.authentication))),
            ("Certificate", False),
            ("CredSSP", False),
        )
    )
    service = (
        f"<cfg:MaxConcurrentOperationsPerUser>{settings.max_operations_per_user}</cfg:MaxConcurrentOperationsPerUser>"
        f"<cfg:EnumerationTimeoutms>240000</cfg:EnumerationTimeoutms><cfg:MaxConnections>300</cfg:MaxConnections>"
        f"<cfg:AllowUnencrypted>{'true' if settings.allow_unencrypted else 'false'}</cfg:AllowUnencrypted>"
        f"<cfg:Auth>{authentication}</cfg:Auth><cfg:AllowRemoteAccess>true</cfg:AllowRemoteAccess>"
    )
    winrs = (
        "<cfg:AllowRemoteShellAccess>true</cfg:AllowRemoteShellAccess><cfg:IdleTimeout>7200000</cfg:IdleTimeout>"
        f"<cfg:MaxShellsPerUser>{settings.max_shells_per_user}</cfg:MaxShellsPerUser>"
    )
    if resource == CONFIG:
        content = (
            f"<cfg:MaxEnvelopeSizekb>{settings.max_envelope_kb}</cfg:MaxEnvelopeSizekb><cfg:MaxTimeoutms>60000</cfg:MaxTimeoutms>"
            f"<cfg:MaxBatchItems>32000</cfg:MaxBatchItems><cfg:Service>{service}</cfg:Service><cfg:Winrs>{winrs}</cfg:Winrs>"
        )
        return f'<cfg:Config xmlns:cfg="{CONFIG}" xml:lang="en-US">{content}</cfg:Config>'
    if resource.lower() == CONFIG + "/service":
        return f'<cfg:Service xmlns:cfg="{CONFIG}/service" xml:lang="en-US">{service}</cfg:Service>'
    if resource.lower() == CONFIG + "/winrs":
        return f'<cfg:Winrs xmlns:cfg="{CONFIG}/winrs" xml:lang="en-US">{winrs}</cfg:Winrs>'
    return None
