"""`GET /api/user/stream`: awards as they come, through a real Kafka, and what was missed, once."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio
from joserfc import jwt

from catalog.index import load_catalog
from contracts.envelope import encode_binary
from contracts.times import parse_time
from services.api.keys import secret_key
from services.api.tokens import mint
from services.kafka import Outgoing, Publisher
from services.live.hub import BEAT_SECONDS, QUIET_SECONDS
from services.settings import Settings
from services.topics import TopicAdmin, plan
from tests.integration.test_api_outage import Wire
from tests.integration.test_api_process import running

SECRET = "a-secret-of-the-tests-and-of-nobody-else"
STREAM = "/api/user/stream"
AT = "2026-03-01T12:00:00Z"
CATALOG = load_catalog()
Give = Callable[..., Awaitable[int]]


@pytest.fixture(scope="module")
def settings(database: str, kafka_url: str, topic_prefix: str) -> Settings:
    return Settings(postgres_url=database, kafka_url=kafka_url, topic_prefix=topic_prefix, jwt_secret=SECRET)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def publisher(settings: Settings) -> AsyncIterator[Publisher]:
    admin = TopicAdmin(settings)
    await admin.open()
    await admin.create(plan(settings, {}))
    await admin.close()
    found = Publisher(settings.bootstrap)
    yield found
    await found.close()


def surroundings(settings: Settings) -> dict[str, str]:
    return {
        "postgres_url": settings.postgres_url,
        "kafka_url": settings.kafka_url,
        "topic_prefix": settings.topic_prefix,
        "jwt_secret": SECRET,
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url(settings: Settings, publisher: Publisher) -> AsyncIterator[str]:
    async with running(**surroundings(settings), api_streams_user="2") as (_, found):
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def db(database: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
def user() -> str:
    return f"u-{uuid4().hex[:12]}"


@pytest.fixture
def give(db: asyncpg.Connection[asyncpg.Record], publisher: Publisher, settings: Settings) -> Give:
    """Store awards as the worker does and publish that there is something; answers the number of the last."""

    async def given(user: str, *keys: str, notify: bool = True, told: bool = True) -> int:
        number = 0
        for key in keys:
            number = await db.fetchval(
                "insert into user_badges (user_id, badge_key, award_id, awarded_at, source, trigger, caused_by,"
                " batch_id, evidence, notify) values ($1, $2, $3, $4, 'auto', 'ownership.added', '{}', $5, '{}', $6)"
                " returning given_no",
                user,
                key,
                uuid4(),
                parse_time(AT),
                uuid4(),
                notify,
            )
        if told:
            await publish(publisher, settings, "badge.awarded", user, {})
        return number

    return given


async def publish(publisher: Publisher, settings: Settings, topic: str, user: str, data: dict[str, Any]) -> None:
    headers, value = encode_binary(
        type=topic, id=uuid4().hex, source="x", subject=user, time=parse_time(AT), data=json.dumps(data).encode()
    )
    report = await publisher.publish([Outgoing(settings.topic(topic), user.encode(), value, headers)])
    assert report.sent == [0]


class Page:
    """A page that reads its stream: its events in order, and the last number that it was sent."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()
        self.last = ""

    async def next(self, seconds: float = 15) -> tuple[str, dict[str, Any]]:
        """The next event: its type and data."""
        kind = ""
        async with asyncio.timeout(seconds):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if name == "id":
                    self.last = value
                elif name == "event":
                    kind = value
                elif name == "data":
                    return kind, json.loads(value)
        raise EOFError

    async def begun(self) -> None:
        """Wait for the number with which it begins."""
        assert await self.next() == ("hello", {})

    async def ended(self, seconds: float = 15) -> bool:
        async with asyncio.timeout(seconds):
            return [line async for line in self._lines if line.startswith("data")] == []


@asynccontextmanager
async def looking(url: str, user: str, last: str | None = None, token: str | None = None) -> AsyncIterator[Page]:
    headers = {"Authorization": f"Bearer {token or mint(Settings(jwt_secret=SECRET), user)}"}
    base, _, query = url.partition("?")
    address = f"{base}{STREAM}?{query}"
    if last is not None:
        headers["Last-Event-ID"] = last
    async with (
        httpx.AsyncClient(timeout=None) as web,
        web.stream("GET", address, headers=headers) as answer,
    ):
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        page = Page(answer)
        await page.begun()
        yield page


