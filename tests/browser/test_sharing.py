"""Sharing in a browser: making a link, who sees it, taking it back; a showcase in somebody else's page."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from services.settings import Settings
from tests.browser.axe import violations
from tests.browser.budget import load
from tests.browser.conftest import SignIn
from tests.integration.awards import award
from tests.integration.served import api_settings

AT = datetime(2024, 5, 21, 10, tzinfo=UTC)
SHARE = {"metric": "label_coverage", "value": 90, "target": 90, "label": "R & S <Records>", "label_id": 1}
AWARDS = (
    ("label-loyalist-platinum", "label:1", SHARE | {"owned": 703, "total": 885, "percentage": 79.4}),
    ("genre-tourist-gold", "", {"metric": "genres", "value": 20, "target": 20}),
    ("owner-i", "", {"metric": "releases", "value": 1, "target": 1}),
)
HOST = b'<!doctype html><html lang="en"><title>Host</title><iframe title="Badges" src="%s"></iframe>'


@pytest.fixture(scope="module")
def host() -> Iterator[tuple[str, dict[str, str]]]:
    """Another site that frames an address, and which one."""
    framed: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(HOST % framed.get("url", "about:blank").encode())

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", framed
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def settings(database: str, host: tuple[str, dict[str, str]]) -> Settings:
    return api_settings(database, api_rate_share="", embed_origins=host[0])


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def awards(db: asyncpg.Connection[asyncpg.Record]) -> AsyncIterator[None]:
    for key, context, evidence in AWARDS:
        await award(db, "ann", key, context, AT, evidence)
    yield


async def submit(page: Page, button: str) -> None:
    async with page.expect_navigation():
        await page.get_by_role("button", name=button).click()


async def test_sharing_a_badge_and_taking_it_back(sign_in: SignIn, browser: Browser, site: str) -> None:
    page = await sign_in("ann", "/me/badges/label-loyalist-platinum?context=label%3A1")
    await page.get_by_role("link", name="Share", exact=True).click()
    await page.wait_for_url("**/me/share?key=label-loyalist-platinum&context=label%3A1")
    assert await page.locator("#link").count() == 0
    await page.get_by_label("Name on the card").fill("<b>Ann</b> & שלום")
    await page.keyboard.press("Enter")
    link = await page.get_by_label("Your link").input_value()
    assert link.startswith(f"{site}/share/")

    stranger = await sign_in(None, link)
    heading = stranger.get_by_role("heading", level=1)
    assert await heading.inner_text() == "Label Loyalist R & S <Records>"
    assert "<b>Ann</b> & שלום" in await stranger.locator(".shared-words").inner_text()
    assert await stranger.locator("meta[property='og:image']").get_attribute("content") == f"{link}.png"
    size = await stranger.evaluate(
        "async url => { const image = await createImageBitmap(await (await fetch(url)).blob());"
        " return [image.width, image.height] }",
        f"{link}.png",
    )
    assert size == [1200, 630]

    await submit(page, "Stop sharing")
    assert await page.locator("#link").count() == 0
    gone = await stranger.goto(link)
    assert gone is not None
    assert gone.status == 404
    assert await heading.inner_text() == "This groove is empty"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_its_pages_are_accessible_and_small(sign_in: SignIn, scheme: str) -> None:
    page = await sign_in("ann", "/me/share?key=genre-tourist-gold&lang=de", color_scheme=scheme)
    await submit(page, "Link erstellen" if await page.locator("#link").count() == 0 else "Namen ändern")
    assert await violations(page) == []
    await page.goto(await page.locator("#link").input_value())
    assert await page.evaluate("document.documentElement.lang") == "de"
    assert await violations(page) == []
    size, requests = await load(page, page.url)
    assert 0 < size <= 100_000
    assert requests <= 20


async def test_a_showcase_in_somebody_elses_page(sign_in: SignIn, site: str, host: tuple[str, dict[str, str]]) -> None:
    page = await sign_in("ann", "/me/share")
    await page.get_by_label("Name on the card").fill("Ann")
    await submit(page, "Make a link")
    token = (await page.get_by_label("Your link").input_value()).rpartition("/")[2]
    address, framed = host
    framed["url"] = f"{site}/embed/showcase.html?share={token}"
    visitor = await sign_in(None, address)
    frame = visitor.frame_locator("iframe")
    assert "Genre Tourist" in await frame.get_by_role("list").inner_text()
    shown = await frame.get_by_role("listitem").first.locator("img").evaluate("image => image.naturalWidth")
    assert shown > 0
    read = await visitor.evaluate(
        "async url => (await (await fetch(url)).json()).name", f"{site}/embed/showcase.json?share={token}"
    )
    assert read == "Ann"
    await visitor.goto(framed["url"])
    assert await violations(visitor) == []


async def test_what_one_does_not_have_is_not_offered_as_shared(sign_in: SignIn) -> None:
    page = await sign_in("ann", "/me/share?key=deep-cut")
    await submit(page, "Make a link")
    assert await page.get_by_role("heading", level=1).inner_text() == "No such badge"
    unknown = await page.goto("/me/share?key=none")
    assert unknown is not None
    assert unknown.status == 404
