"""The module's database without shelves and awards, and the pages on it with the rights of the api's role."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import httpx
import pytest
import pytest_asyncio

from services.api.tokens import mint
from services.settings import Settings
from services.stores.postgres import Connection
from tests.integration.served import api_settings

See = Callable[..., Awaitable[str]]


@pytest_asyncio.fixture(loop_scope="session")
async def db(database: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database)
    await connection.execute("truncate owned, owned_release, facts, award, collector, facet_count, badge_holders")
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
def settings(database: str) -> Settings:
    """The rights of the api's role: pages that are looked at need no others."""
    return api_settings(database).model_copy(update={"postgres_admin_url": None})


@pytest.fixture
def see(client: httpx.AsyncClient, settings: Settings) -> See:
    """The document that a signed-in user sees."""

    async def seen(path: str, *, status: int = 200, who: str = "ada", language: str = "en", **headers: str) -> str:
        cookie = {"Cookie": f"__Host-gatefold={mint(settings, who)}"}
        answer = await client.get(path, headers={**cookie, "Accept-Language": language, **headers})
        assert answer.status_code == status, answer.text
        return answer.text

    return seen
