"""The notifier: reads what was awarded, and delivers it as notices, each at least once under an id of its own."""

from __future__ import annotations

import asyncio
import time
from typing import ClassVar, Final

from aiokafka.errors import KafkaError

from services import metrics
from services.logs import logger
from services.notifier.channel import Channel, Later, Never, Outcome, Sent
from services.notifier.notice import notice_of
from services.notifier.reading import Fetched, Pool, Reading
from services.process import Process, backoff
from services.settings import Settings
from services.stores import notices
from services.stores.notices import Claimed
from services.stores.postgres import TRANSIENT, open_pool

AT_ONCE: Final = 8  # deliveries
IDLE_SECONDS: Final = 0.25
AWAY_SECONDS: Final = (0.2, 5.0)
# Until the next attempt, from the first to the last.
AGAIN_SECONDS: Final = (2.0, 3600.0)
LEASE_MARGIN_SECONDS: Final = 5.0
COUNT_SECONDS: Final = 5.0
# Longer than Kafka keeps `badge.awarded`, so that nothing that comes again is new.
KEEP_DAYS: Final = 14.0
PRUNED: Final = 1000


class Notifier(Process):
    """One notifier process; several share the partitions, and the notices."""

    name: ClassVar[str] = "notifier"
    log = logger(__name__)

    def __init__(self, settings: Settings, channel: Channel) -> None:
        super().__init__(settings)
        self._channel = channel
        self._reading = Reading(settings)
        self._joined = False
        self._pool: Pool
        metrics.begin_notifier_at_zero()

    async def open(self) -> None:
        """A pool for what is read and what is delivered."""
        self._pool = await open_pool(
            self._settings.postgres_url,
            application="gatefold-notifier",
            size=4,
            limits={"statement_timeout": "10000", "idle_in_transaction_session_timeout": "15000"},
            command_seconds=12,
        )

    async def close(self) -> None:
        """Give back the connections of both sides."""
        await self._channel.close()
        self._pool.terminate()

    async def work(self) -> None:
        """Read, deliver and count side by side until stopped."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read())
            group.create_task(self._deliver())
            group.create_task(self._count())

    async def _read(self) -> None:
        """Store what comes, then tell Kafka so: what was not told comes again, and is known."""
        failures = 0
        while not self._stop.is_set():
            try:
                async with self._reading.consumer() as consumer:
                    while not self._stop.is_set():
                        fetched = await self._reading.fetch(consumer)
                        self._joined = self._joined or bool(consumer.assignment())
                        failures = 0
                        self._well("kafka")
                        if fetched.positions and await self._stored(fetched):
                            await consumer.commit(fetched.positions)
            except (KafkaError, OSError, TimeoutError) as error:
                self._note("kafka", error)
                failures += 1
                await self._pause(backoff(failures, AWAY_SECONDS))

    async def _stored(self, fetched: Fetched) -> bool:
        """Store it, however long PostgreSQL is away; False where we were stopped before."""
        failures = 0
        while not self._stop.is_set():
            try:
                await self._reading.store(self._pool, fetched.messages)
            except TRANSIENT as error:
                self._note("postgres", error)
                failures += 1
                await self._pause(backoff(failures, AWAY_SECONDS))
            else:
                return True
        return False

    async def _deliver(self) -> None:
        """Claim and deliver, so many at once; a stop lets those under way finish."""
        running: set[asyncio.Task[None]] = set()
        lease = self._settings.notifier_seconds + LEASE_MARGIN_SECONDS
        failures = 0
        while not self._stop.is_set():
            try:
                async with self._pool.acquire() as connection:
                    claimed = await notices.claim(connection, AT_ONCE - len(running), lease=lease)
            except TRANSIENT as error:
                self._note("postgres", error)
                failures += 1
                await self._pause(backoff(failures, AWAY_SECONDS))
                continue
            failures = 0
            self._well("postgres")
            running |= {asyncio.create_task(self._one(notice)) for notice in claimed}
            if len(running) < AT_ONCE and not claimed:
                await self._pause(IDLE_SECONDS)
            elif running:
                await asyncio.wait(running, timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for done in {task for task in running if task.done()}:
                running.discard(done)
                done.result()
        if running:
            await asyncio.wait(running)

    async def _one(self, claimed: Claimed) -> None:
        """One attempt. Where its outcome cannot be stored the lease ends, and the notice is delivered again."""
        if claimed.awards:
            began = time.perf_counter()
            outcome: Outcome
            try:
                async with asyncio.timeout(self._settings.notifier_seconds):
                    outcome = await self._channel.deliver(notice_of(claimed))
            except TimeoutError:
                outcome = Later(f"not done within {self._settings.notifier_seconds:g} s")
            metrics.NOTIFIER_SECONDS.observe(time.perf_counter() - began)
        else:
            outcome = Sent()  # all of it was taken back since
        if isinstance(outcome, Later) and claimed.attempts >= self._settings.notifier_attempts:
            outcome = Never(f"{outcome.reason}, after {claimed.attempts} attempts")
        try:
            await self._settle(claimed, outcome)
        except TRANSIENT as error:
            self._note("postgres", error)

    async def _settle(self, claimed: Claimed, outcome: Outcome) -> None:
        async with self._pool.acquire() as connection:
            match outcome:
                case Sent():
                    await notices.sent(connection, claimed.notice_id)
                    fate = "sent" if claimed.awards else "empty"
                case Later(reason, seconds):
                    wait = max(seconds, backoff(claimed.attempts, AGAIN_SECONDS))
                    await notices.later(connection, claimed.notice_id, wait, reason)
                    fate = "again"
                case Never(reason):
                    await notices.dead(connection, claimed.notice_id, reason)
                    self.log.warning("notice is dead", notice=str(claimed.notice_id), reason=reason)
                    fate = "dead"
        metrics.NOTICES.labels(fate).inc()

    async def _count(self) -> None:
        """Show how much waits, and forget what is long delivered."""
        while not self._stop.is_set():
            try:
                async with self._pool.acquire() as connection:
                    found = await notices.waiting(connection)
                    await notices.prune(connection, KEEP_DAYS, PRUNED)
                metrics.NOTICES_WAITING.set(found.waiting)
                metrics.NOTICES_OLDEST_SECONDS.set(found.oldest_seconds)
                metrics.NOTICES_DEAD.set(found.dead)
            except TRANSIENT as error:
                self._note("postgres", error)
            await self._pause(COUNT_SECONDS)

    def _ready(self) -> metrics.Answer:
        return self._joined and not self._trouble, {"joined": self._joined, "waiting_for": dict(self._trouble)}
