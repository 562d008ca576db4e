"""The relay: publishes the outbox in order, as the one leader of its database, and outlives its servers' absences."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import asyncpg
from aiokafka.errors import KafkaError

from services import metrics
from services.kafka import MissingTopic, Publisher
from services.leading import BACKOFF_SECONDS, Leader, Lost
from services.logs import logger
from services.process import backoff
from services.relay.aside import Aside
from services.relay.bookkeeping import Bookkeeper
from services.relay.campaigns import Campaigner
from services.relay.news import Teller
from services.relay.publishing import publish_round
from services.stores.outbox import try_lead

# How often an empty outbox is read: at first, and in the end. Measured: an award waits 27 ms (with 0.2 s: 47, at worst
# 143) for 1.6 % of a core (0.5 %). NOTIFY would be quicker, but takes one lock of the whole cluster at every commit.
IDLE_SECONDS = (0.005, 0.05)
IDLE_GROWTH = 1.3
# The producer itself retries for ever; beyond this a new one, from the bootstrap servers, has better prospects.
ROUND_SECONDS = 60.0
STOP_SECONDS = 10.0
ASIDE: Final[tuple[type[Aside], ...]] = (Bookkeeper, Teller, Campaigner)

log = logger(__name__)


class Relay(Leader):
    """One relay process: stands by or leads. A stop lets it finish the round that is under way."""

    name = "relay"
    gauge = metrics.RELAY_LEADER
    # The last one frees the lock of a relay that was killed while its statement waited.
    limits = {  # noqa: RUF012
        "statement_timeout": "30000",
        "idle_in_transaction_session_timeout": "30000",
        "client_connection_check_interval": "1000",
    }
    command_seconds = 35.0

    async def try_lead(self, connection: asyncpg.Connection[asyncpg.Record]) -> bool:
        """Whether this relay is the one that publishes."""
        return await try_lead(connection)

    def led(self) -> None:
        """The gauges of the outbox are the leader's."""
        for gauge in (metrics.OUTBOX_UNSENT, metrics.OUTBOX_FAILED, metrics.OUTBOX_OLDEST_SECONDS):
            gauge.set(0)

    def troubled(self, server: str) -> None:
        """A round was given up."""
        metrics.RELAY_RETRIES.labels(server).inc()

    async def lead(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """Publish, keep the books and tell the news until stopped."""
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        publisher = Publisher(self._settings.bootstrap)
        publishing = asyncio.create_task(self._publish(connection, publisher), name="publishing")
        aside = [asyncio.create_task(work(self._settings).run(), name=work.name) for work in ASIDE]
        losing = asyncio.create_task(lost.wait(), name="lost")
        stopping = asyncio.create_task(self._stop.wait(), name="stop")
        try:
            await asyncio.wait({publishing, *aside, losing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if self._stop.is_set() and not publishing.done():
                await asyncio.wait({publishing, losing}, timeout=STOP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if publishing.done() and not self._stop.is_set():
                publishing.result()
            for task in aside:
                if task.done():
                    task.result()
            if lost.is_set() and not self._stop.is_set():
                raise Lost("the connection with the leader's lock was lost")
        finally:
            tasks: set[asyncio.Task[Any]] = {publishing, *aside, losing, stopping}
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            if lost.is_set() or any(isinstance(result, Exception) for result in results):
                await publisher.abandon()
            else:
                await publisher.close()

    async def _publish(self, connection: asyncpg.Connection[asyncpg.Record], publisher: Publisher) -> None:
        """Round after round; Kafka's absence is waited out here, PostgreSQL's ends it."""
        idle, failures = IDLE_SECONDS[0], 0
        while not self._stop.is_set():
            try:
                settled = await asyncio.wait_for(
                    publish_round(connection, publisher, self._settings.topic, self._settings.relay_batch),
                    ROUND_SECONDS,
                )
            except (KafkaError, MissingTopic) as error:
                failures += 1
                self._note("kafka", error)
                await self._pause(backoff(failures, BACKOFF_SECONDS))
                continue
            except TimeoutError as error:
                if connection.is_closed():
                    raise
                failures += 1
                self._note("kafka", error)
                await publisher.abandon()
                await self._pause(backoff(failures, BACKOFF_SECONDS))
                continue
            if settled:
                idle, failures = IDLE_SECONDS[0], 0
                if self._well("kafka"):
                    log.info("Kafka is back")
            else:
                await self._pause(idle)
                idle = min(idle * IDLE_GROWTH, IDLE_SECONDS[1])
