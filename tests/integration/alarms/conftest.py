"""The tests' database of alarms, and the scheduler's rights on it."""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from services import metrics
from tests.integration.scheduler.world import TABLES, join


@pytest_asyncio.fixture(loop_scope="session")
async def db(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    await connection.execute(f"truncate {TABLES} restart identity")
    await join(connection, [("user-1", None)])
    yield connection
    await connection.close()


@pytest_asyncio.fixture(loop_scope="session")
async def scheduling(database: str, db: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """A connection that may do what the scheduler may."""
    connection = await asyncpg.connect(database)
    await connection.execute("set role gatefold_scheduler")
    yield connection
    await connection.close()
    metrics.show_alarms(())
