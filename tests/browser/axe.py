"""What axe-core has to say against a page."""

from __future__ import annotations

from functools import cache

from playwright.async_api import Page

from tests.browser.conftest import BROWSER

RUN = """axe.run().then(found => found.violations.map(
    one => `${one.id}: ${one.nodes.map(node => node.html).join(" | ")}`))"""


@cache
def _source() -> str:
    return (BROWSER / "axe.js").read_text(encoding="utf-8")


async def violations(page: Page) -> list[str]:
    """The rules that the page breaks, each with the elements that do."""
    await page.evaluate(_source())
    found: list[str] = await page.evaluate(RUN)
    return found
