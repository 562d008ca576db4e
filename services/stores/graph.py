"""Whose graph is due, what was measured of it, and what of the catalogue makes the graph."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeAlias

from services.state.graph import HUBS, Measured
from services.stores.postgres import Connection
from services.stores.queries import rows, statements

SQL = statements("graph")

# How many rows there are in all, and a batch of them.
Page: TypeAlias = tuple[int, list[tuple[Any, Any]]]
PAUSE: Final = timedelta(hours=24)  # between two measurements of one user
USER_LOCKS: Final = 0x67726170  # of advisory locks with two keys: "grap", and the user's hash
REBUILD_LOCK: Final = 0x67617465_67726170  # a constant of our own: who holds it rebuilds the graph


@dataclass(frozen=True, slots=True)
class Due:
    """A user who is due, and the sync that is why; `partition` is the user's in every input topic."""

    user_id: str
    partition: int
    source: str
    event_id: str
    event_time: datetime


@dataclass(frozen=True, slots=True)
class Unbounded:
    """A due row of which it is not known yet what has to be processed before."""

    user_id: str
    partition: int
    source: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a user was known, and up to when deleted: a deletion in between changes one of the two."""

    known: bool
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class Gauges:
    """How many users are due now, and since when the first."""

    due: int
    oldest_seconds: float


# --- the worker ------------------------------------------------------------------------------------------------------


async def mark_due(connection: Connection, due: Iterable[Due]) -> None:
    """Make users due for their syncs: at once, or a day after the last measurement; at most one row a user."""
    found = [
        {
            "user_id": one.user_id,
            "partition": one.partition,
            "source": one.source,
            "event_id": one.event_id,
            "event_time": one.event_time,
        }
        for one in due
    ]
    if found:
        await connection.execute(SQL["mark_due"], rows(found), PAUSE)


async def forget(connection: Connection, user_id: str, until: datetime) -> None:
    """Forget what a deletion voids; a newer sync that was measured already is due again, on what is left."""
    await connection.execute(SQL["forget_due"], user_id, until)
    await connection.execute(SQL["forget_measured"], user_id, until)


async def measured(connection: Connection, user_id: str) -> Measured | None:
    """What was measured of the user last; None where nothing ever was."""
    return (await measured_of_each(connection, [user_id]))[user_id]


async def measured_of_each(connection: Connection, user_ids: Sequence[str]) -> dict[str, Measured | None]:
    """What was measured of users last; None where nothing ever was."""
    return dict.fromkeys(user_ids) | {
        user: measured_in(hops, artists, evidence)
        for user, hops, artists, evidence in await connection.fetch(SQL["measured"], user_ids)
    }


def measured_in(hops: int | None, cluster_artists: int | None, evidence: str | None) -> Measured | None:
    """The measurement in a row's columns; None where they are null."""
    if hops is None or cluster_artists is None:
        return None
    return Measured(hops, cluster_artists, json.loads(evidence or "{}"))


# --- the lane --------------------------------------------------------------------------------------------------------


async def unbounded(connection: Connection, limit: int) -> list[Unbounded]:
    """The due rows of which nobody has said yet what has to be processed before."""
    return [Unbounded(*row) for row in await connection.fetch(SQL["unbounded"], limit)]


async def bound(connection: Connection, due: Iterable[Unbounded], ends: Mapping[int, tuple[int, int]]) -> None:
    """Say where ownership.added and ownership.removed ended, by partition, after these rows were read."""
    found = [
        {
            "user_id": one.user_id,
            "source": one.source,
            "event_id": one.event_id,
            "added_until": ends[one.partition][0],
            "removed_until": ends[one.partition][1],
        }
        for one in due
        if one.partition in ends
    ]
    if found:
        await connection.execute(SQL["bound"], rows(sorted(found, key=lambda row: str(row["user_id"]))))


async def claim(connection: Connection, limit: int, but: Iterable[str]) -> list[Due]:
    """Users whose time has come, each for this connection alone until `release` or its end."""
    return [Due(*row) for row in await connection.fetch(SQL["claim"], limit, list(but), USER_LOCKS)]


