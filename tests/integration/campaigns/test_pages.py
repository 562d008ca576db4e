"""What the relay sends, a page at a time."""

import asyncio

import pytest

from services.relay.campaigns import MOST_AHEAD, Campaigner
from services.settings import Settings
from services.stores import campaigns, outbox
from services.stores.postgres import Connection
from tests.integration.campaigns.world import start
from tests.model import lab


async def test_the_relay_keeps_the_rate_and_waits_for_workers(connection: Connection) -> None:
    await connection.execute(
        "insert into collector (user_id) select 'u' || lpad(n::text, 6, '0') from generate_series(1, 5000) n"
    )
    begun = await start(connection, "all", rate=50)
    campaigner = Campaigner(Settings())
    assert await campaigner.step(connection) == pytest.approx(0.2, abs=0.01)
    count = "select count(*) from outbox"
    assert await connection.fetchval(count) == 25
    await campaigner.step(connection)
    assert await connection.fetchval(count) == 25, "not due yet"
    await connection.execute(
        "insert into outbox (topic, subject, event_id, time, value) select 'x', 'u', n::text, now(), ''"
        " from generate_series(1, $1::integer) n", outbox.MOST_WAITING,
    )  # fmt: skip
    await Campaigner(Settings()).step(connection)
    assert await connection.fetchval("select sent from campaign_cursor") == 25, "others wait for Kafka"
    await connection.execute("delete from outbox")
    await connection.execute("update campaign_cursor set sent = $1", MOST_AHEAD)
    await Campaigner(Settings()).step(connection)
    assert await connection.fetchval(count) == 0, "workers are behind"
    await connection.execute("insert into campaign_progress values ($1, 0, 2000, 0)", begun.campaign_id)
    await Campaigner(Settings()).step(connection)
    assert await connection.fetchval(count) == 25


async def test_a_page_and_the_cursor_move_together(connection: Connection, database: str) -> None:
    await connection.execute("insert into collector (user_id) select 'u' || n from generate_series(1, 9) n")
    begun = await start(connection, "all")
    other = await lab.worker_connection(database)
    transaction = other.transaction()
    await transaction.start()
    assert await campaigns.send(other, begun.campaign_id, 4) == 4
    assert await campaigns.send(connection, begun.campaign_id, 4) == 0, "the cursor is in other hands"
    other.terminate()
    sent = 0
    async with asyncio.timeout(10):
        while not sent:
            sent = await campaigns.send(connection, begun.campaign_id, 4)
    while page := await campaigns.send(connection, begun.campaign_id, 4):
        sent += page
    assert sent == 9
    users = [row["subject"] for row in await connection.fetch("select subject from outbox order by id")]
    assert users == [f"u{n}" for n in range(1, 10)]
