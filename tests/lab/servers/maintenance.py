# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Maintenance Manager, the thread of SMS_EXECUTIVE that copies Client.src to the logon servers.

It copies whatever lies in Client.src and its platform directories, files nobody expects included (Q131614, Q168598), leaves on
a logon server what has gone from the site server (Q193746), keeps times, replaces what differs, and misbehaves on request.
A newer time on System.map makes it write the copy lists anew, with a new CopyListVersion (Q166771).
Its log has the form and the two texts that Q200769 shows; the others are synthetic.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import re
import shutil
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from .layout import CLIENT_FILES, CLIENT_SOURCE, Drive, own, program, write_program
from .specification import Replication


@dataclasses.dataclass
class Behaviour:
    """How it works, and what it does wrong. A change takes effect with the next cycle.

    :ivar running: False: it does nothing, as when its thread hangs.
    :ivar cycle_seconds: pause between two work cycles, and `server_seconds` before each logon server within one.
    :ivar skip: logon servers it leaves out and says so: the check of free disk space fails there.
    :ivar silent: logon servers it leaves out without a word.
    :ivar stale: logon servers that get the build from before the hotfix of the files named here, whatever Client.src has.
    :ivar locked: logon servers, and the names of files it cannot replace there.
    :ivar tracing: whether it writes its log.
    """

    running: bool = True
    cycle_seconds: float = 1.0
    server_seconds: float = 0.0
    skip: list[str] = dataclasses.field(default_factory=list)
    silent: list[str] = dataclasses.field(default_factory=list)
    stale: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    locked: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    tracing: bool = True


