# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""netsh interface ipv4|ipv6: dynamic and excluded port ranges (KB929851, KB2665809)."""

from __future__ import annotations

import typing as t

from ..state import PortRange

if t.TYPE_CHECKING:
    from ..shell.call import Call, Steps

_NOT_VALID = "The syntax supplied for this command is not valid. Check help for the correct syntax.\n\n"
_MISSING = "One or more essential parameters were not entered.\nVerify the required parameters, and reenter them.\n"
_ELEVATION = "The requested operation requires elevation (Run as administrator).\n\n"


def run(call: Call) -> Steps:
    """The program."""
    state = call.host.settings["netsh"]
    if state != "ok":
        # Synthetic: what stops netsh altogether is not documented.
        if state == "failing":
            yield call.err("The following helper DLL cannot be loaded: NSHIPSEC.DLL.\n")
        return 1
    words = call.argv
    lower = [word.lower() for word in words]
    not_found = f"The following command was not found: {' '.join(words)}.\n"
    version = call.host.version
    if len(words) < 4 or not _short(lower[0], "interface", 3) or lower[1] not in ("ip", "ipv4", "ipv6"):
        yield call.out(not_found if words else "")
        return 1 if words else 0
    dynamic, excluded = _short(lower[3], "dynamicportrange", 3), _short(lower[3], "excludedportrange", 3)
    verb = next((verb for verb in ("show", "add", "delete", "set") if _short(lower[2], verb, 2)), "")
    known = (dynamic and version.dynamic_port_command and verb in ("show", "set")) or (
        excluded and version.excluded_port_command and verb in ("show", "add", "delete")
    )
    # Before Windows Vista there is no context ipv4, and ip knows nothing of port ranges.
    if not known:
        yield call.out(not_found)
        return 1
    options = _options(words[4:], ("protocol",) if verb == "show" else _PARAMETERS[verb, dynamic])
    if options is None:
        yield call.out(_NOT_VALID)
        return 1
    protocol = options.get("protocol", "").lower()
    if not protocol:
        yield call.out(_MISSING + _NOT_VALID + f"Usage: {verb} {lower[3]} [protocol=]tcp|udp\n\n")
        return 1
    if protocol not in ("tcp", "udp"):
        yield call.out(f"{options['protocol']} is not an acceptable value for protocol.\nThe parameter is incorrect.\n\n")
        return 1
    if verb == "show":
        yield call.out(_dynamic(call, protocol) if dynamic else _excluded(call, protocol))
        return 0
    text, code = _change(call, verb, dynamic, protocol, options)
    yield call.out(text)
    return code


_PARAMETERS = {
    ("add", False): ("protocol", "startport", "numberofports", "store"),
    ("delete", False): ("protocol", "startport", "numberofports", "store"),
    ("set", True): ("protocol", "startport", "numberofports", "store"),
}


def _short(word: str, command: str, least: int) -> bool:
    """netsh takes every abbreviation that is clear."""
    return len(word) >= min(least, len(command)) and (command.startswith(word) or word == command.replace("range", ""))


def _options(words: list[str], names: tuple[str, ...]) -> dict[str, str] | None:
    """``name=value`` in any order, values alone in the order of `names`."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if equals:
            full = next((each for each in ("protocol", "startport", "numberofports", "store") if _short(name.lower(), each, 3)), None)
            if name.lower() == "start":
                full = "startport"
            elif name.lower() == "num":
                full = "numberofports"
            if full not in names:
                return None
            found[full] = value
        else:
            place = next((name for name in names if name not in found), None)
            if place is None:
                return None
            found[place] = word
    return found


def _excluded(call: Call, protocol: str) -> str:
    title, header, rule, legend = call.host.description.language.excluded
    rows = "".join(
        f"{span.start:>10}  {span.end:>10}{'     *' if span.administered else '      '}\n" for span in call.host.state.excluded[protocol]
    )
    return f"\n{title.format(protocol=protocol)}\n\n{header}\n{rule}\n{rows}\n{legend}\n\n"


def _dynamic(call: Call, protocol: str) -> str:
    title, first, count = call.host.description.language.dynamic
    start, number = call.host.state.dynamic[protocol]
    return f"\n{title.format(protocol=protocol)}\n{'-' * 33}\n{first}: {start}\n{count}: {number}\n\n"


def _change(call: Call, verb: str, dynamic: bool, protocol: str, options: dict[str, str]) -> tuple[str, int]:
    if not call.elevated:
        return _ELEVATION, 1
    if not {"startport", "numberofports"} <= set(options):
        return _MISSING + _NOT_VALID, 1
    if not (options["startport"].isdigit() and options["numberofports"].isdigit()):
        return "The parameter is incorrect.\n\n", 1
    start, count = int(options["startport"]), int(options["numberofports"])
    end = start + count - 1
    if not 1 <= start <= end <= 65535 or (dynamic and (start < 1025 or count < 255)):
        return "The parameter is incorrect.\n\n", 1
    state = call.host.own()
    spans = state.excluded[protocol]
    if dynamic:
        state.dynamic[protocol] = (start, count)
    elif verb == "add":
        taken = any(s.protocol.lower() == protocol and s.binds and start <= s.port <= end for _pid, s in state.sockets())
        if taken or any(span.start <= end and start <= span.end for span in spans):
            return "The process cannot access the file because it is being used by another process.\n\n", 1
        state.excluded[protocol] = tuple(sorted((*spans, PortRange(start, end, True)), key=lambda span: span.start))
    else:
        kept = tuple(span for span in spans if (span.start, span.end, span.administered) != (start, end, True))
        if len(kept) == len(spans):
            return "The system cannot find the file specified.\n\n", 1
        state.excluded[protocol] = kept
    return "Ok.\n\n", 0
