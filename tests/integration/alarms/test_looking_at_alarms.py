"""Alarms as operators see them, and for how long."""

import json
from datetime import timedelta

import asyncpg

from services.scheduler import jobs
from services.scheduler.main import Scheduler
from services.stores import alarms
from services.stores.alarms import AlarmMark
from tests.integration.alarms.world import KEY, TODAY
from tests.integration.commands import gatefold
from tests.integration.scheduler.world import Clock, options, work_off


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
