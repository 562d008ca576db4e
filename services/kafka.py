"""Publishing to Kafka in order, and what the cluster knows of our topics."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    InvalidTopicError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NodeNotReadyError,
    PolicyViolationError,
    RecordListTooLargeError,
    RequestTimedOutError,
    UnsupportedForMessageFormatError,
)
from aiokafka.partitioner import DefaultPartitioner

# Kafka will say the same of this record tomorrow. Everything else may pass, if with a new producer.
REFUSALS = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    InvalidTopicError,
    PolicyViolationError,
    UnsupportedForMessageFormatError,
)
UNREACHABLE = (KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError, RequestTimedOutError)

BATCH_BYTES = 256 * 1024
# The broker drops the connection at 100 MiB without a word, and the producer would try again for ever.
MOST_BYTES = 50 * 1024 * 1024
METADATA_SECONDS = 3.0
START_SECONDS = 8.0

is_topic_name = re.compile(r"[A-Za-z0-9._-]{1,249}").fullmatch
_choose = DefaultPartitioner()


@lru_cache(maxsize=65_536)
def _place(key: bytes, count: int) -> int:
    """Position among `count` partitions: murmur2 in Python is slow enough to remember."""
    everywhere = list(range(count))
    return int(_choose(key, everywhere, everywhere))


def partition_of(key: bytes | None, partitions: Sequence[int]) -> int:
    """The partition that Kafka's own clients would choose; any, without a key."""
    return random.choice(partitions) if key is None else partitions[_place(key, len(partitions))]


class MissingTopic(Exception):
    """The topic does not exist."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"topic {topic} does not exist: run `gatefold topics`")
        self.topic = topic


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message: Kafka's topic name (with prefix), key, headers and value exactly as they are to be published."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


@dataclass(slots=True)
class Report:
    """What became of the messages given to `publish`, by their position in the list.

    Shape:   a message that is neither sent nor refused is still due, and `error` says why.
    """

    sent: list[int] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    error: Exception | None = None


class Publisher:
    """An idempotent producer whose batches are ours, so that a failure never lets a later message overtake.

    Shape:   per partition one batch is under way; where it fails, the messages behind it wait.
    """

    def __init__(self, bootstrap: str, *, request_seconds: float = 30.0) -> None:
        self._bootstrap = bootstrap
        self._request_ms = int(request_seconds * 1000)
        self._producer: Any = None
        self._partitions: dict[str, list[int]] = {}

    async def open(self) -> None:
        """Connect, with an identity of its own.

        Raises:  KafkaError or asyncio.TimeoutError where no broker answers.
        """
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=self._request_ms,
            max_batch_size=BATCH_BYTES,
            max_request_size=MOST_BYTES,
        )
        try:
            await asyncio.wait_for(producer.start(), min(START_SECONDS, self._request_ms / 1000))
        except BaseException:
            await _abandon(producer)
            raise
        self._producer = producer
        self._partitions.clear()

    async def close(self, *, grace_seconds: float = 5.0) -> None:
        """Disconnect; nothing is sent after this, whatever was under way."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            await asyncio.wait_for(producer.stop(), grace_seconds)
        except Exception:
            await _abandon(producer)

    async def abandon(self) -> None:
        """Disconnect at once: what waits in the producer is not sent."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _abandon(producer)

    async def partitions_of(self, topic: str) -> list[int]:
        """The partitions of a topic.

        Raises:  MissingTopic.
        """
        known = self._partitions.get(topic)
        if known is None:
            if not is_topic_name(topic) or topic in (".", ".."):
                raise MissingTopic(topic)
            try:
                known = sorted(await asyncio.wait_for(self._producer.partitions_for(topic), METADATA_SECONDS))
            except (TimeoutError, KafkaError) as error:
                if not self._producer.client.cluster.brokers():
                    raise KafkaConnectionError("no broker answers") from error
                raise MissingTopic(topic) from error
            self._partitions[topic] = known
        return known

    async def publish(self, messages: Sequence[Outgoing]) -> Report:
        """Send the messages, each partition's in the order given; answers when the fate of each is known.

        Shape:   refused messages are left out and the rest goes on; at any other failure the report says what is due.
        """
        report = Report()
        lanes: dict[tuple[str, int], deque[int]] = {}
        alone: set[int] = set()
        try:
            if self._producer is None:
                await self.open()
            for index, message in enumerate(messages):
                if len(message.value or b"") > MOST_BYTES:
                    report.refused.append(
                        (index, f"{len(message.value or b'')} bytes are more than a request can hold")
                    )
                    continue
                try:
                    partitions = await self.partitions_of(message.topic)
                except MissingTopic as missing:
                    report.error = missing
                    continue
                lane = (message.topic, partition_of(message.key, partitions))
                lanes.setdefault(lane, deque()).append(index)
            while lanes:
                faults = await asyncio.gather(
                    *(self._send_lane(lane, queue, messages, alone, report) for lane, queue in lanes.items())
                )
                lanes = {lane: queue for lane, queue in lanes.items() if queue}
                serious = [fault for fault in faults if fault is not None and not isinstance(fault, REFUSALS)]
                if any(fault is not None for fault in faults):
                    # A failed batch has used up its sequence numbers: the broker would take nothing after it.
                    await self.abandon()
                    if serious:
                        report.error = serious[0]
                        break
                    await self.open()
        except (KafkaError, OSError) as error:
            report.error = _as_fault(error)
            await self.abandon()
        except BaseException:
            await self.abandon()
            raise
        return report

    async def _send_lane(
        self,
        lane: tuple[str, int],
        queue: deque[int],
        messages: Sequence[Outgoing],
        alone: set[int],
        report: Report,
    ) -> Exception | None:
        """Send one partition's messages batch by batch, until the first that fails."""
        topic, partition = lane
        while queue:
            batch = self._producer.create_batch()
            taken = 0
            for index in queue:
                if taken and (index in alone or queue[0] in alone):
                    break
                message = messages[index]
                headers = list(message.headers)
                if batch.append(timestamp=None, key=message.key, value=message.value, headers=headers) is None:
                    break
                taken += 1
            batch.close()
            try:
                await (await self._producer.send_batch(batch, topic, partition=partition))
            except REFUSALS as error:
                if taken == 1:
                    index = queue.popleft()
                    report.refused.append((index, _refusal(error, messages[index])))
                else:
                    # The limit counts the whole batch: find the one that is too large.
                    alone.update(list(queue)[:taken])
                return _as_fault(error)
            except (KafkaError, OSError) as error:
                return _as_fault(error)
            for _ in range(taken):
                report.sent.append(queue.popleft())
        return None


