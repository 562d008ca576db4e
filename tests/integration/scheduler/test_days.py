"""Whom a day concerns: who completes a year, who was missed, who is swept; and at what cost."""

import json
from datetime import date, timedelta

import asyncpg
import pytest

from contracts.snapshot import full_years
from services.scheduler import dates, jobs, running
from services.scheduler.jobs import Anniversaries
from services.scheduler.main import Scheduler
from services.stores import cron
from tests.integration.scheduler.world import FIRST, Clock, join, options, run_of, slice_number, told, work_off

NEAR_LEAP_DAYS = [
    date(2023, 2, 28),
    *(date(2024, *day) for day in ((2, 28), (2, 29), (3, 1))),
    date(2025, 3, 1),
    date(2100, 2, 28),
]


@pytest.mark.parametrize("on", NEAR_LEAP_DAYS, ids=str)
async def test_who_completes_a_year_is_told_and_nobody_else(
    db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, on: date
) -> None:
    monkeypatch.setattr(jobs, "PAGE", 3)
    days = [date(1999, 1, 1) + timedelta(days=n) for n in range(366 * 3 + 1)] + [
        date(2023, 2, 28),
        date(2024, 2, 29),
    ]
    near = [date(year, *day) for year in (2016, 2020, 2022, 2024) for day in ((2, 28), (3, 1))] * 3
    leap = [date(year, 2, 29) for year in (2004, 2008, 2012, 2016, 2020, 2024)] * 3
    joined = {f"u{number:05d}": day for number, day in enumerate(days + near + leap)}
    await join(db, [*joined.items(), ("never", None)])
    due = {user for user, day in joined.items() if full_years(day, on) > full_years(day, on - timedelta(days=1))}
    await cron.begin(db, "anniversaries", on, on)
    job, run = Anniversaries(), run_of("anniversaries", on)
    assert await job.total(db, run) == len(due) > 9
    while run.finished_at is None:
        run, _ = await running.turn(db, job, on)
    found = await told(db, "cron.anniversary")
    assert {user for _, user, _, _ in found} == due
    assert sorted(found) == [
        (f"anniversary:{on}:{user}", user, on, json.dumps({"on": str(on)}, separators=(",", ":")).encode())
        for user in sorted(due)
    ]
    assert run.counts == {"users": len(due)}


async def test_what_was_missed_is_caught_up_once(db: asyncpg.Connection, database: str) -> None:
    """Each missed day matters to those whose day it was; of holders, one count is enough."""
    await join(db, [(f"joined-{day}", day) for day in dates.days(date(2020, 2, 20), date(2020, 3, 31))])
    clock = Clock(FIRST)
    scheduler = Scheduler(options(database), clock)
    await work_off(scheduler, db)
    assert [user for _, user, _, _ in await told(db, "cron.anniversary")] == ["joined-2020-02-26"]
    assert {(row["name"], row["due_on"], row["since"]) for row in await db.fetch("select * from cron_run")} == {
        (name, FIRST, FIRST) for name in jobs.jobs(options(database))
    }
    await db.execute("truncate outbox")
    assert await work_off(scheduler, db) == 0
    assert await db.fetchval("select count(*) from outbox") == 0

    clock.pass_days(4)
    now = date(2026, 3, 2)
    await work_off(scheduler, db)
    events = await told(db, "cron.anniversary")
    assert [(user, on) for _, user, on, _ in events] == [
        ("joined-2020-02-27", date(2026, 2, 27)),
        ("joined-2020-02-28", date(2026, 2, 28)),
        ("joined-2020-02-29", date(2026, 2, 28)),
        ("joined-2020-03-01", date(2026, 3, 1)),
        ("joined-2020-03-02", date(2026, 3, 2)),
    ]
    rows = await db.fetch("select * from cron_run where due_on > $1", FIRST)
    assert {(row["name"], row["due_on"], row["since"]) for row in rows} == {
        (name, now, FIRST + timedelta(days=1)) for name in jobs.jobs(options(database))
    }
    assert all(row["finished_at"] is not None for row in rows)
    assert await db.fetch("select distinct counted_on from badge_holders_history order by 1") == [(FIRST,), (now,)]
    swept = [user for _, user, on, _ in await told(db, "cron.sweep") if on == now]
    assert sorted(swept) == sorted(
        row["user_id"]
        for row in await db.fetch("select user_id from collector")
        if slice_number(row["user_id"]) in {dates.slice_of(now - timedelta(days=n)) for n in range(4)}
    )

    # Away for longer than a run stands for: whom it leaves out is swept within thirty days.
    clock.pass_days(50)
    await work_off(scheduler, db)
    last = await cron.last(db)
    assert {(one.run.due_on - one.run.since).days for one in last.values()} == {dates.MOST_DAYS - 1}


async def test_thirty_nights_sweep_everybody_once(db: asyncpg.Connection, database: str) -> None:
    users = [f"user-{number}" for number in range(1500)] + ["a", "Z.:@-_"]
    await join(db, [(user, None) for user in users])
    clock = Clock(FIRST)
    scheduler = Scheduler(options(database), clock)
    nights = []
    for _ in range(dates.SLICES):
        await work_off(scheduler, db)
        night = [user for _, user, _, _ in await told(db, "cron.sweep")]
        assert night == sorted(user for user in users if slice_number(user) == dates.slice_of(clock.now.date()))
        nights.append(len(night))
        await db.execute("truncate outbox")
        clock.pass_days(1)
    assert sum(nights) == len(users)
    assert max(nights) < 3 * len(users) / dates.SLICES, "no night has most of them"


async def test_a_page_costs_no_walk_through_all_users(db: asyncpg.Connection) -> None:
    """The indices serve whom they are for; an event does not move them, so that a row stays in its page."""
    await db.execute(
        "insert into collector (user_id, joined_on) select 'u' || n, date '2000-01-01' + n % 9000"
        " from generate_series(1, 20000) n"
    )
    await db.execute("analyze collector")
    for statement, arguments, index in (
        ("joined", "228, 229, date '2026-01-01', 'u5', 1000", "collector_joined"),
        ("slice", "7, 'u5', 1000", "collector_slice"),
    ):
        text = cron.SQL[statement]
        for number, value in enumerate(arguments.split(", "), 1):
            text = text.replace(f"${number}", value)
        plan = "\n".join(row[0] for row in await db.fetch(f"explain {text}"))
        assert index in plan, plan
        assert "Seq Scan" not in plan
    before = await db.fetchval("select n_tup_hot_upd from pg_stat_xact_user_tables where relname = 'collector'")
    async with db.transaction():
        await db.execute("update collector set releases = 1, seen_on = current_date, joined_on = joined_on"
                         " where user_id in (select 'u' || n from generate_series(1, 20000, 500) n)")  # fmt: skip
        counts = await db.fetchrow(
            "select n_tup_upd, n_tup_hot_upd from pg_stat_xact_user_tables where relname = 'collector'"
        )
    assert counts["n_tup_upd"] == 40
    assert counts["n_tup_hot_upd"] - before == 40
