# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of cmd.exe: its variables, its directory, and the bytes it writes."""

from __future__ import annotations

import ntpath
import re
import typing as t

from ..boot import programs_of
from ..description import ProcessDescription
from ..events import Exit, Output, Pause, ProgramNotFound
from ..files import normal
from ..tools import PROGRAMS
from .call import Call, Interrupted, Steps
from .interpreter import Interpreter

if t.TYPE_CHECKING:
    from ..host import WindowsHost


Events = t.Generator[Output | Pause | Exit, None, None]
"""What a command does, step by step; Exit is the last. Closing it early ends what it has started."""


class Session:
    """The state that commands on one command line share.

    :ivar echo: commands of a batch file and of a for are shown before they run.
    :ivar environment: upper-case name -> (name as spelled, value).
    :ivar directory: the current one, absolute; `directories` are those of the other drives.
    """

    def __init__(self, host: WindowsHost, code_page: int, environment: t.Mapping[str, str], directory: str | None, user: str) -> None:
        self.host = host
        self.code_page = code_page
        self.user = user
        self.errorlevel = 0
        self.directories: dict[str, str] = {}
        self.delayed_expansion = False
        self.echo = True
        self.environment: dict[str, tuple[str, str]] = {}
        for name, value in {**_environment(host, user), **environment}.items():
            self.set(name, value)
        self.directory = normal(directory, "C:\\") if directory else self.get("USERPROFILE") or "C:\\"

    def get(self, name: str) -> str | None:
        """A variable's value; the dynamic ones too."""
        found = self.environment.get(name.upper())
        if found is not None:
            return found[1]
        upper = name.upper()
        if upper == "ERRORLEVEL":
            return str(self.errorlevel if self.errorlevel < 1 << 31 else self.errorlevel - (1 << 32))
        if upper == "CD":
            return self.directory
        if upper == "RANDOM":
            return str(int(self.host.clock.monotonic() * 1000) % 32768)
        now = self.host.clock.now()
        return {"DATE": now.strftime("%a %m/%d/%Y"), "TIME": now.strftime("%H:%M:%S.%f")[:-4], "CMDEXTVERSION": "2"}.get(upper)

    def set(self, name: str, value: str | None) -> None:
        """Set a variable, or remove it with None or an empty value."""
        if value:
            self.environment[name.upper()] = (name, value)
        else:
            self.environment.pop(name.upper(), None)

    def path(self, name: str) -> str:
        """`name` as an absolute path."""
        return normal(name, self.directory)

    def program(self, name: str) -> str | None:
        """The path of the program or batch file a command name leads to: the current directory first, then PATH."""
        name = name.strip('"')
        extensions = [""] if ntpath.splitext(name)[1] else (self.get("PATHEXT") or ".COM;.EXE;.BAT;.CMD").split(";")
        if "\\" in name or ":" in name or "/" in name:
            places = [self.path(name)]
        else:
            places = [ntpath.join(place, name) for place in [self.directory, *(self.get("PATH") or "").split(";")] if place]
        for place in places:
            for extension in extensions:
                found = self.host.state.files.get(place + extension)
                if found is not None and not found.directory:
                    return found.path
        return None


def _environment(host: WindowsHost, user: str) -> dict[str, str]:
    """As recorded from a shell without a profile, in the order `set` prints it."""
    windows = host.version.windows
    name = user.rpartition("\\")[2].rpartition("/")[2] or "user"
    found = {
        "ALLUSERSPROFILE": r"C:\ProgramData",
        "CommonProgramFiles": r"C:\Program Files\Common Files",
        "COMPUTERNAME": host.computer_name,
        "ComSpec": rf"{windows}\system32\cmd.exe",
        "NUMBER_OF_PROCESSORS": "2",
        "OS": "Windows_NT",
        "Path": rf"{windows}\system32;{windows};{windows}\System32\Wbem",
        "PATHEXT": ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC",
        "PROCESSOR_ARCHITECTURE": "AMD64" if host.version.release >= (6, 1) else "x86",
        "ProgramFiles": r"C:\Program Files",
        "PROMPT": "$P$G",
        "SystemDrive": "C:",
        "SystemRoot": windows,
        "TEMP": rf"{windows}\TEMP",
        "TMP": rf"{windows}\TEMP",
        "USERDOMAIN": host.computer_name,
        "USERNAME": name,
        "USERPROFILE": rf"C:\Users\{name}",
        "windir": windows,
    }
    if host.version.release < (6, 0):
        found["ALLUSERSPROFILE"] = r"C:\Documents and Settings\All Users"
    return found


def run_command(
    host: WindowsHost, command_line: str, code_page: int, environment: t.Mapping[str, str], directory: str | None, skip_cmd: bool, user: str
) -> Events:
    """See WindowsHost.execute."""
    session = Session(host, code_page, environment, directory, user)
    if not host.state.files.is_directory(session.directory):
        session.directory = "C:\\"
    if skip_cmd:
        name, _blank, rest = _first_word(command_line)
        program = session.program(name)
        if program is None or program.lower().endswith((".bat", ".cmd")):
            raise ProgramNotFound(name)
        interpreter = Interpreter(session)
        return _with_process(host, ntpath.basename(program), _finish(interpreter.run_program(program, Call(session, name, rest, None))))
    return _with_process(host, "cmd.exe", _finish(Interpreter(session).run_line(unquoted(session, command_line))))


def _first_word(command_line: str) -> tuple[str, str, str]:
    if command_line.startswith('"'):
        name, quote, rest = command_line[1:].partition('"')
        return name, quote, rest
    return command_line.partition(" ")


def unquoted(session: Session, text: str) -> str:
    """What `cmd /c` leaves of its argument, by the rule `cmd /?` prints: the outer quotation marks go, unless there are just two and a
    program's name with a blank in it stands between them."""
    line = text.strip()
    if not line.startswith('"'):
        return text
    inner = line[1:].partition('"')[0]
    if line.count('"') == 2 and " " in inner and not re.search(r"[&<>()@^|]", inner) and session.program(inner) is not None:
        return text
    last = line.rfind('"')
    return line[1:last] + line[last + 1 :] if last > 0 else line[1:]


def _finish(steps: Steps) -> Events:
    try:
        code = yield from steps
    except Interrupted as interrupted:
        code = interrupted.code
    yield Exit(code & 0xFFFFFFFF)


def _with_process(host: WindowsHost, name: str, events: Events) -> Events:
    """While the command takes time, its process can be seen; it ends with the command, however that ends."""
    pid = 0
    boot_count = host.boot_count
    try:
        for event in events:
            if isinstance(event, Pause) and not pid and host.power.on:
                pid = _show_process(host, name)
            yield event
    finally:
        events.close()
        if pid and host.boot_count == boot_count:
            host.own().processes.pop(pid, None)


def _show_process(host: WindowsHost, name: str) -> int:
    from ..boot import add_process  # at call time: boot and host import each other's neighbours

    path = rf"{host.version.system32}\{name}"
    description = ProcessDescription(name, 0, path, path, r"NT AUTHORITY\SYSTEM", 0, 3100, (), False, True)
    return add_process(host, description, host.uptime())


def known_programs(host: WindowsHost) -> list[str]:
    """Programs that exist on the host and are modelled."""
    return [name for name in programs_of(host.description) if ntpath.splitext(ntpath.basename(name))[0] in PROGRAMS]
