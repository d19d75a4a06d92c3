# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of the checkout at a path that ends in ansible_collections/sms/helpdesk.

ansible-test insists on such a path and resolves symbolic links, so the checkout itself will not do. The copy holds what git
knows and what git does not ignore; what ansible-test keeps in tests/output stays, so that the next run is quick. It is a git
repository, without a commit: ansible-test asks the nearest one which files there are, and the checkout ignores its copy.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

KEPT = (Path(".git"), Path("tests/output"))


def files_of(checkout: Path) -> set[Path]:
    """Relative paths of the files that belong to the checkout, committed or not."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=checkout, check=True, capture_output=True
    ).stdout.decode()
    # A file that was deleted but not yet committed is still listed.
    return {Path(name) for name in listed.split("\0") if name and (checkout / name).is_file()}


def synchronise(checkout: Path, copy: Path) -> None:
    """Make the copy the same as the checkout; unchanged files keep their times."""
    wanted = files_of(checkout)
    for path in sorted(copy.rglob("*"), reverse=True) if copy.is_dir() else []:
        relative = path.relative_to(copy)
        if any(relative.is_relative_to(kept) or kept.is_relative_to(relative) for kept in KEPT):
            continue
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif relative not in wanted:
            path.unlink()
    for relative in wanted:
        source, target = checkout / relative, copy / relative
        if not _same(source, target):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    subprocess.run(["git", "init", "--quiet"], cwd=copy, check=True)


def _same(source: Path, target: Path) -> bool:
    if not target.is_file():
        return False
    first, second = source.stat(), target.stat()
    return (first.st_size, first.st_mtime_ns, first.st_mode) == (second.st_size, second.st_mtime_ns, second.st_mode)


if __name__ == "__main__":
    synchronise(Path(__file__).resolve().parents[2], Path(sys.argv[1]).resolve())
