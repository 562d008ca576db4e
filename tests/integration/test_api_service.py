"""The read service around its endpoints: tokens, problems, health, metrics, icons, documentation."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import RSAKey

from catalog.index import Catalog, load_catalog
from contracts.times import rfc3339
from services.api.admin_trials import DryRunBody, SimulateBody
from services.api.app import create_app
from services.api.headers import SECURITY
from services.api.keys import FETCH_BYTES, secret_key
from services.api.models import (
    AchievementDetail,
    AchievementList,
    DryRun,
    Health,
    MissingList,
    ProblemBody,
    ProgressList,
    Ready,
    Simulation,
    Summary,
    WhatIf,
    Why,
)
from services.api.problems import KINDS
from services.api.tokens import mint
from services.api.view import icon_path
from services.settings import Settings
from services.trial.what_if import Change

LIST = "/api/user/achievements"
PROGRESS = f"{LIST}/progress"
SUMMARY = f"{LIST}/summary"
SECRET = "a-secret-of-the-tests-and-of-nobody-else"
START = datetime(2024, 5, 1, 10, tzinfo=UTC)
CATALOG = load_catalog()
BODIES = {model.__name__: model for model in (Change, DryRunBody, SimulateBody)}


@pytest.fixture(scope="module")
def settings(database: str) -> Settings:
    return Settings(postgres_url=database, jwt_secret=SECRET)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    made = create_app(settings)
    async with made.router.lifespan_context(made):
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gatefold") as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def db(database: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
def user() -> str:
    """A user of the test's own."""
    return f"u-{uuid4().hex[:12]}"


@pytest.fixture
def headers(settings: Settings, user: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {mint(settings, user)}"}


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    ProblemBody.model_validate(body)
    assert body["status"] == status
    assert body["type"] in {kind.type for kind in KINDS}
    assert body["detail"]
    return body


@pytest_asyncio.fixture(loop_scope="session")
async def key_server() -> AsyncIterator[tuple[str, dict[str, bytes]]]:
    """An address and what it serves, by path."""
    served: dict[str, bytes] = {}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        if path == "/silence":
            await reader.read()
        body = served.get(path)
        status = b"404 Not Found" if body is None else b"200 OK"
        writer.write(b"HTTP/1.0 " + status + b"\r\n\r\n" + (body or b""))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", served


async def test_key_set_at_an_address(database: str, key_server: tuple[str, dict[str, bytes]]) -> None:
    url, served = key_server
    key = RSAKey.generate_key(2048)
    claims = {"sub": "alice", "aud": "gatefold", "iss": "gatefold", "exp": int(time.time()) + 60}
    token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)
    headers = {"Authorization": f"Bearer {token}"}

    async def ask(path: str) -> httpx.Response:
        app = create_app(Settings(postgres_url=database, jwt_jwks_url=url + path))
        transport = httpx.ASGITransport(app=app)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://x") as web:
            return await web.get(SUMMARY, headers=headers)

    served["/keys"] = json.dumps({"keys": [{**key.as_dict(private=False), "kid": "one"}]}).encode()
    served["/others"] = json.dumps({"keys": [{**key.as_dict(private=False), "kid": "two"}]}).encode()
    served["/long"] = served["/keys"] + b" " * FETCH_BYTES
    served["/rubbish"] = b"<html>"
    assert (await ask("/keys")).status_code == 200
    assert problem(await ask("/others"), 401)["detail"] == "The token is signed with a key that is not known."
    for path in ("/long", "/rubbish", "/nothing", "/silence"):
        async with asyncio.timeout(5):
            answer = await ask(path)
        assert problem(answer, 503)["detail"] == "The keys that tokens are checked with cannot be read."
        assert answer.headers["retry-after"] == "30"


@pytest.mark.parametrize("path", [LIST, PROGRESS, SUMMARY, f"{LIST}/owner-i", f"{LIST}?limit=0", "/api/admin/x"])
@pytest.mark.parametrize("authorization", [None, "Bearer x", "Basic YTpi"])
async def test_without_a_good_token(client: httpx.AsyncClient, path: str, authorization: str | None) -> None:
    answer = await client.get(path, headers={"Authorization": authorization} if authorization else {})
    assert problem(answer, 401)["type"] == "/docs#unauthorized"
    assert answer.headers["www-authenticate"].startswith('Bearer realm="gatefold"')


async def test_expired_token(client: httpx.AsyncClient) -> None:
    claims = {"sub": "alice", "aud": "gatefold", "iss": "gatefold", "exp": int(time.time()) - 1}
    expired = jwt.encode({"alg": "HS256"}, claims, secret_key(SECRET))
    answer = await client.get(LIST, headers={"Authorization": f"Bearer {expired}"})
    assert problem(answer, 401)["detail"] == "The token has expired."


