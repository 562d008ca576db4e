"""Mass awards on a real database, under the scheduler's own rights: what raises the alarm, and what must not."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

import asyncpg
import pytest
from structlog.testing import capture_logs

from services.scheduler.main import Scheduler
from services.stores import alarms, cron
from services.stores.alarms import AlarmMark
from tests.integration.alarms.world import CAMPAIGN, KEY, OTHER, TODAY, hold, past, shown, standing
from tests.integration.scheduler.world import Clock, join, options, work_off


async def test_a_mass_award_is_told_when_it_begins_and_when_it_ends(
    db: asyncpg.Connection, scheduling: asyncpg.Connection, database: str
) -> None:
    held = await past(db, KEY, [8, 12, 10, 10] * 10)
    await hold(db, KEY, held + 300)
    clock = Clock(TODAY)
    scheduler = Scheduler(options(database), clock)
    with capture_logs() as lines:
        await work_off(scheduler, scheduling)
    (line,) = [line for line in lines if line["event"] == "alarm"]
    assert (line["log_level"], line["kind"], line["subject"]) == ("warning", "mass_award", KEY)
    assert line["says"] == "300 more holders within a day, at most 46 were likely"
    facts = {
        "counted_on": "2026-02-26",
        "days": 1,
        "change": 300,
        "likely": 46,
        "median": 10.0,
        "busy": 12.0,
        "spread": 3.464,
        "history": 28,
    }
    assert line["facts"] == facts
    assert await standing(db) == {("mass_award", KEY): facts}
    assert shown("mass_award", KEY) == 1
    run = (await cron.last(db))["alarms"].run
    assert run.counts == {"found": 1, "raised": 1, "ended": 0}

    await cron.again(db, "alarms", TODAY)
    with capture_logs() as lines:
        await work_off(scheduler, scheduling)
    assert [line for line in lines if line["event"].startswith("alarm")] == [], "it stood already"

    clock.pass_days(1)
    await hold(db, KEY, held + 311, clock.now.date())
    with capture_logs() as lines:
        await work_off(scheduler, scheduling)
    (line,) = [line for line in lines if line["event"].startswith("alarm")]
    assert line == {"event": "alarm ended", "kind": "mass_award", "subject": KEY, "log_level": "info"}
    assert await standing(db) == {}
    assert shown("mass_award", KEY) is None
    (ended,) = await alarms.page(db, AlarmMark(), 100, ended=True)
    assert ended.ended_at is not None
    scheduler.led()


async def test_many_who_lose_a_badge_are_an_alarm_as_well(
    db: asyncpg.Connection, scheduling: asyncpg.Connection, database: str
) -> None:
    held = await past(db, KEY, [10] * 30)
    await hold(db, KEY, held - 40)
    await work_off(Scheduler(options(database), Clock(TODAY)), scheduling)
    (facts,) = (await standing(db)).values()
    assert (facts["change"], facts["likely"]) == (-40, 10)


@pytest.mark.parametrize(
    ("gains", "today"),
    [
        ([10] * 30, 20),
        ([5, 5, 5, 40, 40, 5, 5] * 5, 60),  # the weekend that was, and one somewhat busier
        ([round(10 * 1.03**day) for day in range(60)], 62),  # what grows grows on
        ([0] * 40, 10),
        ([0] * 10, 2000),  # ten days old
        ([], 2000),  # of this day
    ],
    ids=["twice", "weekend", "growth", "few", "young", "new"],
)
async def test_what_is_usual_or_without_history_is_none(
    db: asyncpg.Connection, scheduling: asyncpg.Connection, database: str, gains: Sequence[int], today: int
) -> None:
    await past(db, OTHER, [1] * 60)  # the scheduler itself has counted for long
    held = await past(db, KEY, gains)
    await hold(db, OTHER, 61)
    await hold(db, KEY, held + today)
    await work_off(Scheduler(options(database), Clock(TODAY)), scheduling)
    assert await standing(db) == {}
    assert (await cron.last(db))["alarms"].run.counts["found"] == 0


async def test_the_history_of_a_badge_begins_with_its_release_and_not_with_its_first_holder(
    db: asyncpg.Connection, scheduling: asyncpg.Connection, database: str
) -> None:
    """Counted by the scheduler itself, day after day; then many get at once what nobody ever had."""
    clock = Clock(TODAY)
    scheduler = Scheduler(options(database), clock)
    for _ in range(16):
        await work_off(scheduler, scheduling)
        clock.pass_days(1)
    assert await standing(db) == {}
    await hold(db, KEY, 50, clock.now.date())
    await work_off(scheduler, scheduling)
    assert list(await standing(db)) == [("mass_award", KEY)]
    scheduler.led()


@pytest.mark.parametrize(("state", "days_ago", "quiet"), [("running", 9, True), ("done", 0, True), ("done", 5, False)])
async def test_what_a_campaign_gives_is_meant(
    db: asyncpg.Connection, scheduling: asyncpg.Connection, database: str, state: str, days_ago: int, quiet: bool
) -> None:
    held = await past(db, KEY, [10] * 30)
    await hold(db, KEY, held + 300)
    started = datetime.combine(TODAY - timedelta(days=days_ago), time(1), UTC)
    await db.execute(CAMPAIGN, KEY, state, started, started + timedelta(hours=1) if state == "done" else None)
    await work_off(Scheduler(options(database), Clock(TODAY)), scheduling)
    assert (await standing(db) == {}) is quiet


async def test_a_day_of_many_newcomers_is_no_mass_award(
    db: asyncpg.Connection, scheduling: asyncpg.Connection, database: str
) -> None:
    held = await past(db, KEY, [10] * 30)
    await db.execute("update badge_holders_history set holders = 0 where badge_key = ''")
    await hold(db, KEY, held + 100)
    await join(db, [(f"joined-{number}", None) for number in range(99)])
    await work_off(Scheduler(options(database), Clock(TODAY)), scheduling)
    assert await standing(db) == {}
