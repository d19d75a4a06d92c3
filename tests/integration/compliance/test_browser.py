# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report in a real browser: a small fleet, ten thousand clients, and names that want to be something else."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _records
from ansible_collections.sms.helpdesk.plugins.plugin_utils._report import build
from ansible_collections.sms.helpdesk.plugins.plugin_utils._report_html import as_html
from ansible_collections.sms.helpdesk.tests.unit.plugins.helpers import fleet_records

from browser import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(shutil.which(CHROMIUM) is None, reason="chromium is not installed")

TIME = "2026-11-27T09:00:00Z"
ROWS = "document.querySelectorAll('#body tr.row')"


def show(browser: Browser, place: Path, records: list[_records.Record]) -> Path:
    """Open the report of these records and wait for its table."""
    page = place / "report.html"
    page.write_bytes(as_html(build(records, TIME, title="Help desk <b>compliance</b>")))
    browser.complaints.clear()
    browser.requests.clear()
    browser.size(1280, 900)
    browser.open(page)
    browser.until("document.getElementById('count').textContent !== ''")
    return page


def hosts(browser: Browser) -> list[str]:
    """The names in the table, as far as it is drawn."""
    return [str(name) for name in browser.js(f"[...{ROWS}].map((row) => row.querySelector('.open').textContent)")]


def states(browser: Browser) -> list[str]:
    return [str(name) for name in browser.js(f"[...{ROWS}].map((row) => row.querySelector('.state').lastChild.textContent)")]


def search(browser: Browser, text: str) -> str:
    """Type into the search; what the page then says about the number of hosts."""
    browser.js("document.getElementById('reset').click(), document.getElementById('search').focus()")
    before = browser.js("document.getElementById('count').textContent")
    browser.type(text)
    browser.until(f"document.getElementById('count').textContent !== {before!r}")
    return str(browser.js("document.getElementById('count').textContent"))


def complains(browser: Browser, page: Path) -> list[str]:
    """Everything on the console, and every address that was asked but the file itself."""
    return browser.complaints + [url for url in browser.requests if url != page.as_uri()]


def test_a_small_fleet_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    records = fleet_records.small()
    page = show(browser, tmp_path, records)
    assert "3 of 12 clients have a port conflict" in browser.js("document.querySelector('.headline').textContent")
    assert sorted(hosts(browser)) == sorted(record["host"] for record in records)
    assert states(browser)[:3] == ["Conflict"] * 3, "the worst first"

    browser.js("document.querySelector('.open').focus()")
    browser.key("Enter")
    browser.until("document.querySelectorAll('.evidence').length === 1")
    shown = browser.js("document.querySelector('.evidence').textContent")
    first = next(record for record in records if record["host"] == hosts(browser)[0])
    for fact in ("UDP 1762", "cardreader.exe", "4712", "BackupAgent, Helper", "0.0.0.0", first["time"], "tasklist"):
        assert fact in shown, fact
    assert browser.js("document.activeElement.getAttribute('aria-expanded')") == "true"
    browser.key("ArrowDown")
    assert browser.js("document.activeElement.textContent") == hosts(browser)[1]
    browser.key("ArrowUp")
    browser.key("Enter")
    browser.until("document.querySelectorAll('.evidence').length === 0")

    for _time in range(2):
        browser.js("document.querySelector('[data-sort=host] button').focus()")
        browser.key("Enter")
    assert browser.js("document.querySelector('[data-sort=host]').getAttribute('aria-sort')") == "descending"
    names = hosts(browser)
    browser.key("Enter")
    assert hosts(browser) != names and sorted(hosts(browser)) == sorted(names)

    assert search(browser, "cardreader 1762") == "1 of 18 hosts"
    assert hosts(browser) == ["pc03"]
    assert search(browser, "東京") == "1 of 18 hosts"
    assert hosts(browser) == ["東京-端末01"]
    browser.js("document.getElementById('reset').click()")
    assert len(hosts(browser)) == 18
    browser.js("document.querySelector('.chip[data-state=conflict]').click()")
    assert set(states(browser)) == {"Conflict"} and len(hosts(browser)) == 3
    assert browser.js("document.querySelector('.chip[data-state=conflict]').getAttribute('aria-pressed')") == "true"
    assert complains(browser, page) == []


