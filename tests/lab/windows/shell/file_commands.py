# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands inside cmd.exe that work on files and directories."""

from __future__ import annotations

import dataclasses
import ntpath
import re
import typing as t

from ..files import File, has_wildcards
from .call import Call, Steps

if t.TYPE_CHECKING:
    from .interpreter import Interpreter

_NO_FILE = "The system cannot find the file specified.\n"
_NO_PATH = "The system cannot find the path specified.\n"
_SYNTAX = "The syntax of the command is incorrect.\n"


def _words(call: Call) -> tuple[list[str], list[str]]:
    """Paths and switches; a switch may stick to what is before it."""
    words = re.findall(r'/[^\s/"]+|(?:"[^"]*"|[^\s/"])+', call.arguments)
    return [word.replace('"', "") for word in words if not word.startswith("/")], [word.lower() for word in words if word.startswith("/")]


def _failed(call: Call, message: str, code: int = 1) -> Steps:
    yield call.err(message)
    call.session.errorlevel = code
    return code


def _cd(_interpreter: Interpreter, call: Call) -> Steps:
    paths, switches = _words(call)
    # cd takes blanks in its argument as they are, even without quotation marks.
    target = " ".join(paths)
    session = call.session
    if not target:
        yield call.out(session.directory + "\n")
        return 0
    path = session.path(target)
    if path[0].upper() != session.directory[0].upper() and "/d" not in switches:
        return 0
    found = call.host.state.files.get(path)
    if found is None or not found.directory:
        return (yield from _failed(call, _NO_PATH))
    session.directory = found.path
    session.errorlevel = 0
    return 0


def _type(_interpreter: Interpreter, call: Call) -> Steps:
    paths, _switches = _words(call)
    if not paths:
        return (yield from _failed(call, _SYNTAX))
    code = 0
    for path in paths:
        absolute = call.session.path(path)
        files = call.host.state.files
        found = files.matching(absolute) if has_wildcards(absolute) else [file for file in (files.get(absolute),) if file]
        if not found:
            known = files.is_directory(ntpath.dirname(absolute))
            code = yield from _failed(call, _NO_FILE if known else _NO_PATH)
            continue
        for file in found:
            if file.directory:
                code = yield from _failed(call, "Access is denied.\n")
                continue
            if len(paths) > 1 or len(found) > 1:
                yield call.err(f"\n{file.name}\n\n\n")
            yield dataclasses.replace(call.out(""), data=file.content or b"")
    if not code:
        call.session.errorlevel = 0
    return code


def _dir(_interpreter: Interpreter, call: Call) -> Steps:
    paths, switches = _words(call)
    path = call.session.path(paths[0]) if paths else call.session.directory
    files = call.host.state.files
    directory, found = path, [file for file in (files.get(path),) if file]
    if files.is_directory(path):
        found = files.children(path)
    else:
        directory = ntpath.dirname(path)
        if has_wildcards(path):
            found = files.matching(path)
    wanted = [switch for switch in switches if switch.startswith("/a")]
    if wanted and "d" in wanted[0][2:]:
        found = [file for file in found if file.directory != ("-d" in wanted[0])]
    elif not wanted:
        found = [file for file in found if not set("HS") & set(file.attributes)]
    if "/b" in switches:
        if not found:
            return (yield from _failed(call, "File Not Found\n"))
        yield call.out("".join(f"{file.name}\n" for file in found))
        return 0
    yield call.out(f" Volume in drive {directory[0]} has no label.\n Volume Serial Number is 7869-2C66\n\n")
    if not files.is_directory(directory):
        return (yield from _failed(call, "The system cannot find the path specified.\n"))
    yield call.out(f" Directory of {directory}\n\n")
    if not found and directory != path:
        return (yield from _failed(call, "File Not Found\n"))
    if directory == path and len(directory) > 3:
        here = files.get(directory)
        found = [dataclasses.replace(here, path=directory + "\\" + dots) for dots in (".", "..") if here] + found
    size = 0
    for file in found:
        length = file.size if file.content is None else len(file.content)
        size += 0 if file.directory else length
        middle = "<DIR>         " if file.directory else f"{length:>14,}"
        yield call.out(f"{file.modified:%m/%d/%Y  %I:%M %p}    {middle} {file.name}\n")
    directories = sum(file.directory for file in found)
    yield call.out(f"{len(found) - directories:>16} File(s) {size:>14,} bytes\n{directories:>16} Dir(s)  28,319,084,544 bytes free\n")
    return 0