def _refusal(error: Exception, message: Outgoing) -> str:
    """Kafka's refusal in words; its own name for it comes first."""
    name = type(error).__name__
    if isinstance(error, MessageSizeTooLargeError | RecordListTooLargeError):
        return f"{name}: {len(message.value or b''):,} bytes are more than {message.topic} takes"
    return f"{name}: Kafka refuses it for good"


def _as_fault(error: Exception) -> Exception:
    """The error as a value: one lane's failure must not cancel its neighbours."""
    fault: Exception = error
    if not isinstance(error, KafkaError):
        fault = KafkaConnectionError(str(error) or type(error).__name__)
        fault.__cause__ = error
    return fault


async def _abandon(producer: Any) -> None:
    """Close a producer without sending what it holds; its own `stop` would wait for Kafka first, for ever."""
    producer._closed = True
    sender = producer._sender.sender_task
    if sender is not None:
        sender.cancel()
    with contextlib.suppress(Exception):
        await asyncio.wait_for(producer.client.close(), 2)
    if sender is not None:
        await asyncio.wait({sender}, timeout=2)


@dataclass(frozen=True, slots=True)
class LogRange:
    """What the log of a partition holds: offsets from `begin` up to, not including, `end`."""

    begin: int
    end: int


class LogReader:
    """Asks Kafka how far its logs go."""

    def __init__(self, bootstrap: str, *, request_seconds: float = 8.0) -> None:
        self._bootstrap = bootstrap
        self._request_ms = int(request_seconds * 1000)
        self._consumer: Any = None

    async def open(self) -> None:
        """Connect.

        Raises:  KafkaError or asyncio.TimeoutError where no broker answers.
        """
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, request_timeout_ms=self._request_ms, enable_auto_commit=False
        )
        try:
            await asyncio.wait_for(self._consumer.start(), START_SECONDS)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Disconnect."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def ranges(self, topics: Sequence[str]) -> dict[tuple[str, int], LogRange]:
        """The present range of every partition of the topics.

        Raises:  MissingTopic; KafkaError where no broker answers.
        """
        cluster = await self._consumer._client.fetch_all_metadata()
        wanted = []
        for topic in topics:
            partitions = cluster.partitions_for_topic(topic)
            if not partitions:
                raise MissingTopic(topic)
            wanted += [TopicPartition(topic, number) for number in sorted(partitions)]
        # Otherwise the client finds out topic by topic, a tenth of a second each.
        await self._consumer._client.set_topics(topics)
        begins = await self._consumer.beginning_offsets(wanted)
        ends = await self._consumer.end_offsets(wanted)
        return {(place.topic, place.partition): LogRange(begins[place], ends[place]) for place in wanted}
