# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmark prints."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from measure import Cost

MOST_POSTS = 8
MOST_SENT = 15_000
PARSE_ROWS = 5_000
PARSE_SECONDS = 0.05


def table(costs: dict[str, Cost], ours: str, hosts: int) -> None:
    """Print the figures, and how they compare to ours."""
    print(f"{'':24}{'wall':>9}{'CPU':>9}{'posts':>7}{'sent':>9}{'received':>10}   as multiples of ours: wall, CPU, posts, sent, received")
    for name, cost in costs.items():
        figures = f"{cost.wall:8.2f}s{cost.cpu / hosts * 1000:7.1f}ms{cost.posts / hosts:7.1f}"
        figures += f"{cost.sent / hosts / 1000:7.1f}kB{cost.received / hosts / 1000:8.1f}kB"
        multiples = (getattr(cost, what) / getattr(costs[ours], what) for what in ("wall", "cpu", "posts", "sent", "received"))
        print(f"{name:24}{figures}   " + "".join(f"{multiple:8.2f}" for multiple in multiples))


def parse_seconds(collections: Path) -> float:
    """Seconds it takes to parse a listing of netstat: the best of several, which is what the code costs.

    :param collections: directory that holds ansible_collections.
    """
    sys.path.insert(0, str(collections))
    from ansible_collections.sms.helpdesk.plugins.plugin_utils import _netstat

    numbers = range(PARSE_ROWS)
    rows = (f"  TCP    10.0.{n % 256}.{n // 256}:{1024 + n}    192.168.7.{n % 250}:443    ESTABLISHED    {4 * n}\r\n" for n in numbers)
    text = "\r\nActive Connections\r\n\r\n  Proto  Local Address  Foreign Address  State  PID\r\n" + "".join(rows)
    taken = []
    for _turn in range(20):
        begun = time.perf_counter()
        listing = _netstat.parse(text)
        taken.append(time.perf_counter() - begun)
        assert len(listing.endpoints) == PARSE_ROWS
    return min(taken)


def verdicts(ours: Cost, peer: Cost, seconds: float) -> None:
    """Print which limits hold.

    :param peer: the peer that is a task of Ansible as well.
    :param seconds: what :func:`parse_seconds` says.
    """
    rows = f"{PARSE_ROWS} rows of netstat are parsed in less than {PARSE_SECONDS * 1000:.0f} ms"
    limits = [
        (f"a clean client costs at most {MOST_POSTS} posts", ours.most_posts <= MOST_POSTS, f"{ours.most_posts:.0f}"),
        (f"a clean client costs at most {MOST_SENT / 1000:.0f} kB sent", ours.most_sent <= MOST_SENT, f"{ours.most_sent / 1000:.1f} kB"),
        ("no more posts than the Ansible peer", ours.posts <= peer.posts, f"{ours.posts / peer.posts:.2f} of them"),
        ("controller CPU below the Ansible peer's", ours.cpu < peer.cpu, f"{ours.cpu / peer.cpu:.2f} of it"),
        ("bytes sent at most a tenth of the Ansible peer's", ours.sent * 10 <= peer.sent, f"{ours.sent / peer.sent:.3f} of them"),
        (rows, seconds < PARSE_SECONDS, f"{seconds * 1000:.1f} ms"),
    ]
    for what, holds, figure in limits:
        print(f"{'holds ' if holds else 'MISSED'}  {what}: {figure}")
