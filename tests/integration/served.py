"""The api inside the tests' process, who asks it, and how it refuses."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from services.api.app import create_app
from services.api.models.problem import ProblemBody
from services.api.problems import KINDS
from services.api.tokens import mint
from services.settings import Settings
from tests.conftest import SECRET


def api_settings(database: str, **more: Any) -> Settings:
    """The api on a database, with the rights of its roles and no others, as fast as anybody asks."""
    return Settings(
        postgres_url=f"{database}?role=gatefold_api",
        postgres_admin_url=f"{database}?role=gatefold_admin",
        jwt_secret=SECRET,
        api_rate_user="",
        api_rate_address="",
        **more,
    )


@asynccontextmanager
async def served(
    settings: Settings, headers: Mapping[str, str] | None = None, **more: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the api; `more` is what else the app is made with."""
    async with asking(create_app(settings, **more), headers) as client:
        yield client


@asynccontextmanager
async def asking(app: FastAPI, headers: Mapping[str, str] | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of this app, which runs meanwhile."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gatefold", headers=headers) as client,
    ):
        yield client


def bearer(settings: Settings, user: str, role: str | None = None) -> dict[str, str]:
    """The headers of somebody with a token."""
    return {"Authorization": f"Bearer {mint(settings, user, role=role)}"}


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """What the api refuses with: a problem that it documents."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    ProblemBody.model_validate(body)
    assert body["status"] == status
    assert body["type"] in {kind.type for kind in KINDS}
    assert body["detail"]
    return body
