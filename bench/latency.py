"""How long an award takes: from the event's sending to `badge.awarded` in a consumer, beside a bare durable echo."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench import load, worker
from bench.databases import database
from bench.echo import TABLE
from bench.plan import Engines, Scale, Steps
from bench.population import Group, populated
from bench.results import Result
from services.settings import Settings

GOAL = 5.0
TICK_SECONDS = 0.01
# One event in so many is the first of its user, and earns the first badge of owners.
AWARD_EACH = 20
WARM = 0.2
LAST_SECONDS = 30.0
AWARDED = "badge.awarded"


async def latency(engines: Engines, scale: Scale, steps: Steps) -> list[Result]:
    """Milliseconds at the 99th percentile, at half of the rate that a backlog is worked off with."""
    crowd = Group("user", scale.users, scale.records)
    steps.begin("latency", 3)
    async with populated(engines.postgres, [crowd]) as population:
        async with database(engines.postgres, population) as url:
            records = load.random_events(scale.events, crowd.members(), 1)
            rate = (await worker.drain(url, engines.kafka, records)).rate / 2
        steps.done(f"one worker: {2 * rate:,.0f} events/s on a backlog; now {rate:,.0f}/s")
        async with database(engines.postgres, population) as url:
            ours = await _of_awards(url, engines.kafka, crowd.members(), rate, scale.latency_seconds)
        steps.done(f"awards: p50 {_percentile(ours, 0.5):.0f} ms, p99 {_percentile(ours, 0.99):.0f} ms")
    async with database(engines.postgres) as url:
        bare = await _of_echo(url, engines.kafka, crowd.members(), rate, scale.latency_seconds)
    steps.done(f"echo: p50 {_percentile(bare, 0.5):.0f} ms, p99 {_percentile(bare, 0.99):.0f} ms")
    note = f"{rate:,.0f} events/s for {scale.latency_seconds:.0f} s, one in {AWARD_EACH} earns an award"
    return [
        Result(
            "event to award / bare echo, p99", "ms", _percentile(ours, 0.99), _percentile(bare, 0.99), "<=", GOAL, note
        )
    ]


def _percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))] * 1000


async def _of_awards(url: str, kafka: str, users: list[str], rate: float, seconds: float) -> list[float]:
    settings = Settings(
        postgres_url=url,
        kafka_url=kafka,
        topic_prefix=f"bench{secrets.token_hex(4)}.",
        topic_partitions=worker.PARTITIONS,
    )
    await worker.declare(settings)
    with tempfile.TemporaryDirectory(prefix="gatefold-bench-") as scratch:
        async with worker.running(settings, scratch, ["worker", "relay"]) as processes:
            source, target = settings.topic(load.TOPIC), settings.topic(AWARDED)
            connection = await asyncpg.connect(url)
            while not await connection.fetchval("select exists (select from offset_ledger)"):
                await asyncio.sleep(0.1)
                if any(one.process.poll() is not None for one in processes):
                    raise worker.WorkerFailed("a process ended at its start")
            await connection.close()
            return await _measure(settings.bootstrap, source, target, users, rate, seconds, _subject)


async def _of_echo(url: str, kafka: str, users: list[str], rate: float, seconds: float) -> list[float]:
    settings = Settings(kafka_url=kafka, topic_prefix=f"bench{secrets.token_hex(4)}.")
    source, target = settings.topic("in"), settings.topic("out")
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, worker.PARTITIONS, 1) for name in (source, target)])
    await admin.close()
    connection = await asyncpg.connect(url)
    await connection.execute(TABLE)
    await connection.close()
    child = subprocess.Popen([sys.executable, "-m", "bench.echo", url, settings.bootstrap, source, target])
    try:
        await asyncio.sleep(3)
        return await _measure(settings.bootstrap, source, target, users, rate, seconds, _key)
    finally:
        child.terminate()
        child.wait()


def _subject(record: ConsumerRecord) -> str:
    headers = dict(record.headers)
    return headers["ce_subject"].decode() if "ce_subject" in headers else msgspec.json.decode(record.value)["user_id"]


def _key(record: ConsumerRecord) -> str:
    return str(record.key.decode())


async def _measure(
    bootstrap: str,
    source: str,
    target: str,
    users: list[str],
    rate: float,
    seconds: float,
    user_of: Callable[[ConsumerRecord], str],
) -> list[float]:
    """Seconds from sending to answer, of the first events of new users.

    Shape:   what is sent is made before the clock starts: who sends shares the cores with who is measured.
    """
    records = [_paced(number, users) for number in range(int(rate * seconds) + 1)]
    sent: dict[str, float] = {}
    took: list[float] = []
    async with _reading(bootstrap, target) as reader, AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        everything = asyncio.Event()
        receiving = asyncio.create_task(_receive(reader, sent, took, user_of, everything))
        begin, number = time.perf_counter(), 0
        while (now := time.perf_counter() - begin) < seconds:
            while number < rate * now:
                record = records[number]
                if number % AWARD_EACH == 0 and now > WARM * seconds:
                    sent[record.key.decode()] = time.perf_counter()
                await producer.send(source, record.value, key=record.key, headers=record.headers)
                number += 1
            await asyncio.sleep(TICK_SECONDS)
        everything.set()
        try:
            await asyncio.wait_for(receiving, LAST_SECONDS)
        except TimeoutError:
            raise worker.WorkerFailed(f"{len(sent)} answers of {len(took) + len(sent)} did not come") from None
    return took


def _paced(number: int, users: list[str]) -> load.Sample:
    """The event of this number; one in `AWARD_EACH` is the first of its user."""
    user = f"new-{number}" if number % AWARD_EACH == 0 else users[number * 7919 % len(users)]
    return load.event(number, user, [(load.NEW_COPIES + number, number % 2000)], name=f"paced-{number}")


@asynccontextmanager
async def _reading(bootstrap: str, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    reader = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=100)
    await reader.start()
    try:
        yield reader
    finally:
        await reader.stop()


async def _receive(
    reader: AIOKafkaConsumer,
    sent: dict[str, float],
    took: list[float],
    user_of: Callable[[ConsumerRecord], str],
    everything: asyncio.Event,
) -> None:
    """Until all that was sent is answered, once everything is sent."""
    while sent or not everything.is_set():
        for batch in (await reader.getmany(timeout_ms=100)).values():
            now = time.perf_counter()
            took += [now - begin for record in batch if (begin := sent.pop(user_of(record), None)) is not None]
