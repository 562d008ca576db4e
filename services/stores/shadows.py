"""Awards in the shadow: how many there are, and how they leave it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from services.stores.awards import Name
from services.stores.by_hand import Standing
from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("shadows")


class Kept(NamedTuple):
    """How many awards of a badge are in the shadow: those that stand, and those that were revoked there."""

    awards: int
    revoked: int


async def holders(connection: Connection) -> dict[str, int]:
    """How many hold each badge in the shadow, by now."""
    return {row["badge_key"]: row["holders"] for row in await connection.fetch(SQL["holders"])}


async def count(connection: Connection, badge_key: str) -> Kept:
    """How much of a badge is in the shadow."""
    row = await connection.fetchrow(SQL["count"], badge_key)
    assert row is not None
    return Kept(row["awards"], row["revoked"])


async def users(connection: Connection, badge_key: str, after: str, limit: int) -> list[str]:
    """The next users after one who have the badge in the shadow, so many awards' worth at most."""
    return [row["user_id"] for row in await connection.fetch(SQL["users"], badge_key, after, limit)]


async def take(
    connection: Connection, badge_key: str, user_ids: Sequence[str], *, notify: bool
) -> list[tuple[Name, Standing]]:
    """Show what these users have of the badge; answers it, by user and context. They stay locked until we commit."""
    await connection.fetch(SQL["lock"], user_ids)
    found = []
    for row in await connection.fetch(SQL["due"], user_ids, badge_key):
        award = dict(row)
        name = (award.pop("user_id"), badge_key, award.pop("context"))
        read = {column: msgspec.json.decode(award[column]) for column in ("caused_by", "evidence")}
        found.append((name, Standing(**award | read)))
    names = [name for name, _ in found]
    await connection.execute(SQL["show"], badge_key, [name[0] for name in names], [name[2] for name in names], notify)
    return found


async def outranked(
    connection: Connection, user_ids: Sequence[str], higher: Iterable[str]
) -> frozenset[tuple[str, str]]:
    """Who of these users is shown to hold one of the `higher` badges, and for which context."""
    rows = await connection.fetch(SQL["outranked"], user_ids, list(higher))
    return frozenset((row["user_id"], row["context"]) for row in rows)
