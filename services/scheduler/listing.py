"""What each job did last, and when it is due next: the same for the command and the api."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from contracts.envelope import rfc3339
from services.scheduler import dates
from services.scheduler.jobs import jobs
from services.settings import Settings
from services.stores import cron
from services.stores.cron import Last, Run
from services.stores.postgres import Connection


async def standing(connection: Connection, settings: Settings, now: datetime) -> list[dict[str, Any]]:
    """Every job, the most urgent first.

    Shape:   `state` is never, running, failed (it is tried again) or done; `on` and `since` are the days that the last
             run stands for; `next_at` is when the next one begins, in the past where the scheduler is late.
    """
    last = await cron.last(connection)
    due = dates.due_on(now, settings.cron_hour)
    return [
        {"name": job.name, "does": job.does}
        | _last(last.get(job.name))
        | {"next_at": _next_at(last.get(job.name), due, settings.cron_hour)}
        for job in jobs(settings).values()
    ]


def seconds_of(run: Run) -> float | None:
    """What the run took, None while it is under way."""
    return None if run.finished_at is None else round((run.finished_at - run.started_at).total_seconds(), 3)


def _last(last: Last | None) -> dict[str, Any]:
    run = None if last is None else last.run
    return {
        "state": _state(last),
        "on": None if run is None else run.due_on.isoformat(),
        "since": None if run is None else run.since.isoformat(),
        "started_at": None if run is None else _time(run.started_at),
        "finished_at": None if run is None else _time(run.finished_at),
        "seconds": None if run is None else seconds_of(run),
        "counts": {} if run is None else run.counts,
        "error": None if last is None else last.error,
        "succeeded_at": None if last is None else _time(last.succeeded_at),
    }


def _state(last: Last | None) -> str:
    if last is None:
        return "never"
    if last.error:
        return "failed"
    return "running" if last.run.finished_at is None else "done"


def _next_at(last: Last | None, due: date, hour: int) -> str | None:
    on = due if last is None or last.run.due_on < due else last.run.due_on + timedelta(days=1)
    return _time(dates.due_at(on, hour))


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment.replace(microsecond=0))
