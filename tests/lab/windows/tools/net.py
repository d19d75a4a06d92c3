# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""net start, net stop, net use, net helpmsg."""

from __future__ import annotations

import typing as t

from .. import shares
from ..service_manager import ALREADY_RUNNING, CANNOT_ACCEPT, INVALID_CONTROL, NOT_ACTIVE
from ..state import RUNNING, START_PENDING, STOP_PENDING, STOPPED
from .messages import MESSAGES, message

if t.TYPE_CHECKING:
    from ..shell.call import Call, Steps

_WAITS, _WAIT_SECONDS = 8, 2.5


def run(call: Call) -> Steps:
    """The program."""
    words = call.argv
    command = words[0].lower() if words else ""
    if command == "helpmsg" and len(words) == 2:
        if words[1].isdigit() and int(words[1]) in MESSAGES:
            yield call.out(f"\n{message(int(words[1]))}\n\n")
            return 0
        return (yield from _trouble(call, 3871, f"{words[1]} is not a valid Windows network message number."))
    if command == "start" and len(words) == 1:
        running = sorted(service.display_name for service in call.host.state.services.values() if service.state == RUNNING)
        text = "".join(f"   {name}\n" for name in running)
        yield call.out(f"These Windows services are started:\n\n{text}\nThe command completed successfully.\n\n")
        return 0
    if command in ("start", "stop") and len(words) > 1:
        return (yield from _control(call, command, " ".join(word for word in words[1:] if word.lower() not in ("/y", "/yes"))))
    if command == "use":
        return (yield from _use(call, words[1:]))
    # The other commands of net are not modelled; an unknown one gets this text.
    yield call.err("The syntax of this command is:\n\nNET\n    [ HELPMSG | START | STOP | USE ]\n")
    return 1


def _trouble(call: Call, code: int, text: str = "") -> Steps:
    yield call.err(f"{text or message(code)}\n\nMore help is available by typing NET HELPMSG {code}.\n\n")
    return 2


def _control(call: Call, command: str, name: str) -> Steps:
    manager = call.host.services
    service = manager.find(name)
    if service is None:
        return (yield from _trouble(call, 2185))
    title = service.display_name
    if not call.elevated:
        yield call.err(f"System error 5 has occurred.\n\n{message(5)}\n\n")
        return 2
    code = manager.start(service.name) if command == "start" else manager.stop(service.name)
    if code == ALREADY_RUNNING:
        return (yield from _trouble(call, 2182))
    if code == NOT_ACTIVE:
        return (yield from _trouble(call, 3521, f"The {title} service is not started."))
    if code in (INVALID_CONTROL, CANNOT_ACCEPT):
        return (yield from (_trouble(call, 2191) if code == INVALID_CONTROL else _trouble(call, 2189, message(1061))))
    if code:
        yield call.err(f"System error {code} has occurred.\n\n{message(code)}\n\n")
        return 2
    doing, done, could = ("starting", "started", "started") if command == "start" else ("stopping", "stopped", "stopped")
    yield call.out(f"The {title} service is {doing}")
    for _waited in range(_WAITS):
        manager.settle()
        state = manager.find(service.name)
        if state is None or state.state not in (START_PENDING, STOP_PENDING):
            break
        yield call.out(".")
        yield call.pause(_WAIT_SECONDS)
    yield call.out(".\n")
    now = manager.find(service.name)
    if (now.state if now else STOPPED) != (RUNNING if command == "start" else STOPPED):
        yield call.err(f"The {title} service could not be {could}.\n\n")
        if command == "start":
            yield call.err("The service did not report an error.\n\nMore help is available by typing NET HELPMSG 3534.\n\n")
        return 2
    yield call.out(f"The {title} service was {done} successfully.\n\n")
    return 0


def _use(call: Call, words: list[str]) -> Steps:
    """Mapped drives. They belong to the host here and not to a logon session, so one that is left behind is seen."""
    switches = [word.lower() for word in words if word.startswith("/")]
    names = [word for word in words if not word.startswith("/")]
    drives = call.host.own().files.drives
    if not names:
        rows = "".join(
            f"OK           {drive.upper()}        {unc:<25} Microsoft Windows Network\n" for drive, unc in sorted(drives.items())
        )
        # Synthetic, like everything net use prints here: no recording of it exists.
        text = f"New connections will be remembered.\n\n\nStatus       Local     Remote                    Network\n\n{'-' * 79}\n{rows}"
        yield call.out(text + "The command completed successfully.\n\n" if rows else "There are no entries in the list.\n\n")
        return 0
    drive = names[0].lower()
    if any(switch.startswith("/d") for switch in switches):
        if drive not in drives:
            return (yield from _trouble(call, shares.NOT_CONNECTED))
        del drives[drive]
        yield call.out(f"{drive.upper()} was deleted successfully.\n\n")
        return 0
    if len(names) < 2 or len(drive) != 2 or drive[1] != ":" or not names[1].startswith("\\\\"):
        yield call.err(
            "The syntax of this command is:\n\nNET USE\n[devicename | *] [\\\\computername\\sharename[\\volume] [password | *]]\n"
        )
        return 1
    unc = names[1].rstrip("\\")
    code = (
        shares.DEVICE_IN_USE
        if drive in drives or drive == "c:"
        else shares.connect(call.host.description.shares, call.host.own().files, unc)
    )
    if code:
        yield call.err(f"System error {code} has occurred.\n\n{message(code)}\n\n")
        return 2
    drives[drive] = unc.lower()
    yield call.out("The command completed successfully.\n\n")
    return 0
