"""An api with streams, and pages that read them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx

from catalog.index import load_catalog
from contracts.envelope import encode_binary
from contracts.times import parse_time
from services.api.tokens import mint
from services.kafka import Outgoing, Publisher
from services.settings import Settings
from tests.conftest import SECRET

STREAM = "/api/user/stream"
AT = "2026-03-01T12:00:00Z"
CATALOG = load_catalog()
Give = Callable[..., Awaitable[int]]


def surroundings(settings: Settings) -> dict[str, str]:
    return {
        "postgres_url": settings.postgres_url,
        "kafka_url": settings.kafka_url,
        "topic_prefix": settings.topic_prefix,
        "jwt_secret": SECRET,
    }


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
