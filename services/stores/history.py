"""What a user's pages ask of the past: awards as they came, releases and badges month by month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import msgspec

from services.stores.achievements import Award, Place, moment
from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("history")

# Thirty years: what came before is in the numbers "by then".
MOST_MONTHS: Final = 360


class Month(NamedTuple):
    """What came in a month, and what was there at its end.

    Shape:   `month` is its first day; releases are those that the user still owns.
    """

    month: date
    releases: int
    badges: int
    releases_so_far: int
    badges_so_far: int


class Told(NamedTuple):
    """An award as a page about it tells it."""

    at: datetime
    source: str
    evidence: dict[str, Any]
    pinned: bool = False


async def awards(
    connection: Connection,
    user_id: str,
    scores: tuple[Sequence[str], Sequence[int]],
    limit: int,
    after: Place | None = None,
) -> tuple[list[Award], bool]:
    """At most `limit` awards behind `after`, the newest first, and whether others follow; `scores` as in a list."""
    columns = (None,) * 4 if after is None else (after.score, moment(after.at), after.badge_key, after.context)
    stored = await connection.fetch(SQL["awards"], user_id, *scores, limit + 1, *columns)
    found = [Award(key, context, at, source, msgspec.Raw(said.encode()), score)
             for key, context, at, source, said, score in stored]  # fmt: skip
    return found[:limit], len(found) > limit


async def months(connection: Connection, user_id: str) -> list[Month]:
    """The months in which something came, the first one first."""
    stored = await connection.fetch(SQL["months"], user_id, MOST_MONTHS)
    return [Month(*row) for row in reversed(stored)]


async def of_context(connection: Connection, user_id: str, keys: Sequence[str], context: str) -> dict[str, Told]:
    """What the user was given of these badges in one context, by key."""
    stored = await connection.fetch(SQL["of_context"], user_id, keys, context)
    return {key: Told(at, source, msgspec.json.decode(found), pinned) for key, at, source, found, pinned in stored}
