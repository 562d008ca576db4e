"""What Kafka tells an api process of awards: one consumer without a group, which reads what comes from now on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services import metrics
from services.kafka import START_SECONDS
from services.live.hub import Hub
from services.logs import logger
from services.process import backoff
from services.settings import Settings

AWARDED: Final = "badge.awarded"
REVOKED: Final = "badge.revoked"
POLL_MILLISECONDS: Final = 1000
REQUEST_MILLISECONDS: Final = 8_000
# Partitions are added now and then, and a broker that fell silent says nothing of it.
CHECK_SECONDS: Final = 30.0
BACKOFF_SECONDS: Final = (0.2, 5.0)

log = logger(__name__)


class _Revoked(msgspec.Struct):
    badge_key: str
    context: str


_read_revoked = msgspec.json.Decoder(_Revoked).decode


class Listener:
    """Tells the hub who was given something. Where Kafka is away it waits; the hub then asks by itself now and then."""

    def __init__(self, settings: Settings, hub: Hub) -> None:
        self._settings = settings
        self._hub = hub
        self._revoked = settings.topic(REVOKED)

    async def run(self) -> None:
        """Listen for ever, whatever becomes of Kafka."""
        failures = 0
        while True:
            began = time.monotonic()
            try:
                await self._listen()
            except (KafkaError, OSError, TimeoutError) as error:
                failures = 1 if time.monotonic() - began > CHECK_SECONDS else failures + 1
                if failures == 1:
                    log.warning("streams wait for Kafka", reason=str(error) or type(error).__name__)
            except Exception:
                failures += 1
                log.exception("streams hear nothing")
            else:
                failures = 0
            metrics.LIVE_LISTENING.set(0)
            if failures:
                await asyncio.sleep(backoff(failures, BACKOFF_SECONDS))

    async def _listen(self) -> None:
        """Read until the partitions are others.

        Raises:  KafkaError, OSError or TimeoutError where no broker answers.
        """
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.bootstrap,
            request_timeout_ms=REQUEST_MILLISECONDS,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            fetch_max_wait_ms=POLL_MILLISECONDS // 2,
        )
        try:
            await asyncio.wait_for(consumer.start(), START_SECONDS)
            partitions = await self._partitions(consumer)
            if not partitions:
                raise KafkaError(f"there is no topic {self._settings.topic(AWARDED)}")
            consumer.assign(partitions)
            await asyncio.wait_for(consumer.seek_to_end(*partitions), START_SECONDS)
            metrics.LIVE_LISTENING.set(1)
            # What was published before we were here.
            self._hub.look_at_all()
            checked = time.monotonic()
            while True:
                for records in (await consumer.getmany(timeout_ms=POLL_MILLISECONDS)).values():
                    self._hear(records)
                if time.monotonic() - checked >= CHECK_SECONDS:
                    checked = time.monotonic()
                    if await self._partitions(consumer) != partitions:
                        return
        finally:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(consumer.stop(), START_SECONDS)

    async def _partitions(self, consumer: Any) -> list[TopicPartition]:
        """Every partition of both topics, as Kafka has them now."""
        cluster = await asyncio.wait_for(consumer._client.fetch_all_metadata(), START_SECONDS)
        return [
            TopicPartition(topic, number)
            for topic in (self._settings.topic(AWARDED), self._revoked)
            for number in sorted(cluster.partitions_for_topic(topic) or ())
        ]

    def _hear(self, records: Iterable[Any]) -> None:
        for record in records:
            metrics.LIVE_LAG_SECONDS.set(max(0.0, time.time() - record.timestamp / 1000))
            try:
                user_id = (record.key or b"").decode()
                if not self._hub.listened_to(user_id):
                    continue
                if record.topic == self._revoked:
                    found = _read_revoked(record.value or b"")
                    self._hub.tell_revoked(user_id, found.badge_key, found.context)
                else:
                    self._hub.hear(user_id)
            except (UnicodeDecodeError, msgspec.DecodeError) as error:
                log.warning("not a message of ours", topic=record.topic, offset=record.offset, reason=str(error))
