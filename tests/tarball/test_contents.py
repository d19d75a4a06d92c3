# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the tarball: everything users need and nothing else."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
# What users need: it goes into the tarball whole. Everything else stays out.
WHOLE = ("LICENSES", "docs", "meta", "playbooks", "plugins", "roles")
FILES = {"CHANGELOG.rst", "COPYING", "README.md", "changelogs/changelog.yaml", "requirements.txt"}
# Made by ansible-galaxy.
MADE = {"FILES.json", "MANIFEST.json"}


@pytest.fixture(scope="module")
def packed(tarball: Path) -> dict[str, bytes]:
    """The files of the tarball and their contents."""
    with tarfile.open(tarball) as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        assert len(members) == len([member for member in archive.getmembers() if not member.isdir()]), "links or devices"
        return {member.name: archive.extractfile(member).read() for member in members}  # type: ignore[union-attr]


def test_exactly_what_users_need(packed: dict[str, bytes]) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=CHECKOUT, check=True, capture_output=True, text=True
    ).stdout
    ours = {name for name in listed.split("\0") if name and (CHECKOUT / name).is_file()}
    assert set(packed) - MADE == {name for name in ours if name.startswith(tuple(f"{part}/" for part in WHOLE)) or name in FILES}


def test_small_enough(packed: dict[str, bytes]) -> None:
    # Galaxy takes 20 MB; nothing in here is anywhere near, unless a recording or an installer has slipped in.
    assert max(len(content) for content in packed.values()) < 200_000


def test_nothing_points_out_of_the_collection(packed: dict[str, bytes]) -> None:
    """Code that users run reads nothing of tests, docs or the recordings beside the checkout."""
    code = {name: content.decode() for name, content in packed.items() if name.startswith(("plugins/", "roles/", "playbooks/", "meta/"))}
    assert code
    for name, content in code.items():
        for forbidden in ("shared/", "SMS_HELPDESK_", "tests/", "ansible_collections.sms", ".build/"):
            assert forbidden not in content, f"{name} mentions {forbidden}"
