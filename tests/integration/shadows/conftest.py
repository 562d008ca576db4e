"""The api with a catalog of one's own, on the module's database, with the rights of its roles and no others."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from catalog.index import Catalog
from services.api.app import create_app
from services.api.tokens import mint
from services.settings import Settings

SECRET = "a-secret-of-the-tests-and-of-nobody-else"


@dataclass(frozen=True)
class Served:
    """An api that runs: `paths` are all that it has."""

    client: httpx.AsyncClient
    settings: Settings
    paths: frozenset[tuple[str, str]]

    async def ask(self, method: str, path: str, who: str = "root", **more: Any) -> httpx.Response:
        """A request of somebody; root is an admin."""
        token = mint(self.settings, who, role="admin" if who == "root" else None)
        return await self.client.request(method, path, headers={"Authorization": f"Bearer {token}"}, **more)


Serve = Callable[[Catalog], AbstractAsyncContextManager[Served]]


@pytest.fixture
def serve(database: str) -> Serve:
    """`async with serve(catalog) as api`."""
    settings = Settings(
        postgres_url=f"{database}?role=gatefold_api",
        postgres_admin_url=f"{database}?role=gatefold_admin",
        jwt_secret=SECRET,
        api_rate_user="",
        api_rate_address="",
    )

    @asynccontextmanager
    async def served(catalog: Catalog) -> AsyncIterator[Served]:
        app = create_app(settings, catalog=catalog)
        paths = frozenset((method.upper(), path) for path, of in app.openapi()["paths"].items() for method in of)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client,
        ):
            yield Served(client, settings, paths)

    return served
