# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of staging and restoring without Ansible around them, for tests that need hundreds; and what a site looks like on disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import sys
import typing as t
from pathlib import Path

_COLLECTIONS = Path(__file__).resolve().parents[3] / ".build"
if str(_COLLECTIONS) not in sys.path:
    sys.path.insert(0, str(_COLLECTIONS))

from ansible_collections.sms.helpdesk.plugins.plugin_utils._manifest import Catalogue, load  # noqa: E402
from ansible_collections.sms.helpdesk.plugins.plugin_utils._open_share import open_share  # noqa: E402
from ansible_collections.sms.helpdesk.plugins.plugin_utils._package import Package, read_package  # noqa: E402
from ansible_collections.sms.helpdesk.plugins.plugin_utils._shares import Account, Share, parse_root  # noqa: E402
from ansible_collections.sms.helpdesk.plugins.plugin_utils._staging import Order, Outcome, Staging, backup_place  # noqa: E402

from lab.servers import layout  # noqa: E402
from packages import builds, defects, portable_executable  # noqa: E402

# A hotfix that is small and has everything: a file of two write messages, one for the administrator, one that is new.
MANIFEST = r"""
format: 1
hotfix: T000001
platforms:
  x86: {folders: [x86], directory: X86.bin, machine: 0x014c}
components:
  administrator: {directory: 'Site.srv\{platform}'}
  clients: {directory: 'Site.srv\Maincfg.box\Client.src\{platform}', replica: '{platform}'}
files:
  Sightnt.dll: {component: administrator}
  Wuser32.exe: {component: clients}
  Wnew32.exe: {component: clients}
tables:
  en:
    - {date: "04/03/2000", time: "11:41p", size: "20,480", file: Sightnt.dll, platform: x86}
    - {date: "04/03/2000", time: "11:41p", size: "300,032", file: Wuser32.exe, platform: x86}
    - {date: "04/03/2000", time: "11:41p", size: "16,384", file: Wnew32.exe, platform: x86}
"""
TARGETS = {
    "Sightnt.dll": "Site.srv/X86.bin/Sightnt.dll",
    "Wuser32.exe": "Site.srv/Maincfg.box/Client.src/X86.bin/WUSER32.EXE",
    "Wnew32.exe": "Site.srv/Maincfg.box/Client.src/X86.bin/Wnew32.exe",
}
OLD = builds.seconds("1998-10-05 16:04")
NEW = builds.seconds("2000-04-03 23:41")
# No file of the site or of the package is as young as that.
RECENT = builds.seconds("2010-01-01 00:00")
SERVER = "siteserver"
SHARE = "SMS_SHRD"
READ_ONLY_HIDDEN = 0x1 | 0x2 | 0x20
OWN_DIRECTORY = "sms.helpdesk"


