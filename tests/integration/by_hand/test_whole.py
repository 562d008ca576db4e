"""All of an act or nothing, also where many act at once."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.manual import acts
from services.stores.postgres import Connection
from tests.integration.by_hand.world import CATALOG, REVIEW, act, everything, log_rows, messages
from tests.model import lab
from tests.model.events import event, minutes
from tests.model.lab import Log

FAILING = {
    "raise": "raise exception 'no';",
    "kill": "perform pg_terminate_backend(pg_backend_pid());",
}


@pytest.fixture
async def broken_log(connection: Connection, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """A log that cannot be written."""
    await connection.execute(
        "create function fails() returns trigger language plpgsql as"
        f" $$ begin {FAILING[request.param]} return new; end $$;"
        "create trigger fails before insert on award_log for each row execute function fails()"
    )
    yield
    await connection.execute("drop trigger fails on award_log; drop function fails")


@pytest.mark.parametrize("broken_log", ["raise", "kill"], indirect=True)
async def test_nothing_half_done(connection: Connection, ada: Log, broken_log: None, database: str) -> None:
    """Award and message are written before the log; where that fails, or the connection dies, none of them is."""
    before = await everything(connection)
    for work in (
        lambda one: acts.grant(one, CATALOG, act()),
        lambda one: acts.revoke(one, CATALOG, act(REVIEW)),
        lambda one: acts.edit(one, CATALOG, act(REVIEW), {"hidden": True}),
    ):
        other = await lab.worker_connection(database)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await work(other)
        await other.close(timeout=2)
    assert await everything(connection) == before


async def test_many_at_once(connection: Connection, ada: Log, database: str) -> None:
    """Ten grants while the worker earns the same badge: one award, one message, of whoever came first."""
    others = [await lab.worker_connection(database) for _ in range(10)]
    for number in range(2, 6):
        ada.append(event("review.approved", f"r{number}", {"review_id": f"{number}"}, time=minutes(number)))
    name = ("ada", "reviewer-ii", "")
    done = await asyncio.gather(
        *(acts.grant(one, CATALOG, act(name)) for one in others), lab.drain(connection, lab.knowledge(), ada)
    )
    for one in others:
        await one.close()
    given = [one.outcome for one in done[:-1] if isinstance(one, acts.Done)].count("granted")
    source = (await lab.awards_of(connection))[name]["source"]
    assert given == (source == "manual")
    assert [topic for topic, _, _ in await messages(connection)] == ["badge.awarded"]
    assert len(await log_rows(connection)) == given
