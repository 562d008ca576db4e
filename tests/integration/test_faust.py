"""What the worker relies on inside Faust and aiokafka: an upgrade that changes it fails here, and not in production."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import OffsetAndMetadata
from faust.types import TP

from services.settings import Settings
from services.worker.consumer import LONG_POLL_MILLISECONDS, WorkerApp, coordinator_error, create_app

RECORDS = 10
Positions = Callable[[Mapping[TP, range]], Awaitable[Mapping[TP, int]]]


async def until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not true():
        assert asyncio.get_running_loop().time() < deadline, "it did not come true"
        await asyncio.sleep(0.02)


@pytest.fixture
async def place(kafka_url: str) -> TP:
    """The one partition of a new topic with ten records."""
    servers, topic = kafka_url.removeprefix("kafka://"), f"faust-{secrets.token_hex(4)}.in"
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for number in range(RECORDS):
            await producer.send_and_wait(topic, b"%d" % number, partition=0)
    return TP(topic, 0)


class Reader:
    """A worker that only notes what it is handed, and acknowledges nothing."""

    def __init__(self, kafka_url: str, place: TP, positions: Positions, instance_id: str | None = None) -> None:
        prefix, _, name = place.topic.partition(".")
        settings = Settings(kafka_url=kafka_url, topic_prefix=f"{prefix}.", session_seconds=6)
        self.group, self.servers, self.place = settings.topic(settings.group), settings.bootstrap, place
        self.app: WorkerApp
        self.app, topic = create_app(settings, [name], positions)
        if instance_id:
            self.app.conf.consumer_group_instance_id = instance_id
        self.events: list[Any] = []
        self.offsets: list[int] = []
        self.app.agent(topic, concurrency=1, name="reader")(self._take)

    async def _take(self, stream: Any) -> None:
        async for event in stream.noack().events():
            self.events.append(event)
            self.offsets += [record.offset for record in event.message.value]

    async def committed(self) -> int | None:
        """What Kafka says of the group's place."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.servers)
        await admin.start()
        try:
            told = await admin.list_consumer_group_offsets(self.group)
        finally:
            await admin.close()
        found = told.get(TopicPartition(*self.place))
        return None if found is None else int(found.offset)


@asynccontextmanager
async def reading(reader: Reader) -> AsyncIterator[Reader]:
    """The reader at work; what it did not acknowledge does not keep it from stopping."""
    starting = asyncio.create_task(reader.app.start())
    try:
        yield reader
    finally:
        starting.cancel()
        for event in reader.events:
            reader.app.consumer.unacked.discard(event.message)
        thread = reader.app.consumer._thread
        await asyncio.wait_for(reader.app.stop(), 20)
        thread.thread_loop.close()  # nobody else does


def at(offset: int) -> Positions:
    """A ledger that says so of every partition."""

    async def positions(logs: Mapping[TP, range]) -> Mapping[TP, int]:
        return dict.fromkeys(logs, offset)

    return positions


async def test_nothing_is_acknowledged_by_itself(kafka_url: str, place: TP) -> None:
    async with reading(Reader(kafka_url, place, at(3))) as reader:
        await until(lambda: reader.offsets == list(range(3, RECORDS)))
        (event,) = reader.events
        assert event.message.generation_id == reader.app.consumer_generation_id
        await asyncio.sleep(2.5)  # two commits and a half
        assert event.message in reader.app.consumer.unacked
        # Where it reads from is told at once, for those who look at the lag: the ledger knows more than Kafka.
        assert await reader.committed() == 3
        event.ack()
        await until(lambda: not reader.app.consumer.unacked)
        deadline = asyncio.get_running_loop().time() + 10
        while await reader.committed() != RECORDS:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.1)


async def test_a_seek_takes_back_what_was_read_and_thrown_away(kafka_url: str, place: TP) -> None:
    async with reading(Reader(kafka_url, place, at(0))) as reader:
        await until(lambda: len(reader.offsets) == RECORDS)
        await reader.app.consumer.perform_seek()
        await until(lambda: len(reader.offsets) == 2 * RECORDS)
        assert reader.offsets == [*range(RECORDS)] * 2


async def test_no_record_comes_before_the_ledger_has_spoken(kafka_url: str, place: TP) -> None:
    asked, spoken = asyncio.Event(), asyncio.Event()

    async def positions(logs: Mapping[TP, range]) -> Mapping[TP, int]:
        assert logs == {place: range(RECORDS)}
        asked.set()
        await spoken.wait()
        return {place: 8}

    async with reading(Reader(kafka_url, place, positions)) as reader:
        await asyncio.wait_for(asked.wait(), 20)
        await asyncio.sleep(1.5)
        assert reader.offsets == []
        spoken.set()
        await until(lambda: reader.offsets == [8, 9])


@pytest.mark.parametrize(("told", "first"), [(None, 0), (4, 4)])
async def test_without_the_ledger_what_kafka_was_told_counts(
    kafka_url: str, place: TP, told: int | None, first: int
) -> None:
    async def nothing(logs: Mapping[TP, range]) -> Mapping[TP, int]:
        return {}

    reader = Reader(kafka_url, place, nothing)
    if told is not None:
        # Left to itself, it would tell Kafka on leaving where it stands: at the log's end, once it has looked there.
        async with AIOKafkaConsumer(
            bootstrap_servers=reader.servers, group_id=reader.group, enable_auto_commit=False
        ) as consumer:
            consumer.assign([TopicPartition(*place)])
            await consumer.commit({TopicPartition(*place): OffsetAndMetadata(told, "")})
    async with reading(reader):
        await until(lambda: reader.offsets == list(range(first, RECORDS)))
        await reader.app.consumer.perform_seek()
        await until(lambda: reader.offsets == list(range(first, RECORDS)) * 2)


async def test_what_is_discarded_does_not_hold_up_a_rebalance(kafka_url: str, place: TP) -> None:
    async with reading(Reader(kafka_url, place, at(0))) as reader:
        await until(lambda: len(reader.offsets) == RECORDS)
        waiting = asyncio.create_task(reader.app.consumer.wait_empty())
        await asyncio.sleep(1.5)
        assert not waiting.done()
        for event in reader.events:
            reader.app.consumer.unacked.discard(event.message)
        await asyncio.wait_for(waiting, 10)


async def test_a_parked_error_of_the_coordinator_is_found(kafka_url: str, place: TP) -> None:
    async with reading(Reader(kafka_url, place, at(0))) as reader:
        await until(lambda: len(reader.offsets) == RECORDS)
        assert coordinator_error(reader.app) is None
        consumer = reader.app.consumer._thread._consumer
        assert consumer._fetcher._fetch_max_wait_ms == LONG_POLL_MILLISECONDS
        coordinator = consumer._coordinator
        assert coordinator._pending_exception is None
        assert not coordinator._coordination_task.done()
        coordinator._pending_exception = RuntimeError("parked")
        assert coordinator_error(reader.app) == "RuntimeError('parked')"
        coordinator._pending_exception = None


async def test_who_has_an_identity_does_not_leave_the_group(kafka_url: str, place: TP) -> None:
    """And who comes back under it is given the same partitions without a new generation."""
    generations = []
    for _ in range(2):
        reader = Reader(kafka_url, place, at(0), instance_id="slot-0")
        async with reading(reader):
            await until(lambda: len(reader.offsets) == RECORDS)  # noqa: B023
            generations.append(reader.app.consumer_generation_id)
    assert generations == [generations[0]] * 2
