"""The read API while a thousand pages have a stream open, beside itself without any."""

from __future__ import annotations

import asyncio
import resource
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median
from typing import Final
from urllib.parse import urlsplit

from bench.databases import database
from bench.plan import Engines, Scale, Steps
from bench.reads import SECRET, give_awards, load, running_api
from bench.results import Result
from bench.worker import declare
from services.api.tokens import mint
from services.settings import Settings

GOAL: Final = 0.9
STREAMS: Final = 1_000
ROUNDS: Final = 9
LIST: Final = "/api/user/achievements"


async def streams(engines: Engines, scale: Scale, steps: Steps) -> list[Result]:
    """Requests a second with 1,000 open streams and with none, in turns; the median of the ratios."""
    prefix = f"bench{secrets.token_hex(4)}."
    settings = Settings(jwt_secret=SECRET, kafka_url=engines.kafka, topic_prefix=prefix)
    await declare(settings)
    steps.begin("streams", 2 * ROUNDS)
    rates: dict[int, list[float]] = {0: [], STREAMS: []}
    async with database(engines.postgres) as url:
        await give_awards(url)
        more = {"GATEFOLD_KAFKA_URL": engines.kafka, "GATEFOLD_TOPIC_PREFIX": prefix}
        async with running_api(url, **more) as api:
            headers = {"Authorization": f"Bearer {mint(settings, 'small')}"}
            for turn in range(ROUNDS):
                # Whichever comes second has the warmer caches.
                for number in sorted(rates, reverse=bool(turn % 2)):
                    async with _open(api, settings, number):
                        rate, p99 = await load(api, LIST, headers, scale.reads)
                    rates[number].append(rate)
                    steps.done(f"{number:,} open: {rate:,.0f}/s, p99 {p99:.1f} ms")
    ours, floor = min(
        zip(rates[STREAMS], rates[0], strict=True), key=lambda pair: abs(pair[0] / pair[1] - _middle(rates))
    )
    what = f"list, 5 awards, {STREAMS:,} streams / none"
    return [Result(what, "requests/s", ours, floor, ">=", GOAL, f"the median of {ROUNDS} ratios")]


def _middle(rates: dict[int, list[float]]) -> float:
    return median(one / bare for one, bare in zip(rates[STREAMS], rates[0], strict=True))


@asynccontextmanager
async def _open(api: str, settings: Settings, number: int) -> AsyncIterator[None]:
    """So many streams of as many users, each past its beginning."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2 * STREAMS)), hard))
    split = urlsplit(api)
    writers = []

    async def begin(at: int) -> None:
        reader, writer = await asyncio.open_connection(split.hostname, split.port)
        writers.append(writer)
        token = mint(settings, f"user-{at}")
        head = f"GET /api/user/stream HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n"
        writer.write(head.encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(answer.decode())
        await reader.readuntil(b"id: ")

    try:
        for start in range(0, number, 50):
            await asyncio.gather(*(begin(at) for at in range(start, min(start + 50, number))))
        yield
    finally:
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
