"""The api with a catalog of one's own, on the module's database, with the rights of its roles and no others."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from catalog.index import Catalog
from services.api.app import create_app
from services.settings import Settings
from tests.integration.served import asking, bearer


@dataclass(frozen=True)
class Served:
    """An api that runs: `paths` are all that it has."""

    client: httpx.AsyncClient
    settings: Settings
    paths: frozenset[tuple[str, str]]

    async def ask(self, method: str, path: str, who: str = "root", **more: Any) -> httpx.Response:
        """A request of somebody; root is an admin."""
        headers = bearer(self.settings, who, "admin" if who == "root" else None)
        return await self.client.request(method, path, headers=headers, **more)


Serve = Callable[[Catalog], AbstractAsyncContextManager[Served]]


@pytest.fixture
def serve(settings: Settings) -> Serve:
    """`async with serve(catalog) as api`."""

    @asynccontextmanager
    async def serving(catalog: Catalog) -> AsyncIterator[Served]:
        app = create_app(settings, catalog=catalog)
        paths = frozenset((method.upper(), path) for path, of in app.openapi()["paths"].items() for method in of)
        async with asking(app) as client:
            yield Served(client, settings, paths)

    return serving