class Site:
    """A small site server on disk, which can be made anew, and a package for it.

    :ivar root: the SMS directory.
    :ivar over_smb: whether attributes are those Samba keeps; else they are permission bits.
    """

    def __init__(self, root: Path, package: Path, over_smb: bool) -> None:
        self.root = root
        self.over_smb = over_smb
        self.catalogue: Catalogue = load(MANIFEST)
        sizes = {row.file: row.size.bytes for row in self.catalogue.tables["en"].values()}
        (package / "x86").mkdir(parents=True)
        for name, size in sizes.items():
            content = portable_executable.build(name, "x86", size, seed=f"new {name}", modified=NEW, compiler=False)
            defects.write(package / "x86" / name, content, NEW)
        self.new = {name: (package / "x86" / name).read_bytes() for name in sizes}
        self.old = {
            name: portable_executable.build(name, "x86", sizes[name] - 512, seed=f"old {name}", modified=OLD, compiler=False)
            for name in ("Sightnt.dll", "Wuser32.exe")
        }
        self.package: Package = read_package("site", str(package), self.catalogue, "en")
        assert self.package.usable, [file.judgement for file in self.package.files]

    def reset(self) -> None:
        """The site before anything was staged."""
        shutil.rmtree(self.root / OWN_DIRECTORY, ignore_errors=True)
        for name, place in TARGETS.items():
            path = self.root / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            if name in self.old:
                defects.write(path, self.old[name], OLD)
                if self.over_smb:
                    layout.own(path, created_at=OLD)
        path = self.root / TARGETS["Wuser32.exe"]
        if self.over_smb:
            layout.set_attributes(path, READ_ONLY_HIDDEN, created=OLD)
        else:
            path.chmod(0o444)

    def keep(self, place: Path) -> Path:
        """A copy of the site as it is, for `put`; times, permission bits and DOS attributes included."""
        return Path(shutil.copytree(self.root, place, symlinks=True))

    def put(self, kept: Path) -> None:
        """The site as it was when it was kept."""
        for path in self.root.iterdir():
            shutil.rmtree(path)
        shutil.copytree(kept, self.root, symlinks=True, dirs_exist_ok=True)

    def fingerprint(self) -> str:
        """Everything on the disk that another run could see, our own directory included, as a hash.

        All times of today are one, and the lock is left out, which the server removes when it has noticed that its holder is gone.
        """
        digest = hashlib.sha256()
        for path in sorted(path for path in self.root.rglob("*") if path.name != "lock"):
            status = path.stat()
            facts: list[object] = [path.relative_to(self.root).as_posix(), path.is_dir()]
            if path.is_file():
                modified = status.st_mtime_ns if status.st_mtime < RECENT else "now"
                created = layout.created(path) if self.over_smb else None
                facts += [hashlib.sha256(path.read_bytes()).hexdigest(), modified, stat.S_IMODE(status.st_mode)]
                facts += [layout.attributes(path) if self.over_smb else None, created if created is None or created < RECENT else "now"]
            digest.update(repr(facts).encode())
        return digest.hexdigest()

    def state(self) -> dict[str, tuple[bytes, int, int]]:
        """Content, time in nanoseconds and attributes of every file of the site but our own, by path."""
        found = {}
        for path in layout.files(self.root):
            place = path.relative_to(self.root).as_posix()
            if not place.startswith(OWN_DIRECTORY):
                status = path.stat()
                word = (layout.attributes(path) or 0) & 0x27 if self.over_smb else stat.S_IMODE(status.st_mode)
                found[place] = (path.read_bytes(), status.st_mtime_ns, word)
        return found

    def left_overs(self) -> list[str]:
        """What lies in our directory beside the backups and their list."""
        own = self.root / OWN_DIRECTORY
        if not own.exists():
            return []
        kept = own / "backup" / self.catalogue.hotfix
        known = {own / "backup", kept, kept / "manifest.json"}
        for path in kept.rglob("*"):
            names = {f"{Path(place).name.lower()}." for place in TARGETS.values()}
            if path.is_dir() or any(path.name.lower().startswith(name) for name in names):
                known.add(path)
        return sorted(str(path.relative_to(own)) for path in own.rglob("*") if path not in known)


class Run(t.NamedTuple):
    """What a run is given; can be handed to another process."""

    root: str
    staging: bool
    port: int = 445
    username: str | None = None
    password: str | None = None
    check: bool = False
    force: bool = False
    purge: bool = False


def run(order: Run, site: Site, wrap: t.Callable[[Share], Share] = lambda share: share) -> Outcome:
    """Stage or restore.

    :raises HelpdeskError: what the run ends with.
    """
    address = parse_root("site", "root", order.root)
    _backup, directory = backup_place("site", address, None, None, site.catalogue.hotfix)
    account = Account(order.username, order.password, order.port, 20)
    with contextlib.closing(wrap(open_share("site", address, account))) as share:
        wanted = Order(
            site.catalogue,
            "en",
            ["x86"],
            list(site.catalogue.components),
            site.package if order.staging else None,
            order.force,
            purge=order.purge,
        )
        return Staging(share, share, directory, wanted).run(order.check)


def changes(outcome: Outcome) -> bool:
    """Whether a run changed, or in check mode would change, anything."""
    return any(step.writes for step in outcome.steps) or bool(outcome.left_overs or outcome.purged)


def wait_for(pid: int) -> int:
    """How a child process ended: 0, or minus the signal that killed it."""
    _pid, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)
