"""The first page as a visitor meets it: showcase, strip, grid; nobody's shelf, a full one, and names of any kind."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect

from services.api.tokens import mint
from services.settings import Settings
from tests.browser.axe import violations
from tests.browser.budget import load
from tests.browser.conftest import SignIn
from tests.integration.awards import award
from tests.integration.missing import shelves
from tests.integration.missing.shelves import Db

MAY = datetime(2026, 5, 1, 12, tzinfo=UTC)
GENRES = ("Electronic", "Jazz", "Rock", "Reggae")
NAMES = (
    '<script>document.title = "owned"</script><b title="x">',
    "שלום עולם " + "עוד מילה " * 21,
    "\u202ebackwards \U0001f3b6\U0001f468‍\U0001f469‍\U0001f467 مرحبا بالعالم",
    "N" * 200,
    "{{ 7 * 7 }} {n} %s &amp; ' \" `",
)
SIZES = [(390, "dark"), (1440, "light")]
BYTES, REQUESTS = 100_000, 60


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def users(db: Db) -> AsyncIterator[None]:
    """Ann collects Warp Records, Cleo has 500 awards with such names; of Ben nothing is known."""
    await shelves.warp(db, "ann")
    counts = {"releases": 90, "genres": 4, "labels": 3, "decades": 2, "wishlist": 9}
    await shelves.collector(db, "ann", {("genre", one): 20 for one in GENRES}, {1989: 5, 1992: 85}, **counts)
    warp = {"metric": "label_coverage", "value": 25, "target": 25, "label": "Warp Records", "owned": 61, "total": 243}
    await award(db, "ann", "label-loyalist-bronze", "label:23528", MAY, evidence=warp)
    for tier, number in (("i", 1), ("ii", 10)):
        numbers = {"metric": "releases", "value": number, "target": number}
        await award(db, "ann", f"owner-{tier}", at=MAY + timedelta(days=1), evidence=numbers)
    await award(db, "ann", "wishlister-i", at=MAY)
    await award(db, "ann", "first-pressing", at=MAY)
    await award(db, "ann", "no-longer-known", at=MAY)
    await shelves.collector(db, "cleo", {("genre", "Electronic"): 900}, {1995: 900}, releases=900, genres=1)
    row = "insert into user_badges (user_id, badge_key, context, award_id, awarded_at, source, trigger, caused_by, batch_id, evidence)"  # noqa: E501
    many: list[tuple[Any, ...]] = []
    for n in range(500):
        kind, key = (("label", "label-loyalist"), ("artist", "discography-deep-dive"), ("master", "master-collector"))[
            n % 3
        ]
        evidence = json.dumps({kind: NAMES[n // 3 % len(NAMES)], "value": 30, "owned": 3, "total": 10})
        many.append((f"{key}-bronze", f"{kind}:{n + 1}", uuid4(), MAY + timedelta(minutes=n), evidence))
    await db.executemany(f"{row} values ('cleo', $1, $2, $3, $4, 'auto', 't', '{{}}', $3, $5)", many)
    yield


async def test_the_showcase_shows_the_best_and_pins_win(sign_in: SignIn, db: Db) -> None:
    page = await sign_in("ann", "/me")
    cards = page.locator("#showcase article")
    assert await cards.locator("h3").all_inner_texts() == ["First Pressing", "Label Loyalist", "Owner", "Wishlister"]
    await expect(cards.nth(1)).to_contain_text("Warp Records\n61 of 243 releases\n1 May 2026", use_inner_text=True)
    button = page.locator("#grid").get_by_role("button", name="Pin to the showcase: Wishlister I")
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(cards.first).to_contain_text("Wishlister")
    assert await cards.count() == 4
    await cards.first.get_by_role("button", name="Unpin: Wishlister I").click()
    await expect(cards.first).to_contain_text("First Pressing")
    await cards.nth(1).get_by_role("link").click()
    await page.get_by_role("dialog").get_by_role("button", name="Pin to the showcase: Label Loyalist Bronze").click()
    await expect(cards.first).to_contain_text("Label Loyalist")
    await cards.first.get_by_role("button", name="Unpin: Label Loyalist Bronze").click()
    await expect(cards.first).to_contain_text("First Pressing")
    assert await db.fetchval("select count(*) from user_badges where pinned_at is not null") == 0


async def test_pins_are_of_awards_that_stand_and_no_more_than_there_is_room_for(
    site: str, settings: Settings, db: Db
) -> None:
    cookie = {"Cookie": f"__Host-gatefold={mint(settings, 'cleo')}", "Origin": site}
    async with httpx.AsyncClient(base_url=site, headers=cookie) as client:

        async def post(act: str, key: str, context: str) -> str:
            answer = await client.post("/me/pins", data={"act": act, "key": key, "context": context})
            return str(answer.headers.get("location", answer.status_code))

        places = [("label-loyalist-bronze", f"label:{n}") for n in (1, 4, 7, 10, 13)]
        assert [await post("pin", *one) for one in places] == ["/me"] * 4 + ["/me?full=1"]
        assert "The showcase is full" in (await client.get("/me?full=1")).text
        assert await post("unpin", *places[0]) == "/me"
        for wrong in (
            ("owner-i", ""),
            ("label-loyalist-bronze", "label:2"),
            ("x" * 200, ""),
            ("\0", ""),
        ):
            assert await post("pin", *wrong) in ("/me?full=1", "422")
        assert await post("pin", *places[4]) == "/me"
    rows = await db.fetch("select user_id, context from user_badges where pinned_at is not null order by pinned_at")
    assert [tuple(row) for row in rows] == [("cleo", f"label:{n}") for n in (4, 7, 10, 13)]
    await db.execute("update user_badges set pinned_at = null")


async def test_the_strip_says_what_is_missing(sign_in: SignIn) -> None:
    page = await sign_in("ann", "/me")
    near = page.locator("#strip details", has_text="Warp Records")
    await near.locator("summary").focus()
    await page.keyboard.press("Enter")
    await expect(near).to_contain_text("Add 32 more Warp Records releases")
    await expect(near.locator("li")).to_have_count(6)
    await expect(near.locator("li").first).to_have_text("Track With No Name 1989")
    await expect(near.get_by_role("progressbar")).to_have_attribute("value", "37")
    await near.get_by_role("link", name="See all that is missing").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Missing for Label Loyalist")
    await expect(page.get_by_role("main")).to_contain_text("You have 90 of 243.")
    await expect(page.get_by_role("main")).to_contain_text("Add 32 more Warp Records releases")
    await page.goto("/me/missing/label-loyalist-silver?context=label%3A23528&limit=4")
    await page.get_by_role("link", name="Further on").click()
    await expect(page.locator("#gaps li")).to_have_count(2)


async def test_the_grid_is_narrowed_as_one_types(sign_in: SignIn) -> None:
    page = await sign_in("ann", "/me")
    families = page.locator("#families article")
    await expect(page.locator("#families")).to_contain_text("No longer given")
    genres = families.filter(has_text="Genre Tourist")
    await expect(genres).to_contain_text("80 %")
    await expect(genres).to_contain_text("Add 1 more genre")
    assert await genres.locator(".ladder li").all_inner_texts() == [
        "Bronze, locked",
        "Silver, locked",
        "Gold, out of reach",
        "Platinum, out of reach",
    ]
    await page.locator("select[name=show]").select_option("Locked")
    await expect(families.filter(has_text="Owner")).to_have_count(0)
    await page.locator("select[name=show]").select_option("Earned")
    await expect(families).to_have_count(5)
    await page.get_by_label("Category").select_option("Community")
    await expect(families.locator("h4")).to_have_text(["Owner", "Wishlister"])
    await page.get_by_label("Category").select_option("All")
    await page.get_by_label("Find a badge, label, artist").press_sequentially("warp rec")
    await expect(families.locator("h4")).to_have_text(["Label Loyalist"])
    await page.wait_for_url(lambda url: url.endswith("/me?category=&show=earned&q=warp%20rec"))
    await page.get_by_label("Find a badge, label, artist").fill("nothing of the kind")
    await expect(page.get_by_role("status")).to_contain_text("Nothing here fits")


async def test_everything_works_without_scripts(sign_in: SignIn) -> None:
    page = await sign_in("ann", "/me", java_script_enabled=False)
    await page.get_by_label("Category").select_option("Breadth")
    await page.get_by_role("button", name="Filter").click()
    await expect(page.locator("#families article")).to_have_count(4)
    await page.goto("/me")
    await page.locator("#showcase").get_by_role("button", name="Pin to the showcase: Owner II").click()
    await expect(page.locator("#showcase article").first).to_contain_text("Owner")
    await page.get_by_role("button", name="Unpin: Owner II").first.click()
    await page.locator("#strip summary", has_text="Warp").click()
    await page.locator("#strip details", has_text="Warp").get_by_role("link", name="See all").click()
    await expect(page.locator("#gaps li")).to_have_count(6)


async def test_nobodys_shelf_invites(sign_in: SignIn) -> None:
    page = await sign_in("ben", "/me")
    await expect(page.get_by_role("heading", level=1)).to_have_text("An empty crate, a clean needle")
    assert await page.locator("#families article.locked").count() == 23
    assert await page.locator("#showcase, #strip").count() == 0


async def test_a_full_shelf_is_one_page_and_names_are_text(sign_in: SignIn) -> None:
    page = await sign_in("cleo", "/me")
    await expect(page.locator(".opening")).to_contain_text("500 badges in 3 of 23 families")
    await expect(page).to_have_title("Your badges · Gatefold")
    loyal = page.locator("#families article", has_text="Label Loyalist")
    await expect(loyal).to_contain_text("and 161 more")
    assert set(await loyal.locator("bdi").all_text_contents()) == set(NAMES)
    await page.get_by_label("Find a badge, label, artist").fill("<SCRIPT>")
    await expect(loyal.locator("bdi")).to_have_text([NAMES[0]] * 6)


async def test_the_page_speaks_german(sign_in: SignIn) -> None:
    page = await sign_in("ann", "/me", locale="de-AT")
    assert await page.locator("html").get_attribute("lang") == "de"
    await expect(page.locator("#showcase")).to_contain_text("61 von 243 Platten")
    await page.locator("#strip summary", has_text="Warp").click()
    await expect(page.locator("#strip")).to_contain_text("Noch 32 Platten von Warp Records")
    await page.get_by_role("link", name="English").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your badges")
    await page.goto("/me")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your badges")  # and so it stays


async def test_by_keyboard_the_content_is_one_step_away(sign_in: SignIn) -> None:
    page = await sign_in("ann", "/me")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("main").get_by_role("link").first).to_be_focused()


@pytest.mark.parametrize(("width", "scheme"), SIZES)
async def test_each_page_is_accessible_light_and_fits(sign_in: SignIn, width: int, scheme: str) -> None:
    options: dict[str, Any] = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    for user in ("ann", "ben", "cleo"):
        page = await sign_in(user, "/me", **options)
        for path in ("/me", "/me/missing/label-loyalist-silver", "/me/nowhere", "/session?why=ended"):
            if path == "/me" or user == "ann":
                size, requests = await load(page, path)
                assert size < BYTES, path
                assert requests < REQUESTS, path
                await page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
                assert await violations(page) == [], path
                for other in (768, width):
                    await page.set_viewport_size({"width": other, "height": 900})
                    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, other)


async def test_a_part_that_cannot_be_had_says_why_and_an_ended_session_leads_back(sign_in: SignIn) -> None:
    page = await sign_in("ann", "/me")
    await page.route("**/me/missing/**", lambda route: route.fulfill(status=404, body="gone"), times=1)
    await page.locator("#strip summary", has_text="Warp").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Missing for Label Loyalist")
    await page.goto("/me?show=earned")
    await page.context.clear_cookies()
    await page.locator("select[name=category]").select_option("Community")
    await page.wait_for_url(lambda url: url.endswith("/session?next=%2Fme%3Fshow%3Dearned"))
