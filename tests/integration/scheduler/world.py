"""What tests of the scheduler share: users who joined, and what the jobs did with them."""

import asyncio
import hashlib
import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg

from services.scheduler.main import Scheduler
from services.settings import Settings
from services.stores.cron import Run

TABLES = (
    "collector, award, outbox, inbox, dead_letter, badge_holders, badge_holders_history, badge_ranking, cron_run,"
    " activity, alarm, event_history, drift, evaluation_cost, offset_ledger, campaign"
)
FIRST = date(2026, 2, 26)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, on: date, hour: int = 12) -> None:
        self.now = datetime(on.year, on.month, on.day, hour, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, number: int) -> None:
        self.now += timedelta(days=number)


async def join(db: asyncpg.Connection, joined: Sequence[tuple[str, date | None]], seen_on: date | None = None) -> None:
    """Users who joined, and were seen on a day."""
    await db.executemany(
        "insert into collector (user_id, joined_on, seen_on) values ($1, $2, $3)",
        [(user, on, seen_on) for user, on in joined],
    )


def run_of(name: str, on: date, since: date | None = None) -> Run:
    return Run(name, on, since or on, datetime.now(UTC))


def slice_number(user: str) -> int:
    """The slice as the index has it, computed another way."""
    return (int(hashlib.md5(user.encode(), usedforsecurity=False).hexdigest()[:7], 16)) % 30


async def told(db: asyncpg.Connection, topic: str) -> list[tuple[str, str, date, Any]]:
    """Event id, subject, date and data of the events that wait, in order; each is at midnight."""
    rows = await db.fetch("select * from outbox where topic = $1 order by id", topic)
    assert all(row["time"] == datetime.combine(row["time"].date(), datetime.min.time(), UTC) for row in rows)
    return [(row["event_id"], row["subject"], row["time"].date(), row["value"]) for row in rows]


async def work_off(scheduler: Scheduler, connection: asyncpg.Connection) -> int:
    """Turn after turn until nothing is due; how many there were."""
    for turns in itertools.count():
        await scheduler.turn(connection)
        if not await connection.fetchval("select count(*) from cron_run where finished_at is null"):
            before = await connection.fetch("select * from cron_run order by 1, 2")
            await scheduler.turn(connection)
            if before == await connection.fetch("select * from cron_run order by 1, 2"):
                return turns
        assert turns < 10_000
    raise AssertionError


def options(database: str, **more: Any) -> Settings:
    """Settings of a scheduler that nothing slows down."""
    return Settings(postgres_url=database, scheduler_port=0, **({"cron_rate": 1e9} | more))


async def until(what: Any, seconds: float = 20) -> None:
    """Wait for something to become true."""
    end = asyncio.get_running_loop().time() + seconds
    while not await what():
        assert asyncio.get_running_loop().time() < end, f"not within {seconds} s"
        await asyncio.sleep(0.02)
