"""One user who is due: the collection's artists, their graph, its measure, and the badges that it earns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

import asyncpg
import numpy as np

from catalog.index import Catalog
from contracts.envelope import Event
from services.graph.measure import Shape
from services.graph.pool import Pool
from services.graph.store import Graph
from services.state.graph import CLUSTER, HOPS, Measured
from services.stores import collectors
from services.stores import graph as store
from services.stores.awards import NewAward
from services.stores.graph import Due, Standing
from services.stores.postgres import Connection
from services.worker.awarding import Awarding, occasion_at

TRIGGER: Final = "collection.synced"

Fate = Literal["measured", "unknown", "gone", "changed", "no_graph"]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What became of a due user.

    Shape:   `fate`: `measured`; `unknown`: nothing is known of the user; `gone`: not due any more; `changed`: deleted
             in between, due again if anything newer is left; `no_graph`: due once there is one.
    """

    fate: Fate
    awards: tuple[NewAward, ...] = ()
    artists: int = 0


async def evaluate(
    postgres: asyncpg.Pool[asyncpg.Record], graph: Graph, pool: Pool, catalog: Catalog, due: Due
) -> Evaluated:
    """Measure a user's graph and give what it earns, all of that or nothing; no transaction lasts while Neo4j is asked.

    Raises:  server.Away; MeasuringFailed; postgres.TRANSIENT. The user stays due then.
    """
    async with postgres.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        before = await store.standing(connection, due.user_id)
        ids = await store.artists(connection, due.user_id) if before.known else []
    if not before.known:
        async with postgres.acquire() as connection:
            await store.drop(connection, due)
        return Evaluated("unknown")
    found = await graph.induced(ids)
    if found is None:
        async with postgres.acquire() as connection:
            await store.await_graph(connection, due)
        return Evaluated("no_graph")
    shape = await pool.measure(np.array(ids, dtype=np.int64), found.edges)
    async with postgres.acquire() as connection, connection.transaction():
        return await _settle(connection, catalog, due, before, shape, found.as_of, len(ids))


async def _settle(
    connection: Connection, catalog: Catalog, due: Due, before: Standing, shape: Shape, as_of: date, artists: int
) -> Evaluated:
    locked = await collectors.lock(connection, [due.user_id], b"", create=False)
    collector = locked.get(due.user_id)
    # A deletion took away what was measured, or the sync itself.
    if collector is None or Standing(True, collector.erased_at) != before:
        return Evaluated("changed")
    if await store.is_due_for(connection, due) is None:
        return Evaluated("gone")
    named = [*shape.path, *(artist for artist, _ in shape.best)]
    names = await store.names(connection, due.user_id, named)
    collector.graph = measured_of(shape, names, as_of)
    event = Event(TRIGGER, due.event_id, due.source, due.user_id, due.event_time, None, b"")
    awarding = Awarding(catalog, {})
    awarding.judge_trigger(event, collector, occasion_at(TRIGGER, due.event_time))
    given = await awarding.settle(connection)
    await store.save(connection, due, collector.graph, as_of)
    await store.settle(connection, due)
    return Evaluated("measured", tuple(given), artists)


def measured_of(shape: Shape, names: Mapping[int, str | None], as_of: date) -> Measured:
    """The measurement as badges read it, and as evidence tells it."""
    path: dict[str, Any] = {"path": [{"artist_id": artist, "name": names.get(artist)} for artist in shape.path]}
    if not shape.exact:
        path["exact"] = False  # at least so many: the search ended before it could show that there are no more
    best = [
        {"artist_id": artist, "name": names.get(artist), "connections": connections}
        for artist, connections in shape.best
    ]
    at = {"as_of": as_of.isoformat()}
    return Measured(shape.hops, shape.cluster_artists, {HOPS: path | at, CLUSTER: {"artists": best} | at})
