"""A consumer of the demo's own: what a notification service would read."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from aiokafka import AIOKafkaConsumer

from services.settings import Settings

AWARDED = "badge.awarded"
REJECTED = "event.rejected"


class Published:
    """What was read so far.

    Shape:   `awards` award id by message id, `of_campaigns` whole awards of campaigns by the same; `messages` counts
             deliveries of awards, repeated ones included.
    """

    def __init__(self) -> None:
        self.awards: dict[str, str] = {}
        self.of_campaigns: dict[str, dict[str, Any]] = {}
        self.messages = 0
        self.rejections = 0

    def take(self, topic: str, headers: dict[str, bytes], value: bytes) -> None:
        """One message from one of the two topics (unprefixed)."""
        if topic == REJECTED:
            self.rejections += 1
            return
        self.messages += 1
        name, award = headers["ce_id"].decode(), json.loads(value)
        self.awards[name] = award["award_id"]
        if award.get("campaign_id") is not None:
            self.of_campaigns[name] = award


@contextlib.asynccontextmanager
async def listening(options: Settings) -> AsyncIterator[Published]:
    """Reads both topics from their beginning, in the background, as long as the block runs."""
    names = {options.topic(name): name for name in (AWARDED, REJECTED)}
    consumer: Any = AIOKafkaConsumer(
        *names, bootstrap_servers=options.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    found = Published()

    async def read() -> None:
        async for record in consumer:
            found.take(names[record.topic], dict(record.headers), record.value)

    await consumer.start()
    reading = asyncio.create_task(read())
    try:
        yield found
    finally:
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        await consumer.stop()
