"""The scheduler: opens the runs that are due and works them off, a page at a time, the most urgent job first."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Final

import asyncpg

from services import metrics
from services.leading import Leader
from services.logs import logger
from services.scheduler import dates, running
from services.scheduler.jobs import Job, jobs
from services.settings import Settings
from services.stores import alarms, cron
from services.stores.cron import Last, Run
from services.stores.postgres import TRANSIENT

IDLE_SECONDS: Final = 2.0  # until it looks again what is due
CROWDED_SECONDS: Final = 0.2  # until it looks again whether the outbox has room
AGAIN_SECONDS: Final = 300.0  # until a job that failed is tried again

log = logger(__name__)


class Scheduler(Leader):
    """One scheduler process: stands by or leads. A stop lets it finish the page that is under way."""

    name = "scheduler"
    gauge = metrics.SCHEDULER_LEADER
    # A page reads what two thousand users hold.
    limits = {  # noqa: RUF012
        "statement_timeout": "60000",
        "idle_in_transaction_session_timeout": "60000",
        "client_connection_check_interval": "1000",
    }
    command_seconds = 65.0

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(settings)
        self._jobs = jobs(settings)
        self._clock = clock
        self._retry_at: dict[tuple[str, date], float] = {}
        for name in self._jobs:
            metrics.CRON_SUCCEEDED.labels(name)
            for result in metrics.CRON_RESULTS:
                metrics.CRON_RUNS.labels(name, result)

    async def try_lead(self, connection: asyncpg.Connection[asyncpg.Record]) -> bool:
        """Whether this scheduler is the one that works."""
        return await cron.try_lead(connection)

    async def lead(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """Work off what is due, for ever."""
        while not self._stop.is_set():
            await self._pause(await self.turn(connection))

    def led(self) -> None:
        """Alarms are the leader's to show."""
        metrics.show_alarms(())

    async def turn(self, connection: asyncpg.Connection[asyncpg.Record]) -> float:
        """Do the most urgent page; answers how long to wait before the next.

        Raises:  postgres.TRANSIENT. What else goes wrong in a job puts off that job alone.
        """
        last = await cron.last(connection)
        for name, one in last.items():
            if name in self._jobs and one.succeeded_at is not None:
                metrics.CRON_SUCCEEDED.labels(name).set(one.succeeded_at.timestamp())
        metrics.show_alarms(await alarms.standing(connection))
        await self._open(connection, last)
        pause = IDLE_SECONDS
        for job, run in self._by_urgency(await cron.unfinished(connection)):
            if await running.crowded(connection, job):
                pause = CROWDED_SECONDS
                continue
            try:
                done = await running.turn(connection, job, run.due_on)
            except TRANSIENT:
                raise
            except Exception as error:
                await self._put_off(connection, run, error)
                continue
            return done.step.sent / self._settings.cron_rate if done.step else 0.0
        return pause

    async def _open(self, connection: asyncpg.Connection[asyncpg.Record], last: Mapping[str, Last]) -> None:
        due = dates.due_on(self._clock(), self._settings.cron_hour)
        for name in self._jobs:
            if name not in last or last[name].run.due_on < due:
                await running.open_run(connection, name, due)

    def _by_urgency(self, runs: list[Run]) -> list[tuple[Job, Run]]:
        """Runs to go on with: by job, then the oldest first, without those that failed a moment ago."""
        now = time.monotonic()
        return [
            (job, run)
            for name, job in self._jobs.items()
            for run in runs
            if run.name == name and self._retry_at.get((name, run.due_on), 0.0) <= now
        ]

    async def _put_off(self, connection: asyncpg.Connection[asyncpg.Record], run: Run, error: Exception) -> None:
        log.exception("run failed", name=run.name, due_on=run.due_on.isoformat(), again_seconds=AGAIN_SECONDS)
        metrics.CRON_RUNS.labels(run.name, "failed").inc()
        self._retry_at[run.name, run.due_on] = time.monotonic() + AGAIN_SECONDS
        await cron.fail(connection, run, f"{type(error).__name__}: {error}")
