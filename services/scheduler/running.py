"""A run, page after page: how far it is moves in the page's transaction, so that whoever goes on repeats nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple

from services import metrics
from services.logs import logger
from services.scheduler import dates
from services.scheduler.jobs import Job, Step
from services.stores import cron, outbox
from services.stores.cron import Run
from services.stores.postgres import Connection

log = logger(__name__)


class Turn(NamedTuple):
    """The run after a page, and what the page did; None where the run was done already."""

    run: Run
    step: Step | None


async def open_run(connection: Connection, name: str, on: date) -> None:
    """Open the run of a day, unless it was opened before."""
    newest = await cron.newest(connection, name)
    await cron.begin(connection, name, on, dates.since(newest, on))


async def crowded(connection: Connection, job: Job) -> bool:
    """Whether the job has to wait until more of the outbox is published."""
    return job.tells and await outbox.crowded(connection)


async def turn(connection: Connection, job: Job, on: date) -> Turn:
    """Do the next page of a run; of several who try, each gets a page of its own."""
    async with connection.transaction():
        run = await cron.lock(connection, job.name, on)
        assert run is not None, "runs are never deleted"
        if run.finished_at is not None:
            return Turn(run, None)
        step = await job.page(connection, run, datetime.now(UTC), dry_run=False)
        run.counts = _sum(run.counts, step.counts)
        if step.cursor is not None:
            run.cursor = step.cursor
            await cron.advance(connection, run)
        else:
            run.finished_at = await cron.finish(connection, run)
    for line in step.warnings:
        log.warning(**line)
    for line in step.news:
        log.info(**line)
    if run.finished_at is not None:
        _tell(run)
    return Turn(run, step)


async def imagine(connection: Connection, job: Job, run: Run) -> Turn:
    """Count the next page of a run that nobody opened; nothing is written."""
    step = await job.page(connection, run, datetime.now(UTC), dry_run=True)
    run.counts = _sum(run.counts, step.counts)
    if step.cursor is None:
        run.finished_at = datetime.now(UTC)
    else:
        run.cursor = step.cursor
    return Turn(run, step)


def _sum(before: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return {key: before.get(key, 0) + more.get(key, 0) for key in {**before, **more}}


def _tell(run: Run) -> None:
    assert run.finished_at is not None
    seconds = (run.finished_at - run.started_at).total_seconds()
    metrics.CRON_RUNS.labels(run.name, "done").inc()
    metrics.CRON_SECONDS.labels(run.name).observe(seconds)
    metrics.CRON_SUCCEEDED.labels(run.name).set(run.finished_at.timestamp())
    log.info(
        "run done",
        name=run.name,
        due_on=run.due_on.isoformat(),
        since=run.since.isoformat(),
        seconds=round(seconds, 3),
        **run.counts,
    )
