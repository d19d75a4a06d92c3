# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""reg query, add, delete, export."""

from __future__ import annotations

import ntpath
import typing as t

from ..files import File
from ..registry import TYPES, InvalidData, Key, Value, full_path, parse_data

if t.TYPE_CHECKING:
    from ..shell.call import Call, Steps

_NOT_FOUND = "ERROR: The system was unable to find the specified registry key or value.\n"
_DONE = "The operation completed successfully.\n"
_DENIED = "ERROR: Access is denied.\n"


def run(call: Call) -> Steps:
    """The program."""
    words = call.argv
    command = words[0].lower() if words else ""
    if command not in ("query", "add", "delete", "export"):
        wrong = f"Invalid argument/option - '{words[0]}'" if words else "Invalid syntax"
        yield call.err(f'ERROR: {wrong}.\nType "REG /?" for usage.\n')
        return 1
    problem = f'ERROR: Invalid syntax.\nType "REG {command.upper()} /?" for usage.\n'
    if len(words) < 2:
        yield call.err(problem)
        return 1
    path = full_path(words[1].removeprefix(f"\\\\{call.host.computer_name}\\").removeprefix("\\\\.\\"))
    if path is None:
        yield call.err(f'ERROR: Invalid key name.\nType "REG {command.upper()} /?" for usage.\n')
        return 1
    if command == "export":
        return (yield from _export(call, path, words[2:], problem))
    options = _options(words[2:])
    if options is None:
        yield call.err(problem)
        return 1
    if command == "query":
        return (yield from _query(call, path, options))
    hive = path.partition("\\")[0]
    if hive != "HKEY_CURRENT_USER" and not call.elevated:
        yield call.err(_DENIED)
        return 1
    return (yield from (_add if command == "add" else _delete)(call, path, options, problem))


