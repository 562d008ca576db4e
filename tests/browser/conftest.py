"""A browser, an api process on a database of the module's own, and pages of users that are signed in."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright

from services.api.app import create_app
from services.api.main import listen
from services.api.tokens import mint
from services.settings import Settings
from tests.integration.served import api_settings

BROWSER = Path(__file__).resolve().parents[2] / "build" / "browser"
ARGUMENTS = ["--headless=shell", "--no-sandbox", "--disable-gpu", "--no-zygote", "--no-first-run"]

SignIn = Callable[..., Awaitable[Page]]


async def launch(playwright: Playwright) -> Browser:
    """Chromium as `make` fetched it, with the libraries and fonts it brings."""
    known = os.environ.get("LD_LIBRARY_PATH", "")
    environment = {**os.environ, "LD_LIBRARY_PATH": f"{BROWSER / 'al2023' / 'lib'}:{known}".rstrip(":")}
    environment["FONTCONFIG_PATH"] = str(BROWSER / "fonts")
    return await playwright.chromium.launch(executable_path=BROWSER / "chromium", args=ARGUMENTS, env=dict(environment))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests."""
    async with async_playwright() as playwright:
        found = await launch(playwright)
        yield found
        await found.close()


@pytest.fixture(scope="module")
def settings(database: str) -> Settings:
    return api_settings(database)


@pytest.fixture(scope="module")
def site(settings: Settings) -> Iterator[str]:
    """The address of an api that serves the module's database, as `http://127.0.0.1:…`."""
    server = uvicorn.Server(uvicorn.Config(create_app(settings), log_config=None, access_log=False))
    bound = listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    bound.close()


@pytest_asyncio.fixture(loop_scope="session")
async def sign_in(browser: Browser, site: str, settings: Settings) -> AsyncIterator[SignIn]:
    """`await sign_in("ann", "/me")`: a new visitor's page, signed in by the form; options are those of a context.

    What a page writes to the console as an error (a breach of the Content-Security-Policy too) fails the test.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    async def signed_in(user: str | None, path: str = "/me", **options: object) -> Page:
        context = await browser.new_context(base_url=site, **{"locale": "en-GB", **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        await page.goto(path)
        if user is not None:
            await page.fill("#token", mint(settings, user))
            await asyncio.gather(page.wait_for_url(f"**{path}"), page.click("form[action='/session'] button"))
        return page

    yield signed_in
    for context in contexts:
        await context.close()
    # A page that answers 401, 404 … is written to the console as well, also by htmx: that is what some tests ask for.
    wanted = ("the server responded with a status of 4", "Response Status Error Code 4")
    assert [fault for fault in faults if not any(one in fault for one in wanted)] == []
