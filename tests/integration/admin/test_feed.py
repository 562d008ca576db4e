"""Awards as they come in, and the history of a user: pages that are complete whatever comes in."""

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from contracts.times import rfc3339
from tests.integration.admin.world import AWARDS, DEEP, FEED, HISTORY, LOG, REVOKE, crowd, paged
from tests.integration.awards import award
from tests.model.events import minutes


async def test_the_feed_is_complete_while_awards_come_in(
    client: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]
) -> None:
    """New ones and late ones come in between the pages: what was there is there once, in order."""
    await crowd(db)
    since = datetime.now(UTC) - timedelta(hours=24)
    there = {str(row[0]) for row in await db.fetch("select award_id from user_badges where awarded_at >= $1", since)}
    number = itertools.count()

    async def more() -> None:
        await award(db, f"new{next(number)}", "owner-i", at=datetime.now(UTC))
        await award(db, f"late{next(number)}", "owner-i", at=datetime.now(UTC) - timedelta(minutes=next(number) % 50))

    for limit in (5, 7, 100):
        found = await paged(client, chief, FEED, "awards", more, limit=limit)
        ids = [one["award_id"] for one in found]
        assert len(ids) == len(set(ids))
        assert there <= set(ids)
        order = [(one["awarded_at"], one["award_id"]) for one in found]
        assert order == sorted(order, key=lambda one: (datetime.fromisoformat(one[0]), UUID(one[1])), reverse=True)


async def test_the_feed_counts_and_filters(
    client: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]
) -> None:
    await crowd(db)
    await client.post(AWARDS, json=DEEP, headers=chief)
    rows = await db.fetch(
        "select trigger, badge_key, awarded_at >= now() - interval '24 hours' as fresh from user_badges"
    )

    def counted(column: str, wanted: Any = lambda row: True, *, fresh: bool = True) -> dict[str, int]:
        return dict(Counter(row[column] for row in rows if (row["fresh"] or not fresh) and wanted(row)))

    body = (await client.get(FEED, params={"limit": 2}, headers=chief)).json()
    assert (body["by_trigger"], body["by_badge"]) == (counted("trigger"), counted("badge_key"))
    assert body["total"] == sum(counted("trigger").values())
    assert body["by_trigger"]["manual"] == 1
    assert body["awards"][0] == {
        **{name: body["awards"][0][name] for name in ("award_id", "awarded_at")},
        "user_id": "ann",
        "badge_key": "deep-cut",
        "context": "",
        "revision": 1,
        "source": "manual",
        "trigger": "manual",
        "evidence": {"reason": "because"},
        "sort_override": None,
        "hidden": False,
        "revoked_at": None,
        "shadow": False,
    }
    later = (await client.get(FEED, params={"limit": 2, "cursor": body["next_cursor"]}, headers=chief)).json()
    assert (later["total"], later["since"]) == (None, body["since"])
    swept = (await client.get(FEED, params={"trigger": "cron.sweep", "badge": "owner-i"}, headers=chief)).json()
    assert swept["by_trigger"] == counted("trigger", lambda row: row[:2] == ("cron.sweep", "owner-i"))
    assert {(one["trigger"], one["badge_key"]) for one in swept["awards"]} == {("cron.sweep", "owner-i")}
    older = rfc3339(datetime.now(UTC) - timedelta(days=30))
    assert (await client.get(FEED, params={"since": older}, headers=chief)).json()["by_badge"] == counted(
        "badge_key", fresh=False
    )


async def test_the_history_of_a_user(client: httpx.AsyncClient, db: asyncpg.Connection, chief: dict[str, str]) -> None:
    await award(db, "ann", "owner-i", at=minutes(0), evidence={"value": 5})
    await award(db, "ann", "label-loyalist-gold", "label:5", minutes(1))
    await award(db, "bob", "owner-i", at=minutes(2))
    earned = DEEP | {"badge_key": "owner-i"}
    for method, path, body in (
        ("POST", AWARDS, DEEP),
        ("POST", REVOKE, earned),
        ("POST", AWARDS, earned | {"reason": "after all"}),
        ("PATCH", AWARDS, DEEP | {"hidden": True}),
    ):
        assert (await client.request(method, path, json=body, headers=chief)).status_code in (200, 201)
    for limit in (1, 2, 500):
        found = await paged(client, chief, HISTORY, "history", limit=limit)
        assert [(one["what"], one["badge_key"], one["source"], one["revision"]) for one in found] == [
            ("edit", "deep-cut", "manual", 1),
            ("reinstate", "owner-i", "manual", 2),
            ("revoke", "owner-i", "auto", 1),
            ("grant", "deep-cut", "manual", 1),
            ("award", "label-loyalist-gold", "auto", 1),
            ("award", "owner-i", "auto", 1),
        ]
    assert found[1]["reason"] == "after all"
    assert (found[5]["trigger"], found[5]["evidence"], found[5]["by"]) == ("ownership.added", {"value": 5}, None)
    assert (found[2]["before"]["revoked_at"], found[2]["after"]["revoked_at"]) == (None, found[2]["at"])
    log = await paged(client, chief, LOG, "acts", limit=3)
    assert [one["act"] for one in log] == ["edit", "reinstate", "revoke", "grant"]
    assert [one["act"] for one in await paged(client, chief, LOG, "acts", limit=1, badge="owner-i")] == [
        "reinstate",
        "revoke",
    ]
    assert await paged(client, chief, LOG, "acts", limit=1, user="bob") == []
    assert (await client.get(HISTORY.replace("ann", "bob"), headers=chief)).json()["history"][0]["what"] == "award"
