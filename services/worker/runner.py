"""Runs bundles until they are durable: what passes is waited for, what is poison is set apart, the rest ends us."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import asyncpg

from contracts.topics import INPUT_TOPICS
from services import metrics
from services.logs import logger
from services.stores import ledger
from services.stores.postgres import TRANSIENT, connect, worker_limits
from services.worker.brake import Brake
from services.worker.bundle import Done, EventFailed, Flood, Gap, Record, Unopened, process
from services.worker.work import Knowledge

log = logger(__name__)

# The database refuses the data itself: one record of the bundle is to blame.
REFUSED: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    ValueError,
)
# The work itself takes longer than a statement or a transaction may.
TOO_SLOW: Final = (asyncpg.QueryCanceledError, asyncpg.IdleInTransactionSessionTimeoutError)
MOST_PATIENCE: Final = 64
# Records in a transaction at most, where one may touch all of a user or all owners of a release.
HEAVY: Final = {"cron.sweep": 10, "user.deleted": 10, "release.described": 10}
COMMAND_SECONDS: Final = 5.0
FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 3.0
BRAKED_SECONDS: Final = 0.2


class Session:
    """One connection of the worker: opened when needed, thrown away after any error, never closed politely."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._patience = 1

    async def connection(self) -> asyncpg.Connection[asyncpg.Record]:
        """A usable connection. Raises:  one of TRANSIENT."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(
                self._url,
                application="gatefold-worker",
                limits=worker_limits(self._patience),
                command_seconds=COMMAND_SECONDS * self._patience,
            )
        return self._connection

    def wait_longer(self) -> None:
        """Give the next attempt four times as long: one record may be a whole collection."""
        self.drop()
        self._patience = min(self._patience * 4, MOST_PATIENCE)

    def calm(self) -> None:
        """Back to the usual limits after an attempt that needed more."""
        if self._patience > 1:
            self.drop()
            self._patience = 1

    def drop(self) -> None:
        """Forget the connection; the next use opens a new one."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