async def test_an_award_comes_and_old_ones_do_not(url: str, user: str, give: Give) -> None:
    await give(user, "owner-i")
    async with looking(url, user) as page:
        number = await give(user, "genre-tourist-bronze")
        kind, data = await page.next()
    assert (kind, data["more"], data["earned"], page.last) == ("awarded", 0, 1, str(number))
    (badge,) = data["badges"]
    assert (badge["id"], badge["tier"], badge["unlocked_at"]) == ("genre-tourist-bronze", "bronze", AT)


async def test_an_import_is_one_digest_of_the_highest_tiers(url: str, user: str, give: Give) -> None:
    """Forty awards of six families, in several pages of one sync."""
    families = [CATALOG.families[name] for name in ("owner", "genre-tourist", "style-explorer", "label-hopper")]
    async with looking(url, user) as page:
        for tiers in families:
            await give(user, *(tier.key for tier in tiers))
        await give(user, "mono-enthusiast", "deep-cut")
        await give(user, "wishlister-i", notify=False)
        _, data = await page.next()
        highest = {tiers[-1].key for tiers in families} | {"mono-enthusiast", "deep-cut"}
        assert (data["more"], data["earned"]) == (3, sum(map(len, families)) + 2)
        shown = [one["id"] for one in data["badges"]]
        assert len(shown) == 3
        assert set(shown) <= highest
        assert shown == sorted(shown, key=lambda key: -CATALOG.badges[key].sort_score)
        with pytest.raises(TimeoutError):
            await page.next(2)


async def test_what_was_missed_comes_once_and_in_order(url: str, user: str, give: Give) -> None:
    async with looking(url, user) as page:
        await give(user, "owner-i")
        assert (await page.next())[1]["badges"][0]["id"] == "owner-i"
        first = page.last
    # Kafka says nothing of these: nobody was here to hear it.
    await give(user, "owner-ii", "reviewer-i", told=False)
    last = await give(user, "wishlister-i", told=False)
    async with looking(url, user, first) as page:
        assert page.last == first
        _, data = await page.next()
        assert {one["id"] for one in data["badges"]} == {"owner-ii", "reviewer-i", "wishlister-i"}
        assert page.last == str(last)
        # A page that was opened anew says it in the address.
    async with looking(f"{url}?after={page.last}", user) as page:
        await give(user, "editor-i")
        assert [one["id"] for one in (await page.next())[1]["badges"]] == ["editor-i"]


@pytest.mark.parametrize("sent", ["9" * 18, "9" * 40, "-1", "x", "1 2"])
async def test_a_number_that_we_did_not_send_begins_now(url: str, user: str, give: Give, sent: str) -> None:
    await give(user, "owner-i")
    async with looking(url, user, sent) as page:
        await give(user, "owner-ii")
        assert [one["id"] for one in (await page.next())[1]["badges"]] == ["owner-ii"]


async def test_two_pages_of_one_user_and_nobody_elses(url: str, user: str, give: Give) -> None:
    other = f"{user}-other"
    async with looking(url, user) as one, looking(url, user) as two, looking(url, other) as stranger:
        await give(user, "owner-i")
        assert await one.next() == await two.next()
        await give(other, "editor-i")
        assert (await stranger.next())[1]["badges"][0]["id"] == "editor-i"
        async with httpx.AsyncClient(base_url=url) as web:
            refused = await web.get(
                STREAM, headers={"Authorization": f"Bearer {mint(Settings(jwt_secret=SECRET), user)}"}
            )
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
            assert "gatefold_live_streams 3.0" in (await web.get("/metrics")).text


async def test_a_revoked_badge_is_told(
    url: str, user: str, give: Give, publisher: Publisher, settings: Settings
) -> None:
    async with looking(url, user) as page:
        await give(user, "owner-i")
        await page.next()
        await publish(publisher, settings, "badge.revoked", user, {"badge_key": "owner-i", "context": ""})
        assert await page.next() == ("revoked", {"id": "owner-i", "context": ""})


