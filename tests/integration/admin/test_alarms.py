"""`GET /api/admin/alarms`: what stands, and what stood, page by page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

ALARMS = "/api/admin/alarms"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def raised(db: asyncpg.Connection) -> None:
    """Seven alarms, some at one moment; every second one has ended."""
    await db.execute("truncate alarm")
    await db.executemany(
        "insert into alarm values ('mass_award', $1, $2, $2, $3, 'many', '{\"change\": 9}')",
        [(f"badge-{at}", NOW - timedelta(days=at // 3), NOW if at % 2 else None) for at in range(7)],
    )


async def everything(client: httpx.AsyncClient, headers: dict[str, str], **query: Any) -> list[dict[str, Any]]:
    """All entries, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        answer = await client.get(ALARMS, params=query, headers=headers)
        assert answer.status_code == 200, answer.text
        found += answer.json()["alarms"]
        if (cursor := answer.json()["next_cursor"]) is None:
            return found
        query["cursor"] = cursor


async def test_what_stands_comes_first_and_what_ended_when_asked_for(
    client: httpx.AsyncClient, chief: dict[str, str], raised: None
) -> None:
    standing = await everything(client, chief, limit=2)
    assert [one["subject"] for one in standing] == ["badge-2", "badge-0", "badge-4", "badge-6"]
    assert standing[0] == {
        "kind": "mass_award",
        "subject": "badge-2",
        "says": "many",
        "facts": {"change": 9},
        "raised_at": "2026-03-01T12:00:00Z",
        "seen_at": "2026-03-01T12:00:00Z",
        "ended_at": None,
    }
    every = await everything(client, chief, limit=2, ended=True)
    assert [one["subject"] for one in every] == [f"badge-{at}" for at in (2, 1, 0, 5, 4, 3, 6)]
    assert {one["subject"] for one in every if one["ended_at"]} == {"badge-1", "badge-3", "badge-5"}


async def test_only_admins_see_them(client: httpx.AsyncClient, ann: dict[str, str], chief: dict[str, str]) -> None:
    assert (await client.get(ALARMS)).status_code == 401
    assert (await client.get(ALARMS, headers=ann)).status_code == 403
    assert (await client.get(ALARMS, params={"cursor": "nonsense"}, headers=chief)).status_code == 422
