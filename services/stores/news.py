"""News of the catalogue: who has to be told of what it learned, a page of users at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from services.state.facts import NOTHING, Facts, facts_of, merge
from services.stores import awards
from services.stores.awards import Message
from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("news")
# Of what a load changed, in one transaction: the first whole dump changes every release there is.
FORGOTTEN: Final = 200_000


class News(NamedTuple):
    """What the catalogue learned of a release; sweeps that tell of it are called `<cause>:<user id>`."""

    cause: str
    time: datetime
    release_id: int
    facts_id: int


class Told(NamedTuple):
    """What became of a page: users looked at, sweeps written."""

    users: int
    sweeps: int


async def add(connection: Connection, news: Sequence[News]) -> None:
    """Remember to tell the owners; what nobody owns is no news."""
    if news:
        await connection.execute(SQL["add"], *(list(column) for column in zip(*news, strict=True)))


async def tell(connection: Connection, page: int) -> Told | None:
    """Write the sweeps of the next `page` users that the oldest news may concern; None where there is none.

    Nobody's counts are touched, and no lock is held but that of the news itself.
    """
    async with connection.transaction():
        row = await connection.fetchrow(SQL["next"])
        if row is None:
            return None
        if row["release_id"] is not None:
            users, concerned = await _owners(connection, row, page)
        else:
            found = await connection.fetch(SQL["collectors"], row["load_id"], row["told_until"], page)
            users, concerned = [one["user_id"] for one in found], [one["user_id"] for one in found if one["concerned"]]
        await awards.publish(connection, [sweep(row["cause"], user, row["time"]) for user in concerned])
        if len(users) < page and await _forget(connection, row["load_id"]):
            await connection.execute(SQL["done"], row["news_id"])
        else:
            await connection.execute(SQL["told"], row["news_id"], users[-1] if users else row["told_until"])
        return Told(len(users), len(concerned))


async def _forget(connection: Connection, load_id: int | None) -> bool:
    """Forget a page of what a load changed, when everybody is told; whether nothing of it is left."""
    for name in ("forget_releases", "forget_totals"):
        if load_id is not None and await connection.execute(SQL[name], load_id, FORGOTTEN) == f"DELETE {FORGOTTEN}":
            return False
    return True


async def waiting(connection: Connection) -> int:
    """How many news are not told yet."""
    return int(await connection.fetchval(SQL["waiting"]))


def sweep(cause: str, user: str, time: datetime) -> Message:
    """The sweep that tells a user of it; the same for every delivery."""
    return Message("cron.sweep", user, f"{cause}:{user}", time, b"{}")


async def _owners(connection: Connection, row: Any, page: int) -> tuple[list[str], list[str]]:
    """The next owners, and those for whom something else is counted than should be."""
    owners = await connection.fetch(SQL["owners"], row["release_id"], row["told_until"], page)
    ids = {row["facts_id"], *(one["facts_id"] for one in owners), *(one["stated_id"] for one in owners)} - {None}
    said = await _contents(connection, ids)
    known = said[row["facts_id"]]
    stale = {
        pair: merge(known, said[pair[1]]) != said[pair[0]]
        for pair in {(one["facts_id"], one["stated_id"]) for one in owners}
    }
    return [one["user_id"] for one in owners], [
        one["user_id"]
        for one in owners
        if stale[one["facts_id"], one["stated_id"]] or one["first_pressing"] != row["first_pressing"]
    ]


async def _contents(connection: Connection, ids: Iterable[int]) -> dict[int | None, Facts]:
    found: dict[int | None, Facts] = {None: NOTHING}
    for facts_id, content in await connection.fetch(SQL["contents"], list(ids)):
        found[facts_id] = facts_of(content)
    return found
