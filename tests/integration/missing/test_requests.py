"""What is asked wrongly, by whom, and how often PostgreSQL is asked for it."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import httpx
import hypothesis
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from catalog.definition import BadgeDefinition
from catalog.index import Catalog, load_catalog
from services.api.models.missing import MissingList
from services.cursors import cursor_of
from services.settings import Settings
from services.stores.achievements import open_reader
from services.stores.missing import SQL, Mark, Whole
from tests.integration.awards import START, award
from tests.integration.missing import shelves
from tests.integration.missing.shelves import Ask, Db, pages, warp
from tests.integration.served import bearer, served

LABEL = cursor_of(Mark("label:23528", "1989", 13))


@pytest.mark.parametrize("badge", ["no-such-badge", "genre-tourist", "label-loyalist", "%00", "ü", "x" * 5000])
async def test_unknown_badge(ask: Ask, badge: str) -> None:
    assert (await ask(badge, status=404))["type"] == "/docs#unknown-achievement"


@pytest.mark.parametrize(
    ("badge", "query", "parameter"),
    [
        ("owner-i", {"limit": 0}, "limit"),
        ("owner-i", {"limit": 501}, "limit"),
        ("owner-i", {"context": "label:1"}, "context"),
        ("owner-i", {"context": " "}, "context"),
        ("owner-i", {"context": "x" * 65}, "context"),
        ("label-loyalist-gold", {"context": "artist:1"}, "context"),
        ("label-loyalist-gold", {"context": "label:"}, "context"),
        ("label-loyalist-gold", {"context": "label:0"}, "context"),
        ("label-loyalist-gold", {"context": "label:-7"}, "context"),
        ("label-loyalist-gold", {"context": "label:٣"}, "context"),
        ("label-loyalist-gold", {"context": "label:1\0"}, "context"),
        ("label-loyalist-gold", {"context": "label:9223372036854775808"}, "context"),
        ("discography-deep-dive-gold", {"context": "master:1"}, "context"),
        ("master-collector-gold", {"context": "label:1"}, "context"),
        ("owner-i", {"cursor": ""}, "cursor"),
        ("owner-i", {"cursor": "W10"}, "cursor"),
        ("owner-i", {"cursor": "x" * 513}, "cursor"),
        ("owner-i", {"cursor": LABEL}, "cursor"),
        ("owner-i", {"cursor": cursor_of(Mark("", "1989\0", 1))}, "cursor"),
        ("style-explorer-gold", {"cursor": cursor_of(Mark("", None, 2**63))}, "cursor"),
        ("style-explorer-gold", {"cursor": cursor_of(Mark("", None, -(2**63)))}, "cursor"),
        ("label-loyalist-gold", {"cursor": LABEL, "context": "label:1"}, "cursor"),
        ("label-loyalist-gold", {"cursor": cursor_of(Mark("", None, 1))}, "cursor"),
        ("label-loyalist-gold", {"cursor": cursor_of(Mark("label:1", None, 1))}, "cursor"),
        ("label-loyalist-gold", {"cursor": cursor_of(Mark("artist:1", "1989", 1))}, "cursor"),
        ("label-loyalist-gold", {"cursor": cursor_of(Mark("label:1 or true", "1989", 1))}, "cursor"),
    ],
)
async def test_bad_parameter(db: Db, ask: Ask, badge: str, query: dict[str, Any], parameter: str) -> None:
    body = await ask(badge, status=422, **query)
    assert body["type"] == "/docs#invalid-request"
    assert [(fault["in"], fault["parameter"]) for fault in body["errors"]] == [("query", parameter)]


@pytest.mark.parametrize("id_", [0, -1, 2**31, 2**63 - 1, -(2**63) + 1])
@pytest.mark.parametrize(
    "badge", ["style-explorer-gold", "genre-tourist-gold", "taste-architect-gold", "time-traveler-gold", "owner-i"]
)
async def test_a_cursor_made_by_hand_shows_a_page_or_nothing(db: Db, user: str, ask: Ask, badge: str, id_: int) -> None:
    await shelves.collector(db, user, {("style", "Dub"): 1}, genres=1)
    body = await ask(badge, cursor=cursor_of(Mark("", None, id_)))
    assert body["next_cursor"] is None


@pytest.mark.parametrize("id_", [0, 2**63 - 1, -(2**63) + 1])
@pytest.mark.parametrize("at", [":", "0", "9999", "--", "1989-01-01"])
async def test_a_mark_made_by_hand_is_a_place_in_the_list(db: Db, user: str, ask: Ask, at: str, id_: int) -> None:
    await warp(db, user)
    body = await ask("label-loyalist-gold", cursor=cursor_of(Mark("label:23528", at, id_)))
    every = (await ask("label-loyalist-gold", context="label:23528"))["missing"]
    assert body["missing"] == every[len(every) - len(body["missing"]) :]


async def test_a_user_sees_what_is_missing_to_that_user(db: Db, user: str, ask: Ask) -> None:
    """Also with the other one's cursor, and whatever is named as the user."""
    other = f"{user}x"
    await warp(db, user)
    await shelves.own(db, other, 11, 12)
    await shelves.counted(db, other, "l", 23528, 2)
    await award(db, other, "label-loyalist-bronze", "label:23528")
    mine = await ask("label-loyalist-bronze", limit=2)
    assert (mine["owned"], mine["remaining"]) == (90, "Reached, the award is still to come")
    theirs = await ask("label-loyalist-bronze", who=other, limit=2, cursor=mine["next_cursor"])
    assert (theirs["owned"], theirs["remaining"]) == (2, "Earned")
    assert [entry["release_id"] for entry in theirs["missing"]] == [14, 16]
    for named in ("user", "user_id", "sub"):
        assert await ask("label-loyalist-bronze", limit=2, **{named: other}) == mine
    assert len(await pages(ask, "label-loyalist-bronze", 4, context="label:23528")) == 6


