# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an address to the share behind it. Private to the collection.

Imported by the actions, so that Ansible loads the SMB library before it forks and its workers need not.
"""

from __future__ import annotations

from ._directory_share import DirectoryShare
from ._shares import Account, Address, Share
from ._smb_share import SmbShare


def open_share(host: str, address: Address, account: Account) -> Share:
    """Connect.

    :raises ShareUnreachable: there is no usable connection.
    :raises ShareTrouble: the directory is not there.
    :raises BadInput: a library is missing on the controller.
    """
    if address.server is None:
        return DirectoryShare(host, address.path)
    return SmbShare(host, address, account)
