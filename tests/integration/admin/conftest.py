"""An admin, somebody who is none, and a world to look at."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from services.settings import Settings
from tests.integration.served import bearer

CLEAR = """
    truncate collector, award, outbox, award_log, badge_holders, dead_letter, erased restart identity;
    insert into collector (user_id) values ('ann'), ('bob');
"""


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
