"""A bare Starlette route that returns the bytes of a file: at once, or when PostgreSQL has answered what they take.

python -m bench.bare BODY PORT                      # whatever it is asked for: no token, no parameter, no database
python -m bench.bare BODY PORT URL progress ann     # asks what the api asks for one user: the most that engines allow
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog.index import load_catalog
from services.api.view import View
from services.stores import achievements
from services.stores.achievements import DetailAsked, PageAsked, open_reader
from services.stores.postgres import Connection
from services.stores.standings import standings

BADGE = "master-collector-gold"
POOL = 10
Question = Callable[[Connection], Awaitable[Any]]


async def question(name: str, user: str, connection: Connection) -> Question:
    """What the api asks for this answer, of one user, when it has made the answer before."""
    view = View(load_catalog())
    if name == "progress":
        return lambda one: standings(one, [user], view.master_badges, view.highest, view.nearest, view.coverage)
    if name == "detail":
        score = view.catalog.badges[BADGE].sort_score
        return lambda one: achievements.details(one, [DetailAsked(user, BADGE, view.family(BADGE), score, 200, None)])
    (first,) = await achievements.pages(connection, [PageAsked(user, 200, None, None)], view.places)
    known = None if first is None else first.digest
    return lambda one: achievements.pages(one, [PageAsked(user, 200, known, None)], view.places)


def app(body: bytes, *asked: str) -> Starlette:
    """The route; `asked` are address, name and user of the question."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        url, name, user = asked
        async with await open_reader(url, application="bench", size=POOL, by_key=True) as app.state.pool:
            async with app.state.pool.acquire() as connection:
                app.state.ask = await question(name, user, connection)
            yield

    async def answer(request: Request) -> Response:
        return Response(body, media_type="application/json")

    async def asking(request: Request) -> Response:
        async with request.app.state.pool.acquire() as connection:
            await request.app.state.ask(connection)
        return Response(body, media_type="application/json")

    return Starlette(routes=[Route("/{path:path}", asking if asked else answer)], lifespan=lifespan if asked else None)


if __name__ == "__main__":
    file, port, *asked = sys.argv[1:]
    # As the api runs it.
    server = uvicorn.Config(
        app(Path(file).read_bytes(), *asked),
        port=int(port),
        loop="uvloop",
        log_level="error",
        access_log=False,
        server_header=False,
    )
    uvicorn.Server(server).run()
