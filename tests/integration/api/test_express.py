"""The short way and the routes give the same answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import asyncpg
import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from prometheus_client import REGISTRY
from starlette.types import Receive, Scope, Send

from catalog.index import Catalog
from services.api.app import App, create_app
from services.settings import Settings
from tests.integration.api.world import CATALOG, LIST, PROGRESS
from tests.integration.awards import award
from tests.integration.served import bearer, problem

SILVER = f"{LIST}/genre-tourist-silver"
PLAIN = [LIST, PROGRESS, SILVER, f"{LIST}?limit=1", f"{LIST}?limit=500", f"{PROGRESS}?limit=100", f"{SILVER}?limit=7"]
SPECIAL = [
    *(
        f"{path}?limit={limit}"
        for path in (LIST, PROGRESS, SILVER)
        for limit in ("0", "501", "+5", "05", "5.0", "x", "")
    ),
    *(f"{LIST}?{query}" for query in ("limit=1&limit=2", "x=1", "cursor=x", "limit=1&cursor=", "&", "limit=%31")),
    *(f"{LIST}/{key}" for key in ("no-such-badge", "progress/", "a b", "%00", "x" * 200, "", "summary")),
    *(f"{LIST}x", f"{LIST}//", f"{PROGRESS}/x", "/api/user/achievements/%70rogress"),
]


class Ways:
    """The app as it is, and its routes alone; and which requests took the short way."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.short = 0

    async def whole(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and await self._app.express.answered(dict(scope), receive, send):
            self.short += 1
        else:
            await FastAPI.__call__(self._app, scope, receive, send)

    async def routes(self, scope: Scope, receive: Receive, send: Send) -> None:
        await FastAPI.__call__(self._app, scope, receive, send)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ways(settings: Settings) -> AsyncIterator[Ways]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield Ways(app)


async def both(ways: Ways, path: str, headers: Mapping[str, str], method: str = "GET") -> tuple[httpx.Response, bool]:
    """The answer that both ways give, and whether one of them was short."""
    answers, before = [], ways.short
    for way in (ways.routes, ways.whole):
        transport = httpx.ASGITransport(app=way, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gatefold") as client:
            answers.append(await client.request(method, path, headers=headers))
    routes, whole = answers
    assert (whole.status_code, whole.content) == (routes.status_code, routes.content)
    assert sorted(whole.headers.multi_items()) == sorted(routes.headers.multi_items())
    return whole, ways.short > before


@pytest.mark.parametrize("path", PLAIN)
async def test_plain_requests(
    ways: Ways, db: asyncpg.Connection[asyncpg.Record], user: str, headers: dict[str, str], path: str
) -> None:
    await award(db, user, "genre-tourist-silver")
    await db.execute("insert into collector (user_id, releases) values ($1, 11)", user)
    answer, short = await both(ways, path, headers)
    assert (answer.status_code, short) == (200, True)
    tag = answer.headers["etag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer, short = await both(ways, path, headers | {"If-None-Match": known})
        assert (answer.status_code, answer.content, short) == (304, b"", True)
    answer, short = await both(ways, path, headers | {"If-None-Match": '"x"'})
    assert (answer.status_code, short) == (200, True)


@pytest.mark.parametrize("path", SPECIAL)
async def test_special_requests(ways: Ways, headers: dict[str, str], path: str) -> None:
    await both(ways, LIST, headers)
    _, short = await both(ways, path, headers)
    assert not short or path.endswith("%70rogress")


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "DELETE"])
async def test_other_methods(ways: Ways, headers: dict[str, str], method: str) -> None:
    await both(ways, LIST, headers)
    _, short = await both(ways, LIST, headers, method)
    assert not short


async def test_a_secret_badge_is_unknown(settings: Settings, headers: dict[str, str]) -> None:
    secret = Catalog([CATALOG.badges["deep-cut"].model_copy(update={"secret": True})])
    app = create_app(settings, catalog=secret)
    async with app.router.lifespan_context(app):
        ways = Ways(app)
        await both(ways, LIST, headers)
        answer, short = await both(ways, f"{LIST}/deep-cut", headers)
    assert short
    problem(answer, 404)


@pytest.mark.parametrize("more", [{"Content-Length": "0"}, {"Expect": "100-continue"}, {"Authorization": "bearer x"}])
async def test_special_headers(ways: Ways, headers: dict[str, str], more: dict[str, str]) -> None:
    await both(ways, LIST, headers)
    _, short = await both(ways, LIST, headers | more)
    assert not short


async def test_a_token_is_checked_before_it_goes_the_short_way(ways: Ways, headers: dict[str, str]) -> None:
    transport = httpx.ASGITransport(app=ways.whole)
    async with httpx.AsyncClient(transport=transport, base_url="http://gatefold") as client:
        found = []
        for _ in range(3):
            before = ways.short
            assert (await client.get(LIST, headers=headers)).status_code == 200
            found.append(ways.short - before)
    assert found == [0, 1, 1]


async def test_limits_and_meters_are_the_same(settings: Settings) -> None:
    strict = create_app(settings.model_copy(update={"api_rate_user": "4/minute", "api_rate_address": "6/minute"}))

    def counted(status: str) -> float:
        labels = {"route": LIST, "method": "GET", "status": status}
        return REGISTRY.get_sample_value("gatefold_api_requests_total", labels) or 0

    before = {status: counted(status) for status in ("2xx", "3xx", "4xx")}
    async with (
        strict.router.lifespan_context(strict),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=strict), base_url="http://gatefold") as web,
    ):
        ann, bob = bearer(settings, "ann"), bearer(settings, "bob")
        answers = [await web.get(LIST, headers=ann) for _ in range(5)]
        assert [one.status_code for one in answers] == [200, 200, 200, 200, 429]
        assert problem(answers[4], 429)["detail"] == "More than 4 per 1 minute for one user."
        assert answers[4].headers["x-content-type-options"] == "nosniff"
        answers = [await web.get(LIST, headers=bob) for _ in range(2)]
        assert [one.status_code for one in answers] == [200, 429]
        assert problem(answers[1], 429)["detail"] == "More than 6 per 1 minute for one address."
    assert {status: counted(status) - number for status, number in before.items()} == {"2xx": 5, "3xx": 0, "4xx": 2}
