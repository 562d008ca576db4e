"""An event that is valid but cannot be applied becomes a dead letter, it alone, and the worker goes on."""

import json
from collections.abc import Iterable

import asyncpg
import pytest

from services.stores import ledger
from services.stores.postgres import Connection
from services.worker.ownership import OwnershipBundle
from services.worker.runner import Runner
from services.worker.work import Accepted, EventFailed
from tests.model import lab
from tests.model.events import added, event, removed
from tests.model.lab import Entry, Log


async def run(
    connection: Connection, url: str, place: tuple[str, int], entries: Iterable[Entry], *, leaving: bool = False
) -> bool:
    """Hand one bundle to a worker's runner; `leaving`: one that gives up where it would have to wait."""
    known = lab.knowledge()
    await ledger.open_partition(connection, *place, 0, known.owner)
    runner = Runner(url, known, lanes=1, bundle_bytes=1_000_000, leaving=lambda: leaving)
    try:
        return await runner.run(*place, [entry.record for entry in entries])
    finally:
        for session in runner._idle:
            session.drop()


async def letters(connection: Connection) -> list[tuple[int, str, str]]:
    """Offset, stage and reason of every dead letter."""
    rows = await connection.fetch('select "offset", stage, reason from dead_letter order by 1')
    return [tuple(row) for row in rows]


async def test_a_fault_of_ours(connection: Connection, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    log, tried = Log(), []
    for number in range(9):
        log.append(added("bomb" if number == 4 else f"e{number}", (number + 1, {"id": number + 1})))
    apply = OwnershipBundle.play

    def explode(self: OwnershipBundle, one: Accepted) -> None:
        tried.append(one.event.id)
        if one.event.id == "bomb":
            raise ZeroDivisionError("boom")
        apply(self, one)

    monkeypatch.setattr(OwnershipBundle, "play", explode)
    assert await run(connection, database, ("ownership.added", 0), log.partitions["ownership.added", 0])
    assert await letters(connection) == [(4, "evaluator", "could not be applied: ZeroDivisionError")]
    assert tried.count("bomb") == 2, "it is tried once more before it is set apart"
    assert (await lab.state_of(connection))["ada"]["releases"] == 8
    assert await connection.fetchval("select count(*) from inbox") == 8, "it used up no identity"
    row = await connection.fetchrow("select processed, duplicate, dead from offset_ledger")
    assert tuple(row or ()) == (8, 0, 1)
    said = json.loads(await connection.fetchval("select value from outbox where topic = 'event.rejected'"))
    assert (said["stage"], said["offset"]) == ("evaluator", 4)


async def test_no_memory_is_no_fault_of_an_event(
    connection: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    log.append(added("e", (1, {"id": 1})))

    def exhausted(self: OwnershipBundle, one: Accepted) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(OwnershipBundle, "play", exhausted)
        with pytest.raises(EventFailed):
            await run(connection, database, ("ownership.added", 0), log.partitions["ownership.added", 0])
    assert await letters(connection) == []
    assert await run(connection, database, ("ownership.added", 0), log.partitions["ownership.added", 0])
    assert (await lab.state_of(connection))["ada"]["releases"] == 1


async def test_a_state_that_contradicts_itself(connection: Connection, database: str) -> None:
    """Counters that do not hold what they should: that event is set apart; a sweep repairs, it can come again."""
    log = Log()
    for user in ("ada", "ben"):
        log.append(added(f"a-{user}", (1, {"id": 1, "genres": ["Rock"], "styles": ["Dub"]}), user=user))
    await lab.drain(connection, lab.knowledge(), log)
    await connection.execute("update collector set facets = '' where user_id = 'ada'")
    for user in ("ada", "ben"):
        log.append(removed(f"r-{user}", 1, user=user))
    place = ("ownership.removed", 0)
    assert await run(connection, database, place, log.partitions[place])
    assert await letters(connection) == [(0, "evaluator", "could not be applied: ValueError")]
    states = await lab.state_of(connection)
    assert (states["ada"]["releases"], states["ben"]["releases"]) == (1, 0)

    log = Log()
    log.append(event("cron.sweep", "s", {}))
    await lab.drain(connection, lab.knowledge(), log)
    assert await lab.drift_of(connection, ["ada", "ben"]) == {}
    again = Log()
    again.append(removed("r-ada", 1))
    known = lab.knowledge()
    await ledger.open_partition(connection, "ownership.removed", 1, 0, known.owner)
    await lab.apply(connection, known, ("ownership.removed", 1), again.partitions[place])
    assert (await lab.state_of(connection))["ada"]["genres"] == 0


async def test_sets_that_cannot_be_read(connection: Connection, database: str) -> None:
    """Sweeps read their users' sets together; the sweep of whose cannot be read is set apart, it alone."""
    log = Log()
    users = ("ada", "ben", "cyd")
    for user in users:
        log.append(added(f"a-{user}", (1, {"id": 1, "genres": ["Rock"]}), user=user))
    await lab.drain(connection, lab.knowledge(), log)
    broken = '{"genres": ["no time", "1", "s"]}'
    await connection.execute("update owned_release set stamps = $1 where user_id = 'ben'", broken)
    await connection.execute("update collector set releases = 7")
    for user in users:
        log.append(event("cron.sweep", f"s-{user}", {}, user=user))
    place = ("cron.sweep", 0)
    assert await run(connection, database, place, log.partitions[place])
    assert await letters(connection) == [(1, "evaluator", "could not be applied: ValueError")]
    states = await lab.state_of(connection)
    assert [states[user]["releases"] for user in users] == [1, 7, 1]


async def test_what_the_database_refuses(connection: Connection, database: str) -> None:
    """A constraint names no record: the bundle is halved until the one to blame is alone."""
    log = Log()
    for number in range(11):
        log.append(event("review.approved", f"e{number}", {"review_id": "bomb" if number == 6 else f"r{number}"}))
    await connection.execute("alter table activity add constraint no_bomb check (object_id <> 'bomb')")
    try:
        assert await run(connection, database, ("review.approved", 0), log.partitions["review.approved", 0])
    finally:
        await connection.execute("alter table activity drop constraint no_bomb")
    assert await letters(connection) == [(6, "evaluator", "could not be stored: CheckViolationError")]
    assert (await lab.state_of(connection))["ada"]["reviews"] == 10


async def test_what_passes_by_itself_is_no_dead_letter(
    connection: Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deadlock, a lost connection: the bundle is given up when the worker leaves, and nothing of it is done."""
    log = Log()
    log.append(added("e", (1, {"id": 1})))
    place = ("ownership.added", 0)

    async def refuse(*_: object, **__: object) -> None:
        raise asyncpg.DeadlockDetectedError("deadlock detected")

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "advance", refuse)
        assert not await run(connection, database, place, log.partitions[place], leaving=True)
    assert await letters(connection) == []
    assert await lab.state_of(connection) == {}
    assert await run(connection, database, place, log.partitions[place])
    assert (await lab.state_of(connection))["ada"]["releases"] == 1
