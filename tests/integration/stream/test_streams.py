"""`GET /api/user/stream`: awards as they come, through a real Kafka, and what was missed, once."""

from __future__ import annotations

import time

import asyncpg
import httpx
import pytest
from joserfc import jwt

from services.api.keys import secret_key
from services.api.tokens import mint
from services.kafka import Publisher
from services.settings import Settings
from tests.conftest import SECRET
from tests.integration.stream.world import AT, CATALOG, STREAM, Give, looking, publish


async def test_an_award_comes_and_old_ones_do_not(url: str, user: str, give: Give) -> None:
    await give(user, "owner-i")
    async with looking(url, user) as page:
        number = await give(user, "genre-tourist-bronze")
        kind, data = await page.next()
    assert (kind, data["more"], data["earned"], page.last) == ("awarded", 0, 1, str(number))
    (badge,) = data["badges"]
    assert (badge["id"], badge["tier"], badge["unlocked_at"]) == ("genre-tourist-bronze", "bronze", AT)


async def test_an_import_is_one_digest_of_the_highest_tiers(url: str, user: str, give: Give) -> None:
    """Forty awards of six families, in several pages of one sync."""
    families = [CATALOG.families[name] for name in ("owner", "genre-tourist", "style-explorer", "label-hopper")]
    async with looking(url, user) as page:
        for tiers in families:
            await give(user, *(tier.key for tier in tiers))
        await give(user, "mono-enthusiast", "deep-cut")
        await give(user, "wishlister-i", notify=False)
        _, data = await page.next()
        highest = {tiers[-1].key for tiers in families} | {"mono-enthusiast", "deep-cut"}
        assert (data["more"], data["earned"]) == (3, sum(map(len, families)) + 2)
        shown = [one["id"] for one in data["badges"]]
        assert len(shown) == 3
        assert set(shown) <= highest
        assert shown == sorted(shown, key=lambda key: -CATALOG.badges[key].sort_score)
        with pytest.raises(TimeoutError):
            await page.next(2)


async def test_what_was_missed_comes_once_and_in_order(url: str, user: str, give: Give) -> None:
    async with looking(url, user) as page:
        await give(user, "owner-i")
        assert (await page.next())[1]["badges"][0]["id"] == "owner-i"
        first = page.last
    # Kafka says nothing of these: nobody was here to hear it.
    await give(user, "owner-ii", "reviewer-i", told=False)
    last = await give(user, "wishlister-i", told=False)
    async with looking(url, user, first) as page:
        assert page.last == first
        _, data = await page.next()
        assert {one["id"] for one in data["badges"]} == {"owner-ii", "reviewer-i", "wishlister-i"}
        assert page.last == str(last)
        # A page that was opened anew says it in the address.
    async with looking(f"{url}?after={page.last}", user) as page:
        await give(user, "editor-i")
        assert [one["id"] for one in (await page.next())[1]["badges"]] == ["editor-i"]


@pytest.mark.parametrize("sent", ["9" * 18, "9" * 40, "-1", "x", "1 2"])
async def test_a_number_that_we_did_not_send_begins_now(url: str, user: str, give: Give, sent: str) -> None:
    await give(user, "owner-i")
    async with looking(url, user, sent) as page:
        await give(user, "owner-ii")
        assert [one["id"] for one in (await page.next())[1]["badges"]] == ["owner-ii"]


async def test_two_pages_of_one_user_and_nobody_elses(url: str, user: str, give: Give) -> None:
    other = f"{user}-other"
    async with looking(url, user) as one, looking(url, user) as two, looking(url, other) as stranger:
        await give(user, "owner-i")
        assert await one.next() == await two.next()
        await give(other, "editor-i")
        assert (await stranger.next())[1]["badges"][0]["id"] == "editor-i"
        async with httpx.AsyncClient(base_url=url) as web:
            refused = await web.get(
                STREAM, headers={"Authorization": f"Bearer {mint(Settings(jwt_secret=SECRET), user)}"}
            )
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
            assert "gatefold_live_streams 3.0" in (await web.get("/metrics")).text


async def test_a_revoked_badge_is_told(
    url: str, user: str, give: Give, publisher: Publisher, settings: Settings
) -> None:
    async with looking(url, user) as page:
        await give(user, "owner-i")
        await page.next()
        await publish(publisher, settings, "badge.revoked", user, {"badge_key": "owner-i", "context": ""})
        assert await page.next() == ("revoked", {"id": "owner-i", "context": ""})


async def test_an_award_that_is_revoked_at_once_is_not_shown(
    url: str, user: str, give: Give, db: asyncpg.Connection[asyncpg.Record]
) -> None:
    async with looking(url, user) as page:
        await give(user, "owner-i", "reviewer-i")
        await db.execute("update user_badges set revoked_at = now() where user_id = $1 and badge_key = 'owner-i'", user)
        assert [one["id"] for one in (await page.next())[1]["badges"]] == ["reviewer-i"]


async def test_nobody_is_refused_and_a_token_ends_its_stream(url: str, user: str) -> None:
    async with httpx.AsyncClient(base_url=url) as web:
        for headers in ({}, {"Authorization": "Bearer x"}):
            answer = await web.get(STREAM, headers=headers)
            assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
        token = mint(Settings(jwt_secret=SECRET), user)
        head = await web.head(STREAM, headers={"Authorization": f"Bearer {token}"}, timeout=5)
        assert (head.status_code, head.content) == (200, b"")
    claims = {"sub": user, "aud": "gatefold", "iss": "gatefold", "exp": int(time.time()) + 3}
    short = jwt.encode({"alg": "HS256"}, claims, secret_key(SECRET))
    async with looking(url, user, token=short) as page:
        assert await page.ended(8)


async def test_the_cookie_of_the_pages_opens_a_stream(url: str, user: str) -> None:
    cookie = f"__Host-gatefold={mint(Settings(jwt_secret=SECRET), user)}"
    async with (
        httpx.AsyncClient(base_url=url, timeout=10) as web,
        web.stream("GET", STREAM, headers={"Cookie": cookie}) as answer,
    ):
        assert answer.status_code == 200
