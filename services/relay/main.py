"""The relay: publishes the outbox in order, as the one leader of its database, and outlives its servers' absences."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Coroutine
from typing import Any

import asyncpg
from aiokafka.errors import KafkaError

from services import metrics
from services.kafka import MissingTopic, Publisher
from services.logs import logger
from services.relay.bookkeeping import Bookkeeper
from services.relay.campaigns import Campaigner
from services.relay.news import Teller
from services.relay.publishing import publish_round
from services.settings import Settings
from services.stores.outbox import try_lead
from services.stores.postgres import TRANSIENT, connect

STANDBY_SECONDS = 1.0
# How often an empty outbox is read: at first, and in the end. Measured: an award waits 27 ms (with 0.2 s: 47, at worst
# 143) for 1.6 % of a core (0.5 %). NOTIFY would be quicker, but takes one lock of the whole cluster at every commit.
IDLE_SECONDS = (0.005, 0.05)
IDLE_GROWTH = 1.3
BACKOFF_SECONDS = (0.1, 5.0)
# The producer itself retries for ever; beyond this a new one, from the bootstrap servers, has better prospects.
ROUND_SECONDS = 60.0
STOP_SECONDS = 10.0
STUCK_SECONDS = 15.0
# A little longer than PostgreSQL gives a statement: whoever is cut off from it does not hear that the time is over.
COMMAND_SECONDS = 35.0
# The last one frees the lock of a relay that was killed while its statement waited.
LIMITS = {
    "statement_timeout": "30000",
    "idle_in_transaction_session_timeout": "30000",
    "client_connection_check_interval": "1000",
}

log = logger(__name__)


class _Lost(Exception):
    """The connection that holds the leader's lock is gone."""


_AWAY: tuple[type[BaseException], ...] = (*TRANSIENT, _Lost)


class Relay:
    """One relay process: stands by or leads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = asyncio.Event()
        self._leads = False
        self._trouble: dict[str, str] = {}
        self._beat = time.monotonic()

    def stop(self) -> None:
        """Finish the round that is under way, then end."""
        self._stop.set()

    async def run(self) -> None:
        """Stand by and lead until stopped.

        Raises:  whatever was not expected; the process should end then.
        """
        heart = asyncio.create_task(self._keep_beating())
        endpoint = metrics.serve_http(
            self._settings.relay_host,
            self._settings.relay_port,
            health=self._health,
            ready=self._ready,
            or_any="relay_port" not in self._settings.model_fields_set,
        )
        failures = 0
        try:
            while not self._stop.is_set():
                try:
                    connection = await connect(
                        self._settings.postgres_url,
                        application="gatefold-relay",
                        limits=LIMITS,
                        command_seconds=COMMAND_SECONDS,
                    )
                    try:
                        self._trouble.pop("postgres", None)
                        failures = 0
                        await self._stand_by(connection)
                    finally:
                        # Not a polite goodbye: the lock should be free now, whatever state the connection is in.
                        connection.terminate()
                except _AWAY as error:
                    failures += 1
                    self._note("postgres", error)
                    await self._pause(backoff(failures))
        finally:
            heart.cancel()
            await asyncio.to_thread(endpoint.close)
        log.info("stopped")

    async def _stand_by(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """Wait for the lock, then lead until stopped or the connection is lost."""
        told = False
        while not self._stop.is_set():
            if await try_lead(connection):
                log.info("leading")
                self._leads = True
                metrics.RELAY_LEADER.set(1)
                try:
                    await self._lead(connection)
                finally:
                    self._leads = False
                    for gauge in (
                        metrics.RELAY_LEADER,
                        metrics.OUTBOX_UNSENT,
                        metrics.OUTBOX_FAILED,
                        metrics.OUTBOX_OLDEST_SECONDS,
                    ):
                        gauge.set(0)
                return
            if not told:
                log.info("standing by: another relay leads")
                told = True
            await self._pause(STANDBY_SECONDS)

    async def _lead(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        publisher = Publisher(self._settings.bootstrap)
        publishing = asyncio.create_task(self._publish(connection, publisher), name="publishing")
        books = asyncio.create_task(Bookkeeper(self._settings).run(), name="counts")
        telling = asyncio.create_task(Teller(self._settings).run(), name="news")
        campaigning = asyncio.create_task(Campaigner(self._settings).run(), name="campaigns")
        losing = asyncio.create_task(lost.wait(), name="lost")
        stopping = asyncio.create_task(self._stop.wait(), name="stop")
        try:
            await asyncio.wait(
                {publishing, books, telling, campaigning, losing, stopping}, return_when=asyncio.FIRST_COMPLETED
            )
            if self._stop.is_set() and not publishing.done():
                await asyncio.wait({publishing, losing}, timeout=STOP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if publishing.done() and not self._stop.is_set():
                publishing.result()
            for beside in (books, telling, campaigning):
                if beside.done():
                    beside.result()
            if lost.is_set() and not self._stop.is_set():
                raise _Lost("the connection with the leader's lock was lost")
        finally:
            tasks: set[asyncio.Task[Any]] = {publishing, books, telling, campaigning, losing, stopping}
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
                await self._pause(backoff(failures))
                continue
            except TimeoutError as error:
                if connection.is_closed():
                    raise
                failures += 1
                self._note("kafka", error)
                await publisher.abandon()
                await self._pause(backoff(failures))
                continue
            if settled:
                idle, failures = IDLE_SECONDS[0], 0
                if self._trouble.pop("kafka", None):
                    log.info("Kafka is back")
            else:
                await self._pause(idle)
                idle = min(idle * IDLE_GROWTH, IDLE_SECONDS[1])

    async def _pause(self, seconds: float) -> None:
        """Sleep, but not through a stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    def _note(self, server: str, error: BaseException) -> None:
        reason = str(error) or type(error).__name__
        if server not in self._trouble:
            log.warning("waiting", server=server, reason=reason)
        self._trouble[server] = reason
        metrics.RELAY_RETRIES.labels(server).inc()

    async def _keep_beating(self) -> None:
        while True:
            self._beat = time.monotonic()
            await asyncio.sleep(1)

    def _health(self) -> metrics.Answer:
        """Whether the loop turns: an absent server is no reason to restart."""
        age = time.monotonic() - self._beat
        return age < STUCK_SECONDS, {"role": self._role(), "loop_seconds": round(age, 1)}

    def _ready(self) -> metrics.Answer:
        return not self._trouble, {"role": self._role(), "waiting_for": dict(self._trouble)}

    def _role(self) -> str:
        return "leader" if self._leads else "standby"


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row, with jitter."""
    shortest, longest = BACKOFF_SECONDS
    return random.uniform(0.5, 1.0) * min(longest, shortest * 2.0 ** min(failures - 1, 16))


async def serve(settings: Settings) -> None:
    """Run a relay until SIGTERM or SIGINT."""
    relay = Relay(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, relay.stop)
    await relay.run()


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run it on the fastest loop there is."""
    import uvloop

    uvloop.run(work)
