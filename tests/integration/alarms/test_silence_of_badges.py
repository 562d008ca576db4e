"""Badges and triggers that fall silent, and what is merely quiet."""

import json
from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import pytest

from services.scheduler.main import Scheduler
from services.stores import alarms
from services.stores.alarms import AlarmMark
from tests.integration.alarms.world import KEY, TODAY, heard, hold, past, shown, standing
from tests.integration.commands import gatefold
from tests.integration.scheduler.world import Clock, options, work_off


async def test_a_trigger_that_falls_silent_is_the_alarm_and_not_its_badges(
    db: asyncpg.Connection, scheduling: asyncpg.Connection, database: str
) -> None:
    held = await past(db, "reviewer-i", [30] * 40)
    await hold(db, "reviewer-i", held)
    await heard(db, "review.approved", [50] * 40)
    clock = Clock(TODAY)
    scheduler = Scheduler(options(database), clock)
    await work_off(scheduler, scheduling)
    assert await standing(db) == {
        ("silent_trigger", "review.approved"): {"since": "2026-02-25", "days": 1, "likely": 1, "gaps": 38}
    }
    assert shown("silent_trigger", "review.approved") == 1
    await db.execute("update offset_ledger set processed = processed + 1, next_offset = next_offset + 1")
    clock.pass_days(1)
    await work_off(scheduler, scheduling)
    assert list(await standing(db)) == [("silent_badge", "reviewer-i")], "it is heard again, and nobody earns"
    await hold(db, "reviewer-i", held + 1, clock.now.date() + timedelta(days=1))
    clock.pass_days(1)
    await db.execute("update offset_ledger set processed = processed + 1, next_offset = next_offset + 1")
    await work_off(scheduler, scheduling)
    assert await standing(db) == {}
    assert len(await alarms.page(db, AlarmMark(), 100, ended=True)) == 2
    scheduler.led()


@pytest.mark.parametrize(
    "gains",
    [
        [*([20, 20, 20, 20, 20, 0, 0] * 8), 20, 20, 20, 20, 20, 0],  # a Sunday
        [1, 0, 0, 0, 0] * 12,  # too seldom to be missed
        [5] * 15,  # too young
        [3, 1, 0, 2] * 15,
    ],
    ids=["weekend", "rare", "young", "a few"],
)
async def test_a_weekend_a_rare_and_a_young_one_are_not_silent(
    db: asyncpg.Connection, scheduling: asyncpg.Connection, database: str, gains: Sequence[int]
) -> None:
    held = await past(db, "reviewer-i", gains)
    await hold(db, "reviewer-i", held)
    await heard(db, "review.approved", gains)
    await work_off(Scheduler(options(database), Clock(TODAY)), scheduling)
    assert await standing(db) == {}


async def test_events_are_noted_day_by_day_and_the_past_changes_nothing(
    db: asyncpg.Connection, scheduling: asyncpg.Connection, database: str
) -> None:
    await db.execute("insert into offset_ledger values ('review.approved', 0, 0, 7, 7, 0, 0, 0, 'w', now())")
    await db.execute("insert into offset_ledger values ('review.approved', 1, 0, 3, 2, 1, 0, 0, 'w', now())")
    await work_off(Scheduler(options(database), Clock(TODAY)), scheduling)
    noted = await db.fetch("select * from event_history")
    assert [tuple(row) for row in noted] == [("review.approved", TODAY, 9)]
    held = await past(db, KEY, [10] * 30, TODAY - timedelta(days=1))
    await hold(db, KEY, held + 500, TODAY - timedelta(days=1))
    environment = {"GATEFOLD_POSTGRES_URL": database}
    for job in ("holders", "alarms"):
        done = gatefold(environment, "cron", "run", job, "--at", str(TODAY - timedelta(days=1)), "--json")
        assert done.code == 0, done.err
    assert json.loads(done.out)["counts"] == {"found": 1, "raised": 0, "ended": 0}
    assert await standing(db) == {}
    assert await db.fetch("select * from event_history") == noted
