"""Awards and counts as workers and the relay store them, and what a problem looks like."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg

from catalog.index import load_catalog

LIST = "/api/user/achievements"
PROGRESS = f"{LIST}/progress"
SUMMARY = f"{LIST}/summary"
START = datetime(2024, 5, 1, 10, tzinfo=UTC)
CATALOG = load_catalog()


async def award(
    db: asyncpg.Connection[asyncpg.Record], user: str, key: str, context: str = "", at: datetime = START, **more: Any
) -> None:
    row = {
        "user_id": user,
        "badge_key": key,
        "context": context,
        "award_id": uuid4(),
        "awarded_at": at,
        "source": "auto",
        "trigger": "ownership.added",
        "caused_by": "{}",
        "batch_id": uuid4(),
        "evidence": json.dumps({"value": 1}),
    } | more
    columns = ", ".join(row)
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await db.execute(f"insert into user_badges ({columns}) values ({places})", *row.values())  # noqa: S608


async def holders(db: asyncpg.Connection[asyncpg.Record], **counts: int | tuple[int, int]) -> None:
    """Set the counts, of all or also of the active ones; `everybody` stands for the number of collectors."""
    await db.execute("delete from badge_holders")
    rows = []
    for key, number in counts.items():
        every, active = number if isinstance(number, tuple) else (number, None)
        rows.append(("" if key == "everybody" else key.replace("_", "-"), every, START, active))
    await db.executemany("insert into badge_holders values ($1, $2, $3, $4)", rows)


def rare(holders: int | None, share: float | None, text: str | None, **more: Any) -> dict[str, Any]:
    """What is said of a badge that nobody has counted for the active ones."""
    plain = {"holders": holders, "share": share, "active_holders": None, "share_active": None, "rank": None}
    return plain | {"text": text} | more
