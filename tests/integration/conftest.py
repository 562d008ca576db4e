"""What tests of the worker's transactions share."""

from collections.abc import AsyncIterator

import pytest

from services.stores.postgres import Connection
from tests.model import lab


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    """A worker's connection to the module's database, emptied."""
    found = await lab.worker_connection(database)
    await lab.clear(found)
    yield found
    await found.close()
