"""The endpoint on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from services.api.models.missing import MissingList
from services.api.models.problem import ProblemBody
from services.settings import Settings
from tests.integration.missing.shelves import Ask, Db
from tests.integration.served import bearer


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
def ask(client: httpx.AsyncClient, settings: Settings, user: str) -> Ask:
    async def asked(badge: str, *, status: int = 200, who: str = user, **query: Any) -> dict[str, Any]:
        path = f"/api/user/achievements/{badge}/missing"
        answer = await client.get(path, headers=bearer(settings, who), params=query)
        assert answer.status_code == status, answer.text
        body: dict[str, Any] = answer.json()
        (MissingList if status == 200 else ProblemBody).model_validate(body)
        return body

    return asked
