"""The module's database, empty before each test."""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from tests.integration.scheduler.world import TABLES


@pytest_asyncio.fixture(loop_scope="session")
async def db(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    await connection.execute(f"truncate {TABLES} restart identity")
    yield connection
    await connection.close()