async def test_caching(db: Db, user: str, settings: Settings, client: httpx.AsyncClient) -> None:
    headers = bearer(settings, user)
    first = await client.get("/api/user/achievements/owner-i/missing", headers=headers)
    assert first.headers["cache-control"] == "private, no-cache"
    known = headers | {"If-None-Match": first.headers["etag"]}
    assert (await client.get("/api/user/achievements/owner-i/missing", headers=known)).status_code == 304
    await shelves.collector(db, user, releases=1)
    assert (await client.get("/api/user/achievements/owner-i/missing", headers=known)).status_code == 200
    assert (await client.get("/api/user/achievements/owner-i/missing")).status_code == 401


async def test_a_secret_badge_does_not_exist_until_it_is_earned(db: Db, user: str, settings: Settings) -> None:
    def secret(key: str) -> BadgeDefinition:
        return load_catalog().badges[key].model_copy(update={"secret": True})

    secrets = Catalog([secret("deep-cut"), secret("master-collector-bronze")])
    async with served(settings, bearer(settings, user), catalog=secrets) as web:
        paths = [f"/api/user/achievements/{key}/missing" for key in ("deep-cut", "master-collector-bronze")]
        wrong = [f"{paths[0]}?context=label:1", f"{paths[1]}?context=label:1"]
        none = await web.get("/api/user/achievements/deep-cutx/missing")
        for path in (*paths, *wrong):
            answer = await web.get(path)
            assert (answer.status_code, answer.json().keys()) == (404, none.json().keys())
        await award(db, user, "deep-cut", revoked_at=START)
        assert (await web.get(paths[0])).status_code == 404
        await award(db, user, "master-collector-bronze", "master:7")
        assert (await web.get(paths[1])).json()["context"] == ""
        assert (await web.get(wrong[1])).status_code == 422


