# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tasklist and taskkill."""

from __future__ import annotations

import re
import typing as t

from ..state import Process

if t.TYPE_CHECKING:
    from ..shell.call import Call, Steps

_NO_TASKS = "INFO: No tasks are running which match the specified criteria.\n"
_INVALID = "ERROR: Invalid argument/option - '{word}'.\nType \"TASKLIST /?\" for usage.\n"
_FILTERS = ("IMAGENAME", "PID", "SERVICES", "SESSION", "SESSIONNAME", "STATUS", "USERNAME", "MEMUSAGE", "CPUTIME", "WINDOWTITLE", "MODULES")


def run_tasklist(call: Call) -> Steps:
    """tasklist."""
    state = call.host.settings["tasklist"]
    if state == "failing":
        yield call.err("ERROR: The RPC server is unavailable.\n")
        return 1
    if state in ("empty", "usage"):
        yield call.out(_NO_TASKS)
        return 0
    options: dict[str, t.Any] = {"fi": []}
    words = call.argv
    while words:
        word = words.pop(0)
        name = word[1:].lower() if word[:1] in "/-" else ""
        if name in ("svc", "v", "nh"):
            options[name] = True
        elif name in ("fo", "fi") and words:
            value = words.pop(0)
            if name == "fo":
                options["fo"] = value.lower()
            else:
                options["fi"].append(value)
        else:
            yield call.err(_INVALID.format(word=word))
            return 1
    form = options.get("fo", "table")
    if form not in ("table", "csv", "list") or (form == "list" and options.get("nh")):
        yield call.err(_INVALID.format(word=form))
        return 1
    processes = [process for process in call.host.state.processes.values() if process.visible]
    for text in options["fi"]:
        test = _filter(call, text)
        if test is None:
            yield call.err("ERROR: The search filter cannot be recognized.\n")
            return 1
        processes = [process for process in processes if test(process)]
    if not processes:
        yield call.out(_NO_TASKS)
        return 0
    rows = [_row(call, process, options) for process in processes]
    yield call.out(_render(call, rows, form, options))
    return 0


def _filter(call: Call, text: str) -> t.Callable[[Process], bool] | None:
    found = re.fullmatch(r"\s*(\w+)\s+(eq|ne|gt|lt|ge|le)\s+(.+?)\s*", text, re.IGNORECASE)
    if not found or found[1].upper() not in _FILTERS:
        return None
    key, operator, wanted = found[1].upper(), found[2].lower(), found[3]
    if key in ("PID", "SESSION", "MEMUSAGE"):
        if not wanted.isdigit():
            return None
        number = int(wanted)
        value: t.Callable[[Process], int] = {
            "PID": lambda process: process.pid,
            "SESSION": lambda process: process.session,
            "MEMUSAGE": lambda process: process.memory,
        }[key]
        return lambda process: {
            "eq": value(process) == number,
            "ne": value(process) != number,
            "gt": value(process) > number,
            "lt": value(process) < number,
            "ge": value(process) >= number,
            "le": value(process) <= number,
        }[operator]
    if operator not in ("eq", "ne"):
        return None
    pattern = re.compile(re.escape(wanted).replace(r"\*", ".*"), re.IGNORECASE)

    def texts(process: Process) -> list[str]:
        if key == "SERVICES":
            return [service.name for service in call.host.state.services_of(process.pid)]
        single = {"IMAGENAME": process.name, "SESSIONNAME": _session(process), "USERNAME": process.account, "STATUS": "running"}
        return [single.get(key, "")]

    return lambda process: any(pattern.fullmatch(each) for each in texts(process)) == (operator == "eq")


def _session(process: Process) -> str:
    return "Console" if process.session else "Services"


def _row(call: Call, process: Process, options: dict[str, t.Any]) -> list[tuple[str, str, int, bool]]:
    """Columns as (heading, value, width, right-aligned)."""
    old = call.host.version.release < (6, 0)
    language = call.host.description.language
    first = [("Image Name", process.name, 25, False), ("PID", str(process.pid), 6 if old else 8, True)]
    if options.get("svc"):
        names = ",".join(service.name for service in call.host.state.services_of(process.pid)) or language.not_available
        return [*first, ("Services", names.replace(",", ", ") if options.get("fo", "table") == "table" else names, 44, False)]
    memory = f"{process.memory:,}".replace(",", language.thousands) + " K"
    # Before Windows Vista everything is in session 0, the one at the screen.
    name = "Console" if old else _session(process)
    columns = [
        *first,
        ("Session Name", name, 16, False),
        ("Session#", str(0 if old else process.session), 8 if old else 11, True),
        ("Mem Usage", memory, 12, True),
    ]
    if options.get("v"):
        title = language.not_available
        columns += [
            ("Status", "Running" if process.session else "Unknown", 15, False),
            ("User Name", process.account, 50, False),
            ("CPU Time", f"0:00:{process.pid % 60:02}", 12, True),
            ("Window Title", title, 72, False),
        ]
    return columns


