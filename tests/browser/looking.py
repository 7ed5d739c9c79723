"""What every browser test looks at: a screenshot, the findings of axe, sideways scroll, computed sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from yinling.cli.paths import VAR

SHOTS = VAR / "screenshots"
DESK, PHONE = {"width": 1366, "height": 768}, {"width": 360, "height": 740}
WCAG = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
SIZES = """selector => [...document.querySelectorAll(selector)].filter(one => one.offsetParent).map(one => {
  const box = one.getBoundingClientRect();
  return {text: one.textContent.trim().slice(0, 20), width: box.width, height: box.height, font: parseFloat(getComputedStyle(one).fontSize)};
})"""
LEAVES = """() => [...document.querySelectorAll('main *')].filter(one => one.offsetParent && !one.closest('.unseen, svg')
    && [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()))
  .map(one => ({text: one.textContent.trim().slice(0, 20), font: parseFloat(getComputedStyle(one).fontSize)}))"""


def shoot(page: Page, name: str) -> Path:
    """Keep what is on the screen, named by page and width."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    path = SHOTS / f"{name}-{page.viewport_size['width'] if page.viewport_size else 0}.png"
    page.screenshot(path=path)
    return path


def axe_findings(page: Page) -> list[str]:
    """Return what axe finds against WCAG 2.0 to 2.2, A and AA: rule and place, one a line."""
    found: list[dict[str, Any]] = Axe().run(page, options=WCAG).response["violations"]
    return [f"{page.url} {one['id']}: {node['target']} {node['html'][:120]}" for one in found for node in one["nodes"]]


def sideways(page: Page) -> int:
    """Return by how many pixels the page is wider than the screen."""
    return int(page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def sizes(page: Page, selector: str) -> list[dict[str, Any]]:
    """Return text, width, height and font size of what is shown of a selector."""
    found: list[dict[str, Any]] = page.evaluate(SIZES, selector)
    return found


def smallest_text(page: Page) -> list[dict[str, Any]]:
    """Return every text of the page's main part with its font size, smallest first."""
    found: list[dict[str, Any]] = page.evaluate(LEAVES)
    return sorted(found, key=lambda one: one["font"])
