# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers and output of real Windows hosts, for tests that can use them where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[4]
DIRECTORY = Path(os.environ.get("SMS_HELPDESK_RECORDINGS") or _CHECKOUT.parent / "shared" / "recordings")


def found(pattern: str) -> list[bytes]:
    """The contents of the recordings that match, in the order of their names; none if there are no recordings here."""
    return [path.read_bytes() for path in sorted(DIRECTORY.glob(pattern))]
