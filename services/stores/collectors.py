"""Collector rows: the lock and the counters of each user."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from operator import itemgetter
from typing import Any

from services.state.collector import COUNTERS, OF_ACTIVITY, Collector
from services.stores.postgres import Connection
from services.stores.queries import column, columns, statements

SQL = statements("collectors")
_LOOK = SQL["lock"].removesuffix("for update")  # one list of columns for both
OF_COPIES = tuple(name for name in COUNTERS if name not in OF_ACTIVITY.values())


def user_hash(key: bytes, user_id: str) -> bytes:
    """What a deleted user leaves: a keyed hash of the id, 32 bytes."""
    return hmac.new(key, user_id.encode(), sha256).digest()


async def lock(
    connection: Connection, users: Collection[str], erasure_key: bytes, *, create: bool = True
) -> dict[str, Collector]:
    """Lock these users in user order and load them; with `create` rows are created where there are none.

    A row may vanish while we wait for it (a deletion): then it is created anew, knowing of the deletion.
    """
    found: dict[str, Collector] = {}
    created: set[str] = set()
    while missing := sorted(set(users) - found.keys()):
        for row in await connection.fetch(SQL["lock"], column(missing)):
            one = _collector(row)
            one.created = one.user_id in created
            found[one.user_id] = one
        unknown = [user for user in missing if user not in found]
        if not create:
            break
        if unknown:
            hashes = {user: user_hash(erasure_key, user) for user in unknown}
            void = await erased_at(connection, hashes.values())
            new = await connection.fetch(SQL["create"], unknown, [void.get(hashes[user]) for user in unknown])
            created |= {row["user_id"] for row in new}
    return found


async def load(connection: Connection, users: Collection[str]) -> dict[str, Collector]:
    """Load those of the users that are known as they are, without a lock: to look at, or to try something on."""
    return {row["user_id"]: _collector(row) for row in await connection.fetch(_LOOK, column(sorted(set(users))))}


def _collector(row: Any) -> Collector:
    # By place, and cut at once: each user of a bundle comes through here.
    values = tuple(row)
    user_id, erased, joined_on = values[:3]
    age_seen, seen_on, facets, years = values[-4:]
    return Collector(
        user_id,
        counters=dict(zip(COUNTERS, values[3:-4], strict=True)),
        facets=facets,
        years=years,
        joined_on=joined_on,
        erased_at=erased,
        age_seen=age_seen,
        seen_on=seen_on,
    )


async def erased_at(connection: Connection, hashes: Iterable[bytes]) -> dict[bytes, datetime]:
    """Time of the last deletion by user hash, where there was one."""
    found = await connection.fetch(SQL["erased"], list(hashes))
    return {row["user_hash"]: row["erased_at"] for row in found}


async def erase(connection: Connection, hash_: bytes, at: datetime) -> None:
    """Remember that everything of this user up to `at` is void."""
    await connection.execute(SQL["erase"], hash_, at)


async def save(connection: Connection, collectors: Iterable[Collector]) -> None:
    """Write all of these users' rows, in user order."""
    found = _ordered(collectors)
    if found:
        await connection.execute(
            SQL["save"],
            *_counted(found, COUNTERS),
            column([one.joined_on for one in found]),
            column([one.erased_at for one in found]),
        )


async def save_collection(connection: Connection, collectors: Iterable[Collector]) -> None:
    """Write what copies move of these users' rows, in user order."""
    found = _ordered(collectors)
    if found:
        await connection.execute(SQL["save_collection"], *_counted(found, OF_COPIES))


def _ordered(collectors: Iterable[Collector]) -> list[Collector]:
    return sorted(collectors, key=lambda one: one.user_id)


def _counted(found: Sequence[Collector], names: Sequence[str]) -> list[Any]:
    """The columns that both ways of saving share, and these counters."""
    return [
        *columns([one.user_id, one.age_seen, one.seen_on] for one in found),
        [one.facets.pack() for one in found],
        [one.years.pack() for one in found],
        *columns(map(itemgetter(*names), [one.counters for one in found])),
    ]


async def remove(connection: Connection, users: Collection[str]) -> None:
    """Drop the rows of users of whom nothing is left."""
    await connection.execute(SQL["remove"], sorted(users))


async def page(connection: Connection, after: str, limit: int) -> list[str]:
    """The next users in order of their ids."""
    return [row["user_id"] for row in await connection.fetch(SQL["page"], after, limit)]


async def sample(connection: Connection, number: int, seed: str = "") -> list[str]:
    """So many users, picked by chance and by the seed, in order."""
    return sorted(row["user_id"] for row in await connection.fetch(SQL["sample"], number, seed))


async def count(connection: Connection) -> int:
    """How many users there are."""
    return int(await connection.fetchval(SQL["count"]))
