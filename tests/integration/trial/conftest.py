"""The read service on the module's database, with the rights of its role and no others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import httpx
import pytest
import pytest_asyncio
from pydantic import BaseModel

from services.api.app import create_app
from services.api.models import ProblemBody
from services.api.tokens import mint
from services.settings import Settings

SECRET = "a-secret-of-the-tests-and-of-nobody-else"
Ask: TypeAlias = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture(scope="module")
def settings(database: str) -> Settings:
    return Settings(
        postgres_url=f"{database}?role=gatefold_api", jwt_secret=SECRET, api_rate_user="", api_rate_address=""
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gatefold") as made,
    ):
        yield made


@pytest.fixture
def ask(client: httpx.AsyncClient, settings: Settings) -> Ask:
    """A request with a token; the answer fits the model, or is a problem."""

    async def asked(
        method: str,
        path: str,
        model: type[BaseModel],
        *,
        status: int = 200,
        who: str = "ada",
        role: str | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {mint(settings, who, role=role)}"}
        answer = await client.request(method, path, headers=headers, **more)
        assert answer.status_code == status, answer.text
        body: dict[str, Any] = answer.json()
        (model if status == 200 else ProblemBody).model_validate(body)
        return body

    return asked