async def release(connection: Connection, user_id: str) -> None:
    """Let others claim the user."""
    await connection.execute(SQL["release"], user_id, USER_LOCKS)


async def standing(connection: Connection, user_id: str) -> Standing:
    """Whether the user is known."""
    row = await connection.fetchrow(SQL["standing"], user_id)
    return Standing(False, None) if row is None else Standing(True, row["erased_at"])


async def artists(connection: Connection, user_id: str) -> list[int]:
    """The artists of the user's collection, rising, without hubs."""
    return [row["artist_id"] for row in await connection.fetch(SQL["artists"], user_id, sorted(HUBS))]


async def names(connection: Connection, user_id: str, artist_ids: Sequence[int]) -> dict[int, str | None]:
    """Names of some artists of a collection; None where nobody says one."""
    found = await connection.fetch(SQL["names"], user_id, list(artist_ids))
    return {row["artist_id"]: row["name"] for row in found}


async def is_due_for(connection: Connection, due: Due) -> bool | None:
    """Whether the user is still due for this sync, False for a newer one, None for none; the row is locked then."""
    row = await connection.fetchrow(SQL["hold"], due.user_id)
    return None if row is None else (row["source"], row["event_id"]) == (due.source, due.event_id)


async def settle(connection: Connection, due: Due) -> None:
    """The sync is done with; one that came meanwhile stays, a day later."""
    await connection.execute(SQL["settle"], due.user_id, due.source, due.event_id)
    await connection.execute(SQL["put_off"], due.user_id, due.source, due.event_id, PAUSE)


async def drop(connection: Connection, due: Due) -> None:
    """Nothing is known of the user: the sync is done with."""
    await connection.execute(SQL["settle"], due.user_id, due.source, due.event_id)


async def await_graph(connection: Connection, due: Due) -> None:
    """There is no graph: the user is not due before `wake`."""
    await connection.execute(SQL["await_graph"], due.user_id, due.source, due.event_id)


async def save(connection: Connection, due: Due, found: Measured, as_of: date) -> None:
    """Keep what was measured for this sync."""
    await connection.execute(
        SQL["save"],
        due.user_id,
        as_of,
        due.source,
        due.event_id,
        due.event_time,
        due.partition,
        found.hops,
        found.cluster_artists,
        json.dumps(found.evidence, ensure_ascii=False),
    )


async def load_gauges(connection: Connection) -> Gauges:
    """How much waits."""
    row = await connection.fetchrow(SQL["gauges"])
    assert row is not None
    return Gauges(row["due"], row["oldest_seconds"])


# --- the rebuild -----------------------------------------------------------------------------------------------------


async def try_rebuild(connection: Connection) -> bool:
    """Whether this connection now holds the lock of the one rebuild."""
    return bool(await connection.fetchval(SQL["try_rebuild"], REBUILD_LOCK))


async def wake(connection: Connection) -> None:
    """There is a graph now: whoever waited for one is due."""
    await connection.execute(SQL["wake"])


async def as_of(connection: Connection) -> date:
    """The date of the catalogue that the graph is made from."""
    found: date = await connection.fetchval(SQL["as_of"])
    return found


async def people(connection: Connection, batch: int, *, most: int | None = None) -> AsyncIterator[Page]:
    """Batch after batch of (id, name), at most `most` of them; needs a transaction."""
    async for page in _stream(connection, "people", batch, most):
        yield page


async def edges(connection: Connection, batch: int, *, most: int | None = None) -> AsyncIterator[Page]:
    """Batch after batch of (lower id, higher id), at most `most` of them; needs a transaction."""
    async for page in _stream(connection, "edges", batch, most):
        yield page


async def _stream(connection: Connection, name: str, batch: int, most: int | None) -> AsyncIterator[Page]:
    cursor = await connection.cursor(SQL[name], sorted(HUBS))
    given = 0
    while (most is None or given < most) and (found := await cursor.fetch(batch)):
        yield found[0]["total"], [(one, other) for one, other, _ in found]
        given += 1
