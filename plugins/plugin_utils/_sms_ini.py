# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sms.ini of a client: bytes -> facts. Pure. Private to the collection.

The file is the client's identity (Q149673) and is only ever read here. Sections and keys occur in any case (Q185345).
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ._text import decode

# Q166771 has both "verify_files" and "verifying_files", Q153303 "deinstal", Q125978 "deinstall": the beginning decides.
_PHASES = (("install", "installed"), ("verif", "verify_files"), ("deinstal", "deinstall"))


@dataclasses.dataclass(frozen=True)
class SmsIni:
    """What Sms.ini says.

    :ivar phase: `setup_phase` normalised: ``installed``, ``verify_files``, ``deinstall`` or ``other``; None if there is none.
    :ivar setup_phase: [Local] SetupPhase as it is written.
    :ivar copy_list_version: [SMS] CopyListVersion. It is written when the client is flagged, so it proves nothing (Q166771).
    :ivar files_not_downloaded: [WorkstationStatus] FilesNotDownloaded; a name there keeps the phase where it is (Q168598).
    :ivar logon_server: the logon server the client uses now: CurrentLogonServer of any section (Q126644).
    :ivar logon_servers: [Servers], in their order, at most eight (Q140145).
    :ivar site_code: [SMS] SiteCode.
    :ivar pending_work: [SMS Work] PendingWork.
    """

    phase: str | None = None
    setup_phase: str | None = None
    copy_list_version: str | None = None
    files_not_downloaded: str | None = None
    logon_server: str | None = None
    logon_servers: tuple[str, ...] = ()
    site_code: str | None = None
    pending_work: str | None = None

    def shown(self) -> dict[str, t.Any]:
        """For results and diffs."""
        return {**dataclasses.asdict(self), "logon_servers": list(self.logon_servers)}


def sections(data: bytes) -> dict[str, list[tuple[str, str]]]:
    """Lower-case section -> its entries in order, as (key as spelled, value); a section that occurs twice is one."""
    found: dict[str, list[tuple[str, str]]] = {}
    entries: list[tuple[str, str]] | None = None
    for raw in re.split(r"\r\n|\r|\n", decode(data).replace("\x1a", "")):
        line = raw.strip()
        if line.startswith("[") and "]" in line:
            entries = found.setdefault(line[1 : line.index("]")].strip().lower(), [])
        elif entries is not None and line and line[0] not in ";#":
            key, equals, value = line.partition("=")
            if equals:
                entries.append((key.strip(), value.strip().strip('"').strip()))
    return found


def parse(data: bytes) -> SmsIni | None:
    """The facts of a Sms.ini; None if the bytes are none, which is what remains of a file that is not there or cannot be read."""
    found = sections(data)
    if not found:
        return None

    def first(section: str, key: str) -> str | None:
        return next((value for name, value in found.get(section, []) if name.lower() == key and value), None)

    anywhere = (value for entries in found.values() for name, value in entries if name.lower() == "currentlogonserver" and value)
    setup_phase = first("local", "setupphase")
    return SmsIni(
        phase=_phase(setup_phase),
        setup_phase=setup_phase,
        copy_list_version=first("sms", "copylistversion"),
        files_not_downloaded=first("workstationstatus", "filesnotdownloaded"),
        logon_server=next((value.lstrip("\\") for value in anywhere), None),
        logon_servers=tuple(
            value.lstrip("\\") for name, value in found.get("servers", []) if value and name.lower() != "currentlogonserver"
        ),
        site_code=first("sms", "sitecode"),
        pending_work=first("sms work", "pendingwork"),
    )


def _phase(text: str | None) -> str | None:
    if text is None:
        return None
    plain = re.sub(r"[^a-z]", "", text.lower())
    return next((phase for beginning, phase in _PHASES if plain.startswith(beginning)), "other")
