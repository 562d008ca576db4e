"""Runs of the scheduler's jobs, and the users that a day of the year or a night concerns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("cron")
LEADER_LOCK: Final = 0x67617465_63726F6E  # a constant of our own: who holds it is the scheduler


@dataclass(slots=True)
class Run:
    """One run of a job, for the days from `since` to `due_on`; `cursor` says how far it is, in the job's own words."""

    name: str
    due_on: date
    since: date
    started_at: datetime
    finished_at: datetime | None = None
    cursor: str = ""
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Last:
    """The newest run of a job, why it could not go on, and when the job last succeeded."""

    run: Run
    error: str | None
    succeeded_at: datetime | None


async def try_lead(connection: Connection) -> bool:
    """Whether this connection now holds, or held already, the lock of the one scheduler."""
    return bool(await connection.fetchval(SQL["try_lead"], LEADER_LOCK))


async def last(connection: Connection) -> dict[str, Last]:
    """The newest run of each job that was ever run."""
    rows = await connection.fetch(SQL["last"])
    return {row["name"]: Last(_run(row), row["error"], row["succeeded_at"]) for row in rows}


async def unfinished(connection: Connection) -> list[Run]:
    """Runs that are not done, the oldest first."""
    return [_run(row) for row in await connection.fetch(SQL["unfinished"])]


async def newest(connection: Connection, name: str) -> date | None:
    """The last day for which the job was run, None where it never was."""
    found: date | None = await connection.fetchval(SQL["newest"], name)
    return found


async def begin(connection: Connection, name: str, due_on: date, since: date) -> None:
    """Open a run; one that is there already stays as it is."""
    await connection.execute(SQL["begin"], name, due_on, since)


async def again(connection: Connection, name: str, due_on: date) -> None:
    """Begin a run anew that is done; one that is under way goes on."""
    await connection.execute(SQL["again"], name, due_on)


async def lock(connection: Connection, name: str, due_on: date) -> Run | None:
    """The run, ours alone until the transaction ends; None where there is none."""
    row = await connection.fetchrow(SQL["lock"], name, due_on)
    return None if row is None else _run(row)


async def advance(connection: Connection, run: Run) -> None:
    """Remember how far the run has come."""
    await connection.execute(SQL["advance"], run.name, run.due_on, run.cursor, json.dumps(run.counts))


async def finish(connection: Connection, run: Run) -> datetime:
    """The run is done; answers when."""
    found: datetime = await connection.fetchval(SQL["finish"], run.name, run.due_on, json.dumps(run.counts))
    return found


async def fail(connection: Connection, run: Run, error: str) -> None:
    """Remember why the run could not go on."""
    await connection.execute(SQL["fail"], run.name, run.due_on, error)


async def joined(connection: Connection, days: Sequence[int], before: date, after: str, limit: int) -> list[str]:
    """The next users who joined before a date on one of these days of the year (1121: 21 November), two at most."""
    first, second = days[0], days[1] if len(days) > 1 else None
    rows = await connection.fetch(SQL["joined"], first, second, before, after, limit)
    return [row["user_id"] for row in rows]


async def count_joined(connection: Connection, days: Sequence[int], before: date) -> int:
    """How many they are."""
    return int(await connection.fetchval(SQL["count_joined"], list(days), before))


async def in_slice(connection: Connection, number: int, after: str, limit: int) -> list[str]:
    """The next users of a slice."""
    return [row["user_id"] for row in await connection.fetch(SQL["slice"], number, after, limit)]


async def count_slice(connection: Connection, number: int) -> int:
    """How many they are."""
    return int(await connection.fetchval(SQL["count_slice"], number))


def _run(row: Any) -> Run:
    return Run(
        row["name"],
        row["due_on"],
        row["since"],
        row["started_at"],
        row["finished_at"],
        row["cursor"],
        json.loads(row["counts"]),
    )
