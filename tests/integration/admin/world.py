"""Addresses, awards to look at, and pages read to their end."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx

from tests.integration.awards import award

AWARDS, REVOKE = "/api/admin/awards", "/api/admin/awards/revoke"
FEED, EXPORT, LETTERS = "/api/admin/awards", "/api/admin/awards/export", "/api/admin/dead-letters"
MINE = "/api/user/achievements"
HISTORY, LOG = "/api/admin/users/ann/history", "/api/admin/awards/log"
DEEP: dict[str, Any] = {"user_id": "ann", "badge_key": "deep-cut", "reason": "because"}


async def crowd(db: asyncpg.Connection, number: int = 300) -> list[tuple[str, str, str]]:
    """Awards of the last hour and of before, some of one moment; (user, badge, context)."""
    chance = random.Random(7)
    now = datetime.now(UTC).replace(microsecond=0)
    names = []
    for at in range(number):
        user, key = f"u{at % 50}", chance.choice(["owner-i", "deep-cut", "genre-tourist-gold"])
        when = now - timedelta(minutes=chance.randrange(60)) if at % 3 else now - timedelta(days=2, minutes=at)
        context = f"label:{at}"
        await award(db, user, key, context, when, trigger=chance.choice(["ownership.added", "cron.sweep"]))
        names.append((user, key, context))
    return names


async def paged(
    client: httpx.AsyncClient, headers: dict[str, str], path: str, name: str, between: Any = None, **query: Any
) -> list[dict[str, Any]]:
    """All entries, page by page; `between` is done before each page but the first."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await client.get(path, params=query | cursor, headers=headers)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert len(body[name]) <= query["limit"]
        found += body[name]
        if body["next_cursor"] is None:
            return found
        cursor = {"cursor": body["next_cursor"]}
        if between is not None:
            await between()
