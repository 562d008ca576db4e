"""New badges are told on the page that is open: from an event in Kafka, through worker, relay, Kafka and api."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from services.settings import Settings
from tests.browser.conftest import SignIn
from tests.conftest import SECRET, Engines
from tests.e2e.events import added, at, copy, event, message
from tests.e2e.world import World, new_world

NAME = "<b>Größe</b> \u202eمرحبا 🎷"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(stack: Engines, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A worker and a relay."""
    async with new_world(stack.endpoints(), tmp_path_factory.mktemp("toasts")) as found:
        found.relay = found.crew.start("relay")
        found.worker = found.crew.worker()
        yield found


@pytest.fixture(scope="module")
def settings(world: World) -> Settings:
    """The api reads what they write."""
    update = {"jwt_secret": SECRET, "api_rate_user": "", "api_rate_address": ""}
    return Settings.model_validate(world.settings.model_dump() | update)


async def listening(page: Page) -> None:
    """Wait until the page has its stream."""
    async with asyncio.timeout(15):
        while True:
            if await page.evaluate("sessionStorage.length"):
                return
            await asyncio.sleep(0.02)


async def earn(world: World, user: str, number: int, *, first: int = 1) -> None:
    """Records that earn badges of several families: one event."""
    items = [
        copy(one, one, title=f"T{one}", year=1950 + one, genres=[f"G{one}"], styles=[f"S{one}"], country="UK",
             labels=[{"id": one, "name": f"L{one}"}], formats=[{"name": "Vinyl", "descriptions": ["LP"]}])
        for one in range(first, first + number)
    ]  # fmt: skip
    await world.send([message(added(user, f"{user}-{first}", items, time=at(first)))])


async def test_a_toast_comes_after_a_real_event(world: World, sign_in: SignIn) -> None:
    page = await sign_in("toast-ann", "/me")
    await listening(page)
    region = page.locator("#toasts")
    assert (await region.get_attribute("aria-live"), await region.get_attribute("role")) == ("polite", "status")
    await world.send([message(event("review.approved", "toast-ann", "r1", {"review_id": "1"}, time=at(1)))])
    toast = region.locator(".toast")
    await expect(toast).to_have_count(1, timeout=20_000)
    await expect(toast).to_contain_text("New badge")
    await expect(toast.get_by_role("link")).to_have_text("Reviewer I")
    await expect(toast.get_by_role("link")).to_have_attribute("href", "/me/badges/reviewer-i")
    await toast.get_by_role("button", name="Dismiss Reviewer I").click()
    await expect(toast).to_have_count(0)


async def test_an_import_is_three_toasts_and_how_many_more(world: World, sign_in: SignIn) -> None:
    page = await sign_in("toast-bob", "/me?lang=de")
    await listening(page)
    for start in range(1, 41, 10):
        await earn(world, "toast-bob", 10, first=start)
    toasts = page.locator("#toasts .toast")
    await expect(toasts).to_have_count(4, timeout=20_000)
    await expect(toasts.last).to_contain_text("weitere")
    await expect(toasts.first).to_contain_text("Neues Abzeichen")
    links = await page.locator("#toasts .toast:not(.plain) a").all_inner_texts()
    assert len({text.rsplit(" ", 1)[0] for text in links}) == 3
    # One that is at work with it is not hurried, and the keyboard gets everywhere.
    await toasts.nth(1).get_by_role("button").focus()
    await page.keyboard.press("Escape")
    await expect(toasts).to_have_count(3)
    await expect(toasts.nth(1).locator("a, button").first).to_be_focused()


async def test_what_comes_between_two_pages_is_told_on_the_second(world: World, sign_in: SignIn) -> None:
    page = await sign_in("toast-cid", "/me")
    await listening(page)
    await page.goto("/openapi.json")
    await earn(world, "toast-cid", 1)
    await world.drained()
    await page.goto("/me")
    await expect(page.locator("#toasts .toast", has_text="Owner I")).to_have_count(1, timeout=20_000)


async def test_markup_in_a_name_is_text_and_calm_is_respected(world: World, sign_in: SignIn) -> None:
    page = await sign_in("toast-dan", "/me", reduced_motion="reduce")
    await listening(page)
    pressings = [copy(one, one, title=NAME, master_id=77, artists=[{"id": 5, "name": NAME}]) for one in range(1, 4)]
    await world.send([message(added("toast-dan", "dan-1", pressings, time=at(1)))])
    toast = page.locator("#toasts .toast", has_text="Master Collector")
    await expect(toast).to_have_count(1, timeout=20_000)
    await expect(toast.locator("bdi")).to_have_text(NAME)
    assert await toast.locator("b").count() == 0
    assert await toast.evaluate("(found) => getComputedStyle(found).animationName") == "none"