@pytest.mark.parametrize(
    ("badge", "context", "most"),
    [
        ("label-loyalist-gold", "label:23528", 1),
        ("label-loyalist-gold", "", 2),
        ("discography-deep-dive-gold", "artist:1", 1),
        ("master-collector-gold", "master:1", 1),
        ("owner-i", "", 1),
        ("time-traveler-gold", "", 1),
        ("genre-tourist-gold", "", 2),
        ("style-explorer-gold", "", 2),
        ("taste-architect-gold", "", 2),
    ],
)
async def test_round_trips(db: Db, user: str, settings: Settings, badge: str, context: str, most: int) -> None:
    await warp(db, user)
    asked: list[str] = []
    async with (
        await open_reader(settings.postgres_url, application="test", size=1) as pool,
        served(settings, bearer(settings, user), pool=pool) as web,
    ):
        path = f"/api/user/achievements/{badge}/missing"
        await web.get(path, params={"context": context})  # the client learns the types of parameters once
        async with pool.acquire() as connection:
            raw: asyncpg.Connection[asyncpg.Record] = connection._con  # type: ignore[attr-defined]
            raw.add_query_logger(lambda query: asked.append(query.query))
        assert (await web.get(path, params={"context": context})).status_code == 200
    assert 1 <= len(asked) <= most, json.dumps(asked)


@pytest.mark.parametrize("whole", ["label", "artist", "master"])
async def test_who_else_owns_a_release_costs_nothing(db: Db, user: str, whole: Whole) -> None:
    """Nor does it matter that nobody has counted the rows yet, or that all of them were counted."""
    for id_ in range(1, 30):
        await shelves.release(db, id_, labels=[1], artists=[1], master=1)
    await db.execute(
        "insert into owned_release (user_id, release_id, copies)"
        " select 'u' || g, 1 + g % 29, 1 from generate_series(1, 3000) as g"
    )
    await db.execute("set plan_cache_mode = force_generic_plan")
    await db.execute(f"prepare {whole}_plan (text, bigint, text, text, bigint, bigint) as {SQL[whole]}")
    for counted in (False, True):
        if counted:
            await db.execute("analyze owned_release")
        plan = "\n".join(
            row[0] for row in await db.fetch(f"explain execute {whole}_plan ('{user}', 1, 'x', null, null, 51)")
        )
        assert "owned_release_pkey" in plan
        assert "owned_release_owners" not in plan


@pytest.mark.parametrize("badge", load_catalog().badges)
async def test_every_badge_answers(db: Db, user: str, ask: Ask, badge: str) -> None:
    await warp(db, user)
    await shelves.collector(db, user, {("genre", "Jazz"): 1}, {1971: 4}, releases=4, genres=1, largest_decade=4)
    for who in (user, f"{user}x"):
        body = await ask(badge, who=who)
        assert (body["id"], body["kind"] is None, body["target"] is None) == (badge, False, False)
        assert body["remaining"]
    await award(db, user, badge, body["context"])
    assert (await ask(badge, who=f"{user}x")) == body


MARKS = st.builds(
    Mark,
    st.sampled_from(["", "label:23528", "label:1", "artist:45", "master:1", "label:0", "x", "\0"]),
    st.none() | st.sampled_from(["1989", ":", "1989-01", "", "9" * 17, "x", "\0"]),
    st.integers(-(2**64), 2**64),
)
QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "context": st.sampled_from(["", "label:23528", "artist:45", "master:1", "label:", "\0"]) | st.text(max_size=70),
        "limit": st.sampled_from([1, 2, 500]) | st.integers(-1, 600),
        "cursor": MARKS.map(cursor_of) | st.text(max_size=40) | st.binary(max_size=40).map(lambda raw: raw.hex()),
    },
)


@given(st.lists(st.tuples(st.sampled_from(sorted(load_catalog().badges)), QUERIES), min_size=10, max_size=40))
@hypothesis.settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
async def test_whatever_is_asked_is_answered_or_refused(
    db: Db, user: str, settings: Settings, client: httpx.AsyncClient, asked: list[tuple[str, dict[str, Any]]]
) -> None:
    headers = bearer(settings, user)
    for badge, query in asked:
        answer = await client.get(f"/api/user/achievements/{badge}/missing", headers=headers, params=query)
        assert answer.status_code in (200, 422), (badge, query, answer.text)
        if answer.status_code == 200:
            MissingList.model_validate(answer.json())
