"""Row 28: Neo4j slow, then silent; what needs no graph is on time, and what needs it comes afterwards."""

import asyncio
import time
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.conftest import Engines
from tests.e2e.accounts import check_published
from tests.e2e.events import Message, added, at, copy, event, message
from tests.e2e.processes import until
from tests.e2e.world import World, new_world
from tests.faults.link import Proxy
from tests.model.graphs import catalogue, chain

pytestmark = pytest.mark.long

HOPS = 5
USERS = 20
SILENT_SECONDS = 30


def collected(user: str) -> list[Message]:
    """A collection that is worth badges with a graph and without, and its sync."""
    items = [copy(1 + n, 1000 + n) for n in range(HOPS)]
    synced = {"sync_id": "s", "items_total": HOPS}
    return [
        message(added(user, f"{user}-page", items, time=at(1))),
        message(event("collection.synced", user, f"{user}-sync", synced, time=at(2))),
    ]


async def test_row_28_neo4j_slow_and_silent(
    stack: Engines, neo4j_url: str, tmp_path_factory: pytest.TempPathFactory, seed: int, proof: Any
) -> None:
    engines = stack.endpoints()
    front = Proxy(urlsplit(neo4j_url).netloc)
    async with front.open():
        address = f"bolt://127.0.0.1:{front.port}"
        async with new_world(engines, tmp_path_factory.mktemp("graph"), neo4j_url=address) as world:
            async with world.database() as connection:
                await catalogue(connection, chain(HOPS))
            assert (await asyncio.to_thread(world.run, "graph", "rebuild", "--json")).code == 0
            lags, drained = await _through_faults(world, front)
            async with world.database() as connection:
                held = await _graph_badges(connection)
            assert held == {f"{fault}-{n}" for fault in ("slow", "silent") for n in range(USERS)}
            await check_published(world)
    proof(
        28,
        f"Neo4j 5 s away, then silent for {SILENT_SECONDS} s",
        users=2 * USERS,
        seconds_until_all_else_was_awarded_at_most=round(max(lags), 1),
        seconds_to_no_graph_due_at_most=round(max(drained), 1),
    )


async def _through_faults(world: World, front: Proxy) -> tuple[list[float], list[float]]:
    world.crew.start("relay")
    worker = await asyncio.to_thread(world.crew.worker)
    lane = world.crew.start("graph", graph_query_seconds="2")
    await asyncio.to_thread(until, lambda: lane.get("/readyz")[0] == 200, "the lane is ready")
    lags, drained = [], []
    for fault, seconds in (("slow", 10), ("silent", SILENT_SECONDS)):
        front.link.latency = 5.0 if fault == "slow" else 0.0
        front.link.silent_back = fault == "silent"
        begin = time.monotonic()
        await world.send([one for n in range(USERS) for one in collected(f"{fault}-{n}")])
        await world.drained()
        lags.append(time.monotonic() - begin)
        await asyncio.sleep(seconds)
        assert await world.query("select count(*) from graph_due") == USERS, "nothing is measured, nothing is lost"
        assert (worker.get("/readyz")[0], lane.get("/healthz")[0]) == (200, 200)
        front.link.heal()
        await front.cut()
        begin = time.monotonic()
        await world.drained(graph=True)
        drained.append(time.monotonic() - begin)
    assert max(lags) <= 5
    assert max(drained) <= 60
    return lags, drained


async def _graph_badges(connection: asyncpg.Connection) -> set[str]:
    rows = await connection.fetch("select user_id from user_badges where badge_key = 'six-degrees-silver'")
    return {row[0] for row in rows}