def test_every_control_has_a_name_and_every_picture_says_what_it_shows(browser: Browser, tmp_path: Path) -> None:
    page = show(browser, tmp_path, fleet_records.small())
    browser.call("Accessibility.enable")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    browser.call("Accessibility.disable")
    for node in nodes:
        if not node.get("ignored") and node["role"]["value"] in ("button", "searchbox", "combobox", "image", "img", "link"):
            assert node.get("name", {}).get("value"), node
    assert "3 Conflict" in browser.js("document.querySelector('svg.bar').getAttribute('aria-label')")
    assert complains(browser, page) == []


@pytest.mark.parametrize(("scheme", "bright"), [("light", True), ("dark", False)])
def test_light_and_dark(browser: Browser, tmp_path: Path, scheme: str, bright: bool) -> None:
    browser.scheme(scheme)
    show(browser, tmp_path, fleet_records.small())
    colours = browser.js("['backgroundColor', 'color'].map((name) => getComputedStyle(document.documentElement)[name])")
    page, text = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours)
    browser.scheme("light")
    assert (page > text) is bright
    assert abs(page - text) > 400


def test_ten_thousand_clients(browser: Browser, tmp_path: Path) -> None:
    page = show(browser, tmp_path, fleet_records.large())
    assert browser.js("document.getElementById('count').textContent") == "10,000 hosts"
    assert browser.js(f"{ROWS}.length") == 100, "only what is looked at is in the document"
    browser.js("document.getElementById('further').scrollIntoView()")
    browser.until(f"{ROWS}.length > 100")
    assert search(browser, "pc04711") == "1 of 10,000 hosts"
    assert hosts(browser) == ["pc04711.branch55.example.com"]
    assert search(browser, "tls-certificate") == "50 of 10,000 hosts"
    assert set(states(browser)) == {"Unreachable"}
    browser.js("document.getElementById('reset').click()")
    browser.js("document.querySelector('[data-sort=host] button').click()")
    assert hosts(browser)[:2] == ["pc00000.branch00.example.com", "pc00001.branch01.example.com"]
    browser.js("dispatchEvent(new Event('beforeprint'))")
    assert browser.js(f"{ROWS}.length") == 2000
    assert "the first 2,000 are printed" in browser.js("document.getElementById('count').textContent")
    assert complains(browser, page) == []


def test_names_that_want_to_be_something_else(browser: Browser, tmp_path: Path) -> None:
    page = show(browser, tmp_path, fleet_records.hostile())
    browser.js(f"[...{ROWS}].forEach((row) => row.querySelector('.open').click())")
    assert browser.js("document.querySelectorAll('.evidence').length") == 2 * len(fleet_records.HOSTILE)
    assert browser.js("document.title") == "Help desk <b>compliance</b>"
    assert browser.js("document.querySelectorAll('img, #body script, b b, h1 b').length") == 0
    shown = browser.js("document.body.innerText")
    for name in ("<script>alert(1)</script>", "{{ 7 * 7 }}", "pc\\u202egpj.exe\\u2066", "Zählerstelle-Süd", "東京-端末01"):
        assert name in shown
    assert browser.js("document.documentElement.scrollWidth <= innerWidth") is True, "a long name does not push the page apart"
    assert complains(browser, page) == []


def test_without_scripts_the_answer_is_there(browser: Browser, tmp_path: Path) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    page = tmp_path / "report.html"
    page.write_bytes(as_html(build(fleet_records.small(), TIME)))
    browser.open(page)
    shown = browser.js("document.body.innerText")
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert "3 of 12 clients have a port conflict" in shown
    assert "needs JavaScript" in shown
