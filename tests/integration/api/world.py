"""Counts as the relay stores them, and what is said of them."""

from __future__ import annotations

from typing import Any

import asyncpg

from catalog.index import load_catalog
from tests.integration.awards import START

LIST = "/api/user/achievements"
PROGRESS = f"{LIST}/progress"
SUMMARY = f"{LIST}/summary"
CATALOG = load_catalog()


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
