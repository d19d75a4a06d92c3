# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with files on a server, as sentences. Private to the collection.

Classified by NTSTATUS or errno, never by text. Nothing a library says is passed on: it could hold a secret.
"""

from __future__ import annotations

import errno
import typing as t

from ._errors import HelpdeskError
from ._text import printable


class ShareTrouble(HelpdeskError):
    """A server, or a directory mounted on the controller, does not do with a file what was asked of it."""


class ShareUnreachable(ShareTrouble):
    """No usable connection to the share: name, network, port, logon, or it broke."""

    unreachable = True


class Trouble(t.NamedTuple):
    """A class of trouble: its stable word, the cause, the next step, whether the connection is lost with it."""

    reason: str
    cause: str
    next_step: str
    unreachable: bool = False


_IN_USE = Trouble(
    "file-in-use",
    "another program has it open",
    "close every SMS Administrator console that uses this server, and whatever else has the file open, and run again",
)
_DENIED = Trouble(
    "access-denied",
    "access is denied",
    "give the account Change rights on the share and on the directory, and check that the file is not open in an SMS Administrator console",
)
_NO_NAME = Trouble("name-not-found", "there is no such file or directory", "check the path")
_NO_PATH = Trouble(
    "path-not-found", "a directory of the path does not exist", "check root: it has to be the SMS directory, the one with Site.srv in it"
)
_FULL = Trouble("disk-full", "the disk of the server is full or the quota of the account is used up", "free some space and run again")
_NO_SHARE = Trouble("share-gone", "the server has no such share", "check the name of the share in root and that it is still shared", True)
_LOGON = Trouble(
    "credentials",
    "the server refuses the account or its password",
    "check username and password, or ansible_user and ansible_password of the host",
    True,
)
_CUT = Trouble(
    "connection-cut",
    "the connection was cut",
    "check the network and the server and run again; the next run completes what this one began",
    True,
)
_TIMEOUT = Trouble(
    "timeout", "the server does not answer in time", "check the network and the server, or give a larger timeout, and run again", True
)
_REFUSED = Trouble(
    "refused",
    "nothing accepts SMB connections there",
    "check the name, the port and the firewall, and that the server's Server service runs",
    True,
)
_DNS = Trouble("dns", "the name of the server cannot be resolved", "check the name of the server in root", True)
_NO_ROUTE = Trouble("no-route", "there is no route to the server", "check the network", True)
_EXISTS = Trouble("exists", "it is there already", "make sure that no other run works on this server, and run again")
_NOT_EMPTY = Trouble("not-empty", "the directory is not empty", "run again")
_IS_DIRECTORY = Trouble("is-directory", "it is a directory", "move the directory away and run again")
_NOT_DIRECTORY = Trouble("not-directory", "a part of the path is no directory", "check the path")
_READ_ONLY = Trouble("read-only", "the file system is mounted or shared read-only", "mount or share it writable")
_BUSY = Trouble("server-busy", "the server is out of resources", "wait a moment and run again")
_ENCRYPTION = Trouble("not-supported", "the server cannot do what is needed", "the server has to speak SMB 2 or later with signing")

# [MS-ERREF] 2.3.1.
_NTSTATUS: dict[int, Trouble] = {
    0xC0000043: _IN_USE,  # STATUS_SHARING_VIOLATION
    0xC0000054: _IN_USE,  # STATUS_FILE_LOCK_CONFLICT
    0xC0000243: _IN_USE,  # STATUS_USER_MAPPED_FILE
    0xC0000056: _IN_USE,  # STATUS_DELETE_PENDING
    0xC0000022: _DENIED,  # STATUS_ACCESS_DENIED
    0xC0000121: _DENIED,  # STATUS_CANNOT_DELETE
    0xC0000061: _DENIED,  # STATUS_PRIVILEGE_NOT_HELD
    0xC0000034: _NO_NAME,  # STATUS_OBJECT_NAME_NOT_FOUND
    0xC000000F: _NO_NAME,  # STATUS_NO_SUCH_FILE
    0xC0000033: _NO_NAME,  # STATUS_OBJECT_NAME_INVALID
    0xC000003A: _NO_PATH,  # STATUS_OBJECT_PATH_NOT_FOUND
    0xC0000039: _NO_PATH,  # STATUS_OBJECT_PATH_INVALID
    0xC000003B: _NO_PATH,  # STATUS_OBJECT_PATH_SYNTAX_BAD
    0xC000007F: _FULL,  # STATUS_DISK_FULL
    0xC0000044: _FULL,  # STATUS_QUOTA_EXCEEDED
    0xC00000CC: _NO_SHARE,  # STATUS_BAD_NETWORK_NAME
    0xC00000C9: _NO_SHARE,  # STATUS_NETWORK_NAME_DELETED
    0xC000006D: _LOGON,  # STATUS_LOGON_FAILURE
    0xC000006E: _LOGON,  # STATUS_ACCOUNT_RESTRICTION
    0xC0000064: _LOGON,  # STATUS_NO_SUCH_USER
    0xC000006A: _LOGON,  # STATUS_WRONG_PASSWORD
    0xC0000070: _LOGON,  # STATUS_INVALID_WORKSTATION
    0xC0000071: _LOGON,  # STATUS_PASSWORD_EXPIRED
    0xC0000072: _LOGON,  # STATUS_ACCOUNT_DISABLED
    0xC0000193: _LOGON,  # STATUS_ACCOUNT_EXPIRED
    0xC000015B: _LOGON,  # STATUS_LOGON_TYPE_NOT_GRANTED
    0xC0000224: _LOGON,  # STATUS_PASSWORD_MUST_CHANGE
    0xC0000234: _LOGON,  # STATUS_ACCOUNT_LOCKED_OUT
    0xC0000203: _CUT,  # STATUS_USER_SESSION_DELETED
    0xC000020C: _CUT,  # STATUS_CONNECTION_DISCONNECTED
    0xC000020D: _CUT,  # STATUS_CONNECTION_RESET
    0xC0000128: _CUT,  # STATUS_FILE_CLOSED
    0xC000035C: _CUT,  # STATUS_NETWORK_SESSION_EXPIRED
    0xC00000B5: _TIMEOUT,  # STATUS_IO_TIMEOUT
    0xC0000466: _BUSY,  # STATUS_SERVER_UNAVAILABLE
    0xC000009A: _BUSY,  # STATUS_INSUFFICIENT_RESOURCES
    0xC0000205: _BUSY,  # STATUS_INSUFF_SERVER_RESOURCES
    0xC00000D0: _BUSY,  # STATUS_REQUEST_NOT_ACCEPTED
    0xC0000035: _EXISTS,  # STATUS_OBJECT_NAME_COLLISION
    0xC0000101: _NOT_EMPTY,  # STATUS_DIRECTORY_NOT_EMPTY
    0xC00000BA: _IS_DIRECTORY,  # STATUS_FILE_IS_A_DIRECTORY
    0xC0000103: _NOT_DIRECTORY,  # STATUS_NOT_A_DIRECTORY
    0xC00000A2: _READ_ONLY,  # STATUS_MEDIA_WRITE_PROTECTED
    0xC00000BB: _ENCRYPTION,  # STATUS_NOT_SUPPORTED
}
_ERRNO: dict[int, Trouble] = {
    errno.ENOENT: _NO_NAME,
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.ETXTBSY: _IN_USE,
    errno.EBUSY: _IN_USE,
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EEXIST: _EXISTS,
    errno.ENOTEMPTY: _NOT_EMPTY,
    errno.EISDIR: _IS_DIRECTORY,
    errno.ENOTDIR: _NOT_DIRECTORY,
    errno.ESTALE: _CUT,
    errno.EIO: _CUT,
    errno.EHOSTDOWN: _CUT,
    errno.ENOTCONN: _CUT,
    errno.ECONNRESET: _CUT,
    errno.ECONNABORTED: _CUT,
    errno.EPIPE: _CUT,
    errno.EBADF: _CUT,  # the library closes a socket the server has hung up on while a message is on its way out
    errno.ECONNREFUSED: _REFUSED,
    errno.ETIMEDOUT: _TIMEOUT,
    errno.EHOSTUNREACH: _NO_ROUTE,
    errno.ENETUNREACH: _NO_ROUTE,
    errno.EADDRNOTAVAIL: _NO_ROUTE,
}

_NOT_SMB = Trouble(
    "not-smb",
    "what answers does not speak SMB 2 or 3, or hangs up",
    "check the port; a server that only knows SMB 1 has to be mounted on the controller",
    True,
)
GUEST = Trouble(
    "credentials",
    "the server does not know the account and lets it in as a guest only, with whom nothing can be signed",
    "check username and password, or ansible_user and ansible_password of the host",
    True,
)
CUT, TIMEOUT, LOGON, DNS, NOT_SMB, IN_USE, DENIED, NOT_EMPTY = _CUT, _TIMEOUT, _LOGON, _DNS, _NOT_SMB, _IN_USE, _DENIED, _NOT_EMPTY
NO_NAME, NO_PATH = _NO_NAME, _NO_PATH


def of_status(status: int) -> Trouble:
    """The class of an NTSTATUS."""
    return _NTSTATUS.get(status & 0xFFFFFFFF) or Trouble(
        "server-error",
        f"the server answers with status 0x{status & 0xFFFFFFFF:08X}",
        "look that status up in [MS-ERREF] and in the server's event log",
    )


def of_errno(number: int | None) -> Trouble:
    """The class of an errno."""
    name = errno.errorcode.get(number or 0, str(number))
    return _ERRNO.get(number or 0) or Trouble("server-error", f"the system answers with {name}", "look at the log of the system")


def error(host: str, thing: str, trouble: Trouble) -> ShareTrouble:
    """The error that tells of a trouble. `thing`: what was being done, with the path ("replacing \\\\srv\\SMS\\x.dll")."""
    kind = ShareUnreachable if trouble.unreachable else ShareTrouble
    return kind(host, printable(thing), trouble.cause, trouble.next_step, trouble.reason)


def other_run(host: str, path: str) -> ShareTrouble:
    """The error of a run that finds another one at work on the same server."""
    return ShareTrouble(
        host, path, "another run works on this server or broke off moments ago", "wait until it has ended and run again", "other-run"
    )
