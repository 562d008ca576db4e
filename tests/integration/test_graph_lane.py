"""Due, measured, awarded: once a day, once at all, and never on what a deletion took away."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from catalog.definition import Threshold
from catalog.index import load_catalog
from contracts.snapshot import Occasion
from evaluators.progress import progress
from services.graph.evaluate import evaluate
from services.stores import graph as store
from services.stores.postgres import Connection
from services.stores.standings import standing, standings
from tests.integration.commands import gatefold
from tests.integration.graph_lab import GraphLab, graph_lab
from tests.model import lab
from tests.model.events import NOON, added, event, minutes, removed
from tests.model.graphs import catalogue, chain
from tests.model.lab import Log
from tests.model.oracle import Event

CATALOG = load_catalog()
GRAPH_BADGES = [key for key, badge in CATALOG.badges.items() if badge.triggers == ("collection.synced",)]
# In a row, and one with everybody: a chain for hops, a star for clusters.
ROW = chain(10)
STAR = {5000 + n: [4000, 4000 + n] for n in range(1, 20)}


@pytest.fixture
async def graph(connection: Connection, database: str, neo4j_url: str) -> AsyncIterator[GraphLab]:
    async with graph_lab(database, neo4j_url) as found:
        await catalogue(connection, ROW | STAR)
        await found.rebuild()
        yield found


def synced(name: str, *, user: str = "ada", time: datetime = NOON) -> Event:
    return event("collection.synced", name, {"sync_id": "s", "items_total": 0}, user=user, time=time)


def owned(name: str, *releases: int, user: str = "ada", time: datetime = NOON) -> Event:
    return added(name, *((release, {"id": release}) for release in releases), user=user, time=time)


async def sent(connection: Connection, log: Log, *events: Event) -> None:
    """Processed by a worker, in this order."""
    for one in events:
        log.append(one)
        await lab.drain(connection, lab.knowledge(), log)


async def graph_awards(connection: Connection, user: str = "ada") -> dict[str, dict[str, Any]]:
    return {
        key: award
        for (one, key, _), award in (await lab.awards_of(connection)).items()
        if one == user and key in GRAPH_BADGES
    }


async def due(connection: Connection) -> dict[str, tuple[str, float]]:
    """By user: the sync that is why, and in how many hours (below 0: by now)."""
    rows = await connection.fetch(
        "select user_id, event_id, extract(epoch from due_at - now())::float8 / 3600 as hours from graph_due"
    )
    return {row["user_id"]: (row["event_id"], round(row["hours"], 2)) for row in rows}


def story(key: str) -> tuple[list[int], int, dict[str, Any]]:
    """Releases that earn it, of which the last one is missing before; the number; what the evidence names."""
    criterion = CATALOG.badges[key].criterion
    assert isinstance(criterion, Threshold)
    target = criterion.at_least
    if criterion.metric == "hops":
        path = [{"artist_id": 1000 + n, "name": f"Artist {1000 + n}"} for n in range(target + 1)]
        return [1000 + n for n in range(target)], target, {"path": path}
    numbers = [target - 1, *[1] * (min(target, 10) - 1)]
    best = [
        {"artist_id": 4000 + n, "name": f"Artist {4000 + n}", "connections": number} for n, number in enumerate(numbers)
    ]
    return [5000 + n for n in range(1, target)], target, {"artists": best}


@pytest.mark.parametrize("key", GRAPH_BADGES)
async def test_near_miss_and_fact(connection: Connection, graph: GraphLab, key: str) -> None:
    releases, value, also = story(key)
    log = Log()
    await sent(connection, log, owned("1", *releases[:-1]), synced("2"))
    assert await graph.round() == {"ada": "measured"}
    held = await graph_awards(connection)
    assert key not in held
    same = [badge.key for badge in CATALOG.families[CATALOG.badges[key].family][: CATALOG.badges[key].tier_index]]
    assert set(same) <= held.keys(), "the tiers below are earned already"

    await connection.execute("update collector_graph set measured_at = measured_at - interval '1 day'")
    await sent(connection, log, owned("3", releases[-1]), synced("4", time=minutes(9)))
    assert await graph.round() == {"ada": "measured"}
    award = (await graph_awards(connection))[key]
    metric = getattr(CATALOG.badges[key].criterion, "metric", "")
    assert award["evidence"] == {"metric": metric, "value": value, "target": value, **also, "as_of": "2026-02-01"}
    assert datetime.fromisoformat(award["awarded_at"]) == minutes(9)
    told = await connection.fetchval(
        "select value from outbox where event_id like $1 || ':%'",
        str(await connection.fetchval("select award_id from user_badges where badge_key = $1", key)),
    )
    message = json.loads(told)
    assert (message["trigger"], message["caused_by"]) == ("collection.synced", {"source": "/tests", "id": "4"})
    assert message["evidence"] == award["evidence"]
    assert await lab.drift_of(connection, ["ada"]) == {}


async def test_main_artists_count_and_credited_ones_and_copies_that_went_do_not(
    connection: Connection, graph: GraphLab
) -> None:
    """1003 and 1004 are main artists of records that the catalogue does not know; hubs and unlinked ones are nobody."""
    artists = [{"id": 1003, "name": "Third"}, {"id": None, "name": "?"}, {"id": 194, "name": "Various"}]
    own = added(
        "1",
        (1, {"id": 1000}),
        (2, {"id": 1002}),
        (3, {"id": 77, "artists": artists}),
        (4, {"id": 78, "artists": [{"id": 1004, "name": "Fourth"}]}),
        (5, {"id": 1005}),
    )
    await sent(connection, Log(), own, removed("2", 5), synced("3"))
    assert await graph.round() == {"ada": "measured"}
    assert await store.artists(connection, "ada") == [1000, 1001, 1002, 1003, 1004]
    found = await store.measured(connection, "ada")
    assert found is not None
    assert (found.hops, found.cluster_artists) == (4, 5), "1001 and 1002 worked together on a record that is not owned"


async def test_names_come_from_the_catalogue_or_else_from_the_records(connection: Connection, graph: GraphLab) -> None:
    await connection.execute("delete from artist where artist_id in (1000, 1002)")
    await sent(
        connection, Log(), added("1", (1, {"id": 1000, "artists": [{"id": 1000, "name": "As printed"}]})), synced("2")
    )
    await graph.round()
    found = await store.measured(connection, "ada")
    assert found is not None
    assert [one["name"] for one in found.evidence["hops"]["path"]] == ["As printed", "Artist 1001"]


async def test_a_second_sync_of_a_day_waits_for_the_next(connection: Connection, graph: GraphLab) -> None:
    log = Log()
    await sent(connection, log, owned("1", 1000), synced("2"), synced("3", time=minutes(1)), synced("4", time=NOON))
    assert await due(connection) == {"ada": ("3", 0.0)}, "of several syncs the newest is the cause, and nothing moves"
    assert await graph.round() == {"ada": "measured"}
    assert await due(connection) == {}

    await sent(connection, log, owned("5", 1001, 1002), synced("6", time=minutes(2)))
    assert await due(connection) == {"ada": ("6", 24.0)}
    assert await graph.round() == {}
    await sent(connection, log, synced("7", time=minutes(3)))
    assert await due(connection) == {"ada": ("7", 24.0)}, "neither earlier nor later"
    assert await graph_awards(connection) == {}

    # A day later.
    await connection.execute("update graph_due set due_at = due_at - interval '1 day'")
    assert await graph.round() == {"ada": "measured"}
    assert {key: award["awarded_at"] for key, award in (await graph_awards(connection)).items()} == {
        "six-degrees-bronze": "2026-03-01T12:03:00Z"
    }


async def test_a_sync_that_comes_while_its_user_is_measured_is_due_a_day_later(
    connection: Connection, graph: GraphLab
) -> None:
    log = Log()
    await sent(connection, log, owned("1", 1000, 1001, 1002), synced("2"))
    (claimed,) = await graph.claim(connection)
    await sent(connection, log, synced("3", time=minutes(5)))
    assert (await graph.evaluate(claimed)).fate == "measured"
    assert await due(connection) == {"ada": ("3", 24.0)}
    awards = await graph_awards(connection)
    assert awards["six-degrees-bronze"]["awarded_at"] == "2026-03-01T12:00:00Z"


async def test_a_sync_counts_what_was_published_before_it(connection: Connection, graph: GraphLab) -> None:
    """Pages come by another topic, and later: the sync waits for the offsets at which ownership ended."""
    log = Log()
    await sent(connection, log, synced("1", time=minutes(1)))
    assert await due(connection) == {"ada": ("1", 0.0)}
    assert await lab.state_of(connection) == {}, "a sync makes nobody known"
    (new,) = await store.unbounded(connection, 10)
    await store.bound(connection, [new], {0: (2, 0)})
    assert await store.claim(connection, 10, []) == []
    await sent(connection, log, owned("2", 1000, 1001))
    assert await store.claim(connection, 10, []) == []
    await sent(connection, log, owned("3", 1002))
    (ripe,) = await store.claim(connection, 10, [])
    assert (await graph.evaluate(ripe)).fate == "measured"
    assert (await graph_awards(connection)).keys() == {"six-degrees-bronze"}


async def test_two_lanes_never_work_on_one_user(connection: Connection, graph: GraphLab) -> None:
    await sent(connection, Log(), owned("1", 1000), synced("2"), owned("3", 1000, user="ben"), synced("4", user="ben"))
    other = await asyncpg.connect(graph.url)
    assert [one.user_id for one in await graph.claim(connection)] == ["ada", "ben"]
    assert await store.claim(other, 10, []) == []
    await store.release(connection, "ben")
    assert [one.user_id for one in await store.claim(other, 10, [])] == ["ben"]
    await other.close()
    third = await asyncpg.connect(graph.url)
    assert [one.user_id for one in await store.claim(third, 10, [])] == ["ben"], "a claim ends with its connection"
    await third.close()


async def test_measured_twice_is_awarded_once(connection: Connection, graph: GraphLab) -> None:
    """A lane whose claim was lost goes on: whoever comes second finds nothing due."""
    await sent(connection, Log(), owned("1", 1000, 1001, 1002), synced("2"))
    (claimed,) = await graph.claim(connection)
    fates = await asyncio.gather(graph.evaluate(claimed), graph.evaluate(claimed))
    assert sorted(one.fate for one in fates) == ["gone", "measured"]
    assert sum(len(one.awards) for one in fates) == 1
    assert await connection.fetchval("select count(*) from outbox where topic = 'badge.awarded'") == len(
        await lab.awards_of(connection)
    )


async def test_a_deletion_before_the_run_takes_the_sync_along(connection: Connection, graph: GraphLab) -> None:
    log = Log()
    await sent(connection, log, owned("1", *ROW), synced("2"), event("user.deleted", "3", {}, time=minutes(5)))
    assert await due(connection) == {}
    await sent(connection, log, synced("4", time=minutes(4)))
    assert await due(connection) == {}, "a sync older than the deletion has no effect"
    await sent(connection, log, synced("5", time=minutes(6)))
    assert await graph.round() == {"ada": "unknown"}
    assert await due(connection) == {}
    assert await connection.fetchval("select count(*) from collector_graph") == 0
    assert await graph_awards(connection) == {}


@pytest.mark.parametrize("newer", [False, True])
async def test_a_deletion_between_reading_and_writing(connection: Connection, graph: GraphLab, newer: bool) -> None:
    """What was measured is of records that are gone by then: nothing is kept of it."""
    log = Log()
    later = [owned("n", 1000, 1001, time=minutes(8)), synced("s", time=minutes(9))] if newer else []
    await sent(connection, log, owned("1", *ROW), *(later or [synced("2")]))
    (claimed,) = await graph.claim(connection)

    class Slow:
        """Neo4j, which answers after the deletion."""

        async def induced(self, ids: list[int]) -> Any:
            found = await graph.graph.induced(ids)
            await sent(connection, log, event("user.deleted", "9", {}, time=minutes(5)))
            return found

    done = await evaluate(graph.postgres, Slow(), graph.pool, CATALOG, claimed)  # type: ignore[arg-type]
    assert done.fate == "changed"
    await store.release(connection, "ada")
    assert await graph_awards(connection) == {}
    assert await connection.fetchval("select count(*) from collector_graph") == 0
    assert await graph.round() == ({"ada": "measured"} if newer else {})
    found = await store.measured(connection, "ada")
    assert (found.hops if found else None) == (2 if newer else None)


async def test_a_deletion_older_than_what_was_measured_has_it_measured_again(
    connection: Connection, graph: GraphLab
) -> None:
    """In whatever order the topics are read, the final state is the same."""
    log = Log()
    await sent(connection, log, owned("1", *ROW), owned("2", 1000, 1001, time=minutes(8)), synced("3", time=minutes(9)))
    assert await graph.round() == {"ada": "measured"}
    before = await graph_awards(connection)
    assert len(before) > 4
    await sent(connection, log, event("user.deleted", "4", {}, time=minutes(5)))
    assert await store.measured(connection, "ada") is None
    assert await due(connection) == {"ada": ("3", 0.0)}
    assert await graph.round() == {"ada": "measured"}
    found = await store.measured(connection, "ada")
    assert found is not None
    assert found.hops == 2
    assert await graph_awards(connection) == before, "awards earned by newer events stand"


async def test_without_a_graph_users_wait_for_one(connection: Connection, database: str, neo4j_url: str) -> None:
    async with graph_lab(database, neo4j_url) as empty:
        await catalogue(connection, ROW)
        await sent(connection, Log(), owned("1", *ROW), synced("2"))
        assert await empty.round() == {"ada": "no_graph"}
        assert await empty.round() == {}
        assert await store.load_gauges(connection) == store.Gauges(0, 0.0), "nobody waits for what nobody can do"
        assert await store.measured(connection, "ada") is None, "never measured is unknown, not 0"
        await empty.rebuild()
        assert await empty.round() == {"ada": "measured"}
        assert "six-degrees-platinum" in await graph_awards(connection)


async def test_a_sweep_evaluates_what_was_measured(connection: Connection, graph: GraphLab) -> None:
    log = Log()
    await sent(connection, log, owned("1", 1000, 1001, 1002), synced("2"))
    await graph.round()
    await connection.execute("delete from user_badges")
    await sent(connection, log, event("cron.sweep", "3", {}, time=minutes(30)))
    award = (await graph_awards(connection))["six-degrees-bronze"]
    assert (award["awarded_at"], award["evidence"]["value"]) == ("2026-03-01T12:30:00Z", 3)
    await sent(connection, log, owned("4", 1000, user="ben"), event("cron.sweep", "5", {}, user="ben"))
    assert await graph_awards(connection, "ben") == {}


async def test_progress_and_explain_tell_what_was_measured(connection: Connection, graph: GraphLab) -> None:
    await sent(connection, Log(), owned("1", 1000, 1001, 1002), synced("2"), owned("3", 1000, user="ben"))
    await graph.round()
    today = Occasion("", NOON, NOON.date())

    async def next_tiers(user: str) -> dict[str, Any]:
        (row,) = await standings(connection, [user], [], 25, 5, ([], [], [], []))
        stands = standing(row)
        assert stands is not None
        found = progress(CATALOG, stands.collector, today, stands.awarded)
        return {one.id: one for one in found if one.id in GRAPH_BADGES}

    ours = await next_tiers("ada")
    assert ours["six-degrees-silver"].current == 3
    assert ours["six-degrees-silver"].evidence["as_of"] == "2026-02-01"
    assert ours["scene-builder-bronze"].reason == "4 of 5 connected artists"
    assert len(ours["scene-builder-bronze"].evidence["artists"]) == 4
    theirs = await next_tiers("ben")
    assert [one.current for one in theirs.values()] == [None, None], "never measured is unknown"
    done = await asyncio.to_thread(
        gatefold, {"GATEFOLD_POSTGRES_URL": graph.url}, "explain", "ada", "six-degrees", "--json"
    )
    assert [(one["met_today"], one["reason"]) for one in json.loads(done.out)][:2] == [
        (True, "3 of 3 hops"),
        (False, "3 of 5 hops"),
    ]


async def test_more_artists_than_are_measured_exactly(connection: Connection, graph: GraphLab) -> None:
    """The length of a ring of so many cannot be shown cheaply: what was found is true, and said to be a least."""
    artists = 6_000
    ring = {100_000 + n: [100_000 + n, 100_000 + (n + 1) % artists] for n in range(artists)}
    await catalogue(connection, ring)
    await graph.rebuild(batch=2000)
    for first in range(100_000, 100_000 + artists, 500):
        await sent(connection, Log(), owned(f"p{first}", *range(first, first + 500)))
        await connection.execute("delete from offset_ledger")
    await sent(connection, Log(), synced("2"))
    assert await graph.round() == {"ada": "measured"}
    found = await store.measured(connection, "ada")
    assert found is not None
    assert (found.hops, found.cluster_artists) == (3000, 6000)
    assert found.evidence["hops"]["exact"] is False
    assert len(found.evidence["hops"]["path"]) == 3001
    awards = await graph_awards(connection)
    assert awards.keys() == set(GRAPH_BADGES)
    assert awards["six-degrees-platinum"]["evidence"]["value"] == 3000


async def test_measured_at_is_of_the_clock_and_as_of_of_the_catalogue(connection: Connection, graph: GraphLab) -> None:
    await sent(connection, Log(), owned("1", 1000), synced("2"))
    await graph.round()
    row = await connection.fetchrow("select * from collector_graph")
    assert row is not None
    assert abs(row["measured_at"] - datetime.now(UTC)) < timedelta(minutes=1)
    assert (row["as_of"].isoformat(), row["event_id"], row["event_time"]) == ("2026-02-01", "2", NOON)
