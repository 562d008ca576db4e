"""The layer around all requests: how often, how large, and what browsers are told."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from pydantic import ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api import guard, problems, rates
from services.api.guard import BODY_BYTES, Guard, network
from services.api.problems import Problem
from services.api.rates import Counters, Rate
from services.settings import Settings


def app_of(rate: str) -> FastAPI:
    app = FastAPI()
    problems.install(app)
    app.add_middleware(Guard, rate=Rate(rate, "address"))

    @app.post("/echo")
    async def echo(request: Request) -> int:
        return len(await request.body())

    @app.get("/healthz")
    async def healthz() -> str:
        return "ok"

    return app


def client_of(app: FastAPI, address: str = "10.0.0.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, client=(address, 1), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://gatefold")


async def test_an_address_that_asks_too_often_waits() -> None:
    app = app_of("3/minute")
    async with client_of(app) as client, client_of(app, "10.0.0.2") as other:
        assert [(await client.post("/echo")).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
        refusal = await client.post("/echo")
        assert refusal.headers["content-type"] == "application/problem+json"
        assert refusal.json()["type"] == "/docs#too-many-requests"
        assert 1 <= int(refusal.headers["retry-after"]) <= 60
        assert refusal.headers["x-content-type-options"] == "nosniff"
        assert (await client.get("/healthz")).status_code == 200  # whoever probes us does not get locked out
        assert (await other.post("/echo")).status_code == 200


async def test_without_a_limit_nobody_waits() -> None:
    async with client_of(app_of("")) as client:
        assert {(await client.post("/echo")).status_code for _ in range(50)} == {200}


async def test_a_body_that_is_too_large_is_not_read() -> None:
    async def pieces(number: int) -> AsyncIterator[bytes]:
        for _ in range(number):
            yield b"x" * 1024

    async with client_of(app_of("")) as client:
        assert (await client.post("/echo", content=b"x" * BODY_BYTES)).json() == BODY_BYTES
        assert (await client.post("/echo", content=pieces(64))).json() == BODY_BYTES
        for too_large in (b"x" * (BODY_BYTES + 1), pieces(65)):
            refusal = await client.post("/echo", content=too_large)
            assert (refusal.status_code, refusal.json()["type"]) == (413, "/docs#too-large")


@pytest.mark.parametrize("length", ["-1", "1" * 5000, "x", "", "²"])
async def test_a_length_that_is_none(length: str) -> None:
    async with client_of(app_of("")) as client:
        headers = [(b"content-length", length.encode("latin-1"))]
        assert (await client.post("/echo", headers=headers)).status_code == 413


async def test_a_body_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody may keep us waiting for it; a route that never looks at the body makes no difference."""
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    sent: list[Message] = []

    async def never() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    async def keep(message: Message) -> None:
        sent.append(message)

    async def unreached(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError

    asked = {"type": "http", "method": "GET", "path": "/", "headers": [(b"transfer-encoding", b"chunked")]}
    await Guard(unreached, Rate("", "address"))(asked, never, keep)
    assert sent[0]["status"] == 413
    assert (b"connection", b"close") in sent[0]["headers"]


async def test_it_costs_less_than_fifteen_microseconds() -> None:
    """The guard with its rate, less the same app without it; some five microseconds where nothing else runs."""

    async def bare(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"etag", b"x")] * 5})

    async def nowhere(message: Message) -> None:
        pass

    async def nothing() -> Message:
        raise AssertionError

    asked: Scope = {"type": "http", "method": "GET", "path": "/", "client": ("192.0.2.7", 1)}
    asked["headers"] = [(b"x-%d" % number, b"y") for number in range(10)]

    async def cost(app: ASGIApp) -> float:
        best = 1.0
        for _ in range(7):
            start = time.perf_counter()
            for _ in range(2000):
                await app(asked, nothing, nowhere)
            best = min(best, (time.perf_counter() - start) / 2000)
        return best

    assert await cost(Guard(bare, Rate("1000000/minute", "address"))) - await cost(bare) < 15e-6


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2"),
        ("2001:db8::5", "2001:db8:0:0"),
        ("2001:db8:1:2::", "2001:db8:1:2"),
        ("::1", "0:0:0:0"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
    ],
)
def test_what_counts_as_one_address(address: str, counted: str) -> None:
    assert network(address) == counted


def test_counts_end_with_their_window(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000_000.0]
    monkeypatch.setattr(rates.time, "monotonic", lambda: now[0])
    rate = Rate("2/minute", "user")
    rate.check("ann")
    rate.check("ann")
    with pytest.raises(Problem) as caught:
        rate.check("ann")
    assert caught.value.detail == "More than 2 per 1 minute for one user."
    now[0] += int(caught.value.headers["Retry-After"])
    rate.check("ann")


def test_the_memory_of_counts_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(rates.time, "monotonic", lambda: now[0])
    counters = Counters(most=10)
    for number in range(10):
        counters.incr(f"early {number}", 10)
    now[0] = 11
    counters.incr("late", 10)
    assert (len(counters), counters.get("late")) == (1, 1)
    for number in range(100):
        counters.incr(f"flood {number}", 10)
        assert len(counters) <= 10


@pytest.mark.parametrize("rate", ["often", "5", "5/moment", "-1/second"])
def test_a_rate_that_is_none_is_refused_at_the_start(rate: str) -> None:
    with pytest.raises(ValidationError):
        Settings(api_rate_user=rate)
