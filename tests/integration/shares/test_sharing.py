"""What users share: only theirs, only what stands, only as long as they want."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from services.settings import Settings
from services.share.names import LONGEST
from tests.integration.awards import award
from tests.integration.served import bearer
from tests.integration.shares.world import AWARD, NOTHING, PROFILE, SHARES, Share, statuses
from tests.model import lab
from tests.model.events import added, event, minutes
from tests.model.lab import Log

# How many wait for a row of somebody else's transaction.
WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'transactionid'"


async def test_taking_it_back_and_sharing_it_again(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, share: Share, headers: dict[str, str],
    settings: Settings,
) -> None:  # fmt: skip
    await award(db, user, "deep-cut")
    first = await share(badge_key="deep-cut", name="Ann")
    again = await share(badge_key="deep-cut", name="Bea")
    assert (again["token"], again["name"]) == (first["token"], "Bea")
    assert (await client.get(SHARES, headers=headers)).json() == {"shares": [again]}
    thief = bearer(settings, f"{user}x")
    assert (await client.delete(f"{SHARES}/{first['token']}", headers=thief)).status_code == 404
    assert await statuses(client, first["token"]) == AWARD
    assert (await client.delete(f"{SHARES}/{first['token']}", headers=headers)).status_code == 204
    assert (await client.delete(f"{SHARES}/{first['token']}", headers=headers)).status_code == 404
    assert await statuses(client, first["token"]) == NOTHING
    assert "This groove is empty" in (await client.get(f"/share/{first['token']}")).text
    assert (await share(badge_key="deep-cut"))["token"] != first["token"]


@pytest.mark.parametrize(
    "change", ["revoked_at = now()", "hidden = true", "shadow = true", "badge_key = 'of-an-older-catalog'"]
)
async def test_what_does_not_stand_is_not_shown(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, share: Share, change: str,
    headers: dict[str, str],
) -> None:  # fmt: skip
    await award(db, user, "deep-cut")
    one, profile = await share(badge_key="deep-cut"), await share()
    await db.execute(f"update award set {change} where user_id = $1", user)  # noqa: S608
    assert await statuses(client, one["token"]) == NOTHING
    assert await statuses(client, profile["token"]) == NOTHING
    if "badge_key" not in change:
        assert (await client.post(SHARES, headers=headers, json={})).status_code == 404
    assert (await client.post(SHARES, headers=headers, json={"badge_key": "deep-cut"})).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"badge_key": "deep-cut"}, 404),
        ({"badge_key": "owner-i", "context": "x"}, 404),
        ({"badge_key": "owner-i", "context": "\0"}, 404),
        ({"badge_key": "none"}, 404),
        ({"name": "x" * (LONGEST + 1)}, 422),
        ({"name": 1}, 422),
        ({"language": "fr"}, 422),
        ({"user_id": "somebody"}, 422),
    ],
)
async def test_what_cannot_be_shared(
    client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record], user: str, headers: dict[str, str],
    body: dict[str, Any], status: int,
) -> None:  # fmt: skip
    await award(db, user, "owner-i")
    await award(db, f"{user}x", "deep-cut")
    assert (await client.post(SHARES, headers=headers, json=body)).status_code == status
    assert (await client.post(SHARES, json=body)).status_code == 401


async def test_what_a_deletion_takes_is_not_shared_meanwhile(
    database: str,
    client: httpx.AsyncClient,
    db: asyncpg.Connection[asyncpg.Record],
    user: str,
    headers: dict[str, str],
) -> None:
    await award(db, user, "owner-i")
    deleting = await asyncpg.connect(database)
    try:
        async with deleting.transaction():
            await deleting.execute("delete from award where user_id = $1", user)
            posts = [
                asyncio.create_task(client.post(SHARES, headers=headers, json=body))
                for body in ({}, {"badge_key": "owner-i"})
            ]
            async with asyncio.timeout(4):
                while await db.fetchval(WAITING) < len(posts):  # noqa: ASYNC110 - PostgreSQL tells nobody
                    await asyncio.sleep(0.01)
        assert [(await post).status_code for post in posts] == [404, 404]
        assert await db.fetchval("select count(*) from share where user_id = $1", user) == 0
    finally:
        await deleting.close()


async def test_a_deleted_user_shares_nothing(database: str, client: httpx.AsyncClient, settings: Settings) -> None:
    connection = await lab.worker_connection(database)
    try:
        await lab.clear(connection)
        log, known = Log(), lab.knowledge()
        log.append(added("a", (1, {"id": 5})))
        await lab.drain(connection, known, log)
        mine = bearer(settings, "ada")
        tokens = [
            (await client.post(SHARES, headers=mine, json=body)).json()["token"]
            for body in ({"badge_key": "owner-i"}, {})
        ]
        assert [await statuses(client, token) for token in tokens] == [AWARD, PROFILE]
        log.append(event("user.deleted", "gone", {}, time=minutes(60)))
        await lab.drain(connection, known, log)
        assert await connection.fetchval("select count(*) from share where user_id = 'ada'") == 0
        assert [await statuses(client, token) for token in tokens] == [NOTHING, NOTHING]
    finally:
        await connection.close()
