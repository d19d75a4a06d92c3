# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as one HTML file that needs nothing else. Private to the collection; reads only its own templates.

What people see first is markup; the table of hosts is data, which the page's own script shows as far as it is looked at. The content
security policy allows this script and this style and nothing else, and no text of a client is ever markup.
"""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t
from pathlib import Path

import jinja2

from ._report import servers
from ._report_rows import rows
from ._text import printable

_HERE = Path(__file__).with_name("report")
LIMIT = 5_000_000
_SHOWN = 12

# What a state is called, the sign beside its colour, and what it means.
STATES: dict[str, tuple[str, str, str]] = {
    "conflict": ("Conflict", "✕", "another program, or Windows itself, has a port of the help desk"),
    "vulnerable": ("Vulnerable", "▲", "the agent still needs 1761-1764; no conflict now"),
    "pending": ("Pending", "◐", "an upgrade is on its way"),
    "unknown": ("Unknown", "?", "a conflict could not be ruled out"),
    "mitigated": ("Mitigated", "◆", "the NetBIOS workaround is on"),
    "clear": ("Clear", "○", "no conflict; the agent's build was not looked at"),
    "compliant": ("Compliant", "✓", "the agent is the hotfix's and has its ports"),
    "not_applicable": ("Not applicable", "–", "no agent that the hotfix is for"),  # noqa: RUF001
    "not_staged": ("Not staged", "✕", "files of the hotfix are missing"),
    "stale": ("Stale", "▲", "older files are there"),
    "staged": ("Staged", "✓", "the hotfix is staged"),
    "replicated": ("Replicated", "✓", "it has what the site server has"),
    "unusable": ("Unusable", "✕", "these files are not the hotfix"),
    "usable": ("Usable", "✓", "these files are the hotfix"),
    "unreachable": ("Unreachable", "⊘", "nothing could be asked"),
    "failed": ("Failed", "!", "something went wrong on the way"),
    "skipped": ("Skipped", "·", "not asked in this run"),
}
KINDS = {
    "client": "Client",
    "site_server": "Site server",
    "admin_console": "Console",
    "logon_server": "Logon server",
    "package": "Package",
}
STEPS = {
    "staged": ("Staged", "site servers and consoles"),
    "replicated": ("Replicated", "logon servers"),
    "upgraded": ("Upgraded", "clients with the hotfix's agent"),
    "pending_restart": ("Waiting for a restart", "clients"),
    "verified": ("Verified", "clients that are compliant"),
}


def as_html(report: t.Mapping[str, t.Any]) -> bytes:
    """The page. Evidence that would make it too large for a mail is left to the other formats, and the page says so."""
    page = b""
    for brief in (False, True):
        page = _render(report, brief)
        if len(page) <= LIMIT:
            break
    return page


def _render(report: t.Mapping[str, t.Any], brief: bool) -> bytes:
    style, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["shown"] = printable
    environment.filters["number"] = lambda value: f"{value:,}"
    words = {"states": STATES, "kinds": KINDS}
    page = environment.get_template("page.html.j2").render(
        report=report,
        summary=report["summary"],
        segments=_segments(report["summary"]["clients"]),
        words=STATES,
        kinds=KINDS,
        steps=STEPS,
        statuses=("free", "agent", "conflict", "reserved", "unknown"),
        headline=_headline(report),
        servers=servers(report["records"])[:200],
        changes=_changes(report),
        brief=brief,
        shown=_SHOWN,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=_embeddable({**words, **rows(report["records"], brief)}),
    )
    return page.encode("utf-8", "backslashreplace")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _embeddable(data: t.Any) -> str:
    """JSON for a script element: with none of the characters that mean anything to HTML, it cannot end the element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _segments(counts: t.Mapping[str, int]) -> list[dict[str, t.Any]]:
    """The bar of states: where each begins and how wide it is, of 1000; what is there is never too thin to be seen."""
    present = [state for state in STATES if counts.get(state)]
    least, total = 6, counts["total"]
    widths = {state: max(least, 1000 * counts[state] / total) for state in present}
    scale = 1000 / sum(widths.values()) if widths else 1
    found, at = [], 0.0
    for state in present:
        width = widths[state] * scale
        found.append(
            {"state": state, "x": round(at, 1), "width": round(width, 1), "count": counts[state], "percent": _percent(counts[state], total)}
        )
        at += width
    return found


def _percent(count: int, total: int) -> str:
    share = 100 * count / total
    return "<1 %" if 0 < share < 1 else f"{share:.0f} %"


def _headline(report: t.Mapping[str, t.Any]) -> dict[str, str]:
    """How many are affected, by what, and how sure that is."""
    counts = report["summary"]["clients"]
    total, affected = counts["total"], counts["conflict"]
    who = report["summary"]["processes"]
    if affected:
        what = f"{affected:,} of {total:,} client{'' if total == 1 else 's'}"
        rest = f"{'has' if affected == 1 else 'have'} a port conflict"
    else:
        what, rest = ("No client", "has a port conflict") if total else ("No client", "was looked at")
    by = ", ".join(f"{printable(each['process'], 60)} on {each['hosts']:,}" for each in who[:3])
    if len(who) > 3:
        by += f", and {len(who) - 3} more"
    unsure = sum(counts[state] for state in ("unknown", "unreachable", "failed", "skipped"))
    return {
        "what": what,
        "rest": rest,
        "by": by,
        "unsure": f"{unsure:,} could not be judged." if unsure else "",
    }


def _changes(report: t.Mapping[str, t.Any]) -> dict[str, t.Any] | None:
    changes = report["changes"]
    if changes is None:
        return None
    turns: dict[tuple[str | None, str | None], list[str]] = {}
    for each in changes["hosts"]:
        turns.setdefault((each["before"], each["after"]), []).append(each["host"])
    ordered = sorted(turns.items(), key=lambda item: (item[0][1] not in ("conflict", "vulnerable"), -len(item[1])))
    return {
        "since": changes["since"],
        "count": len(changes["hosts"]),
        "turns": [{"before": before, "after": after, "hosts": hosts[:20], "more": len(hosts) - 20} for (before, after), hosts in ordered],
    }
