# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A peer that hangs up on the first message is told as one that does not speak SMB, however the library notices."""

from __future__ import annotations

import errno
import typing as t

import pytest
import smbprotocol.connection
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _smb_share
from ansible_collections.sms.helpdesk.plugins.plugin_utils._share_trouble import ShareUnreachable
from ansible_collections.sms.helpdesk.plugins.plugin_utils._shares import Account, Address
from smbprotocol.exceptions import SMBConnectionClosed


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (SMBConnectionClosed("closed"), "not-smb"),
        (OSError(errno.EBADF, "the socket was closed meanwhile"), "not-smb"),
        (OSError(errno.EPIPE, "broken pipe"), "not-smb"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "not-smb"),
        (TimeoutError(), "timeout"),
        (OSError(errno.EHOSTUNREACH, "no route"), "no-route"),
    ],
)
def test_the_first_message_is_not_answered(monkeypatch: pytest.MonkeyPatch, raised: Exception, reason: str) -> None:
    def connect(_self: t.Any, timeout: float) -> None:
        raise raised

    monkeypatch.setattr(smbprotocol.connection.Connection, "connect", connect)
    with pytest.raises(ShareUnreachable) as caught:
        _smb_share.SmbShare("srv", Address("127.0.0.1", "SMS_SHRD", ""), Account("user", "secret"))
    assert caught.value.reason == reason
