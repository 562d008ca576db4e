"""Jobs take turns: several at one run, none too fast, one that fails, one that is long."""

import asyncio
import json
from collections import Counter
from datetime import date, timedelta

import asyncpg
import pytest
from prometheus_client import REGISTRY

from services.scheduler import dates, jobs, main, running
from services.scheduler.jobs import Anniversaries, CountHolders, Sweep
from services.scheduler.main import Scheduler
from services.stores import cron, outbox
from tests.integration.awards import award
from tests.integration.scheduler.world import FIRST, Clock, join, options, slice_number, told, work_off


async def test_two_at_one_run_share_its_pages(
    db: asyncpg.Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PAGE", 10)
    users = [f"user-{number:03d}" for number in range(205)]
    await join(db, [(user, date(2020, 2, 26)) for user in users])
    await cron.begin(db, "anniversaries", FIRST, FIRST)
    others = [await asyncpg.connect(database) for _ in range(3)]

    async def work(connection: asyncpg.Connection) -> int:
        pages = 0
        while (await running.turn(connection, Anniversaries(), FIRST)).step is not None:
            pages += 1
        return pages

    pages = await asyncio.gather(*map(work, others))
    assert sum(pages) == 21
    assert [user for _, user, _, _ in await told(db, "cron.anniversary")] == users
    row = await db.fetchrow("select * from cron_run")
    assert (json.loads(row["counts"]), row["cursor"], row["error"]) == ({"users": 205}, "", None)
    for connection in others:
        await connection.close()


async def test_no_faster_than_set_and_not_while_much_waits(db: asyncpg.Connection, database: str) -> None:
    await join(db, [(f"user-{number:04d}", date(2020, 2, 26)) for number in range(1500)])
    scheduler = Scheduler(options(database, cron_rate=50), Clock(FIRST))
    await db.execute(
        "insert into outbox (topic, subject, event_id, time, value) select 'badge.awarded', 'u', n::text, now(), ''"
        " from generate_series(1, $1::integer) n",
        outbox.MOST_WAITING,
    )
    for _ in range(10):
        await scheduler.turn(db)
    assert await told(db, "cron.anniversary") == []
    done = await db.fetch("select name from cron_run where finished_at is not null order by 1")
    assert [row["name"] for row in done] == ["alarms", "holders", "prune"], "who tells nobody goes on"
    assert await scheduler.turn(db) == main.CROWDED_SECONDS
    await db.execute("delete from outbox where topic = 'badge.awarded'")
    assert await scheduler.turn(db) == jobs.PAGE / 50
    assert len(await told(db, "cron.anniversary")) == jobs.PAGE
    assert await scheduler.turn(db) == 500 / 50


async def test_the_next_day_does_not_wait_for_a_long_sweep(
    db: asyncpg.Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PAGE", 1)
    await join(db, [(f"user-{number:04d}", date(2020, 2, 27)) for number in range(300)])
    clock = Clock(FIRST)
    scheduler = Scheduler(options(database), clock)
    while not await told(db, "cron.sweep"):
        await scheduler.turn(db)
    clock.pass_days(1)
    while not await told(db, "cron.anniversary"):
        await scheduler.turn(db)
    open_runs = {(run.name, run.due_on) for run in await cron.unfinished(db)}
    assert ("sweep", FIRST) in open_runs
    await work_off(scheduler, db)
    assert await db.fetchval("select count(*) from cron_run where finished_at is not null") == 10
    both = [dates.slice_of(FIRST), dates.slice_of(FIRST + timedelta(days=1))]
    assert len(await told(db, "cron.sweep")) == sum(slice_number(f"user-{number:04d}") in both for number in range(300))


async def test_a_job_that_fails_holds_up_no_other(
    db: asyncpg.Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(result: str) -> float:
        return REGISTRY.get_sample_value("gatefold_cron_runs_total", {"name": "prune", "result": result}) or 0.0

    await join(db, [("ann", date(2020, 2, 26))])
    scheduler = Scheduler(options(database), Clock(FIRST))
    failed, done = count("failed"), count("done")
    await db.execute("alter table dead_letter rename to hidden")
    try:
        for _ in range(12):
            await scheduler.turn(db)
    finally:
        await db.execute("alter table hidden rename to dead_letter")
    rows = {row["name"]: row for row in await db.fetch("select * from cron_run")}
    assert {name for name, row in rows.items() if row["finished_at"] is None} == {"prune"}
    assert rows["prune"]["error"] == 'UndefinedTableError: relation "dead_letter" does not exist'
    assert (count("failed"), count("done")) == (failed + 1, done), "it is put off, not tried in a circle"
    monkeypatch.setattr(main.time, "monotonic", lambda: 1e12)
    await work_off(scheduler, db)
    row = await db.fetchrow("select * from cron_run where name = 'prune'")
    assert (row["error"], row["finished_at"] is not None) == (None, True)
    assert count("done") == done + 1
    stamp = REGISTRY.get_sample_value("gatefold_cron_last_success_timestamp_seconds", {"name": "prune"})
    assert stamp == row["finished_at"].timestamp()


async def test_the_role_of_the_scheduler_is_enough(db: asyncpg.Connection, database: str) -> None:
    await join(db, [("ann", date(2020, 2, 26)), ("bob", date(2020, 1, 1))], FIRST)
    await award(db, "ann", "owner-i")
    await db.execute("insert into inbox values ('\\x01', 0, '2020-01-01'), ('\\x02', 0, current_date)")
    limited = await asyncpg.connect(database, server_settings={"role": "gatefold_scheduler"})
    await work_off(Scheduler(options(database), Clock(FIRST)), limited)
    await limited.close()
    assert Counter(
        row["name"] for row in await db.fetch("select name from cron_run where finished_at is not null")
    ) == dict.fromkeys(jobs.jobs(options(database)), 1)
    assert await db.fetchval("select count(*) from inbox") == 1


def test_jobs_have_names_of_their_own() -> None:
    assert [job.name for job in (Anniversaries(), CountHolders(), Sweep())] == ["anniversaries", "holders", "sweep"]
