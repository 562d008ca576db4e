"""Awards written by SQL: what workers would have written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from services.stores.postgres import Connection

START = datetime(2024, 5, 1, 10, tzinfo=UTC)


async def award(
    db: Connection,
    user: str,
    key: str,
    context: str = "",
    at: datetime = START,
    evidence: Mapping[str, Any] | None = None,
    **more: Any,
) -> int:
    """Give a user an award; `more` are further columns. Answers its number."""
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
        "evidence": json.dumps(evidence or {}),
    } | more
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    number: int = await db.fetchval(
        f"insert into user_badges ({', '.join(row)}) values ({places}) returning given_no",  # noqa: S608
        *row.values(),
    )
    return number
