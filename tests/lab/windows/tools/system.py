# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small programs: shutdown, hostname, whoami, chcp, ping, timeout, ipconfig."""

from __future__ import annotations

import re
import typing as t

from ..languages import CODECS
from .messages import message

if t.TYPE_CHECKING:
    from ..shell.call import Call, Steps

_LONGEST_DELAY = 315_360_000


def shutdown(call: Call) -> Steps:
    """shutdown /r /s /a with /t /c /f /d, in both spellings."""
    kind, delay, text = "", 30, ""
    words = call.argv
    while words:
        word = words.pop(0)
        letter = word[1:].lower() if word[:1] in "/-" else ""
        if letter in ("r", "s", "a", "g"):
            kind = "restart" if letter in "rg" else "shutdown" if letter == "s" else "abort"
        elif letter == "t" and words and words[0].isdigit() and int(words[0]) <= _LONGEST_DELAY:
            delay = int(words.pop(0))
        elif letter == "c" and words and len(words[0]) <= 512:
            text = words.pop(0)
        elif letter == "f":
            continue
        elif letter == "d" and words:
            words.pop(0)
        elif letter == "m" and words:
            target = words.pop(0).lstrip("\\")
            if target.lower() != call.host.computer_name.lower():
                yield call.err(f"{target}: {message(53)}(53)\n")
                return 53
        else:
            yield call.out('Usage: shutdown [/r | /s | /a] [/f] [/t xxx] [/c "comment"] [/m \\\\computer]\n')
            return 1
    if not kind:
        yield call.out('Usage: shutdown [/r | /s | /a] [/f] [/t xxx] [/c "comment"] [/m \\\\computer]\n')
        return 0
    if not call.elevated:
        code = 5
    elif kind == "abort":
        code = call.host.power.abort()
    else:
        code = call.host.power.request(kind, delay, text)
    if code:
        yield call.err(f"{message(code)}({code})\n")
    return code


def hostname(call: Call) -> Steps:
    """hostname."""
    yield call.out(f"{call.host.computer_name}\n")
    return 0


def whoami(call: Call) -> Steps:
    """whoami without switches; the lists behind the switches are not modelled."""
    if call.argv:
        yield call.err(f"ERROR: Invalid argument/option - '{call.argv[0]}'.\nType \"WHOAMI /?\" for usage.\n")
        return 1
    user = call.session.user.replace("/", "\\")
    name = user if "\\" in user else f"{call.host.computer_name}\\{user}"
    yield call.out(f"{name.lower()}\n")
    return 0


def chcp(call: Call) -> Steps:
    """chcp: shows or sets the code page of the console the shell writes to."""
    words = call.argv
    if not words:
        yield call.out(f"Active code page: {call.session.code_page}\n")
        return 0
    if not words[0].isdigit() or int(words[0]) not in CODECS:
        yield call.err("Invalid code page\n")
        return 1
    call.session.code_page = int(words[0])
    yield call.out(f"Active code page: {words[0]}\n")
    return 0


def ping(call: Call) -> Steps:
    """ping -n count address: answers from the host itself, time-outs from all others; one second between two."""
    count, target, words = 4, "", call.argv
    while words:
        word = words.pop(0)
        if word[:1] in "-/" and word[1:].lower() in ("n", "w", "l") and words and words[0].isdigit():
            value = int(words.pop(0))
            count = value if word[1:].lower() == "n" else count
        elif word[:1] in "-/":
            yield call.out(f"Bad option {word}.\n\nUsage: ping [-n count] [-l size] [-w timeout] target_name\n")
            return 1
        else:
            target = word
    if not target:
        yield call.out("\nUsage: ping [-n count] [-l size] [-w timeout] target_name\n")
        return 1
    own = target.lower() in ("localhost", call.host.computer_name.lower(), "127.0.0.1", call.host.lan_address)
    if not own and not re.fullmatch(r"\d+(\.\d+){3}", target):
        yield call.out(f"Ping request could not find host {target}. Please check the name and try again.\n")
        return 1
    yield call.out(f"\nPinging {target} with 32 bytes of data:\n")
    for number in range(count):
        if number:
            yield call.pause(1.0)
        yield call.out(f"Reply from {target}: bytes=32 time<1ms TTL=128\n" if own else "Request timed out.\n")
    received = count if own else 0
    lost = count - received
    share = 100 * lost // max(count, 1)
    yield call.out(f"\nPing statistics for {target}:\n    Packets: Sent = {count}, Received = {received}, Lost = {lost} ({share}% loss),\n")
    return 0 if own else 1


def timeout(call: Call) -> Steps:
    """timeout refuses to run where standard input is not a keyboard, and in a remote shell it never is."""
    yield call.err("ERROR: Input redirection is not supported, exiting the process immediately.\n")
    return 1


def ipconfig(call: Call) -> Steps:
    """ipconfig without switches."""
    if call.argv:
        yield call.out("\nError: unrecognized or incomplete command line.\n")
        return 1
    yield call.out(
        "\nWindows IP Configuration\n\n\nEthernet adapter Ethernet:\n\n   Connection-specific DNS Suffix  . : \n"
        f"   IPv4 Address. . . . . . . . . . . : {call.host.lan_address}\n   Subnet Mask . . . . . . . . . . . : 255.255.255.0\n"
        "   Default Gateway . . . . . . . . . : 192.168.80.1\n"
    )
    return 0
