"""The graph in Neo4j is what PostgreSQL says of the catalogue: all of it, once, and nothing that is gone."""

import asyncio
import json
import random
from collections.abc import AsyncIterator

import asyncpg
import numpy as np
import pytest

from services.graph.measure import measure
from services.graph.rebuild import AlreadyRebuilding, Rebuilt, plan, rebuild
from services.graph.store import Graph, Size, statements
from services.stores import graph as store
from tests.integration.commands import gatefold
from tests.integration.graph_lab import GraphLab, graph_lab
from tests.model.graphs import HUBS, Pairs, catalogue, expected, pairs_of

FIRST = {1: [11, 12, 13], 2: [13, 14], 3: [15], 4: [194, 16, 11], 5: [355, 118760]}
GROUPS = {20: [11, 21], 22: [], 23: [23, 194], 24: [15]}


@pytest.fixture
async def lab(database: str, neo4j_url: str) -> AsyncIterator[GraphLab]:
    async with graph_lab(database, neo4j_url) as found:
        connection = await asyncpg.connect(database)
        await catalogue(connection, FIRST, GROUPS)
        await connection.close()
        yield found


async def stored(lab: GraphLab) -> tuple[dict[int, str], Pairs, set[int]]:
    """Names of the artists, who worked with whom, and the numbers of rebuilds that anything carries."""
    async with lab.graph._driver.session() as session:
        named = await session.run("MATCH (a:Artist) RETURN a.id AS id, a.name AS name")
        artists = {row["id"]: row["name"] async for row in named}
        found = await session.run("MATCH (a)-[c]->(b) RETURN a.id AS low, b.id AS high, type(c) AS type")
        rows = [(row["low"], row["high"], row["type"]) async for row in found]
        marks = await session.run("MATCH (a:Artist) RETURN a.rebuild AS n UNION MATCH ()-[c]->() RETURN c.rebuild AS n")
        numbers = {row["n"] async for row in marks}
    assert {kind for _, _, kind in rows} <= {"COLLABORATED_WITH"}
    assert len({(low, high) for low, high, _ in rows}) == len(rows), "each pair is stored once"
    return artists, {(low, high) for low, high, _ in rows}, numbers


async def test_every_statement_is_understood(lab: GraphLab) -> None:
    await lab.graph.prepare()
    parameters = {"rows": [], "ids": [], "rebuild": 1, "as_of": "2026-01-01"}
    async with lab.graph._driver.session() as session:
        for name, text in statements().items():
            assert text.startswith("// "), name
            if not name.startswith("unique_"):
                await (await session.run(f"EXPLAIN {text}", parameters)).consume()


async def test_it_holds_what_the_catalogue_says_and_never_a_hub(lab: GraphLab) -> None:
    done = await lab.rebuild(batch=2)
    artists, pairs, numbers = await stored(lab)
    assert (
        pairs
        == pairs_of(FIRST, GROUPS)
        == {(11, 12), (11, 13), (12, 13), (13, 14), (11, 16), (11, 20), (20, 21), (15, 24)}
    )
    assert artists == {one: f"Artist {one}" for one in (11, 12, 13, 14, 15, 16, 20, 21, 23, 24)}
    assert not artists.keys() & HUBS
    assert (done.artists, done.collaborations, done.artists_gone, done.collaborations_gone) == (10, 8, 0, 0)
    assert (done.as_of, numbers) == ("2026-02-01", {done.rebuild})
    assert await lab.graph.size() == Size(10, 8)


async def test_the_second_time_changes_nothing_and_what_is_gone_goes(lab: GraphLab) -> None:
    first = await lab.rebuild()
    before = await stored(lab)
    second = await lab.rebuild()
    after = await stored(lab)
    assert second.rebuild == (first.rebuild or 0) + 1
    assert (before[:2], before[2], after[2]) == (after[:2], {first.rebuild}, {second.rebuild})

    connection = await asyncpg.connect(lab.url)
    await catalogue(connection, {1: [11, 12], 9: [12, 31]}, {20: [21]})
    await connection.execute("update artist set name = 'Renamed' where artist_id = 12")
    await connection.close()
    third = await lab.rebuild()
    artists, pairs, _ = await stored(lab)
    assert pairs == {(11, 12), (12, 31), (20, 21)}
    assert artists == {11: "Artist 11", 12: "Renamed", 20: "Artist 20", 21: "Artist 21", 31: "Artist 31"}
    assert (third.artists_gone, third.collaborations_gone) == (6, 6)


