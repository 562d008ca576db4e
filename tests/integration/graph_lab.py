"""A graph and a lane without processes around them: what is due is made ripe, claimed and evaluated."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from catalog.index import load_catalog
from services.graph.evaluate import Evaluated, evaluate
from services.graph.pool import Pool
from services.graph.rebuild import Rebuilt, rebuild
from services.graph.server import connect
from services.graph.store import Graph
from services.stores import graph as store
from services.stores.graph import Due
from services.stores.postgres import Connection, open_pool

EVERYTHING = dict.fromkeys(range(8), (0, 0))


@dataclass
class GraphLab:
    """Neo4j, a pool of processes, and connections as the lane has them."""

    url: str
    graph: Graph
    pool: Pool
    postgres: asyncpg.Pool

    async def rebuild(self, batch: int = 50) -> Rebuilt:
        """Make the graph of the catalogue."""
        connection = await asyncpg.connect(self.url)
        try:
            return await rebuild(connection, self.graph, batch=batch)
        finally:
            await connection.close()

    async def claim(self, connection: Connection) -> list[Due]:
        """Who is due, whatever was published."""
        await store.bound(connection, await store.unbounded(connection, 100), EVERYTHING)
        return await store.claim(connection, 100, [])

    async def evaluate(self, due: Due) -> Evaluated:
        """Evaluate one user."""
        return await evaluate(self.postgres, self.graph, self.pool, load_catalog(), due)

    async def round(self) -> dict[str, str]:
        """Evaluate whoever is due; the fates by user."""
        connection = await asyncpg.connect(self.url)
        try:
            return {due.user_id: (await self.evaluate(due)).fate for due in await self.claim(connection)}
        finally:
            await connection.close()


@asynccontextmanager
async def graph_lab(postgres_url: str, neo4j_url: str, *, seconds: float = 20) -> AsyncIterator[GraphLab]:
    """A lab on an empty Neo4j; closed in the end."""
    pool = Pool(1)
    postgres = await open_pool(postgres_url, application="test-graph", size=2, command_seconds=20)
    try:
        async with connect(neo4j_url) as driver:
            async with driver.session() as session:
                await (await session.run("MATCH (n) DETACH DELETE n")).consume()
            yield GraphLab(postgres_url, Graph(driver, seconds), pool, postgres)
    finally:
        pool.close()
        postgres.terminate()
