"""The scheduler's jobs on a real database: whom a day concerns, what is missed is caught up once, nobody told twice."""

import asyncio
import hashlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY

from catalog.index import load_catalog
from contracts.snapshot import full_years
from services.scheduler import dates, jobs, main, running
from services.scheduler.jobs import Anniversaries, CountHolders, Sweep
from services.scheduler.main import Scheduler
from services.stores import cron, holders, outbox
from services.stores.cron import Run
from tests.integration.scheduler_lab import TABLES, Clock, award, join, options, told, work_off

FIRST = date(2026, 2, 26)
NEAR_LEAP_DAYS = [
    date(2023, 2, 28),
    *(date(2024, *day) for day in ((2, 28), (2, 29), (3, 1))),
    date(2025, 3, 1),
    date(2100, 2, 28),
]
ACTIVE_FROM = FIRST - timedelta(days=89)


@pytest_asyncio.fixture(loop_scope="session")
async def db(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    await connection.execute(f"truncate {TABLES} restart identity")
    yield connection
    await connection.close()


def run_of(name: str, on: date, since: date | None = None) -> Run:
    return Run(name, on, since or on, datetime.now(UTC))


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


def slice_number(user: str) -> int:
    """The slice as the index has it, computed another way."""
    return (int(hashlib.md5(user.encode(), usedforsecurity=False).hexdigest()[:7], 16)) % 30


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


def plain_holders(
    users: dict[str, date | None], awards: list[tuple[str, str, str, datetime, datetime | None]], since: date
) -> dict[str, tuple[int, int]]:
    """Holders and active holders by badge, counted in the plainest way."""
    active = {user for user, seen in users.items() if seen is not None and seen >= since}
    held = {(badge, user) for user, badge, _, _, revoked in awards if revoked is None}
    found = {badge: (0, 0) for badge, _ in held}
    for badge, user in held:
        found[badge] = (found[badge][0] + 1, found[badge][1] + (user in active))
    return found | {"": (len(users), len(active))}


@pytest.mark.parametrize("seed", range(4))
async def test_holders_are_what_a_recount_says(
    db: asyncpg.Connection, database: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(jobs, "COUNTED", 7)
    dice = random.Random(seed)
    today = datetime.now(UTC).date()
    users = {
        f"{dice.choice('aZ_.')}{number}": dice.choice([None, *(today - timedelta(days=n) for n in (0, 89, 90, 400))])
        for number in range(dice.choice((0, 7, 50)))
    }
    strangers = [f"{dice.choice('aZ~'[:2])}x{number}" for number in range(3)]  # awards by hand, nothing else
    for user, seen in users.items():
        await join(db, [(user, None)], seen)
    past = datetime(2026, 1, 1, tzinfo=UTC)
    awards = {
        (user, dice.choice(("owner-i", "owner-ii", "master")), dice.choice(("", "master:1", "master:2"))): (
            past,
            dice.choice((None, None, past)),
        )
        for user in [*users, *strangers]
        for _ in range(dice.randrange(5))
    }
    for (user, badge, context), (at, revoked) in awards.items():
        await award(db, user, badge, context, at, revoked)
    expected = plain_holders(users, [(*name, *times) for name, times in awards.items()], today - timedelta(days=89))
    await running.open_run(db, "holders", today)
    run = run_of("holders", today)
    while run.finished_at is None:
        run, _ = await running.turn(db, CountHolders(), today)
    rows = await db.fetch("select * from badge_holders_history where counted_on = $1", today)
    nobody = dict.fromkeys(load_catalog().badges, (0, 0))
    assert {row["badge_key"]: (row["holders"], row["active_holders"]) for row in rows} == nobody | expected
    everybody, active = expected[""]
    for row in rows:
        assert row["share_all"] == (pytest.approx(min(1, row["holders"] / everybody)) if everybody else None)
        assert row["share_active"] == (pytest.approx(row["active_holders"] / active) if active else None)
    # Beside the count that the relay keeps, for the api.
    kept = await db.fetch("select badge_key, active_holders from badge_holders")
    assert {row["badge_key"]: row["active_holders"] for row in kept} == {key: pair[1] for key, pair in expected.items()}
    if everybody:
        (day,) = await holders.history(db, "", today)
        assert (day.counted_on, day.holders, day.active_holders, day.share_all) == (today, everybody, active, 1)
    # Once more: the day is counted anew, and nothing twice.
    await cron.again(db, "holders", today)
    run.finished_at = None
    while run.finished_at is None:
        run, _ = await running.turn(db, CountHolders(), today)
    again = await db.fetch("select * from badge_holders_history where counted_on = $1", today)
    assert sorted(map(tuple, again)) == sorted(map(tuple, rows))


async def test_holders_of_a_past_day_are_those_of_its_end(db: asyncpg.Connection) -> None:
    await join(db, [("ann", None), ("bob", None), ("cid", None), ("dan", None)], ACTIVE_FROM)
    end = datetime(2026, 2, 27, tzinfo=UTC)
    await award(db, "ann", "b", at=end - timedelta(seconds=1))
    await award(db, "bob", "b", at=end)
    await award(db, "cid", "b", at=end - timedelta(days=9), revoked_at=end - timedelta(days=1))
    await award(db, "dan", "b", at=end - timedelta(days=9), revoked_at=end)
    step = await CountHolders().page(db, run_of("holders", FIRST), datetime.now(UTC), dry_run=True)
    assert step.counts == {"users": 4, "active": 4, "held": 2}
    step = await CountHolders().page(db, run_of("holders", FIRST), end - timedelta(hours=3), dry_run=True)
    assert step.counts == {"users": 4, "active": 4, "held": 2}, "while the day lasts: what stands now"
    await award(db, "ann", "now")
    await db.execute("update user_badges set revoked_at = now() where badge_key = 'now'")
    step = await CountHolders().page(db, run_of("holders", FIRST), end - timedelta(hours=3), dry_run=True)
    assert step.counts["held"] == 2


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


def test_jobs_have_names_of_their_own() -> None:
    assert [job.name for job in (Anniversaries(), CountHolders(), Sweep())] == ["anniversaries", "holders", "sweep"]