def _copy(_interpreter: Interpreter, call: Call) -> Steps:
    paths, _switches = _words(call)
    if len(paths) not in (1, 2):
        return (yield from _failed(call, _SYNTAX))
    source = call.session.path(paths[0])
    files = call.host.state.files
    found = [file for file in (files.matching(source) if has_wildcards(source) else [files.get(source)]) if file and not file.directory]
    if not found:
        return (yield from _failed(call, _NO_FILE))
    target = call.session.path(paths[1]) if len(paths) == 2 else call.session.directory
    into = files.is_directory(target)
    if not into and not files.is_directory(ntpath.dirname(target)):
        return (yield from _failed(call, f"{_NO_PATH}        0 file(s) copied.\n"))
    copied = 0
    for file in found:
        path = ntpath.join(target, file.name) if into else target
        if _in_use(call, path):
            yield call.err("The process cannot access the file because it is being used by another process.\n")
            continue
        if len(found) > 1:
            yield call.out(f"{file.path}\n")
        call.host.own().files.put(dataclasses.replace(file, path=path))
        copied += 1
    yield call.out(f"{copied:>9} file(s) copied.\n")
    call.session.errorlevel = 0 if copied == len(found) else 1
    return call.session.errorlevel


def _in_use(call: Call, path: str) -> bool:
    """A program's file cannot be written or deleted while it runs."""
    return any((process.path or "").lower() == path.lower() and process.visible for process in call.host.state.processes.values())


def _del(_interpreter: Interpreter, call: Call) -> Steps:
    paths, _switches = _words(call)
    if not paths:
        return (yield from _failed(call, _SYNTAX))
    for path in paths:
        absolute = call.session.path(path)
        files = call.host.state.files
        found = files.matching(absolute) if has_wildcards(absolute) else [file for file in (files.get(absolute),) if file]
        for file in found:
            if file.directory:
                continue
            if "R" in file.attributes or _in_use(call, file.path):
                yield call.err(f"{file.path}\nAccess is denied.\n")
                continue
            call.host.own().files.remove(file.path)
        if not found:
            # del of a missing file says so and leaves the error level at 0.
            yield call.err(f"Could Not Find {absolute}\n")
    return 0


def _ren(_interpreter: Interpreter, call: Call) -> Steps:
    paths, _switches = _words(call)
    if len(paths) != 2:
        return (yield from _failed(call, _SYNTAX))
    source = call.session.path(paths[0])
    file = call.host.state.files.get(source)
    if file is None:
        return (yield from _failed(call, _NO_FILE))
    target = ntpath.join(ntpath.dirname(file.path), paths[1])
    if "\\" in paths[1] or file.directory:
        return (yield from _failed(call, _SYNTAX))
    if call.host.state.files.get(target) is not None:
        return (yield from _failed(call, "A duplicate file name exists, or the file\ncannot be found.\n"))
    _moved(call, file, target)
    return 0


def _move(_interpreter: Interpreter, call: Call) -> Steps:
    paths, _switches = _words(call)
    if len(paths) != 2:
        return (yield from _failed(call, _SYNTAX))
    file = call.host.state.files.get(call.session.path(paths[0]))
    if file is None or file.directory:
        return (yield from _failed(call, _NO_FILE))
    target = call.session.path(paths[1])
    if call.host.state.files.is_directory(target):
        target = ntpath.join(target, file.name)
    _moved(call, file, target)
    yield call.out("        1 file(s) moved.\n")
    return 0


def _moved(call: Call, file: File, target: str) -> None:
    files = call.host.own().files
    files.remove(file.path)
    files.put(dataclasses.replace(file, path=target))


def _mkdir(_interpreter: Interpreter, call: Call) -> Steps:
    paths, _switches = _words(call)
    if not paths:
        return (yield from _failed(call, _SYNTAX))
    for path in paths:
        absolute = call.session.path(path)
        if call.host.state.files.get(absolute) is not None:
            return (yield from _failed(call, f"A subdirectory or file {path} already exists.\n"))
        call.host.own().files.make_directories(absolute, call.host.clock.now())
    return 0


def _rmdir(_interpreter: Interpreter, call: Call) -> Steps:
    paths, switches = _words(call)
    if not paths:
        return (yield from _failed(call, _SYNTAX))
    for path in paths:
        absolute = call.session.path(path)
        files = call.host.state.files
        if not files.is_directory(absolute):
            known = files.is_directory(ntpath.dirname(absolute))
            return (yield from _failed(call, _NO_FILE if known else _NO_PATH, 2 if known else 3))
        if files.children(absolute) and "/s" not in switches:
            return (yield from _failed(call, "The directory is not empty.\n", 145))
        call.host.own().files.remove(absolute)
    return 0


FILE_COMMANDS: dict[str, t.Callable[[Interpreter, Call], Steps]] = {
    "cd": _cd,
    "chdir": _cd,
    "type": _type,
    "dir": _dir,
    "copy": _copy,
    "del": _del,
    "erase": _del,
    "ren": _ren,
    "rename": _ren,
    "move": _move,
    "md": _mkdir,
    "mkdir": _mkdir,
    "rd": _rmdir,
    "rmdir": _rmdir,
}