async def test_a_rebuild_that_was_killed_is_run_again(lab: GraphLab) -> None:
    """Before the first one has ended there is no graph; after it the graph stays in use."""

    class Killed(Exception):
        pass

    def die(step: str, done: int, total: int) -> None:
        if step == "collaborations" and done >= total // 2:
            raise Killed

    for attempt in range(2):
        connection = await asyncpg.connect(lab.url)
        with pytest.raises(Killed):
            await rebuild(connection, lab.graph, die, batch=1)
        await connection.close()
        found = await lab.graph.induced([11, 12])
        assert found is None if attempt == 0 else found is not None
        await lab.rebuild()
        _, pairs, numbers = await stored(lab)
        assert pairs == pairs_of(FIRST, GROUPS)
        assert len(numbers) == 1


async def test_one_at_a_time_and_a_plan_changes_nothing(lab: GraphLab, neo4j_url: str) -> None:
    holder, other = await asyncpg.connect(lab.url), await asyncpg.connect(lab.url)
    assert await store.try_rebuild(holder)
    with pytest.raises(AlreadyRebuilding):
        await rebuild(other, lab.graph)
    assert await plan(other) == Rebuilt(None, "2026-02-01", 10, 8)
    # The command, while the other one works.
    names = {"GATEFOLD_POSTGRES_URL": lab.url, "GATEFOLD_NEO4J_URL": neo4j_url}
    done = await asyncio.to_thread(gatefold, names, "graph", "rebuild")
    assert (done.code, done.err.strip()) == (1, "another rebuild of the graph is under way")
    done = await asyncio.to_thread(gatefold, names, "graph", "rebuild", "--dry-run", "--json")
    assert (done.code, json.loads(done.out)["collaborations"]) == (0, 8)
    assert (await lab.graph.state()).begun is None
    await catalogue(other, {})
    assert await plan(other) == Rebuilt(None, "2026-02-01", 0, 0)
    await holder.close()
    await rebuild(other, lab.graph)
    await other.close()
    assert await lab.graph.size() == Size(0, 0)


@pytest.mark.parametrize("seed", range(6))
async def test_random_catalogues_measured_through_neo4j(lab: GraphLab, seed: int) -> None:
    """From rows in PostgreSQL to the measure, against a search from everybody over the same rows."""
    dice = random.Random(seed)
    people = [*range(1, 61), *HUBS]
    releases = {number: dice.sample(people, dice.choice((1, 2, 2, 3, 4))) for number in range(1, 30)}
    groups = {group: dice.sample(people, dice.randrange(3)) for group in dice.sample(range(1, 61), 5)}
    connection = await asyncpg.connect(lab.url)
    await catalogue(connection, releases, groups)
    await connection.close()
    await lab.rebuild(batch=7)
    pairs = pairs_of(releases, groups)
    for _ in range(8):
        ids = sorted(dice.sample(range(1, 80), dice.randrange(1, 70)))
        found = await lab.graph.induced(ids)
        assert found is not None
        shape = measure(np.array(ids, dtype=np.int64), found.edges)
        hops, path, cluster, best = expected(ids, pairs)
        assert (shape.hops, list(shape.path)) == (hops, path)
        assert (shape.cluster_artists, list(shape.best)) == (cluster, best)


async def test_reading_does_not_wait_for_a_rebuild(lab: GraphLab) -> None:
    await lab.rebuild()
    reading: Graph = lab.graph
    rebuilding = asyncio.create_task(lab.rebuild(batch=1))
    while not rebuilding.done():
        found = await reading.induced([11, 12, 13])
        assert found is not None
        assert sorted(map(tuple, found.edges.tolist())) == [(11, 12), (11, 13), (12, 13)]
    await rebuilding
