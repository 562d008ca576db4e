"""From `badge.awarded` to notices: each message is stored before Kafka is told that it was read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple, TypeAlias

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from contracts.envelope import InvalidEvent, decode
from services import metrics
from services.kafka import START_SECONDS
from services.logs import logger
from services.settings import Settings
from services.stores import notices
from services.stores.notices import Told

AWARDED: Final = "badge.awarded"
POLL_MILLISECONDS: Final = 500
MOST_RECORDS: Final = 500
REQUEST_MILLISECONDS: Final = 8_000
# Shorter than a request may take: who joins waits so long for one who was killed, and must not give up before.
SESSION_MILLISECONDS: Final = 6_000
# An import goes on as long as something comes; a user who never stops is told now and then.
PATIENCE: Final = 12.0

log = logger(__name__)
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


class Fetched(NamedTuple):
    """Messages to be told, and where to read on once they are stored."""

    messages: list[Told]
    positions: dict[TopicPartition, int]


class Reading:
    """Reads as a member of a group, from where the group is; a message that was read before is dropped."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.topic(AWARDED)
        self._group = settings.topic(settings.notifier_group)

    @asynccontextmanager
    async def consumer(self) -> AsyncIterator[Any]:
        """A member of the group. A group that is new begins now: what was earned before is no news.

        Raises:  KafkaError, OSError or TimeoutError where no broker answers.
        """
        await self._begin()
        async with _running(self._made(self._topic)) as consumer:
            yield consumer

    async def fetch(self, consumer: Any) -> Fetched:
        """What has come, of that what is to be told; nothing, after a moment.

        Raises:  KafkaError.
        """
        found = await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=MOST_RECORDS)
        told = [one for batch in found.values() for record in batch if (one := self._told(record)) is not None]
        return Fetched(told, {place: batch[-1].offset + 1 for place, batch in found.items() if batch})

    async def store(self, pool: Pool, messages: Sequence[Told]) -> None:
        """Add messages to the notices of their users; those that were read before are dropped.

        Raises:  postgres.TRANSIENT.
        """
        if not messages:
            return
        quiet = self._settings.notifier_quiet_seconds
        async with pool.acquire() as connection, connection.transaction():
            new = await notices.gather(connection, messages, quiet=quiet, patience=quiet * PATIENCE)
        metrics.NOTIFIER_READ.labels("new").inc(new)
        metrics.NOTIFIER_READ.labels("duplicate").inc(len(messages) - new)

    def _told(self, record: Any) -> Told | None:
        """The message, where the user should be told of it."""
        try:
            event = decode(AWARDED, record.key, record.value, record.headers, record.timestamp)
        except InvalidEvent as fault:
            metrics.NOTIFIER_READ.labels("invalid").inc()
            log.warning("not a message of ours", partition=record.partition, offset=record.offset, reason=str(fault))
            return None
        if not event.data.notify:
            metrics.NOTIFIER_READ.labels("quiet").inc()
            return None
        value = record.value if _is_binary(record.headers) else msgspec.json.encode(event.data)
        return Told(event.id, event.subject, value)

    async def _begin(self) -> None:
        """Put a group that never was anywhere at the end of the log; where partitions are added later, it begins there.

        Raises:  KafkaError, OSError or TimeoutError where no broker answers.
        """
        async with _running(self._made()) as consumer:
            cluster = await asyncio.wait_for(consumer._client.fetch_all_metadata(), START_SECONDS)
            places = [TopicPartition(self._topic, number) for number in cluster.partitions_for_topic(self._topic) or ()]
            if not places:
                raise KafkaError(f"there is no topic {self._topic}")
            consumer.assign(places)
            for place in places:
                if await consumer.committed(place) is not None:
                    return
            await asyncio.wait_for(consumer.seek_to_end(*places), START_SECONDS)
            # Refused where another member has come meanwhile: then that one has done it.
            with contextlib.suppress(KafkaError):
                await consumer.commit({place: await consumer.position(place) for place in places})

    def _made(self, *topics: str) -> Any:
        return AIOKafkaConsumer(
            *topics,
            bootstrap_servers=self._settings.bootstrap,
            group_id=self._group,
            request_timeout_ms=REQUEST_MILLISECONDS,
            session_timeout_ms=SESSION_MILLISECONDS,
            heartbeat_interval_ms=SESSION_MILLISECONDS // 3,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )


@asynccontextmanager
async def _running(consumer: Any) -> AsyncIterator[Any]:
    try:
        await asyncio.wait_for(consumer.start(), START_SECONDS)
        yield consumer
    finally:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(consumer.stop(), START_SECONDS)


def _is_binary(headers: Iterable[tuple[str, bytes]]) -> bool:
    return any(name.lower() == "ce_id" for name, _ in headers)
