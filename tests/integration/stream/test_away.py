"""Streams while Kafka or PostgreSQL is away, and when it is back."""

from __future__ import annotations

import asyncio
import signal
from urllib.parse import urlsplit

import httpx

from services.api.tokens import mint
from services.live.hub import BEAT_SECONDS, QUIET_SECONDS
from services.settings import Settings
from services.topics import TopicAdmin, plan
from tests.conftest import SECRET
from tests.integration.stream.world import STREAM, Give, looking, surroundings
from tests.integration.test_api_outage import Wire
from tests.integration.test_api_process import running


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
