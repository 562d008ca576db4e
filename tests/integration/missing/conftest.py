"""The endpoint on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio

from services.api.app import create_app
from services.api.models import MissingList, ProblemBody
from services.api.tokens import mint
from services.settings import Settings
from tests.integration.missing.shelves import Ask, Db

SECRET = "a-secret-of-the-tests-and-of-nobody-else"


@pytest.fixture(scope="module")
def settings(database: str) -> Settings:
    return Settings(
        postgres_url=f"{database}?role=gatefold_api", jwt_secret=SECRET, api_rate_user="", api_rate_address=""
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The api, with the rights of its role and no others."""
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gatefold") as made,
    ):
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def db(database: str) -> AsyncIterator[Db]:
    connection = await asyncpg.connect(database)
    await connection.execute(
        "truncate collector, facet_value, facet_count, facts, release, owned_release, award, label, artist,"
        " master, release_label, release_artist, catalogue_total"
    )
    yield connection
    await connection.close()


@pytest.fixture
def user() -> str:
    return f"u-{uuid4().hex[:12]}"


@pytest.fixture
def ask(client: httpx.AsyncClient, settings: Settings, user: str) -> Ask:
    async def asked(badge: str, *, status: int = 200, who: str = user, **query: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {mint(settings, who)}"}
        answer = await client.get(f"/api/user/achievements/{badge}/missing", headers=headers, params=query)
        assert answer.status_code == status, answer.text
        body: dict[str, Any] = answer.json()
        (MissingList if status == 200 else ProblemBody).model_validate(body)
        return body

    return asked
