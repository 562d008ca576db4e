"""Acts by hand, and what is left of them."""

import json
from datetime import UTC, datetime
from typing import Any

from catalog.index import load_catalog
from contracts.events.badge import BadgeAwarded, BadgeRevoked
from services.manual.acts import Act
from services.stores import by_hand
from services.stores.postgres import Connection

CATALOG = load_catalog()
NOW = datetime(2026, 11, 21, 10, 0, 0, 250, tzinfo=UTC)
REVIEW = ("ada", "reviewer-i", "")
GENRES = ("ada", "genre-tourist-silver", "")


def act(name: tuple[str, str, str] = GENRES, reason: str = "she asked", **other: Any) -> Act:
    return Act(*name, reason, **({"by": "chief", "at": NOW} | other))


async def messages(connection: Connection) -> list[tuple[str, str, dict[str, Any]]]:
    """Topic, CloudEvents id and data of what waits, oldest first; the bytes are those that are promised."""
    rows = await connection.fetch("select topic, subject, event_id, value from outbox order by id")
    for row in rows:
        data = json.loads(row["value"])
        model = BadgeAwarded if row["topic"] == "badge.awarded" else BadgeRevoked
        model.model_validate(data)
        assert row["value"] == json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        assert row["subject"] == data["user_id"]
    return [(row["topic"], row["event_id"], json.loads(row["value"])) for row in rows]


async def log_rows(connection: Connection) -> list[by_hand.Entry]:
    """What was done, the oldest first."""
    return (await by_hand.page_of_log(connection, None, None, None, 1000))[::-1]


async def everything(connection: Connection) -> list[str]:
    tables = ("user_badges", "outbox", "award_log", "collector")
    return [await connection.fetchval(f"select json_agg(t order by t::text)::text from {name} t") for name in tables]  # noqa: S608
