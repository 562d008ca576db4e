"""The read service around its endpoints: problems, limits, health, metrics."""

from __future__ import annotations

import asyncpg
import httpx
import pytest

from contracts.times import rfc3339
from services.api.app import create_app
from services.api.headers import SECURITY
from services.api.models.health import Health, Ready
from services.settings import Settings
from tests.integration.api.world import LIST, SUMMARY
from tests.integration.awards import START
from tests.integration.served import asking, bearer, problem, served


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
        async with asking(app, bearer(settings, "alice")) as client:
            answer = await client.get(LIST)
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
    strict = settings.model_copy(update={"api_rate_user": "2/minute", "api_rate_address": "9/minute"})
    async with served(strict) as client:
        for name in ("ann", "bob"):
            answers = [await client.get(SUMMARY, headers=bearer(settings, name)) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [200, 200, 429]
            assert problem(answers[2], 429)["detail"] == "More than 2 per 1 minute for one user."
            assert 1 <= int(answers[2].headers["retry-after"]) <= 60
        guesses = [await client.get(SUMMARY, headers={"Authorization": f"Bearer {guess}"}) for guess in range(4)]
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
