"""A badge in full, the history of a shelf, and before you sell, as a visitor meets them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.axe import violations
from tests.browser.budget import load
from tests.browser.conftest import SignIn
from tests.integration.awards import award
from tests.integration.pages.shelves import NOON
from tests.integration.trial.past import processed
from tests.model import lab
from tests.model.events import event

START = datetime(2024, 1, 15, 12, tzinfo=UTC)
LABEL = {"id": 4711, "name": "Hyperdub <script>alert(1)</script>"}
LONG = "Très long " + "and then some more " * 10 + "\U0001f3b6 " + "תקליט"
CHAIN = ["Thomas Fehlmann", "Sun Electric", "<b>Alex</b> Paterson", "אביב גפן", "Juan Atkins"]
SIZES = [(390, "dark"), (1440, "light")]


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def ada(database: str) -> AsyncIterator[None]:
    """Twelve records of one label of sixteen, one a month, and a chain of artists."""
    connection = await lab.worker_connection(database)
    await lab.clear(connection)
    await connection.execute("insert into label values (4711, $1)", LABEL["name"])
    await connection.execute("insert into catalogue_total values ('label', 4711, 16, '2026-11-01')")
    events = []
    for n in range(1, 13):
        release: dict[str, Any] = {"id": n, "title": f"Record {n}", "labels": [LABEL], "year": 1980 + n}
        release |= {"genres": [f"Genre {n}"], "country": "UK", "artists": [{"id": n, "name": f"Artist {n}"}]}
        release |= {"title": LONG} if n == 3 else {}
        item = {"instance_id": n, "release": release, "added_at": f"2024-{n:02d}-10"}
        events.append(event("ownership.added", f"page-{n}", {"items": [item]}, time=START + timedelta(days=30 * n)))
    await processed(connection, events)
    path = [{"artist_id": at, "name": name} for at, name in enumerate(CHAIN, 1)]
    hops = {"metric": "hops", "value": 4, "target": 3, "path": path, "as_of": "2026-11-01"}
    await award(connection, "ada", "six-degrees-bronze", at=NOON, evidence=hops)
    yield
    await connection.close()


async def test_a_badge_opens_over_the_page_and_escape_leads_back(sign_in: SignIn) -> None:
    page = await sign_in("ada", "/me")
    link = page.locator("a[href^='/me/badges/six-degrees']").first
    await link.focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("heading", level=1)).to_be_focused()
    await expect(dialog).to_have_accessible_name("Six Degrees")
    assert page.url.endswith("/me/badges/six-degrees-bronze")
    await expect(page).to_have_title("Six Degrees · Gatefold")
    assert await dialog.locator(".chain li").all_inner_texts() == CHAIN
    # To another tier, by keyboard alone, and back at once.
    await dialog.locator(".rungs a", has_text="Silver").focus()
    await page.keyboard.press("Enter")
    await expect(dialog.locator(".rungs a[aria-current]")).to_contain_text("Silver")
    assert page.url.endswith("/me/badges/six-degrees-silver")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await page.wait_for_url("**/me")
    await expect(link).to_be_focused()
    await expect(page).to_have_title("Your badges · Gatefold")


async def test_back_closes_forward_opens_and_so_does_the_address(sign_in: SignIn) -> None:
    page = await sign_in("ada", "/me/history")
    await page.get_by_role("link", name="Label Loyalist Gold").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("You had 12 of the 16 releases by Hyperdub <script>alert(1)</script>: 75 %")
    await dialog.get_by_role("link", name="Close").click()
    await expect(dialog).to_have_count(0)
    await page.go_forward()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Label Loyalist")
    assert await page.get_by_role("dialog").count() == 0  # a page of its own, by its own address
    await page.locator(".rungs a", has_text="Platinum").click()
    await page.wait_for_url("**/label-loyalist-platinum?context=label%3A4711")
    await expect(page.get_by_role("main")).to_contain_text("Add 3 more Hyperdub <script>alert(1)</script> releases")
    await expect(page.get_by_role("progressbar")).to_have_attribute("value", "75")


async def test_what_was_filtered_stays_when_a_dialog_closes(sign_in: SignIn) -> None:
    page = await sign_in("ada", "/me")
    await page.get_by_label("Category").select_option("graph")
    await page.wait_for_url("**category=graph*")
    families = page.locator("#families")
    await expect(families).not_to_contain_text("Label Loyalist")
    await families.evaluate("found => { found.dataset.same = 'yes' }")  # a page that is loaded anew does not say so
    await families.get_by_role("link", name="Six Degrees").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.wait_for_url("**category=graph*")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(families).to_have_attribute("data-same", "yes")


async def test_a_dialog_whose_session_has_ended_leads_to_signing_in(sign_in: SignIn) -> None:
    page = await sign_in("ada", "/me/history")
    await page.context.clear_cookies()
    await page.get_by_role("link", name="Label Loyalist Gold").click()
    await page.wait_for_url("**/session?next=%2Fme%2Fbadges%2Flabel-loyalist-gold*")


async def test_history_draws_what_the_table_says(sign_in: SignIn) -> None:
    page = await sign_in("ada", "/me/history")
    await expect(page.locator("#chart canvas")).to_be_visible()
    table = page.locator("#months")
    assert not await table.is_visible()  # the chart says it to those who see
    await page.get_by_text("The numbers, month by month").click()
    first = table.locator("tbody tr").last
    assert (await first.inner_text()).split() == ["January", "2024", "1", "+1", "0"]
    before = await page.locator("#chart canvas").bounding_box()
    await page.set_viewport_size({"width": 500, "height": 800})
    await page.wait_for_function("() => document.querySelector('#chart canvas').getBoundingClientRect().width < 480")
    assert before is not None
    assert before["width"] > 600


async def test_before_you_sell(sign_in: SignIn) -> None:
    page = await sign_in("ada", "/me/sell")
    await page.get_by_label("Search your collection").fill("hyperdub artist 7")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**q=hyperdub*")
    await page.get_by_role("checkbox", name="Record 7").check()
    await page.get_by_role("button", name="What would change?").click()
    result = page.get_by_role("region", name="If you sold them")
    await expect(result).to_contain_text("One record picked")
    await expect(result.get_by_role("link", name="Label Loyalist Gold")).to_contain_text("75 % → 68 %, 75 % needed")
    await expect(result).to_contain_text("You keep the badge")
    await expect(result.get_by_role("row", name="Releases 12 11")).to_be_visible()
    # Another search keeps what is picked.
    await page.get_by_label("Search your collection").fill("תקליט")
    await page.get_by_role("button", name="Search").click()
    await page.get_by_role("checkbox", name="Très long").check()
    await page.get_by_role("button", name="What would change?").click()
    await expect(result).to_contain_text("2 records picked")
    await result.get_by_role("link", name="Label Loyalist Gold").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Earned on")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Keep Record 7").click()
    await expect(result).to_contain_text("One record picked")


async def test_everything_works_without_scripts(sign_in: SignIn) -> None:
    page = await sign_in("ada", "/me/history", java_script_enabled=False)
    assert await page.locator("#months").is_visible()
    await page.get_by_role("link", name="Label Loyalist Gold").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Label Loyalist")
    await page.get_by_role("link", name="Before you sell").click()
    await page.get_by_role("checkbox", name="Record 12").check()
    await page.get_by_role("button", name="What would change?").click()
    await expect(page.get_by_role("region", name="If you sold them")).to_contain_text("One record picked")


@pytest.mark.parametrize(("width", "scheme"), SIZES)
async def test_each_page_is_accessible_light_and_fits(sign_in: SignIn, width: int, scheme: str) -> None:
    options: dict[str, Any] = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    page = await sign_in("ada", "/me/history", **options)
    for path in (
        "/me/history",
        "/me/badges/six-degrees-bronze",
        "/me/badges/label-loyalist-platinum",
        "/me/sell?q=record&pick=1&pick=3",
    ):
        assert (await load(page, path)).size < 100_000
        assert await violations(page) == []
        for other in (width, 768):
            await page.set_viewport_size({"width": other, "height": 900})
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.goto("/me")
    await page.locator("a[href^='/me/badges/six-degrees']").first.click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await violations(page) == []
