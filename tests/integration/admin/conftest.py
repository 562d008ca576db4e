"""An admin, somebody who is none, and a world to look at."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio

from services.settings import Settings
from tests.integration.served import bearer, served

CLEAR = """
    truncate collector, award, outbox, award_log, badge_holders, dead_letter, erased restart identity;
    insert into collector (user_id) values ('ann'), ('bob');
"""
AWARD = """
    insert into user_badges (user_id, badge_key, context, award_id, awarded_at, source, trigger, caused_by, batch_id,
                             evidence)
    values ($1, $2, $3, $4, $5, 'auto', $6, '{"source": "/s", "id": "1"}', $4, '{"value": 5}')
"""
Insert = Callable[..., Any]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def web(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Who asks without a token."""
    async with served(settings) as client:
        yield client


@pytest.fixture
def chief(settings: Settings) -> dict[str, str]:
    """Headers of an admin."""
    return bearer(settings, "chief", "admin")


@pytest.fixture
def ann(settings: Settings) -> dict[str, str]:
    """Headers of a user."""
    return bearer(settings, "ann")


@pytest_asyncio.fixture(loop_scope="session")
async def db(database: str) -> AsyncIterator[asyncpg.Connection]:
    """An empty database but for ann and bob."""
    connection = await asyncpg.connect(database)
    await connection.execute(CLEAR)
    yield connection
    await connection.close()


async def put(
    db: asyncpg.Connection, user: str, key: str, at: datetime, *, context: str = "", trigger: str = "ownership.added"
) -> None:
    """An award as the worker stores it."""
    await db.execute(AWARD, user, key, context, uuid4(), at, trigger)
