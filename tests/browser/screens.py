"""Screenshots of each page with the demo's data, at three widths, light and dark: `make screens`.

    python -m tests.browser.screens            # runs the demo, and takes them into build/screens
    python -m tests.browser.screens demo.json  # of a demo that `gatefold demo --keep --json` left up

The two of the README are among them: `readme-page.png`, `readme-badge.png`.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import httpx
from playwright.async_api import Browser, Page, async_playwright
from pydantic import SecretStr

from services.api.tokens import mint
from services.demo import catalogue, data
from services.settings import Settings
from tests.browser.conftest import launch

OUT: Final = Path("build/screens")
SIZES: Final = (390, 768, 1440)
SCHEMES: Final = ("light", "dark")
# By name: whose page, and where; nobody is signed in for None.
PAGES: Final = {
    "sign-in": (None, "/session"),
    "first": (data.COPIES_OF, "/me"),
    "labels": (catalogue.COLLECTOR, "/me"),
    "empty": ("somebody-new", "/me"),
    "filtered": (catalogue.COLLECTOR, "/me?category=completionist&show=earned"),
    "missing": (data.COPIES_OF, "/me/missing/world-collector-silver"),
    "badge": (catalogue.COLLECTOR, "/me/badges/six-degrees-platinum"),
    "history": (data.COPIES_OF, "/me/history"),
    "sell": (data.COPIES_OF, "/me/sell"),
    "share": (data.COPIES_OF, "/me/share"),
    "nowhere": (data.COPIES_OF, "/me/nowhere"),
    "sharing": (catalogue.COLLECTOR, "/me/share"),
}


def main() -> None:
    """Take them all, of a demo that is up or of one that is run for it."""
    if len(sys.argv) > 1:
        asyncio.run(take(json.loads(Path(sys.argv[1]).read_text())["keep"]))
        return
    with subprocess.Popen([sys.executable, "-m", "services.cli.main", "demo", "--keep", "--json"], stdout=-1) as demo:
        try:
            assert demo.stdout is not None
            asyncio.run(take(json.loads(demo.stdout.readline())["keep"]))
        finally:
            demo.send_signal(signal.SIGINT)


async def take(demo: dict[str, Any]) -> None:
    """Every page in every size; `demo` says where they are."""
    found = re.search(r"^export GATEFOLD_JWT_SECRET=(\S+)$", Path(demo["env"]).read_text(), re.MULTILINE)
    assert found is not None
    options = Settings(jwt_secret=SecretStr(found[1]))
    OUT.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        card = await shared(demo["api"], options)
        for name, (user, path) in {**PAGES, "card": (None, card)}.items():
            for width in SIZES:
                for scheme in SCHEMES:
                    page = await signed_in(browser, demo["api"], options, user, scheme, width)
                    await page.goto(path, wait_until="networkidle")
                    await page.screenshot(path=OUT / f"{name}-{width}-{scheme}.png", full_page=True)
                    await page.context.close()
        await readme(browser, demo["api"], options)
        await browser.close()


async def shared(site: str, options: Settings) -> str:
    """Share the showcase of the collector of a label; the path of the page."""
    who = {"Authorization": f"Bearer {mint(options, catalogue.COLLECTOR)}"}
    async with httpx.AsyncClient(base_url=site, headers=who) as client:
        answer = await client.post("/api/user/shares", json={"name": "A collector of one label"})
    return f"/share/{answer.json()['token']}"


async def readme(browser: Browser, site: str, options: Settings) -> None:
    """The first page by day, and a badge over it by night."""
    page = await signed_in(browser, site, options, catalogue.COLLECTOR, "light", 1200)
    await page.goto("/me", wait_until="networkidle")
    await page.screenshot(path=OUT / "readme-page.png")
    await page.context.close()
    page = await signed_in(browser, site, options, catalogue.COLLECTOR, "dark", 1200)
    await page.goto("/me", wait_until="networkidle")
    await page.locator("#showcase a[href^='/me/badges/six-degrees']").click()
    await page.wait_for_function("document.querySelector('dialog[open] img')?.complete")
    await page.screenshot(path=OUT / "readme-badge.png")
    await page.context.close()


async def signed_in(browser: Browser, site: str, options: Settings, user: str | None, scheme: Any, width: int) -> Page:
    """A visitor's page."""
    context = await browser.new_context(
        base_url=site, viewport={"width": width, "height": 860}, color_scheme=scheme, locale="en-GB"
    )
    page = await context.new_page()
    if user is not None:
        await page.goto("/session")
        await page.fill("#token", mint(options, user))
        await page.click("form[action='/session'] button")
        await page.wait_for_url("**/me")
    return page


if __name__ == "__main__":
    main()
