# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes `ansible_collections.sms.helpdesk` importable for plain pytest; ansible-test has seen to it already."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

CHECKOUT = Path(__file__).resolve().parents[2]


def _collection_root() -> Path:
    """A directory that holds ``ansible_collections/sms/helpdesk``: one above the checkout, or a link in ``.build``."""
    if CHECKOUT.parts[-3:] == ("ansible_collections", "sms", "helpdesk"):
        return CHECKOUT.parents[2]
    root = CHECKOUT / ".build"
    link = root / "ansible_collections" / "sms" / "helpdesk"
    if not link.exists():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(CHECKOUT, target_is_directory=True)
    return root


if importlib.util.find_spec("ansible_collections") is None:
    sys.path.insert(0, str(_collection_root()))

# No deadline: a test must not fail because a machine is busy. In continuous integration every run tries the same examples.
settings.register_profile(
    "helpdesk",
    deadline=None,
    database=None,
    derandomize=os.environ.get("CI") == "true" or os.environ.get("SMS_HELPDESK_STRICT") == "1",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("helpdesk")
