"""Alarms on a real database, under the scheduler's and the worker's own rights: what raises them, and what must not."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from catalog.index import load_catalog
from services import metrics
from services.alarms import judge as judging
from services.scheduler import jobs
from services.scheduler.main import Scheduler
from services.stores import alarms, cron, ledger
from services.stores.alarms import AlarmMark
from services.stores.postgres import Connection
from services.worker import costs
from services.worker.bundle import process
from tests.integration.commands import gatefold
from tests.integration.scheduler_lab import TABLES, Clock, join, options, work_off
from tests.model import lab
from tests.model.events import added, event, minutes
from tests.model.lab import Log

TODAY = date(2026, 2, 26)  # a Thursday
KEY, OTHER = "genre-tourist-gold", "world-collector-gold"
HELD = """
    insert into user_badges (user_id, badge_key, award_id, awarded_at, source, trigger, caused_by, batch_id, evidence)
    select 'user-' || n, $1, gen_random_uuid(), $2, 'auto', 't', '{}', gen_random_uuid(), '{}'
    from generate_series(1, $3::integer) n
    on conflict do nothing
"""
CAMPAIGN = """
    insert into campaign (campaign_id, scope, scope_value, badge_keys, notify, rate, state, users, started_by, reason,
                          started_at, resumed_at, finished_at)
    values ('c', 'badge', $1, array[$1], 'none', 100, $2, 1, 'chief', 'new', $3, $3, $4)
"""


@pytest_asyncio.fixture(loop_scope="session")
async def db(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    await connection.execute(f"truncate {TABLES} restart identity")
    await join(connection, [("user-1", None)])
    yield connection
    await connection.close()


@pytest_asyncio.fixture(loop_scope="session")
async def scheduling(database: str, db: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """A connection that may do what the scheduler may."""
    connection = await asyncpg.connect(database)
    await connection.execute("set role gatefold_scheduler")
    yield connection
    await connection.close()
    metrics.show_alarms(())


async def past(db: asyncpg.Connection, key: str, gains: Sequence[int], until: date = TODAY) -> int:
    """Counted days before one, with as many more holders each; answers how many there are at last."""
    first = until - timedelta(days=len(gains))
    held, rows = 0, []
    for at, gain in enumerate(gains):
        held += gain
        rows.append((key, first + timedelta(days=at), held))
    await db.executemany(
        "insert into badge_holders_history values ($1, $2, $3, 0, 0.5, null) on conflict do nothing",
        [*rows, *(("", on, 1) for _, on, _ in rows)],
    )
    return held


async def heard(db: asyncpg.Connection, topic: str, gains: Sequence[int]) -> None:
    """Days on which as many events of a topic were processed, noted until yesterday, and in the ledger now."""
    first, sent, rows = TODAY - timedelta(days=len(gains)), 0, []
    for at, gain in enumerate(gains):
        sent += gain
        rows.append((topic, first + timedelta(days=at), sent))
    await db.executemany("insert into event_history values ($1, $2, $3)", rows)
    await db.execute("insert into offset_ledger values ($1, 0, 0, $2, $2, 0, 0, 0, 'w', now())", topic, sent)


async def hold(db: asyncpg.Connection, key: str, number: int, on: date = TODAY) -> None:
    """So many users hold a badge on that day."""
    await db.execute(HELD, key, datetime.combine(on, time(12), UTC), number)


async def standing(db: asyncpg.Connection) -> dict[tuple[str, str], dict[str, Any]]:
    """The alarms that stand, with their numbers."""
    return {one[:2]: json.loads(one.facts) for one in await alarms.page(db, AlarmMark(), 100, ended=False)}


def shown(kind: str, subject: str) -> float | None:
    return REGISTRY.get_sample_value("gatefold_alarm", {"kind": kind, "subject": subject})


# --- mass awards ------------------------------------------------------------------------------------------------------


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


# --- silence ----------------------------------------------------------------------------------------------------------


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


# --- drift ------------------------------------------------------------------------------------------------------------


async def swept(connection: Connection, wrong: bool) -> None:
    """A user whose counters are right, or not, is swept by a worker."""
    await lab.clear(connection)
    log, known = Log(), lab.knowledge()
    log.append(event("review.approved", "one", {"review_id": "r"}))
    await lab.drain(connection, known, log)
    if wrong:
        await connection.execute("update collector set reviews = 7, edits = 4")
    sweep = log.append(event("cron.sweep", "sweep", {}, time=minutes(5)))
    await connection.execute("set role gatefold_worker")
    await ledger.open_partition(connection, "cron.sweep", 0, 0, "w")
    assert (await process(connection, known, "cron.sweep", 0, [sweep.record])).processed == 1


async def test_drift_that_a_sweep_found_stands_until_the_day_after(
    db: asyncpg.Connection, scheduling: asyncpg.Connection, database: str, connection: Connection
) -> None:
    await swept(connection, wrong=True)
    today = datetime.now(UTC).date()
    clock = Clock(today)
    scheduler = Scheduler(options(database), clock)
    await work_off(scheduler, scheduling)
    ((name, facts),) = (await standing(db)).items()
    assert name == ("drift", "cron.sweep")
    assert (facts["sweeps"], facts["counters"]) == (1, ["edits", "reviews"])
    assert "ada" not in json.dumps(facts)
    clock.pass_days(2)
    await work_off(scheduler, scheduling)
    assert await standing(db) == {}
    scheduler.led()


async def test_a_sweep_that_finds_all_right_leaves_nothing(
    db: asyncpg.Connection, scheduling: asyncpg.Connection, database: str, connection: Connection
) -> None:
    await swept(connection, wrong=False)
    await work_off(Scheduler(options(database), Clock(datetime.now(UTC).date())), scheduling)
    assert await standing(db) == {}
    assert await db.fetchval("select count(*) from drift") == 0


# --- cost -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("budget", "fewest", "alarmed"), [(1e-9, 1, True), (1e-9, 10**6, False), (0.5, 1, False)])
async def test_what_costs_more_than_its_budget_is_an_alarm(
    db: asyncpg.Connection,
    scheduling: asyncpg.Connection,
    database: str,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
    budget: float,
    fewest: int,
    alarmed: bool,
) -> None:
    """Measured by a worker's bundle and sweep, told twice, judged by the scheduler."""
    monkeypatch.setattr(judging, "FEWEST_EVALUATIONS", fewest)
    await lab.clear(connection)
    log, known = Log(), lab.knowledge()
    log.append(added("first", *((at, {"id": at, "genres": ["Rock"], "year": 1970 + at}) for at in range(1, 30))))
    log.append(event("cron.sweep", "sweep", {}, time=minutes(5)))
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            asyncpg.create_pool(database, min_size=1, max_size=1, server_settings={"role": "gatefold_worker"})
        )
        await costs.tell(pool)
        await db.execute("truncate evaluation_cost")
        monkeypatch.setattr(costs, "SAMPLE", 1)
        for place in log.waiting():
            await lab.apply(connection, known, place, log.partitions[place])
            await costs.tell(pool)
    earned = sum(badge_key.startswith("owner") for _, badge_key, _ in await lab.awards_of(connection))
    row = await db.fetchrow("select * from evaluation_cost where family = 'owner'")
    assert earned == 2
    assert row["evaluations"] == earned + len(load_catalog().families["owner"]), "what was crossed, and the sweep's"
    assert 0 < row["seconds"] < 1
    scheduler = Scheduler(options(database, evaluation_budget_seconds=budget), Clock(datetime.now(UTC).date()))
    await work_off(scheduler, scheduling)
    found = await standing(db)
    assert (("evaluation_cost", "owner") in found) is alarmed
    assert {kind for kind, _ in found} == ({"evaluation_cost"} if alarmed else set())
    scheduler.led()