def _options(words: list[str]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    words = list(words)
    while words:
        word = words.pop(0)
        name = "/" + word[1:].lower() if word[:1] in "/-" else ""
        if name in ("/v", "/t", "/d", "/se"):
            if not words:
                return None
            found[name] = words.pop(0)
        elif name in ("/ve", "/va", "/s", "/f", "/reg:32", "/reg:64"):
            found[name] = ""
        else:
            return None
    return found


def _show(call: Call, key: Key, wanted: str | None) -> str:
    values = [value for value in key.values if wanted is None or value.name.lower() == wanted.lower()]
    if wanted is not None and not values:
        return ""
    if call.host.version.release < (6, 0):
        rows = "".join(f"    {value.name or '<NO NAME>'}\t{value.kind}\t{value.text()}\n" for value in values)
    else:
        rows = "".join(f"    {value.name or '(Default)'}    {value.kind}    {value.text()}\n" for value in values)
    return f"\n{key.path}\n{rows}" if rows or wanted is None else ""


def _query(call: Call, path: str, options: dict[str, str]) -> Steps:
    registry = call.host.state.registry
    key = registry.key(path)
    wanted = options.get("/v", "" if "/ve" in options else None)
    if key is None:
        yield call.err(_NOT_FOUND)
        return 1
    title = "\n! REG.EXE VERSION 3.0\n" if call.host.version.release < (6, 0) else ""
    if "/s" in options:
        text = "".join(_show(call, each, wanted) for each in _below(call, key) if each.values or wanted is not None)
        if wanted is not None:
            count = text.count("\n    ")
            yield call.out(f"{title}{text}\nEnd of search: {count} match(es) found.\n")
            return 0 if count else 1
        yield call.out(f"{title}{text}\n")
        return 0
    text = _show(call, key, wanted)
    if wanted is not None and not text:
        if "/ve" in options:
            # The default value always exists, in name.
            yield call.out(f"{title}\n{key.path}\n    (Default)    REG_SZ    (value not set)\n\n")
            return 0
        yield call.err(_NOT_FOUND)
        return 1
    below = "".join(f"{child.path}\n" for child in registry.subkeys(path)) if wanted is None else ""
    if not key.values and wanted is None:
        # A key without values is only named as the heading of what is below it.
        text = ""
    yield call.out(f"{title}{text}\n{below}")
    return 0


def _below(call: Call, key: Key) -> t.Iterator[Key]:
    yield key
    for child in call.host.state.registry.subkeys(key.path):
        yield from _below(call, child)


def _add(call: Call, path: str, options: dict[str, str], problem: str) -> Steps:
    if "\\" not in path:
        yield call.err(_DENIED)
        return 1
    name = options.get("/v", "" if "/ve" in options or "/d" in options else None)
    kind = options.get("/t", "REG_SZ").upper()
    if kind not in TYPES:
        yield call.err(problem)
        return 1
    registry = call.host.own().registry
    if name is None:
        registry.create(path)
        yield call.out(_DONE)
        return 0
    try:
        data = parse_data(kind, options.get("/d", "0" if kind in ("REG_DWORD", "REG_QWORD") else ""), options.get("/se", "\\0"))
    except InvalidData:
        yield call.err("ERROR: Invalid syntax. Specify valid numeric value for '/d'.\nType \"REG ADD /?\" for usage.\n")
        return 1
    if registry.value(path, name) is not None and "/f" not in options:
        yield call.out(f"Value {name} exists, overwrite(Yes/No)? ")
        if not (yield from _agreed(call)):
            return 1
    registry.set(path, name, kind, data)
    yield call.out(_DONE)
    return 0


def _agreed(call: Call) -> t.Generator[t.Any, None, bool]:
    answer = call.decode((yield from call.read_stdin())).strip().lower()
    if answer[:1] == "y":
        return True
    yield call.out("The operation was canceled by the user.\n")
    return False


def _delete(call: Call, path: str, options: dict[str, str], problem: str) -> Steps:
    registry = call.host.own().registry
    key = registry.key(path)
    if "\\" not in path:
        yield call.err(problem)
        return 1
    name = options.get("/v", "" if "/ve" in options else None)
    if key is None or (name is not None and registry.value(path, name) is None):
        yield call.err(_NOT_FOUND)
        return 1
    if "/f" not in options:
        what = f"value {name}" if name is not None else f"registry key {key.path}"
        yield call.out(f"Permanently delete the {what} (Yes/No)? ")
        if not (yield from _agreed(call)):
            return 1
    if name is not None:
        registry.delete_value(path, name)
    elif "/va" in options:
        registry.delete_values(path)
    else:
        registry.delete_key(path)
    yield call.out(_DONE)
    return 0


def _export(call: Call, path: str, words: list[str], problem: str) -> Steps:
    """Synthetic: a file as regedit makes it, in UTF-16; numbers and texts in its notation, everything else in hexadecimal."""
    if not words or any(word.lower() not in ("/y", "/reg:32", "/reg:64") for word in words[1:]):
        yield call.err(problem)
        return 1
    key = call.host.state.registry.key(path)
    if key is None:
        yield call.err(_NOT_FOUND)
        return 1
    target = call.session.path(words[0])
    files = call.host.own().files
    if not files.is_directory(ntpath.dirname(target)):
        yield call.err("ERROR: Unable to write to the file. There may be a disk or file system error.\n")
        return 1
    if files.get(target) is not None and "/y" not in [word.lower() for word in words[1:]]:
        yield call.out(f"File {words[0]} already exists. Overwrite (Yes/No)?")
        if not (yield from _agreed(call)):
            return 1
    text = "Windows Registry Editor Version 5.00\r\n"
    for each in _below(call, key):
        text += f"\r\n[{each.path}]\r\n" + "".join(f"{_exported(value)}\r\n" for value in each.values)
    files.put(File(target, call.host.clock.now(), content=(text + "\r\n").encode("utf-16")))
    yield call.out(_DONE)
    return 0


def _exported(value: Value) -> str:
    name = f'"{value.name}"' if value.name else "@"
    if value.kind == "REG_DWORD":
        return f"{name}=dword:{int(value.text(), 0):08x}"
    if value.kind == "REG_SZ":
        data = str(value.data).replace("\\", "\\\\").replace('"', '\\"')
        return f'{name}="{data}"'
    return f"{name}=hex:{value.text().encode('utf-16-le').hex(',')}"