async def test_an_award_that_is_revoked_at_once_is_not_shown(
    url: str, user: str, give: Give, db: asyncpg.Connection[asyncpg.Record]
) -> None:
    async with looking(url, user) as page:
        await give(user, "owner-i", "reviewer-i")
        await db.execute("update user_badges set revoked_at = now() where user_id = $1 and badge_key = 'owner-i'", user)
        assert [one["id"] for one in (await page.next())[1]["badges"]] == ["reviewer-i"]


async def test_nobody_is_refused_and_a_token_ends_its_stream(url: str, user: str) -> None:
    async with httpx.AsyncClient(base_url=url) as web:
        for headers in ({}, {"Authorization": "Bearer x"}):
            answer = await web.get(STREAM, headers=headers)
            assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
        token = mint(Settings(jwt_secret=SECRET), user)
        head = await web.head(STREAM, headers={"Authorization": f"Bearer {token}"}, timeout=5)
        assert (head.status_code, head.content) == (200, b"")
    claims = {"sub": user, "aud": "gatefold", "iss": "gatefold", "exp": int(time.time()) + 3}
    short = jwt.encode({"alg": "HS256"}, claims, secret_key(SECRET))
    async with looking(url, user, token=short) as page:
        assert await page.ended(8)


async def test_the_cookie_of_the_pages_opens_a_stream(url: str, user: str) -> None:
    cookie = f"__Host-gatefold={mint(Settings(jwt_secret=SECRET), user)}"
    async with (
        httpx.AsyncClient(base_url=url, timeout=10) as web,
        web.stream("GET", STREAM, headers={"Cookie": cookie}) as answer,
    ):
        assert answer.status_code == 200


async def test_without_kafka_pages_are_answered_and_streams_stay(settings: Settings, user: str, give: Give) -> None:
    """And at the end of the process they are closed, so that it does not wait for them."""
    away = surroundings(settings) | {"kafka_url": "kafka://127.0.0.1:1"}
    async with running(**away) as (process, found), looking(found, user, "0") as page:
        last = await give(user, "owner-i")
        headers = {"Authorization": f"Bearer {mint(Settings(jwt_secret=SECRET), user)}"}
        async with httpx.AsyncClient(base_url=found) as web:
            answer = await web.get("/api/user/achievements/summary", headers=headers)
            assert answer.json()["total_earned"] == 1
            assert "gatefold_live_listening 0.0" in (await web.get("/metrics")).text
        # Whoever asks again is told, with or without Kafka.
        async with looking(found, user, page.last) as again:
            assert await again.next() == await page.next()
            assert again.last == page.last == str(last)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(8):
            assert await process.wait() == 0
            assert await page.ended()


async def test_when_kafka_comes_what_was_missed_is_told(settings: Settings, user: str, give: Give) -> None:
    late = settings.model_copy(update={"topic_prefix": f"{settings.topic_prefix}late."})
    async with running(**surroundings(late)) as (_, found), looking(found, user) as page:
        await give(user, "owner-i", told=False)
        async with httpx.AsyncClient(base_url=found) as web:
            assert "gatefold_live_listening 0.0" in (await web.get("/metrics")).text
        admin = TopicAdmin(late)
        await admin.open()
        await admin.create(plan(late, {}))
        await admin.close()
        assert (await page.next(20))[1]["earned"] == 1


async def test_while_postgresql_is_away_streams_stay(settings: Settings, user: str, give: Give) -> None:
    server = urlsplit(settings.postgres_url)
    wire = Wire(server.hostname or "", server.port or 0)
    await wire.mend()
    netloc = server.netloc.rpartition("@")[0] + f"@127.0.0.1:{wire.port}"
    behind = surroundings(settings) | {"postgres_url": server._replace(netloc=netloc, query="sslmode=disable").geturl()}
    try:
        async with running(**behind) as (_, found), looking(found, user) as page:
            await wire.cut()
            await give(user, "owner-i")
            async with httpx.AsyncClient(base_url=found) as web:
                token = mint(Settings(jwt_secret=SECRET), f"{user}-other")
                refused = await web.get(STREAM, headers={"Authorization": f"Bearer {token}"})
                assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
            await asyncio.sleep(QUIET_SECONDS + 2 * BEAT_SECONDS)  # it asks, and nobody answers
            await wire.mend()
            assert (await page.next())[1]["earned"] == 1
    finally:
        await wire.cut()
