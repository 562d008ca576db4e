"""Awards and state as JSON lines, streamed: the whole database in constant memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from contracts.envelope import rfc3339
from services.stores.postgres import Connection
from services.stores.queries import statements

PREFETCH = 500
_encode = msgspec.json.Encoder().encode


async def export_awards(connection: Connection, user_id: str | None = None) -> AsyncIterator[bytes]:
    """One JSON object per award, sorted by user, badge and context; needs a transaction."""
    async for row in connection.cursor(statements("exports")["export_awards"], user_id, prefetch=PREFETCH):
        yield _encode(
            {
                "user_id": row["user_id"],
                "badge_key": row["badge_key"],
                "context": row["context"],
                "awarded_at": rfc3339(row["awarded_at"]),
                "source": row["source"],
                "revoked_at": None if row["revoked_at"] is None else rfc3339(row["revoked_at"]),
                "evidence": msgspec.Raw(row["evidence"].encode()),
            }
        )


async def export_state(connection: Connection, user_id: str | None = None) -> AsyncIterator[bytes]:
    """One flat JSON object per collector, sorted by user; needs a transaction."""
    async for row in connection.cursor(statements("exports")["export_state"], user_id, prefetch=PREFETCH):
        line = dict(row)
        masters, pressings = line.pop("masters") or (), line.pop("pressings") or ()
        line["pressings"] = {str(master): n for master, n in zip(masters, pressings, strict=True)}
        yield _encode(line)
