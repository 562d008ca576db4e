"""Copies written by SQL: what workers would have written."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from services.stores.postgres import Connection

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def copy(
    db: Connection,
    instance: int,
    release: int,
    *,
    user: str = "ada",
    at: datetime = NOON,
    added_on: date | None = None,
    present: bool = True,
    **said: Any,
) -> None:
    """A copy on a shelf; `said` are the facts of its release."""
    content = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    facts_id = await db.fetchval(
        "insert into facts (release_id, digest, content) values ($1, $2, $3) returning facts_id",
        *(release, uuid4().bytes, content),
    )
    await db.execute(
        "insert into owned_release (user_id, release_id, copies, facts_id) values ($1, $2, $3, $4)"
        " on conflict (user_id, release_id) do update set copies = owned_release.copies + $3",
        *(user, release, int(present), facts_id if said else None),
    )
    await db.execute(
        "insert into owned (user_id, instance_id, release_id, present, changed_at, by_id, by_source, added_on)"
        " values ($1, $2, $3, $4, $5, 'e', '/tests', $6)",
        *(user, instance, release, present, at, added_on),
    )
