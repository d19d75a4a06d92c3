# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running command tells whoever drives it, and how a query or a command line is refused."""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True)
class Output:
    """Bytes for one stream, "stdout" or "stderr", in the shell's code page."""

    stream: str
    data: bytes


@dataclasses.dataclass(frozen=True)
class Pause:
    """The command does nothing for `seconds`; infinity means that it hangs."""

    seconds: float


@dataclasses.dataclass(frozen=True)
class Exit:
    """The end, always last; `code` is what the process returns (0 to 4294967295)."""

    code: int


class ProgramNotFound(Exception):
    """The program does not exist and no cmd.exe stands between to say so: ERROR_FILE_NOT_FOUND."""

    hresult = 0x80070002

    def __init__(self, program: str) -> None:
        super().__init__(f"'{program}' does not exist on this host")
        self.program = program


class WmiError(Exception):
    """WMI refuses; `hresult` as in wbemcli.h, for instance 0x80041010."""

    def __init__(self, hresult: int) -> None:
        super().__init__(f"WMI error 0x{hresult:08X}")
        self.hresult = hresult


INVALID_NAMESPACE = 0x8004100E
INVALID_CLASS = 0x80041010
INVALID_QUERY = 0x80041017
ACCESS_DENIED = 0x80041003
PROVIDER_FAILURE = 0x80041004


@dataclasses.dataclass(frozen=True)
class Instance:
    """One object a query found.

    :ivar properties: exactly the selected columns, spelled and ordered as the class defines them; values are None, str, int, bool,
        datetime (with a zone) or a list of such.
    :ivar whole: the query was ``select *``.
    """

    class_name: str
    namespace: str
    properties: dict[str, t.Any]
    whole: bool
