"""How many held each badge on a day, of all users and of the active ones, and who were the first: a page at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final, NamedTuple

from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("holders")
EVERYBODY: Final = ""  # the badge key under which users are counted
AFTER_ALL: Final = "~"  # greater than every user id
RANKS: Final = 100  # of each badge; to be the next to earn it is nothing to tell


class Holders(NamedTuple):
    """Holders of a badge, and how many of them were active."""

    all: int
    active: int


class Page(NamedTuple):
    """Some users: counts by badge, those of the users themselves under EVERYBODY; `last` is None at the end."""

    holders: dict[str, Holders]
    last: str | None


class Day(NamedTuple):
    """A badge's holders on a day, as shares of all users and of the active ones, too; None where there were none."""

    counted_on: date
    holders: int
    active_holders: int
    share_all: float
    share_active: float | None


async def count(connection: Connection, after: str, limit: int, *, seen_after: date, at: datetime | None) -> Page:
    """Count the holders among the next users.

    Shape:   active are those who were seen after `seen_after`; awards are those that stood at `at`, with None those
             that stand now.
    """
    row = await connection.fetchrow(SQL["users"], after, limit, seen_after)
    assert row is not None
    last = row["last"] if row["users"] == limit else None
    rows = await connection.fetch(SQL["held"], after, AFTER_ALL if last is None else last, seen_after, at)
    found = {one["badge_key"]: Holders(one["holders"], one["active_holders"]) for one in rows}
    return Page({EVERYBODY: Holders(row["users"], row["active"])} | found, last)


async def add(connection: Connection, on: date, found: Mapping[str, Holders]) -> None:
    """Add the counts of a page to those of the day."""
    keys = sorted(found)
    await connection.execute(
        SQL["add"], on, keys, [found[key].all for key in keys], [found[key].active for key in keys]
    )


async def forget(connection: Connection, on: date) -> None:
    """Begin the count of a day anew."""
    await connection.execute(SQL["forget"], on)


async def complete(connection: Connection, on: date, badges: Iterable[str]) -> None:
    """The day is counted: of the `badges` that did not come up nobody has one.

    Shares are there now, and the newest day's active holders stand beside the count of today.
    """
    await connection.execute(SQL["none"], on, sorted(badges))
    await connection.execute(SQL["share"], on)
    await connection.execute(SQL["hand_over"], on)


async def nominate(connection: Connection, after: str, last: str | None, *, before: datetime) -> None:
    """Who among a page's users may be one of the first to earn a badge, `before` a time; `last` is the page's."""
    await connection.execute(SQL["nominate"], after, AFTER_ALL if last is None else last, before, RANKS)


async def rank(connection: Connection) -> None:
    """All users were looked at: the nominated have their ranks, for good."""
    await connection.execute(SQL["rank"], RANKS)


async def history(connection: Connection, badge_key: str, since: date) -> list[Day]:
    """A badge's holders day by day, complete days only."""
    return [Day(*row) for row in await connection.fetch(SQL["history"], badge_key, since)]
