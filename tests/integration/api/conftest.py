"""A user, and the database that the api reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from services.settings import Settings
from tests.integration.served import bearer


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def db(database: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
def user() -> str:
    """A user of the test's own."""
    return f"u-{uuid4().hex[:12]}"


@pytest.fixture
def headers(settings: Settings, user: str) -> dict[str, str]:
    return bearer(settings, user)
