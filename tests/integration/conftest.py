"""What tests of transactions, of the api and of what is published share."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from services.kafka import Publisher
from services.settings import Settings
from services.stores.postgres import Connection
from services.topics import TopicAdmin, plan
from tests.integration.served import api_settings, bearer, served
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
    """The api on the module's database."""
    return api_settings(database)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Who asks the api without a token."""
    async with served(settings) as found:
        yield found


@pytest.fixture
def user() -> str:
    """A user of the test's own."""
    return f"u-{uuid4().hex[:12]}"


@pytest.fixture
def headers(settings: Settings, user: str) -> dict[str, str]:
    """The user's token."""
    return bearer(settings, user)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def publisher(settings: Settings) -> AsyncIterator[Publisher]:
    """Who publishes to the topics of the settings, which are there."""
    admin = TopicAdmin(settings)
    await admin.open()
    await admin.create(plan(settings, {}))
    await admin.close()
    found = Publisher(settings.bootstrap)
    yield found
    await found.close()
