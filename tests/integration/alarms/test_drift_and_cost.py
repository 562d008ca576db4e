"""Drift that a sweep found, and evaluations over their budget: under the worker's own rights, and the scheduler's."""

import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import asyncpg
import pytest

from catalog.index import load_catalog
from services.alarms import judge as judging
from services.scheduler.main import Scheduler
from services.stores import ledger
from services.stores.postgres import Connection
from services.worker import costs
from services.worker.bundle import process
from tests.integration.alarms.world import standing
from tests.integration.scheduler.world import Clock, options, work_off
from tests.model import lab
from tests.model.events import added, event, minutes
from tests.model.lab import Log


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
