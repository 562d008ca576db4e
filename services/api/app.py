"""The read service, put together: nothing connects before the first request that needs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import asyncpg
from fastapi import FastAPI
from pydantic.json_schema import models_json_schema
from starlette.types import Receive, Scope, Send

from catalog.index import Catalog, load_catalog
from services.api import (
    admin_awards,
    admin_campaigns,
    admin_cron,
    admin_looking,
    admin_shadows,
    admin_trials,
    examples,
    missing,
    problems,
    routes,
    shares,
    stream,
    system,
    trials,
    why,
)
from services.api.auth import Gate
from services.api.express import Express
from services.api.guard import Guard
from services.api.kept import Kept
from services.api.keys import keys_from
from services.api.meters import Meter, Metered
from services.api.models.problem import ProblemBody
from services.api.rates import Rate
from services.api.reader import Reader
from services.api.reads import Reads
from services.api.routes import Parts
from services.api.view import View
from services.live.live import Live
from services.pages import detail, history, sell, session, shared, sharing
from services.pages import faults as page_faults
from services.pages import routes as page_routes
from services.settings import Settings
from services.share.picture import Pictures
from services.stores.achievements import open_reader
from services.stores.postgres import open_pool, worker_limits

READERS: Final = 6
LOOKUPS: Final = 4
WRITERS: Final = 2
PROBE_SECONDS: Final = 1.5
PATIENT_SECONDS: Final = 30.0


class App(FastAPI):
    """The service; plain requests take the short way."""

    express: Express

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not await self.express.answered(scope, receive, send):
            await super().__call__(scope, receive, send)


def create_app(
    settings: Settings, *, pool: asyncpg.Pool[asyncpg.Record] | None = None, catalog: Catalog | None = None
) -> App:
    """The service as an ASGI app; a pool that is given stays open when the app closes.

    Raises:  KeyConfigurationError where the settings name no usable key for tokens.
    """
    whole = catalog or load_catalog()
    view = View(whole.shown)
    per_user = Rate(settings.api_rate_user, "user")
    gate = Gate(keys_from(settings), audience=settings.jwt_audience, issuer=settings.jwt_issuer)

    def parts(
        connections: asyncpg.Pool[asyncpg.Record],
        lookups: asyncpg.Pool[asyncpg.Record],
        writers: asyncpg.Pool[asyncpg.Record],
    ) -> Parts:
        probe, patient = (Reader(connections, answer_seconds=one) for one in (PROBE_SECONDS, PATIENT_SECONDS))
        reads = Reads(view, Reader(lookups), Kept(settings.api_kept_bytes))
        return Parts(whole, view, gate, per_user, reads, Reader(connections), probe, patient, Reader(writers))

    live = Live(settings, view)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if pool is not None:
            yield
            await live.close()
            app.state.pictures.close()
            return
        async with (
            await open_reader(settings.postgres_url, application="gatefold-api", size=READERS) as opened,
            await open_reader(settings.postgres_url, application="gatefold-api", size=LOOKUPS, by_key=True) as lookups,
            await open_pool(
                settings.postgres_admin_url or settings.postgres_url,
                application="gatefold-api-admin",
                size=WRITERS,
                limits=worker_limits(),
                command_seconds=5,
            ) as writers,
        ):
            app.state.parts = parts(opened, lookups, writers)
            yield
            await live.close()
            app.state.pictures.close()

    app = App(
        title="Gatefold",
        version=_version(),
        description="What record collectors have earned, and how near they are to the next tier.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.live = live
    if pool is not None:
        app.state.parts = parts(pool, pool, pool)
    problems.install(app)
    app.include_router(routes.router)
    app.include_router(stream.router)
    app.include_router(shares.router)
    app.include_router(missing.router)
    app.include_router(why.router)
    app.include_router(trials.router)
    app.include_router(admin_trials.router)
    app.include_router(admin_cron.router(settings))
    app.include_router(admin_campaigns.router)
    app.include_router(admin_awards.router)
    app.include_router(admin_looking.router)
    app.include_router(admin_shadows.router)
    app.include_router(routes.admin_router)
    app.include_router(system.router)
    _add_pages(app, settings)
    per_address, meter = Rate(settings.api_rate_address, "address"), Meter()
    app.add_middleware(Guard, rate=per_address)
    app.add_middleware(Metered, meter=meter)
    app.express = Express(app.state, per_address, meter)
    _document(app)
    return app


def _add_pages(app: FastAPI, settings: Settings) -> None:
    app.state.pages_secure = settings.pages_secure
    app.state.pages_origins = frozenset(settings.pages_origins.replace(",", " ").split())
    app.state.public_url = settings.api_public_url
    app.state.embed_origins = frozenset(settings.embed_origins.replace(",", " ").split())
    app.state.share_rate = Rate(settings.api_rate_share, "address")
    app.state.pictures = Pictures()
    app.include_router(session.router)
    app.include_router(page_routes.files)
    app.include_router(shared.router)
    app.include_router(sharing.router)
    app.include_router(page_routes.router)
    for one in (detail, history, sell):
        app.include_router(one.router)
    app.include_router(page_faults.lost)  # the last: it takes what is left below /me


def _document(app: FastAPI) -> None:
    """Complete the OpenAPI document: what FastAPI does not see (tokens, problems), and examples with their nulls."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        sent = (trials.Change, shares.ShareBody, admin_trials.DryRunBody, admin_trials.SimulateBody)
        bodies = [(model, "validation") for model in sent]
        _, schemas = models_json_schema(
            [(ProblemBody, "serialization"), *bodies],  # type: ignore[list-item]
            ref_template="#/components/schemas/{model}",
        )
        components = document["components"]
        components["schemas"].update(schemas["$defs"])
        components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
        for (method, path), example in examples.OF_OPERATION.items():
            for shown in document["paths"][path][method]["responses"]["200"]["content"].values():
                shown["example"] = example
        for operation in (one for methods in document["paths"].values() for one in methods.values()):
            if "401" in operation["responses"]:
                operation["security"] = [{"bearer": []}]
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _version() -> str:
    try:
        return version("gatefold")
    except PackageNotFoundError:
        return "0"
