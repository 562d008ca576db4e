"""The graph made anew from PostgreSQL alone, while it is in use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from services.graph.server import connect
from services.graph.store import BATCH, Graph
from services.stores import graph as catalogue
from services.stores.postgres import Connection

STEPS: Final = ("artists", "collaborations")

Progress = Callable[[str, int, int], None]
"""Is told the step, how many are done, and of how many."""


class AlreadyRebuilding(Exception):
    """Another rebuild of this graph is under way."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild has made: its number, what the graph holds now, what went because nothing says it any more."""

    rebuild: int | None
    as_of: str
    artists: int
    collaborations: int
    artists_gone: int = 0
    collaborations_gone: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The shape of `gatefold graph rebuild --json`."""
        return asdict(self)


async def rebuild_graph(connection: Connection, neo4j_url: str, progress: Progress = lambda *step: None) -> Rebuilt:
    """`rebuild` over a connection to Neo4j of its own, for whoever has loaded a catalogue.

    Raises:  AlreadyRebuilding; server.Away; postgres.TRANSIENT.
    """
    async with connect(neo4j_url) as driver:
        return await rebuild(connection, Graph(driver), progress)


async def rebuild(
    connection: Connection, graph: Graph, progress: Progress = lambda *step: None, *, batch: int = BATCH
) -> Rebuilt:
    """Make the graph of what the catalogue says now; one at a time, in constant memory.

    All is merged, and marked with the number of the rebuild; what does not carry it in the end is removed. A rebuild
    that was killed has harmed nothing: run it again. Meanwhile the graph holds what was and what will be; the first one
    is not used before it is whole. Who was due and had no graph is due when it ends.

    Shape:   `connection` is for this alone until it returns; `graph` should have no time-out.
    Raises:  AlreadyRebuilding; server.Away; postgres.TRANSIENT.
    """
    if not await catalogue.try_rebuild(connection):
        raise AlreadyRebuilding
    await graph.prepare()
    number = await graph.begin()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        as_of = await catalogue.as_of(connection)
        artists = edges = 0
        async for total, rows in catalogue.people(connection, batch):
            await graph.merge_artists(rows, number)
            artists += len(rows)
            progress(STEPS[0], artists, total)
        async for total, rows in catalogue.edges(connection, batch):
            await graph.merge_edges(rows, number)
            edges += len(rows)
            progress(STEPS[1], edges, total)
    gone = await graph.drop_unseen(number)
    await graph.finish(number, as_of)
    await catalogue.wake(connection)
    return Rebuilt(number, as_of.isoformat(), artists, edges, *gone)


async def plan(connection: Connection) -> Rebuilt:
    """What a rebuild would make; nothing is changed, and Neo4j is not asked."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        as_of = await catalogue.as_of(connection)
        artists = [total async for total, _ in catalogue.people(connection, 1, most=1)]
        edges = [total async for total, _ in catalogue.edges(connection, 1, most=1)]
    return Rebuilt(None, as_of.isoformat(), sum(artists), sum(edges))
