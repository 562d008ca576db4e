"""What users show to whoever has the link."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("shares")

PROFILE: Final = ""


class Share(NamedTuple):
    """Something shared; of a profile `badge_key` is empty."""

    badge_key: str
    context: str
    token: str
    name: str
    language: str
    shared_at: datetime


class Found(NamedTuple):
    """Whose share a token is of."""

    user_id: str
    badge_key: str
    context: str
    name: str
    language: str


class Award(NamedTuple):
    """What an award's share shows of it."""

    at: datetime
    evidence: dict[str, Any]


async def put(
    connection: Connection, user_id: str, badge_key: str, context: str, token: str, name: str, language: str
) -> Share | None:
    """Share an award or the profile under this token, or rename what is shared; None where nothing stands."""
    row = await connection.fetchrow(SQL["put"], user_id, badge_key, context, token, name, language)
    return None if row is None else Share(*row)


async def take_back(connection: Connection, user_id: str, token: str) -> bool:
    """Share no more; False where the user shares nothing under this token."""
    return str(await connection.execute(SQL["take_back"], user_id, token)) == "DELETE 1"


async def of_user(connection: Connection, user_id: str) -> list[Share]:
    """What a user shares, the newest first."""
    return [Share(*row) for row in await connection.fetch(SQL["of_user"], user_id)]


async def find(connection: Connection, token: str) -> Found | None:
    """What is shared under a token, whether or not it still stands."""
    row = await connection.fetchrow(SQL["find"], token)
    return None if row is None else Found(*row)


async def award(connection: Connection, found: Found) -> Award | None:
    """The award that was shared; None where it was revoked or hidden since."""
    row = await connection.fetchrow(SQL["award"], found.user_id, found.badge_key, found.context)
    return None if row is None else Award(row["awarded_at"], msgspec.json.decode(row["evidence"]))
