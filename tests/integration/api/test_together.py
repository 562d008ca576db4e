"""Several ask at once and each gets the own answer; an answer that is kept is the one that would be made anew."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import date, timedelta
from uuid import uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio

from services.settings import Settings
from tests.integration.api.world import CATALOG, LIST, PROGRESS, holders
from tests.integration.awards import START, award
from tests.integration.served import bearer, served

PATHS = (LIST, f"{LIST}?limit=2", PROGRESS, f"{PROGRESS}?limit=3", f"{LIST}/genre-tourist-silver", f"{LIST}/owner-i")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def forgetful(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """An api that makes each answer anew."""
    async with served(settings.model_copy(update={"api_kept_bytes": 0})) as client:
        yield client


async def crowd(db: asyncpg.Connection[asyncpg.Record], size: int) -> list[str]:
    """Users, each with awards, counters, masters and labels of their own; one has nothing at all."""
    chance = random.Random(size)
    names = [f"u-{uuid4().hex[:12]}" for _ in range(size)]
    await db.execute("delete from catalogue_total where id < 100")
    labels = [("label", id_, 40, date(2026, 1, 1)) for id_ in range(1, 9)]
    await db.executemany("insert into catalogue_total (kind, id, total, as_of) values ($1, $2, $3, $4)", labels)
    for name in names[1:]:
        plain = [key for key, badge in CATALOG.badges.items() if not badge.context_kind]
        for at, key in enumerate(chance.sample(plain, chance.randrange(12))):
            await award(db, name, key, at=START + timedelta(minutes=at))
        for master in chance.sample(range(1, 9), chance.randrange(1, 5)):
            await award(db, name, "master-collector-bronze", f"master:{master}")
        await award(db, name, "label-loyalist-bronze", f"label:{chance.randrange(1, 9)}")
        await db.execute(
            "insert into collector (user_id, releases, genres) values ($1, $2, 3)", name, chance.randrange(1, 90)
        )
        await db.executemany(
            'insert into facet_count values ($1, $2::text::"char", $3, $4)',
            [(name, kind, id_, chance.randrange(1, 30)) for kind in "ml" for id_ in chance.sample(range(1, 9), 4)],
        )
    return names


async def test_each_gets_the_own_answer(
    settings: Settings, client: httpx.AsyncClient, forgetful: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record]
) -> None:
    names = await crowd(db, 40)
    asked = [(path, bearer(settings, name)) for path in PATHS for name in names]
    alone = [(await forgetful.get(path, headers=headers)).content for path, headers in asked]
    random.Random(1).shuffle(order := list(range(len(asked))))
    for web in (forgetful, client, client):
        answers = await asyncio.gather(*(web.get(asked[at][0], headers=asked[at][1]) for at in order))
        assert [answer.status_code for answer in answers] == [200] * len(order)
        assert [answer.content for answer in answers] == [alone[at] for at in order]
    assert len(set(alone)) > len(names), "or all of them have the same"


CHANGES = {
    "earned": "insert into award (user_id, badge_key, context, award_id, awarded_at, source, trigger, caused_by,"
    " batch_id, evidence) select user_id, 'genre-tourist-gold', '', gen_random_uuid(), now(), source, trigger,"
    " caused_by, batch_id, evidence from award where user_id = $1 and badge_key = 'owner-i'",
    "revoked": "update award set revoked_at = now(), revision = 2 where user_id = $1 and badge_key = 'owner-i'",
    "taken back by a campaign": "update award set revoked_at = now() where user_id = $1 and badge_key = 'owner-i'",
    "hidden": "update award set hidden = true where user_id = $1 and badge_key = 'owner-i'",
    "given again": "update award set revision = 3, source = 'manual' where user_id = $1 and badge_key = 'owner-i'",
    "moved up": "update award set sort_override = 100000 where user_id = $1 and badge_key = 'owner-i'",
    "the third to earn it": "update award set rank = 3 where user_id = $1 and badge_key = 'genre-tourist-silver'",
    "deleted": "delete from award where user_id = $1",
    "deleted and earned anew": "update award set batch_id = gen_random_uuid(), awarded_at = now() where user_id = $1",
    "in the shadow": "update award set shadow = true where user_id = $1 and badge_key = 'owner-i'",
    "held by more": "update badge_holders set holders = 77 where badge_key = 'owner-i' and $1 <> ''",
    "more are active": "update badge_holders set active_holders = 70 where badge_key = '' and $1 <> ''",
    "another count of releases": "update collector set releases = 12 where user_id = $1",
    "unknown": "delete from collector where user_id = $1",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_what_changes_is_seen_at_once(
    settings: Settings,
    client: httpx.AsyncClient,
    forgetful: httpx.AsyncClient,
    db: asyncpg.Connection[asyncpg.Record],
    user: str,
    change: str,
) -> None:
    await holders(db, everybody=(900, 90), owner_i=(50, 40), genre_tourist_silver=(30, 25))
    await award(db, user, "owner-i")
    await award(db, user, "genre-tourist-silver", at=START + timedelta(days=1))
    await db.execute("insert into collector (user_id, releases) values ($1, 11)", user)
    headers = bearer(settings, user)
    before = [await client.get(path, headers=headers) for path in PATHS]
    assert [(await client.get(path, headers=headers)).content for path in PATHS] == [one.content for one in before]
    await db.execute(CHANGES[change], user)
    after = [
        await client.get(path, headers=headers | {"If-None-Match": one.headers["etag"]})
        for path, one in zip(PATHS, before, strict=True)
    ]
    fresh = [await forgetful.get(path, headers=headers) for path in PATHS]
    shown = [was.content if now.status_code == 304 else now.content for was, now in zip(before, after, strict=True)]
    assert shown == [one.content for one in fresh]
    assert shown != [one.content for one in before], "or nothing has changed"
