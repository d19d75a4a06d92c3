# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Client Setup of SMS 1.2, as Upgrade.bat starts it from the logon server. Its switches are in Q149681; what it prints is synthetic."""

from __future__ import annotations

import ntpath
import typing as t

from .. import sms

if t.TYPE_CHECKING:
    from ..shell.call import Call, Steps


def run(call: Call, directory: str) -> Steps:
    """The program.

    :param directory: where it lies on the share.
    """
    if not any(word.lower() in ("/u", "-u", "/f", "-f") for word in call.argv):
        yield call.err("Client Setup: nothing to do.\n")
        return 1
    files = call.host.state.files
    copy_list = files.get(ntpath.join(directory, "cl_nt.txt")) or files.get(ntpath.join(ntpath.dirname(directory), "cl_nt.txt"))
    if not sms.flag(call.host, (copy_list.content or b"").decode("latin-1") if copy_list else ""):
        yield call.err("Client Setup: there is no SMS client on this computer.\n")
        return 2
    yield call.out("Client Setup: the client is upgraded at the next logon.\n")
    return 0