class MaintenanceManager:
    """Maintenance Manager of one site.

    How it behaves stands in a file, so that another process can change it.

    :param site: the site server's drive.
    :param logon_servers: the drives of its logon servers.
    :param settings: the file.
    """

    def __init__(self, site: Drive, logon_servers: Iterable[Drive], settings: Path, replication: Replication) -> None:
        self.site = site
        self.logon_servers = list(logon_servers)
        self.settings = settings
        self.cycles = 0
        self._map_seen: int | None = None
        self._wake = threading.Event()
        self._stopping = False
        self._working = threading.Lock()
        self._thread: threading.Thread | None = None
        self.behave(**dataclasses.asdict(replication))

    @property
    def behaviour(self) -> Behaviour:
        if not self.settings.exists():
            return Behaviour()
        return Behaviour(**json.loads(self.settings.read_text(encoding="utf-8")))

    def behave(self, **changes: object) -> None:
        """Change how it behaves: ``behave(skip=["logon-02"], cycle_seconds=0.2)``.

        :raises TypeError: there is no such thing to change.
        """
        behave(self.settings, self.behaviour, **changes)

    # Work cycles ------------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Work in the background until :meth:`stop`."""
        if self._thread is None:
            self._stopping = False
            self._wake.clear()
            self._thread = threading.Thread(target=self._run, name=f"Maintenance Manager of {self.site.server.name}", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop working in the background; a file that is being copied is finished."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping = True
            self._wake.set()
            thread.join()

    def _run(self) -> None:
        while not self._stopping:
            if self.behaviour.running:
                self.cycle()
            self._wake.wait(self.behaviour.cycle_seconds)

    def cycle(self) -> list[Path]:
        """One work cycle, now. Returns what was written."""
        written: list[Path] = []
        with self._working:
            behaviour = self.behaviour
            source = self.site.root / CLIENT_SOURCE
            written += self._regenerate(behaviour, source)
            for drive in [self.site, *self.logon_servers]:
                name = drive.server.name
                if drive is not self.site and self._wake.wait(behaviour.server_seconds) and self._stopping:
                    break
                if name in behaviour.silent:
                    continue
                self._log(behaviour, f"Working on logon server \\\\{name}")
                if name in behaviour.skip:
                    self._log(behaviour, "Free disk space check failed (error 144), skipping")
                    continue
                for path in sorted(source.rglob("*")):
                    if path.is_file() and (target := self._copy(behaviour, drive, path, source)):
                        written.append(target)
            self._log(behaviour, f"Work cycle complete, {len(written)} files copied")
            self.cycles += 1
        return written

    def _regenerate(self, behaviour: Behaviour, source: Path) -> list[Path]:
        """New copy lists if System.map is newer than when it was last looked at. The first look takes it as it is."""
        site_map = self.site.root / "System.map"
        modified = site_map.stat().st_mtime_ns if site_map.exists() else 0
        seen, self._map_seen = self._map_seen, modified
        if seen is None or modified <= seen:
            return []
        written = []
        for path in sorted(source.glob("[Cc]l_*.txt")):
            content = re.sub(rb"(CopyListVersion=)(\d+)", lambda found: b"%s%d" % (found[1], int(found[2]) + 1), path.read_bytes())
            path.write_bytes(content)
            written.append(path)
        self._log(behaviour, f"System.map has changed, {len(written)} copy lists written")
        return written

    def _copy(self, behaviour: Behaviour, drive: Drive, path: Path, source: Path) -> Path | None:
        """Copy one file to one logon server if it differs there. Returns where to, or None."""
        name = drive.server.name
        target = _existing(drive.root / "Logon.srv", path.relative_to(source).parts)
        if path.name.lower() in {entry.lower() for entry in behaviour.stale.get(name, ())}:
            return self._put_stale(target, path)
        try:
            if target.exists() and _same(path, target):
                return None
            if path.name.lower() in {entry.lower() for entry in behaviour.locked.get(name, ())}:
                self._log(behaviour, f"Cannot copy {path.name} to \\\\{name} (error 32)")
                return None
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh = not target.exists()
            shutil.copyfile(path, target)
            stat = path.stat()
            if fresh:
                own(target, created_at=int(time.time()))
            os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        except FileNotFoundError:
            # It has gone since the directory was listed.
            return None
        self._log(behaviour, f"Copied {path.name} to \\\\{name}")
        return target

    @staticmethod
    def _put_stale(target: Path, path: Path) -> Path | None:
        platform = path.parent.name.lower().removesuffix(".bin")
        name = next(name for name in CLIENT_FILES if name.lower() == path.name.lower())
        file = program(name, platform, "older")
        if target.exists() and int(target.stat().st_mtime) == file.modified:
            return None
        write_program(target, name, platform, "older")
        own(target, created_at=file.modified)
        os.utime(target, (file.modified, file.modified))
        return target

    def _log(self, behaviour: Behaviour, text: str) -> None:
        if not behaviour.tracing:
            return
        now = dt.datetime.now()
        thread = f"{threading.get_ident() & 0xFFF:X}"
        line = f"~{text}  $$<SMS_MAINTENANCE_MANAGER><{now:%a %b %d %H:%M:%S %Y}~><thread={thread}>\r\n"
        path = self.site.root / "Logs" / "Maintman.log"
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as log:
            log.write(line.encode("ascii", "replace"))


def behave(settings: Path, behaviour: Behaviour, **changes: object) -> None:
    """Write a behaviour with changes into its file. Raises :class:`TypeError` if there is no such thing to change."""
    changed = dataclasses.replace(behaviour, **changes)  # type: ignore[arg-type]
    fresh = settings.with_suffix(".new")
    fresh.write_text(json.dumps(dataclasses.asdict(changed), indent=1), encoding="utf-8")
    fresh.replace(settings)


def _same(first: Path, second: Path) -> bool:
    return int(first.stat().st_mtime) == int(second.stat().st_mtime) and first.read_bytes() == second.read_bytes()


def _existing(place: Path, parts: tuple[str, ...]) -> Path:
    """A path below a directory in the spelling that exists there: case does not matter on Windows."""
    for part in parts:
        found = {entry.name.lower(): entry for entry in place.iterdir()} if place.is_dir() else {}
        place = found.get(part.lower(), place / part)
    return place
