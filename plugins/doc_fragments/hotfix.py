# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the modules about a hotfix and about servers share. Private to the collection."""

from __future__ import annotations


class ModuleDocFragment:
    """The hotfix, the platforms of its package, the account of a server."""

    DOCUMENTATION = r"""
options:
  hotfix:
    description:
      - The hotfix, by the number of its article. The collection has the manifest of V(Q229097).
      - Or the path on the controller of a manifest of your own, for another hotfix of the same shape. The guide C(docs/hotfix_manifests.md)
        describes the format.
    type: str
    default: Q229097
  language:
    description:
      - Whose table of the article counts, V(en) or V(de) for Q229097. Another language has other files and is refused.
    type: str
    default: en
  trusted_sha256:
    description:
      - Hashes of files you know to be right. They decide, whatever size and date say; only the machine field of the program still has
        to be the platform's.
      - A list of hashes of 64 hexadecimal digits, each of which makes any file right.
      - Or a mapping of C(file) or C(platform/file) to a hash or a list of hashes. A file that is named there and has another hash is wrong.
    type: raw
"""

    PLATFORMS = r"""
options:
  platforms:
    description:
      - Only these platforms, V(x86) and V(alpha) for Q229097.
      - Without it, the platforms that have a folder in the package; where no package is given, all that the manifest has.
    type: list
    elements: str
requirements:
  - pefile >= 2023.2.7 on the controller
"""

    SERVER = r"""
options:
  port:
    description: The TCP port of SMB on the server, 1 to 65535.
    type: int
    default: 445
  username:
    description: >-
      The account that connects to the share, as C(user), C(DOMAIN\user) or C(user@domain). Without it, C(ansible_user) of the host; without
      either, the Kerberos ticket of the controller's user, where Kerberos is set up.
    type: str
  password:
    description: Its password. Without it, C(ansible_password) of the host.
    type: str
  timeout:
    description: Seconds, 1 to 3600, the server may take for the connection and for each answer.
    type: int
    default: 30
requirements:
  - smbprotocol >= 1.13.0 on the controller
notes:
  - Works from the controller through the share. The connection plugin of the host is not used, so a server needs no WinRM and nothing
    installed.
  - SMB 2 or 3 with signing, and with encryption where the server has it. A server that only knows SMB 1, such as Windows NT 4 and
    2000, has to be mounted on the controller; give the directory instead of the share.
  - Trouble with the connection is reported as C(unreachable), with the host, the cause and the next step in one sentence.
"""