async def test_only_some_transactions_are_timed() -> None:
    monitored = [costs.evaluators()[0] is not costs.evaluate for _ in range(10 * costs.SAMPLE)]
    assert sum(monitored) == 10


# --- looking ----------------------------------------------------------------------------------------------------------


async def test_the_command_shows_what_stands(db: asyncpg.Connection, database: str) -> None:
    environment = {"GATEFOLD_POSTGRES_URL": database, "COLUMNS": "200"}
    done = gatefold(environment, "alarms", "--check")
    assert (done.code, done.out) == (0, "no alarm stands\n")
    found = [
        alarms.Found("drift", "cron.sweep", "[it] was", {"sweeps": 1}),
        alarms.Found("mass_award", KEY, "many", {}),
    ]
    await alarms.keep(db, found, [])
    done = gatefold(environment, "alarms", "--check")
    assert done.code == 1
    assert "2 alarms stand" in done.out
    assert "[it] was" in done.out
    await alarms.keep(db, [], [("drift", "cron.sweep")])
    assert "drift" not in gatefold(environment, "alarms").out
    assert "drift" in gatefold(environment, "alarms", "--ended").out
    shown = json.loads(gatefold(environment, "alarms", "--ended", "--limit", "1", "--json").out)
    assert (len(shown["alarms"]), shown["next_cursor"] is not None) == (1, True)
    assert gatefold({"GATEFOLD_POSTGRES_URL": "postgresql://u@127.0.0.1:1/x"}, "alarms").code == 69


async def test_what_is_old_is_forgotten(db: asyncpg.Connection, scheduling: asyncpg.Connection, database: str) -> None:
    old = TODAY - timedelta(days=jobs.ALARMS_DAYS + 1)
    await db.execute("insert into event_history values ('review.approved', $1, 1)", old)
    await db.execute("insert into evaluation_cost values ('owner', $1, 1, 1)", old)
    await db.execute("insert into drift (found_at, counters) values ($1::date, '{reviews}')", old)
    await db.execute(
        "insert into alarm select kind, 'x', $1::date, $1::date, ended, '', '{}'"
        " from (values ('drift', $1::date), ('mass_award', null)) as a (kind, ended)",
        old,
    )
    await work_off(Scheduler(options(database), Clock(TODAY)), scheduling)
    for table in ("event_history", "evaluation_cost", "drift"):
        assert await db.fetchval(f"select count(*) from {table}") == 0  # noqa: S608
    (left,) = await alarms.page(db, AlarmMark(), 100, ended=True)
    assert (left.kind, left.ended_at is not None) == ("mass_award", True), "it ended just now"
