"""Deletions and the news of the catalogue: what they leave, and that neither depends on who is read first."""

from collections.abc import AsyncIterator

import pytest

from services.stores.postgres import Connection
from tests.model import lab
from tests.model.events import added, event, minutes, removed
from tests.model.lab import Log, relay_sweeps
from tests.model.oracle import Oracle


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    """An empty database."""
    found = await lab.worker_connection(database)
    await lab.clear(found)
    yield found
    await found.close()


async def test_deletions_in_one_bundle(connection: Connection) -> None:
    """A later one, an earlier one, one of the same time, around events of three times."""
    log = Log()
    log.append(event("review.approved", "r", {"review_id": "old"}, time=minutes(5)))
    log.append(event("compare.used", "c", {"compare_id": "new"}, time=minutes(30)), 0)
    for name, time in (("d1", 20), ("d2", 10), ("d3", 20), ("d4", 25)):
        for user in ("ada", "nobody"):
            log.append(event("user.deleted", f"{name}{user}", {}, user=user, time=minutes(time)))
    model = Oracle()
    for place in log.waiting():
        for entry in log.partitions[place]:
            model.take(*place, entry.record.offset, entry.event)
    await lab.drain(connection, lab.knowledge(), log)
    assert await lab.state_of(connection) == model.state()
    assert model.state()["ada"]["compares"] == 1
    assert await connection.fetchval("select array_agg(distinct erased_at) from erased") == [minutes(25)]


async def test_a_deletion_takes_the_dead_letters_before_it_in_its_bundle(connection: Connection) -> None:
    for size in (1, 500):
        await lab.clear(connection)
        log = Log()
        log.poison("user.deleted", 0, b"ada", b"{")
        log.append(event("user.deleted", "d1", {}))
        log.poison("user.deleted", 0, b"ada", b"{")
        log.poison("user.deleted", 0, b"ben", b"{")
        done = await lab.drain(connection, lab.knowledge(), log, size)
        assert sum(one.dead for one in done) == 3
        kept = await connection.fetch('select "offset" from dead_letter order by 1')
        told = await connection.fetch("select subject from outbox order by 1")
        assert [row[0] for row in kept] == [2, 3]
        assert [row[0] for row in told] == ["user.deleted:0:2", "user.deleted:0:3"]


async def test_news_of_the_catalogue_reaches_who_came_back(connection: Connection) -> None:
    """`release.described` is older than a deletion, and so is its sweep: what is counted must not depend on that."""
    states = []
    for late in (False, True):
        await lab.clear(connection)
        log, known = Log(), lab.knowledge()
        told = event("release.described", "d", {"id": 5, "styles": [f"S{n}" for n in range(10)]}, user="5")
        steps = [event("user.deleted", "x", {}, time=minutes(10)), added("a", (1, {"id": 5}), time=minutes(20))]
        for one in (*steps, told) if late else (told, *steps):
            log.append(one)
            await lab.drain(connection, known, log)
        assert await relay_sweeps(connection, log) == late
        await lab.drain(connection, known, log)
        awards = await lab.awards_of(connection)
        assert awards["ada", "style-explorer-bronze", ""]["awarded_at"] == "2026-03-01T12:20:00Z"
        states.append(await lab.state_of(connection))
    assert states[0] == states[1]


async def test_a_removal_counts_nothing_new(connection: Connection) -> None:
    """One of two copies goes while a sweep is under way: what is counted of the other waits for the sweep."""
    log, known = Log(), lab.knowledge()
    log.append(added("a", (1, {"id": 5}), (2, {"id": 5})))
    await lab.drain(connection, known, log)
    log.append(event("release.described", "d", {"id": 5, "genres": list("abcde")}, user="5", time=minutes(1)))
    await lab.drain(connection, known, log)
    log.append(removed("r", 1, time=minutes(2)))
    await lab.drain(connection, known, log)
    assert (await lab.state_of(connection))["ada"]["genres"] == 0
    log.append(added("b", (3, {"id": 6, "genres": ["a"]}), time=minutes(3)))
    await lab.drain(connection, known, log)
    assert ("ada", "genre-tourist-bronze", "") not in await lab.awards_of(connection)
    assert await relay_sweeps(connection, log)
    await lab.drain(connection, known, log)
    award = (await lab.awards_of(connection))["ada", "genre-tourist-bronze", ""]
    assert (award["awarded_at"], award["evidence"]["value"]) == ("2026-03-01T12:01:00Z", 5)


async def test_a_sweep_is_an_event_like_any_other_however_long_its_cause_is_named(connection: Connection) -> None:
    log, known = Log(), lab.knowledge()
    log.append(added("a", (1, {"id": 5})))
    told = event("release.described", "d" * 4000, {"id": 5, "genres": list("abcde")}, user="5", time=minutes(1))
    await lab.drain(connection, known, log)
    log.append({**told, "source": "/" * 4000})
    await lab.drain(connection, known, log)
    assert await relay_sweeps(connection, log)
    await lab.drain(connection, known, log)
    assert (await lab.state_of(connection))["ada"]["genres"] == 5