@pytest.mark.parametrize("path", ["/api/admin", "/api/admin/", "/api/admin/badges/x"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_admin(
    client: httpx.AsyncClient, settings: Settings, headers: dict[str, str], path: str, method: str
) -> None:
    body = problem(await client.request(method, path, headers=headers), 403)
    assert body["detail"] == "This needs a token with the role 'admin'."
    chief = {"Authorization": f"Bearer {mint(settings, 'chief', role='admin')}"}
    assert problem(await client.request(method, path, headers=chief), 404)["type"] == "/docs#not-found"


@pytest.mark.parametrize(
    "path",
    ["/", "/api", "/api/user", f"{LIST}/", f"{LIST}/owner-i/x", "/icons/none.svg", "/badges/none.svg", "/badges/x"],
)
async def test_unknown_address(client: httpx.AsyncClient, headers: dict[str, str], path: str) -> None:
    assert problem(await client.get(path, headers=headers), 404)["type"] == "/docs#not-found"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods(client: httpx.AsyncClient, headers: dict[str, str], method: str) -> None:
    answer = await client.request(method, LIST, headers=headers)
    assert problem(answer, 405)["type"] == "/docs#method"
    assert answer.headers["allow"] == "GET, HEAD"


async def test_our_own_fault_is_a_problem_that_gives_nothing_away(
    settings: Settings, db: asyncpg.Connection[asyncpg.Record]
) -> None:
    async with asyncpg.create_pool(settings.postgres_url, min_size=0, max_size=1) as pool:
        app = create_app(settings, pool=pool)
        del app.state.parts.view.places
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gatefold") as client:
            answer = await client.get(LIST, headers={"Authorization": f"Bearer {mint(settings, 'alice')}"})
    body = problem(answer, 500)
    assert body["type"] == "/docs#internal"
    assert "places" not in answer.text
    assert SECURITY.items() <= dict(answer.headers).items()


@pytest.mark.parametrize(
    "path",
    [LIST, "/nowhere", "/healthz", "/readyz", "/metrics", "/docs", "/icons/breadth-gold.svg", "/badges/owner-i.svg"],
)
async def test_security_headers_on_every_answer(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert SECURITY.keys() <= set(answer.headers)
    assert len({name for name, _ in answer.headers.multi_items()}) == len(answer.headers.multi_items())
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cross-origin-resource-policy"] == ("cross-origin" if path.endswith(".svg") else "same-site")


async def test_a_user_who_asks_too_often_and_one_who_guesses_tokens(settings: Settings) -> None:
    strict = create_app(settings.model_copy(update={"api_rate_user": "2/minute", "api_rate_address": "9/minute"}))
    transport = httpx.ASGITransport(app=strict)
    async with (
        strict.router.lifespan_context(strict),
        httpx.AsyncClient(transport=transport, base_url="http://gatefold") as web,
    ):
        for name in ("ann", "bob"):
            headers = {"Authorization": f"Bearer {mint(settings, name)}"}
            answers = [await web.get(SUMMARY, headers=headers) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [200, 200, 429]
            assert problem(answers[2], 429)["detail"] == "More than 2 per 1 minute for one user."
            assert 1 <= int(answers[2].headers["retry-after"]) <= 60
        guesses = [await web.get(SUMMARY, headers={"Authorization": f"Bearer {guess}"}) for guess in range(4)]
        assert [answer.status_code for answer in guesses] == [401, 401, 401, 429]
        assert problem(guesses[3], 429)["detail"] == "More than 9 per 1 minute for one address."


async def test_healthz(client: httpx.AsyncClient) -> None:
    Health.model_validate((await client.get("/healthz")).json())


async def test_readyz_tells_the_lag(client: httpx.AsyncClient, db: asyncpg.Connection[asyncpg.Record]) -> None:
    body = (await client.get("/readyz")).json()
    Ready.model_validate(body)
    assert body["lag"] == {"outbox_oldest_seconds": 0.0, "ledger_moved_at": None, "partitions": 0}
    await db.execute("insert into offset_ledger values ('t', 0, 5, 7, 2, 0, 0, 0, 'w', $1)", START)
    await db.execute(
        "insert into outbox (topic, subject, event_id, time, value, created_at, failed_at)"
        " values ('t', 's', 'e', now(), '', now() - interval '9 hours', now()),"
        " ('t', 's', 'f', now(), '', now() - interval '50 seconds', null),"
        " ('t', 's', 'g', now(), '', now(), null)"
    )
    lag = (await client.get("/readyz")).json()["lag"]
    assert 50 <= lag["outbox_oldest_seconds"] < 80
    assert lag["ledger_moved_at"] == rfc3339(START)
    assert lag["partitions"] == 1
    await db.execute("delete from offset_ledger")
    await db.execute("delete from outbox")


async def test_metrics_name_routes_and_never_users(
    client: httpx.AsyncClient, headers: dict[str, str], user: str
) -> None:
    await client.get(f"{LIST}/owner-i", headers=headers)
    await client.get(f"/nowhere/{user}")
    text = (await client.get("/metrics")).text
    assert (
        'gatefold_api_requests_total{method="GET",route="/api/user/achievements/{achievement_id}",status="2xx"}' in text
    )
    assert 'gatefold_api_request_seconds_count{route="none",status="4xx"}' in text
    assert user not in text


@pytest.mark.parametrize("key", sorted(CATALOG.badges))
async def test_every_badge_has_its_picture(client: httpx.AsyncClient, key: str) -> None:
    badge = CATALOG.badges[key]
    for path, kept in (
        (f"/icons/{badge.icon}.svg", "public, max-age=86400"),
        (f"/badges/{key}.svg", "public, max-age=300"),
        (f"/badges/{key}.svg?v=older", "public, max-age=300"),
        (icon_path(badge), "public, max-age=31536000, immutable"),
        (icon_path(badge, locked=True), "public, max-age=31536000, immutable"),
    ):
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        assert answer.headers["cache-control"] == kept
        assert answer.text.startswith("<svg ")
        known = {"If-None-Match": answer.headers["etag"]}
        assert (await client.get(path, headers=known)).status_code == 304


async def test_the_picture_of_a_secret_badge_is_for_who_was_told_its_address(settings: Settings) -> None:
    secret = CATALOG.badges["deep-cut"].model_copy(update={"key": "hush", "family": "hush", "secret": True})
    app = create_app(settings, catalog=Catalog([*CATALOG.badges.values(), secret]))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gatefold") as web,
    ):
        unknown, guessed = [(await web.get(f"/badges/{key}.svg")) for key in ("none", "hush")]
        assert problem(guessed, 404)["detail"].replace("hush", "none") == problem(unknown, 404)["detail"]
        assert (await web.get(icon_path(secret))).status_code == 200


async def test_a_badge_in_the_shadow_has_no_picture(settings: Settings) -> None:
    shadow = CATALOG.badges["deep-cut"].model_copy(update={"key": "hush", "family": "hush", "shadow": True})
    app = create_app(settings, catalog=Catalog([*CATALOG.badges.values(), shadow]))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gatefold") as web,
    ):
        assert [(await web.get(path)).status_code for path in ("/badges/hush.svg", icon_path(shadow))] == [404, 404]


async def test_openapi_has_an_example_of_every_answer_and_they_fit_the_models(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    stream = document["paths"].pop("/api/user/stream")["get"]  # has no end, and so no model
    assert "event: awarded\ndata: " in stream["responses"]["200"]["content"]["text/event-stream"]["example"]
    models = {
        LIST: AchievementList,
        PROGRESS: ProgressList,
        SUMMARY: Summary,
        f"{LIST}/{{achievement_id}}": AchievementDetail,
        f"{LIST}/{{achievement_id}}/missing": MissingList,
        f"{LIST}/{{achievement_id}}/why": Why,
        f"{LIST}/what-if": WhatIf,
        "/api/admin/users/{user_id}/achievements/{achievement_id}/why": Why,
        "/api/admin/dry-run": DryRun,
        "/api/admin/simulate": Simulation,
        "/healthz": Health,
        "/readyz": Ready,
    }
    assert set(document["paths"]) == set(models)
    for path, model in models.items():
        (operation,) = document["paths"][path].values()
        answers = operation["responses"]
        model.model_validate(answers["200"]["content"]["application/json"]["example"])
        for status, answer in answers.items():
            if int(status) >= 400:
                content = answer["content"]["application/problem+json"]
                assert ProblemBody.model_validate(content["example"]).status == int(status)
        assert ("security" in operation) == path.startswith("/api/")
        if (body := operation.get("requestBody")) is not None:
            content = body["content"]["application/json"]
            BODIES[content["schema"]["$ref"].rpartition("/")[2]].model_validate(content["example"])
    schemas = document["components"]["schemas"]
    used = json.dumps(document).split('"#/components/schemas/')[1:]
    assert {part.split('"')[0] for part in used} <= set(schemas)


async def test_docs_is_one_page_that_loads_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "http://" not in answer.text
    assert "https://" not in answer.text
    assert "<script" not in answer.text
    assert "GET /api/user/achievements/progress" in answer.text
    for kind in KINDS:
        assert f'id="{kind.slug}"' in answer.text
