# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab from a test: ``with Lab(fleet) as lab:``."""

from __future__ import annotations

import json
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from . import daemon


class Lab:
    """A lab in a process of its own, for the time of a ``with`` block.

    :param fleet: path of a fleet file, or its content as a mapping.
    :param directory: where its state goes; a temporary directory by default.
    :ivar inventory: path of the generated Ansible inventory.
    :ivar state: what ``lab.json`` says: ports, control URL, process id.
    """

    def __init__(self, fleet: str | Path | Mapping[str, Any], *, directory: str | Path | None = None, post_delay_ms: float = 0.0) -> None:
        self._fleet = fleet
        self._temporary = None if directory else tempfile.TemporaryDirectory(prefix="lab-")
        self.directory = Path(directory or self._temporary.name)  # type: ignore[union-attr]
        self._post_delay_ms = post_delay_ms
        self.state: dict[str, Any] = {}

    def __enter__(self) -> Lab:
        if isinstance(self._fleet, Mapping):
            path = self.directory / "fleet.yml"
            self.directory.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(dict(self._fleet), sort_keys=False), encoding="utf-8")
        else:
            path = Path(self._fleet)
        try:
            self.state = daemon.start(path, self.directory, ["--post-delay-ms", str(self._post_delay_ms)])
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        try:
            daemon.stop(self.directory)
        finally:
            self._clean_up()

    def _clean_up(self) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def inventory(self) -> Path:
        return Path(self.state["inventory"])

    @property
    def ca(self) -> Path:
        return Path(self.state["ca"])

    @property
    def log(self) -> str:
        return (self.directory / "lab.log").read_text(encoding="utf-8", errors="replace")

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the control port. Raises :class:`lab.daemon.LabError` with what the lab says is wrong."""
        data = None if body is None else json.dumps(body).encode("utf-8")
        request = urllib.request.Request(self.state["control"] + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise daemon.LabError(json.loads(error.read())["error"]) from error

    def host(self, name: str) -> dict[str, Any]:
        """True state, counters and faults of one host."""
        return self.request("GET", f"/hosts/{name}")

    def address(self, name: str) -> str:
        return self.request("GET", "/hosts")[name]

    def endpoint(self, name: str, scheme: str = "http") -> str:
        """URL of a host's service."""
        return f"{scheme}://{self.address(name)}:{self.state[scheme + '_port']}/wsman"

    def change(self, name: str, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Change the model of one host; returns its state afterwards."""
        return self.request("POST", f"/hosts/{name}/change", dict(patch))["state"]

    def fault(self, name: str, kind: str, **details: Any) -> None:
        """Add one fault to a host: ``lab.fault("PC1", "drop", on="Receive", times=1)``."""
        self.request("PUT", f"/hosts/{name}/faults", {"kind": kind, **details})

    def clear_faults(self, name: str) -> None:
        self.request("DELETE", f"/hosts/{name}/faults")

    def counters(self, name: str | None = None) -> dict[str, int]:
        """Counters of one host, or their sum."""
        answer = self.request("GET", "/counters")
        return answer["total"] if name is None else answer["hosts"][name]

    def reset_counters(self) -> None:
        self.request("POST", "/counters/reset", {})
