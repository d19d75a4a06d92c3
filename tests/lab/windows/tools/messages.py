# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""System error messages (winerror.h) in English; the model does not translate them."""

from __future__ import annotations

MESSAGES: dict[int, str] = {
    2: "The system cannot find the file specified.",
    3: "The system cannot find the path specified.",
    5: "Access is denied.",
    32: "The process cannot access the file because it is being used by another process.",
    53: "The network path was not found.",
    67: "The network name cannot be found.",
    85: "The local device name is already in use.",
    87: "The parameter is incorrect.",
    1051: "A stop control has been sent to a service that other running services are dependent on.",
    1052: "The requested control is not valid for this service.",
    1053: "The service did not respond to the start or control request in a timely fashion.",
    1056: "An instance of the service is already running.",
    1057: "The account name is invalid or does not exist, or the password is invalid for the account name specified.",
    1058: "The service cannot be started, either because it is disabled or because it has no enabled devices associated with it.",
    1060: "The specified service does not exist as an installed service.",
    1061: "The service cannot accept control messages at this time.",
    1062: "The service has not been started.",
    1067: "The process terminated unexpectedly.",
    1068: "The dependency service or group failed to start.",
    1069: "The service did not start due to a logon failure.",
    1072: "The specified service has been marked for deletion.",
    1073: "The specified service already exists.",
    1075: "The dependency service does not exist or has been marked for deletion.",
    1077: "No attempts to start the service have been made since the last boot.",
    1115: "A system shutdown is in progress.",
    1116: "Unable to abort the system shutdown because no shutdown was in progress.",
    1190: "A system shutdown has already been scheduled.",
    1639: "Invalid command line argument. Consult the Windows Installer SDK for detailed command line help.",
    1722: "The RPC server is unavailable.",
    2182: "The requested service has already been started.",
    2185: "The service name is invalid.",
    2186: "The service is not responding to the control function.",
    2191: "The requested pause, continue, or stop is not valid for this service.",
    2250: "The network connection could not be found.",
    3521: "The *** service is not started.",
    3523: "The *** service could not be started.",
}


def message(code: int) -> str:
    """The text of a Windows error code."""
    return MESSAGES.get(code, f"The system cannot find message text for message number 0x{code:x} in the message file.")
