"""The consumer alone: how fast bundles come to a worker that does nothing with them, beside aiokafka itself."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from statistics import median
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from faust.types import TP

from bench import load
from bench.plan import Engines, Scale, Steps
from bench.results import Result
from services.kafka import Outgoing, Publisher
from services.settings import Settings
from services.worker.consumer import create_app

GOAL = 0.5
PARTITIONS = 8
SENT_AT_ONCE = 5_000
USERS = [f"user-{number}" for number in range(5_000)]
WARM = 0.1


async def consumer(engines: Engines, scale: Scale, steps: Steps) -> list[Result]:
    """Records a second, each round with a group of its own, medians."""
    settings = Settings(kafka_url=engines.kafka, topic_prefix=f"bench{secrets.token_hex(4)}.", bundle_records=1000)
    steps.begin("consumer", 1 + 2 * scale.rounds)
    await _fill(settings, scale.fetched)
    steps.done(f"{scale.fetched:,} records in {PARTITIONS} partitions")
    bundles, bare = [], []
    for turn in range(scale.rounds):
        bundles.append(await _bundles(settings, scale.fetched, turn))
        steps.done(f"bundles: {bundles[-1]:,.0f} records/s")
        bare.append(await _getmany(settings, scale.fetched, turn))
        steps.done(f"getmany: {bare[-1]:,.0f} records/s")
    note = "every bundle acknowledged as soon as it comes; both in this process, which also counts"
    return [Result("consumer alone / getmany", "records/s", median(bundles), median(bare), ">=", GOAL, note)]


async def _fill(settings: Settings, count: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(settings.topic(load.TOPIC), PARTITIONS, 1)])
    await admin.close()
    publisher = Publisher(settings.bootstrap)
    await publisher.open()
    records = load.random_events(count, USERS, 1)
    for start in range(0, count, SENT_AT_ONCE):
        part = records[start : start + SENT_AT_ONCE]
        await publisher.publish([Outgoing(settings.topic(load.TOPIC), one.key, one.value, one.headers) for one in part])
    await publisher.close()


async def _bundles(settings: Settings, count: int, turn: int) -> float:
    async def from_the_start(logs: Mapping[TP, range]) -> Mapping[TP, int]:
        return {tp: held.start for tp, held in logs.items()}

    app, topic = create_app(settings.model_copy(update={"group": f"bundles-{turn}"}), [load.TOPIC], from_the_start)
    clock = _Clock(count)

    async def take(stream: Any) -> None:
        async for event in stream.noack().events():
            clock.count(len(event.message.value))
            await stream.ack(event)

    app.agent(topic, concurrency=1, name="bench")(take)
    starting = asyncio.create_task(app.start())
    try:
        await clock.done.wait()
    finally:
        starting.cancel()
        thread = app.consumer._thread
        await app.stop()
        thread.thread_loop.close()
    return clock.rate


async def _getmany(settings: Settings, count: int, turn: int) -> float:
    clock = _Clock(count)
    async with AIOKafkaConsumer(
        settings.topic(load.TOPIC),
        bootstrap_servers=settings.bootstrap,
        group_id=settings.topic(f"getmany-{turn}"),
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=2 * 1024 * 1024,
        max_poll_records=settings.bundle_records,
    ) as reader:
        while not clock.done.is_set():
            for batch in (await reader.getmany(timeout_ms=1000)).values():
                clock.count(len(batch))
    return clock.rate


class _Clock:
    """Records a second, without the first ones."""

    def __init__(self, expected: int) -> None:
        self._expected, self._seen = expected, 0
        self._begin: tuple[float, int] | None = None
        self.rate = 0.0
        self.done = asyncio.Event()

    def count(self, number: int) -> None:
        self._seen += number
        if self._begin is None and self._seen >= WARM * self._expected:
            self._begin = time.perf_counter(), self._seen
        if self._seen >= self._expected and self._begin is not None:
            self.rate = (self._seen - self._begin[1]) / (time.perf_counter() - self._begin[0])
            self.done.set()
