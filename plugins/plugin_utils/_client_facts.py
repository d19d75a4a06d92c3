# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client prints about itself, to facts. Pure. Private to the collection.

`COMMANDS` and `read_printed` belong together: one says what is run, the other reads what that prints.
"""

from __future__ import annotations

import dataclasses
import ntpath
import re
import typing as t

from . import _registry, _sms_ini
from ._client import AgentFile
from ._hotfix import FileFacts, Judgement, Trusted, judge
from ._manifest import Catalogue
from ._text import decode

AGENT = "Wuser32.exe"
SERVICES_KEY = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\"
# 64-bit Windows keeps the keys of 32-bit programs, which the agent is, below Wow6432Node; where both exist, those count.
SOFTWARE = ("HKLM\\SOFTWARE\\Wow6432Node\\", "HKLM\\SOFTWARE\\")
# Q170440, Q173120, Q191336.
REMOTE_CONTROL = "Microsoft\\SMS\\Client Services\\Remote Control"
PARAMETERS = f"{REMOTE_CONTROL}\\Parameters"
COMMAND_LINE, OVERRIDE, OVERRIDE_VIEWERS = "CommandLine", "Override Site CommandLine", "Override Site Permitted Viewer List"
# Q196225, Q193280.
SMS_2 = "Microsoft\\SMS\\Client\\Client Components\\Remote Control"
LANDESK = "Intel\\LANDesk\\WUSER32"
SMS_2_DIRECTORY = "MS\\SMS\\Clicomp"
# Q126644, Q228781.
_INI_FILES = (r"C:\Sms.ini", r"%SystemDrive%\Sms.ini", r"%windir%\Sms.ini")
_SMS_2_MARK, _INI, _CONTENT, _END = "sms.helpdesk.sms2", "sms.helpdesk.ini", "sms.helpdesk.content", "sms.helpdesk.end"


def command(service: str) -> str:
    """What is run on a client. Errors are translated and say nothing, so they are not sent."""
    keys = [(SERVICES_KEY + service, False)]
    keys += [(software + key, key is REMOTE_CONTROL) for key in (REMOTE_CONTROL, SMS_2, LANDESK) for software in SOFTWARE]
    asked = [f"{_registry.query(key, recursive)} 2>nul" for key, recursive in keys]
    asked += [
        "echo processor %PROCESSOR_ARCHITECTURE%",
        f"echo {_SMS_2_MARK}",
        f'dir /b /a "%windir%\\{ntpath.dirname(SMS_2_DIRECTORY)}" 2>nul',
    ]
    for path in _INI_FILES:
        # A file that cannot be read is listed and has no content.
        asked += [f"echo {_INI} {path}", f'dir /b /a "{path}" 2>nul', f"echo {_CONTENT}", f'type "{path}" 2>nul', "echo."]
    return " & ".join([*asked, f"echo {_END}"])


@dataclasses.dataclass(frozen=True)
class IniFile:
    """Sms.ini where it was found; `facts` is None if it is there and cannot be read."""

    path: str
    facts: _sms_ini.SmsIni | None


@dataclasses.dataclass(frozen=True)
class Printed:
    """What the client said of itself on the command line.

    :ivar complete: everything was printed to its end.
    """

    keys: _registry.Keys
    processor: str
    sms_2_directory: bool
    ini_files: tuple[IniFile, ...]
    complete: bool


def read_printed(data: bytes) -> Printed:
    """The output of `command`; pure."""
    head, *pieces = re.split(rb"^[ \t]*" + re.escape(_INI.encode()), data, flags=re.MULTILINE)
    text = decode(head)
    processor = re.search(r"^processor +(\S+)", text, re.MULTILINE)
    found: dict[str, IniFile] = {}
    complete = False
    for piece in pieces:
        title, _mark, body = piece.partition(_CONTENT.encode())
        body, end, _more = body.partition(_END.encode())
        complete = complete or bool(end)
        path, _line_end, listed = decode(title).strip().partition("\n")
        path = path.strip()
        if "sms.ini" in listed.lower() and path.lower() not in found:
            found[path.lower()] = IniFile(path, _sms_ini.parse(body))
    return Printed(
        _registry.parse(text),
        processor[1] if processor and "%" not in processor[1] else "",
        re.search(r"^clicomp\s*$", text.partition(_SMS_2_MARK)[2], re.MULTILINE | re.IGNORECASE) is not None,
        tuple(found.values()),
        complete,
    )


def program_of(command: str, windows: str | None) -> str | None:
    r"""The program of an ImagePath: quotation marks, arguments and ``%SystemRoot%``, ``\SystemRoot\`` and relative paths resolved; pure."""
    text = command.strip()
    if not text:
        return None
    if text.startswith('"'):
        text = text[1:].partition('"')[0]
    else:
        found = re.match(r"(.*?\.exe)(?:\s|$)", text, re.IGNORECASE)
        text = found[1] if found else text.split()[0]
    if windows:
        text = re.sub(
            r"^(%SystemRoot%|%windir%|\\SystemRoot|\\\?\?\\%SystemRoot%)(?=\\)", lambda _match: windows, text, flags=re.IGNORECASE
        )
        if re.match(r"system32\\", text, re.IGNORECASE):
            text = ntpath.join(windows, text)
    text = text.removeprefix("\\??\\")
    return text if re.match(r"[A-Za-z]:\\", text) else None


def generation_of(
    printed: Printed, path: str | None, agent: FileFacts | None, service_exists: bool, others: t.Iterable[tuple[str, str]]
) -> str:
    """Whose client it is: ``1.2``, ``2.0``, ``landesk``, ``dummy`` or ``none``. Its name proves nothing: three products have a Wuser32.exe.

    :param others: versions of other products and their names, from the catalogue.
    """

    def has(key: str) -> bool:
        return any((software + key).lower() in printed.keys for software in SOFTWARE)

    if agent is not None and agent.kind == "text":
        return "dummy"
    if has(LANDESK):
        return "landesk"
    version = (agent.file_version if agent else None) or ""
    if any(version == begin or version.startswith(f"{begin}.") for begin, _product in others) or re.match(r"2\.0+(\.|$)", version):
        return "2.0"
    if path and f"\\{SMS_2_DIRECTORY}\\".lower() in path.lower():
        return "2.0"
    of_1 = has(REMOTE_CONTROL) or has(PARAMETERS) or bool(printed.ini_files)
    if (printed.sms_2_directory or has(SMS_2)) and not (service_exists and agent is not None and of_1):
        return "2.0"
    return "1.2" if of_1 or service_exists or agent is not None else "none"


def protocol_of(keys: _registry.Keys) -> dict[str, t.Any]:
    """What the agent speaks, from its CommandLine (Q170440): value, lana, and the flags that keep site settings from overwriting; pure."""
    for software in SOFTWARE:
        command_line = _registry.get(keys, software + PARAMETERS, COMMAND_LINE)
        override, viewers = (_registry.get(keys, software + REMOTE_CONTROL, name) for name in (OVERRIDE, OVERRIDE_VIEWERS))
        if command_line is None and override is None and viewers is None and (software + REMOTE_CONTROL).lower() not in keys:
            continue
        text = "" if command_line is None else command_line.shown()
        value, lana = parse_command_line(text)
        return {
            "key": software + REMOTE_CONTROL,
            "command_line": None if command_line is None else text,
            "value": value,
            "lana": lana,
            "override": _is_set(override),
            "override_viewers": _is_set(viewers),
        }
    return {"key": None, "command_line": None, "value": None, "lana": None, "override": False, "override_viewers": False}


def parse_command_line(text: str) -> tuple[str | None, int | None]:
    """(protocol, LANA) of a CommandLine; (None, None) if it names none. ``-TCP`` is SMS 2.0's word for IP (Q198727); pure."""
    for word in text.lower().split():
        if word in ("-ip", "/ip", "-tcp", "/tcp"):
            return "ip", None
        if word in ("-ipx", "/ipx"):
            return "ipx", None
        lana = re.fullmatch(r"[-/]l(\d{1,3})", word)
        if lana:
            return "netbios", int(lana[1])
    return None, None


def judge_agent(catalogue: Catalogue, language: str, trust: Trusted, agent: FileFacts, processor: str) -> AgentFile:
    """What the catalogue says of the agent's file: the table of any language may know it, else that of `language` decides."""
    platform = "alpha" if "alpha" in processor.lower() else "x86"
    if agent.kind == "program" and (agent.size is None or agent.modified is None):
        return AgentFile("undetermined", "its size or time could not be read")
    judged: list[Judgement] = []
    for name in dict.fromkeys((language, *catalogue.tables)):
        row = catalogue.tables[name].get((platform, AGENT))
        if row is not None:
            judged.append(judge(catalogue, name, row, agent, trust))
    if not judged:
        return AgentFile("undetermined", f"{catalogue.hotfix} has no {AGENT} for {platform}")
    best = next((each for each in judged if each.status == "match"), judged[0])
    return AgentFile(best.status, best.message, trust.decide(platform, AGENT, agent.sha256) is not None)


def _is_set(value: _registry.Value | None) -> bool:
    return value is not None and value.shown().strip().lower() not in ("", "0", "no", "false")
