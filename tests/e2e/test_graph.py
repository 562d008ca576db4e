"""The graph lane as a process: killed, without Neo4j, beside a slow worker; each award once, of all records."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import psutil
import pytest
import pytest_asyncio

from contracts.envelope import rfc3339
from services.stack.stack import ENGINES, Stack
from tests.conftest import Engines
from tests.e2e.accounts import check_published
from tests.e2e.events import Message, added, at, copy, event, message
from tests.e2e.processes import until
from tests.e2e.world import SLOWLY, World, new_world
from tests.model.graphs import catalogue, chain

ROW = chain(10)
USERS = 40


@pytest.fixture(scope="module")
def neo4j() -> Iterator[Stack]:
    """A Neo4j of the module's own, to be stopped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(ENGINES["neo4j"].setting, raising=False)
        with Stack.temporary(("neo4j",)) as found:
            yield found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def graphed(stack: Engines, neo4j: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A worker, a relay, and a graph of one row of artists."""
    engines = stack.endpoints()
    async with new_world(engines, tmp_path_factory.mktemp("graph"), neo4j_url=neo4j.endpoints().neo4j_url) as world:
        connection = await asyncpg.connect(world.settings.postgres_url)
        await catalogue(connection, ROW)
        await connection.close()
        done = await asyncio.to_thread(world.run, "graph", "rebuild", "--json")
        assert done.code == 0, done.err
        assert '"artists": 11, "collaborations": 10' in done.out
        world.relay = world.crew.start("relay")
        world.worker = await asyncio.to_thread(world.crew.worker)
        yield world


def collected(user: str, releases: int) -> list[Message]:
    """A collection of so many releases of the row, in one page, and its sync."""
    items = [copy(1 + n, 1000 + n) for n in range(releases)]
    synced = {"sync_id": "s", "items_total": releases}
    return [
        message(added(user, f"{user}-page", items, time=at(1))),
        message(event("collection.synced", user, f"{user}-sync", synced, time=at(2))),
    ]


def earned(hops: int) -> set[str]:
    """The badges of a row of so many hops."""
    rungs = {"six-degrees": ((3, "bronze"), (5, "silver"), (7, "gold"), (10, "platinum"))}
    rungs["scene-builder"] = ((4, "bronze"), (9, "silver"), (19, "gold"))
    return {f"{family}-{tier}" for family, steps in rungs.items() for least, tier in steps if hops >= least}


async def graph_awards(world: World, user: str) -> dict[str, Any]:
    found = await world.awards(user)
    return {key: award for (_, key, _), award in found.items() if key.startswith(("six-degrees", "scene-builder"))}


async def test_a_lane_killed_in_the_middle(graphed: World) -> None:
    world = graphed
    sizes = {f"kill-{n}": 1 + n % 10 for n in range(USERS)}
    await world.send([one for user, size in sizes.items() for one in collected(user, size)])
    await world.drained()
    assert await world.query("select count(*) from graph_due") == USERS
    lane = await asyncio.to_thread(world.crew.start, "graph", graph_processes="1")
    async with asyncio.timeout(45):
        while await world.query("select count(*) from collector_graph") < 5:
            assert lane.code is None
            await asyncio.sleep(0.005)
    measuring = psutil.Process(lane.child.pid).children(recursive=True)
    assert measuring, "a process of its own measures"
    await asyncio.to_thread(lane.kill)
    assert psutil.wait_procs(measuring, timeout=10)[1] == [], "none outlives the lane"
    assert 0 < await world.query("select count(*) from graph_due") < USERS
    # Two at once share what is left.
    others = [world.crew.start("graph", graph_processes="1") for _ in range(2)]
    await world.drained(graph=True)
    for user, size in sizes.items():
        awards = await graph_awards(world, user)
        assert awards.keys() == earned(size), user
        assert {award["evidence"]["value"] for key, award in awards.items() if key[:3] == "six"} <= {size}
        assert {award["awarded_at"] for award in awards.values()} <= {rfc3339(at(2))}
    assert await world.query("select count(*) from collector_graph") == USERS
    await check_published(world)
    assert [await asyncio.to_thread(other.terminate) for other in others] == [0, 0]


@pytest.mark.parametrize("fault", ["killed", "frozen"])
async def test_neo4j_goes_away_and_comes_back(graphed: World, neo4j: Stack, fault: str) -> None:
    world = graphed
    lane = world.crew.start("graph", graph_query_seconds="1")
    users = [f"{fault}-{n}" for n in range(5)]
    await asyncio.to_thread(until, lambda: lane.get("/readyz")[0] == 200, "the lane is ready")
    (pid,) = [one.pid for one in neo4j.status() if one.engine == "neo4j"]
    assert pid is not None
    if fault == "killed":
        await asyncio.to_thread(neo4j.kill, "neo4j")
    else:
        os.kill(pid, signal.SIGSTOP)
    try:
        await world.send([one for user in users for one in collected(user, 3)])
        await world.drained()
        await asyncio.to_thread(until, lambda: lane.metric("gatefold_graph_breaker") == 1, "the breaker opens")
        await asyncio.to_thread(until, lambda: lane.metric("gatefold_graph_due_rows") == 5, "who waits is shown")
        assert lane.get("/readyz")[0] == 503
        assert "neo4j" in lane.get("/readyz")[1]
        assert lane.get("/healthz")[0] == 200
        assert lane.told("waiting")[0]["server"] == "neo4j"
        assert lane.metric("gatefold_graph_failures_total", server="neo4j") >= 3
        assert (world.worker.get("/readyz")[0], world.relay.get("/readyz")[0]) == (200, 200)
        assert await world.query("select count(*) from graph_due") == 5
        waited = await asyncio.to_thread(world.run, "wait", "--timeout", "1")
        assert (waited.code, "graph evaluations due: 5" in waited.err) == (1, True)
        assert (await asyncio.to_thread(world.run, "wait", "--timeout", "5", "--without-graph")).code == 0
    finally:
        if fault == "killed":
            await asyncio.to_thread(neo4j.start_engine, "neo4j")
        else:
            os.kill(pid, signal.SIGCONT)
    await world.drained(graph=True)
    await asyncio.to_thread(until, lambda: lane.get("/readyz")[0] == 200, "the lane is ready again")
    assert lane.metric("gatefold_graph_breaker") == 0
    for user in users:
        assert (await graph_awards(world, user)).keys() == {"six-degrees-bronze"}
    await check_published(world)
    assert await asyncio.to_thread(lane.terminate) == 0


async def test_a_sync_is_measured_with_all_pages_before_it(stack: Engines, graphed: World) -> None:
    """The worker reads the sync long before the last page: topics have no order among each other."""
    world = graphed
    assert await asyncio.to_thread(world.worker.terminate) == 0
    lane = world.crew.start("graph")
    # The same copy again and again, then the others: thirty small bundles before the last page.
    pages = [message(added("pages", f"again-{n}", [copy(1, 1000)])) for n in range(60)]
    pages += [message(added("pages", f"page-{n}", [copy(1 + n, 1000 + n)])) for n in range(10)]
    sync = message(event("collection.synced", "pages", "sync", {"sync_id": "s", "items_total": 10}, time=at(2)))
    await world.send([*pages, sync])
    world.worker = await asyncio.to_thread(world.crew.worker, **SLOWLY)
    await world.drained(graph=True)
    awards = await graph_awards(world, "pages")
    assert awards.keys() == earned(10)
    assert {award["evidence"]["value"] for award in awards.values()} == {10, 11}, "none is of half a collection"
    assert await asyncio.to_thread(lane.terminate) == 0