def _render(call: Call, rows: list[list[tuple[str, str, int, bool]]], form: str, options: dict[str, t.Any]) -> str:
    if form == "csv":
        lines = [",".join(f'"{value}"' for _heading, value, _width, _right in row) for row in rows]
        return "\n".join(([] if options.get("nh") else [",".join(f'"{column[0]}"' for column in rows[0])]) + lines) + "\n"
    if form == "list":
        wide = max(len(column[0]) for column in rows[0]) + 1
        return "".join("\n" + "".join(f"{heading + ':':<{wide}} {value}\n" for heading, value, _w, _r in row) for row in rows)
    text = "\n"
    if not options.get("nh"):
        text += " ".join(f"{heading:>{width}}" if right else f"{heading:<{width}}" for heading, _v, width, right in rows[0]) + "\n"
        text += " ".join("=" * width for _h, _v, width, _r in rows[0]) + "\n"
    return text + "".join(_table_row(row) for row in rows)


def _table_row(row: list[tuple[str, str, int, bool]]) -> str:
    """One table row; a long service list goes on below, with image and PID blank."""
    wrapped = _wrap(row[2][1], 44) if row[2][0] == "Services" else []
    cells = []
    for number, (_heading, value, width, right) in enumerate(row):
        if number == 2 and wrapped:
            value = wrapped[0]
        cells.append(f"{value[:width]:>{width}}" if right else f"{value[:width]:<{width}}")
    line = " ".join(cells) + "\n"
    indent = " " * (row[0][2] + row[1][2] + 2)
    return line + "".join(f"{indent}{rest:<44}\n" for rest in wrapped[1:])


def _wrap(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split(", "):
        piece = word if not lines[-1] else f" {word}"
        if len(lines[-1]) + len(piece) + 1 > width and lines[-1]:
            lines.append(word + ",")
        else:
            lines[-1] += piece + ","
    lines[-1] = lines[-1][:-1]
    return lines


def run_taskkill(call: Call) -> Steps:
    """taskkill."""
    images: list[str] = []
    pids: list[str] = []
    force = tree = False
    words = call.argv
    while words:
        word = words.pop(0)
        name = word[1:].lower() if word[:1] in "/-" else ""
        if name in ("im", "pid") and words:
            (images if name == "im" else pids).append(words.pop(0))
        elif name == "f":
            force = True
        elif name == "t":
            tree = True
        else:
            yield call.err(f"ERROR: Invalid argument/option - '{word}'.\nType \"TASKKILL /?\" for usage.\n")
            return 1
    if not images and not pids:
        yield call.err('ERROR: Invalid syntax. Neither /FI nor /PID nor /IM were specified.\nType "TASKKILL /?" for usage.\n')
        return 1
    code = 0
    for wanted in pids + images:
        running = [process for process in call.host.state.processes.values() if process.visible]
        found = [process for process in running if _is_meant(process, wanted, wanted in pids)]
        if not found:
            yield call.err(f'ERROR: The process "{wanted}" not found.\n')
            code = 128
        for process in found:
            code = max(code, (yield from _kill(call, process, wanted in images, force, tree)))
    return code


def _is_meant(process: Process, wanted: str, by_pid: bool) -> bool:
    if by_pid:
        return str(process.pid) == wanted
    return re.fullmatch(re.escape(wanted).replace(r"\*", ".*"), process.name, re.IGNORECASE) is not None


def _kill(call: Call, process: Process, by_name: bool, force: bool, tree: bool) -> Steps:
    shown = f'The process "{process.name}" with PID {process.pid}' if by_name else f"The process with PID {process.pid}"
    if process.pid in (0, 4) or process.name.lower() in ("smss.exe", "csrss.exe", "wininit.exe", "services.exe") or not call.elevated:
        reason = "This is critical system process. Taskkill cannot end this process." if process.pid in (0, 4) else "Access is denied."
        yield call.err(f"ERROR: {shown} could not be terminated.\nReason: {reason}\n")
        return 1
    if not force and process.session == 0:
        reason = "This process can only be terminated forcefully (with /F option)."
        yield call.err(f"ERROR: {shown} could not be terminated.\nReason: {reason}\n")
        return 1
    if tree:
        for child in [each for each in call.host.state.processes.values() if each.parent == process.pid and each.pid != process.pid]:
            yield from _kill(call, child, by_name, force, tree)
    call.host.own().processes.pop(process.pid, None)
    call.host.services.process_ended(process.pid, 1067)
    verb = "has been terminated" if force else "Sent termination signal to"
    if force:
        yield call.out(f"SUCCESS: {shown} {verb}.\n")
    else:
        yield call.out(f"SUCCESS: {verb} {shown[0].lower()}{shown[1:]}.\n")
    return 0
