"""What tests of trials share: a busy past, and proof that nothing was written."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from contracts.envelope import rfc3339
from services.stores.postgres import Connection
from tests.model import lab
from tests.model.lab import Log
from tests.model.oracle import Event

TABLES = "select tablename from pg_tables where schemaname = 'public' order by tablename"


async def everything(connection: Connection) -> dict[str, list[str]]:
    """Every row of every table with the transaction that wrote it, and where every sequence stands."""
    found = {}
    for (table,) in await connection.fetch(TABLES):
        rows = await connection.fetch(f"select ctid::text || xmin::text || t::text from {table} t order by 1")  # noqa: S608
        found[table] = [row[0] for row in rows]
    sequences = await connection.fetch(
        "select sequencename || ':' || coalesce(last_value, 0) from pg_sequences order by 1"
    )
    return found | {"sequences": [row[0] for row in sequences]}


@asynccontextmanager
async def unwritten(connection: Connection) -> AsyncIterator[None]:
    """Whatever is done inside writes nothing."""
    before = await everything(connection)
    assert len(before) > 20
    yield
    assert await everything(connection) == before


def line(event: Event) -> bytes:
    """An event as a line of a file."""
    return json.dumps({**event, "specversion": "1.0", "time": rfc3339(event["time"])}).encode()


def lines(events: Iterable[Event]) -> list[tuple[int, bytes]]:
    """Events as the numbered lines of a file."""
    return [(at, line(event)) for at, event in enumerate(events, 1)]


async def processed(connection: Connection, events: Iterable[Event]) -> None:
    """Process events one after another, and tell at once of what the catalogue learned from each."""
    await connection.execute("delete from offset_ledger")  # another log begins
    log, known = Log(), lab.knowledge()
    for event in events:
        log.append(event)
        await lab.drain(connection, known, log)
        while await lab.relay_sweeps(connection, log):
            await lab.drain(connection, known, log)


async def awards_of(connection: Connection) -> dict[tuple[str, str, str], Any]:
    """By user, badge and context: when it was awarded, and the evidence."""
    found = await lab.awards_of(connection)
    return {name: (one["awarded_at"], one["evidence"]) for name, one in found.items()}
