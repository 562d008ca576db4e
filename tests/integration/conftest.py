"""What tests of transactions and of the api share."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from services.settings import Settings
from services.stores.postgres import Connection
from tests.integration.served import served
from tests.model import lab


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    """A worker's connection to the module's database, emptied."""
    found = await lab.worker_connection(database)
    await lab.clear(found)
    yield found
    await found.close()


@pytest.fixture(scope="module")
def settings(database: str) -> Settings:
    """The api on the module's database, with the rights of its roles and no others, as fast as anybody asks."""
    return Settings(
        postgres_url=f"{database}?role=gatefold_api",
        postgres_admin_url=f"{database}?role=gatefold_admin",
        jwt_secret="a-secret-of-the-tests-and-of-nobody-else",
        api_rate_user="",
        api_rate_address="",
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Who asks the api without a token."""
    async with served(settings) as found:
        yield found