class Runner:
    """Applies bundles, at most `lanes` at once, each over a connection of its own.

    `leaving` answers whether this worker should give bundles up: a rebalance or a stop waits for us.
    """

    def __init__(
        self,
        url: str,
        knowledge: Knowledge,
        *,
        lanes: int,
        bundle_bytes: int,
        leaving: Callable[[], bool],
        brake: Brake | None = None,
    ) -> None:
        self._idle = [Session(url) for _ in range(lanes)]
        self._free = asyncio.Semaphore(lanes)
        self._knowledge = knowledge
        self._bundle_bytes = bundle_bytes
        self._leaving = leaving
        self.brake = brake or Brake()
        self.progress = time.monotonic()
        # Whether the last assignment was read from the ledger: only then does a jump in the log mean anything.
        self.sought = False
        self.positions: dict[tuple[str, int], int] = {}
        earnable = {badge.family for badge in knowledge.catalog.badges.values() if not badge.retired}
        metrics.begin_at_zero(INPUT_TOPICS, earnable)

    async def run(self, topic: str, partition: int, records: Sequence[Record]) -> bool:
        """Apply a bundle; False: given up for a rebalance or a stop, nothing of the rest is durable.

        Raises:  whatever is a fault of ours: the process must end, and not acknowledge.
        """
        async with self._free:
            session = self._idle.pop()
            try:
                for at, part in enumerate(_parts(records, self._bundle_bytes, HEAVY.get(topic, len(records)))):
                    if at and self._leaving():
                        return False
                    if not await self._settle(session, topic, partition, part):
                        return False
            finally:
                self._idle.append(session)
        return True

    async def _settle(self, session: Session, topic: str, partition: int, records: Sequence[Record]) -> bool:
        condemned: dict[int, str] = {}
        tried: set[int] = set()
        pause = FIRST_PAUSE_SECONDS
        while True:
            if not await self._free_to_go():
                return False
            started = time.perf_counter()
            try:
                connection = await session.connection()
            except TRANSIENT as error:
                if not await self._wait(session, error, pause):
                    return False
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                continue
            try:
                done = await process(connection, self._knowledge, topic, partition, records, condemned, self.brake)
            except EventFailed as error:
                if isinstance(error.__cause__, MemoryError):
                    raise  # no fault of the event: a process with more of it can apply it
                session.drop()
                if error.offset in tried:
                    condemned[error.offset] = f"could not be applied: {type(error.__cause__).__name__}"
                    log.error("event set apart", topic=topic, partition=partition, offset=error.offset, exc_info=error)
                tried.add(error.offset)
                continue
            except Flood as flood:
                return await self._split(session, topic, partition, records, flood.taken)
            except Unopened:
                return False  # the next assignment opens the account
            except Gap as gap:
                if not await self._is_hole(session, gap):
                    raise
                continue
            except TOO_SLOW as error:
                session.drop()
                if len(records) > 1:
                    return await self._split(session, topic, partition, records, len(records) // 2)
                session.wait_longer()
                log.warning("giving one record longer", topic=topic, partition=partition, offset=records[0].offset)
                if not await self._wait(session, error, pause):
                    return False
                continue
            except REFUSED as error:
                session.drop()
                if len(records) > 1:
                    return await self._split(session, topic, partition, records, len(records) // 2)
                offset = records[0].offset
                if offset in condemned:
                    raise  # even the dead letter is refused
                condemned[offset] = fault = f"could not be stored: {type(error).__name__}"
                # The class alone: PostgreSQL's own words quote the row.
                log.error("event set apart", topic=topic, partition=partition, offset=offset, fault=fault)
                continue
            except TRANSIENT as error:
                if not await self._wait(session, error, pause):
                    return False
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                continue
            session.calm()
            self._observe(topic, partition, records, done, time.perf_counter() - started)
            return True

    async def _split(self, session: Session, topic: str, partition: int, records: Sequence[Record], at: int) -> bool:
        return await self._settle(session, topic, partition, records[:at]) and await self._settle(
            session, topic, partition, records[at:]
        )

    async def _free_to_go(self) -> bool:
        """Wait while the brake is on; False: it is time to leave."""
        while self.brake.why is not None:
            if self._leaving():
                return False
            await asyncio.sleep(BRAKED_SECONDS)
        return True

    async def _wait(self, session: Session, error: BaseException, seconds: float) -> bool:
        """Pause before the next attempt; False: it is time to leave."""
        session.drop()
        metrics.BUNDLE_RETRIES.labels(type(error).__name__).inc()
        log.warning("waiting for PostgreSQL", error=f"{type(error).__name__}: {error}", again_seconds=round(seconds, 2))
        if self._leaving():
            return False
        await asyncio.sleep(seconds * (0.5 + random.random()))
        return not self._leaving()

    async def _is_hole(self, session: Session, gap: Gap) -> bool:
        """A jump seen twice, both times after reading from the ledger's position, is a hole in the log."""
        if not self.sought:
            return False
        connection = await session.connection()
        if await ledger.suspect_hole(connection, gap.topic, gap.partition, gap.due, gap.got) < 2:
            return False
        await ledger.record_hole(connection, gap.topic, gap.partition, gap.due, gap.got)
        metrics.HOLES.labels(gap.topic).inc(gap.got - gap.due)
        log.error("hole in the log", topic=gap.topic, partition=gap.partition, start=gap.due, end=gap.got)
        return True

    def _observe(self, topic: str, partition: int, records: Sequence[Record], done: Done, seconds: float) -> None:
        self.progress = time.monotonic()
        self.positions[topic, partition] = records[-1].offset + 1
        self.brake.note(done.dead_at, len(records) - done.skipped)
        for fate in metrics.FATES:
            if number := getattr(done, fate):
                metrics.EVENTS.labels(topic, fate).inc(number)
        if done.conflicting:
            metrics.CONFLICTING.labels(topic).inc(done.conflicting)
        for stage in done.stages:
            metrics.DEAD.labels(stage).inc()
        for award in done.awards:
            if not award.shadow:
                metrics.AWARDED.labels(self._knowledge.catalog.badges[award.badge_key].family).inc()
        metrics.BUNDLE_SECONDS.labels(topic).observe(seconds)
        if done.newest is not None:
            metrics.EVENT_AGE_SECONDS.set(max(0.0, time.time() - done.newest.timestamp()))


def _parts(records: Sequence[Record], most_bytes: int, most_records: int) -> Iterator[Sequence[Record]]:
    """Cut a bundle so that each part fits one transaction: a page of a hundred items is as much work as a bundle."""
    start, size = 0, 0
    for at, record in enumerate(records):
        length = len(record.value or b"")
        if at > start and (size + length > most_bytes or at - start >= most_records):
            yield records[start:at]
            start, size = at, 0
        size += length
    if start < len(records):
        yield records[start:]
