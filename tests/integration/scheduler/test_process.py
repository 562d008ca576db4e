"""The scheduler as a process: killed and resumed, one of several leads, an absent PostgreSQL is waited out."""

import asyncio
import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, date, datetime

import asyncpg
import pytest

from services.scheduler.main import Scheduler
from services.stores.cron import LEADER_LOCK
from tests.integration.commands import command, gatefold
from tests.integration.scheduler.world import Clock, join, options, until

USERS = 4500
LEADERS = (
    "select pid from pg_locks where locktype = 'advisory' and granted and objid = $1"
    " and database = (select oid from pg_database where datname = current_database())"
)


@pytest.fixture
def surroundings(database: str) -> dict[str, str]:
    return {"GATEFOLD_POSTGRES_URL": database, "GATEFOLD_SCHEDULER_PORT": "0", "GATEFOLD_CRON_RATE": "100000"}


@contextmanager
def started(surroundings: dict[str, str], **more: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*command("scheduler"), "--json"],
        env={**os.environ, **surroundings, **more},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


async def pages(db: asyncpg.Connection) -> int:
    return int(await db.fetchval("select coalesce(sum((counts->>'users')::int), 0) from cron_run"
                                 " where name = 'anniversaries'"))  # fmt: skip


async def published(db: asyncpg.Connection) -> list[tuple[str, str]]:
    """Take what waits, as a relay does."""
    rows = await db.fetch("delete from outbox returning id, topic, event_id")
    return [(row["topic"], row["event_id"]) for row in sorted(rows, key=lambda row: row["id"])]


async def alone(db: asyncpg.Connection) -> bool:
    return not await db.fetchval(
        "select count(*) from pg_stat_activity where application_name = 'gatefold-scheduler'"
        " and datname = current_database()"
    )


async def test_killed_between_and_within_pages_it_goes_on_where_it_was(
    db: asyncpg.Connection, surroundings: dict[str, str]
) -> None:
    today = datetime.now(UTC).date()
    await join(db, [(f"user-{number:04d}", date(2020, today.month, today.day)) for number in range(USERS)])
    sent: list[tuple[str, str]] = []

    # Between pages: the pause after a page is long.
    with started(surroundings, GATEFOLD_CRON_RATE="1") as process:

        async def one_page() -> bool:
            return await pages(db) == 1000

        await until(one_page)
        process.send_signal(signal.SIGKILL)
        process.wait()
    sent += await published(db)

    # Within a page: its events are written, but somebody keeps the run's row from being so.
    blocker = await asyncpg.connect(surroundings["GATEFOLD_POSTGRES_URL"])
    transaction = blocker.transaction()
    await transaction.start()
    await blocker.execute("lock table outbox in share mode")
    await until(lambda: alone(db))
    with started(surroundings) as process:

        async def waits() -> bool:
            return bool(
                await db.fetchval(
                    "select count(*) from pg_stat_activity where application_name = 'gatefold-scheduler'"
                    " and datname = current_database() and wait_event_type = 'Lock'"
                )
            )

        await until(waits)
        process.send_signal(signal.SIGKILL)
        process.wait()
    await transaction.rollback()
    await blocker.close()
    await until(lambda: alone(db))
    assert await pages(db) == 1000

    with started(surroundings) as process:

        async def done() -> bool:
            sent.extend(await published(db))
            return not await db.fetchval("select count(*) from cron_run where finished_at is null") and (
                await db.fetchval("select count(*) from cron_run") == 5
            )

        await until(done, 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    sent += await published(db)
    ours = [name for topic, name in sent if topic == "cron.anniversary"]
    assert ours == [f"anniversary:{today}:user-{number:04d}" for number in range(USERS)]
    row = await db.fetchrow("select * from cron_run where name = 'anniversaries'")
    assert json.loads(row["counts"]) == {"users": USERS}
    assert row["due_on"] == row["since"] == today


@asynccontextmanager
async def running(database: str, clock: Clock) -> AsyncIterator[Scheduler]:
    scheduler = Scheduler(options(database), clock)
    task = asyncio.create_task(scheduler.run())
    try:
        yield scheduler
    finally:
        scheduler.stop()
        await asyncio.wait_for(task, 30)


async def test_of_two_schedulers_one_leads_and_the_other_takes_over(db: asyncpg.Connection, database: str) -> None:
    await join(db, [("ann", date(2020, 2, 26)), ("bob", date(2020, 2, 27))])
    clock = Clock(date(2026, 2, 26))
    async with running(database, clock), running(database, clock):

        async def done(runs: int = 5) -> bool:
            return bool(await db.fetchval("select count(*) = $1 from cron_run where finished_at is not null", runs))

        await until(done)
        (first,) = await db.fetch(LEADERS, LEADER_LOCK & 0xFFFFFFFF)
        assert [name for topic, name in await published(db) if topic == "cron.anniversary"] == [
            "anniversary:2026-02-26:ann"
        ]
        await db.execute("select pg_terminate_backend($1)", first["pid"])
        clock.pass_days(1)
        await until(lambda: done(10))
        (second,) = await db.fetch(LEADERS, LEADER_LOCK & 0xFFFFFFFF)
        assert second["pid"] != first["pid"]
    assert [name for topic, name in await published(db) if topic == "cron.anniversary"] == [
        "anniversary:2026-02-27:bob"
    ]
    assert await db.fetch(LEADERS, LEADER_LOCK & 0xFFFFFFFF) == []


def test_the_process_shows_its_health_and_stops_in_order(surroundings: dict[str, str], db: asyncpg.Connection) -> None:
    with started(surroundings) as process:
        assert process.stderr is not None
        lines = iter(process.stderr)
        url = next(line.split('"url": "')[1].split('"')[0] for line in lines if '"url"' in line)
        done = [json.loads(next(line for line in lines if '"run done"' in line)) for _ in range(5)]
        assert sorted(line["name"] for line in done) == ["alarms", "anniversaries", "holders", "prune", "sweep"]
        shown = {}
        for path in ("healthz", "readyz", "metrics"):
            with urllib.request.urlopen(f"{url}/{path}") as answer:
                shown[path] = answer.read().decode()
        assert '"role": "leader"' in shown["healthz"]
        assert '"ok": true' in shown["readyz"]
        for wanted in (
            "gatefold_scheduler_leader 1.0",
            'gatefold_cron_runs_total{name="sweep",result="done"} 1.0',
            'gatefold_cron_runs_total{name="sweep",result="failed"} 0.0',
            'gatefold_cron_run_seconds_count{name="prune"} 1.0',
            'gatefold_cron_last_success_timestamp_seconds{name="holders"} 1.',
        ):
            assert wanted in shown["metrics"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert '"event": "stopped"' in process.stderr.read()


async def test_it_waits_for_postgres_and_resumes(db: asyncpg.Connection, database: str) -> None:
    """Refused at the door, the way a server is that is starting up."""
    name = await db.fetchval("select current_database()")
    keeper = await asyncpg.connect(database)
    await keeper.execute(f"alter database {name} with connection limit 1")
    clock = Clock(date(2026, 2, 26))
    limited = f"gone_{os.getpid()}"
    await keeper.execute(f"create role {limited} login password 'x' in role gatefold_scheduler")
    url = database.partition("://")[2].rpartition("@")[2]
    try:
        async with running(f"postgresql://{limited}:x@{url}", clock) as scheduler:

            async def waits() -> bool:
                return "postgres" in scheduler._trouble

            await until(waits)
            assert not await db.fetchval("select count(*) from cron_run")
            await keeper.execute(f"alter database {name} with connection limit -1")

            async def done() -> bool:
                return bool(await db.fetchval("select count(*) = 5 from cron_run where finished_at is not null"))

            await until(done)
            assert scheduler._ready()[0]
    finally:
        await keeper.execute(f"alter database {name} with connection limit -1")
        await keeper.execute(f"drop role {limited}")
        await keeper.close()


async def test_what_was_not_expected_ends_it_for_a_restart(
    surroundings: dict[str, str], db: asyncpg.Connection
) -> None:
    with started(surroundings) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if "leading" in line)
        await db.execute("alter table cron_run rename to hidden")
        try:
            assert await asyncio.to_thread(process.wait, 15) == 75
        finally:
            await db.execute("alter table hidden rename to cron_run")


def test_what_is_wrong_at_the_start_is_named(surroundings: dict[str, str], database: str) -> None:
    away = gatefold({**surroundings, "GATEFOLD_POSTGRES_URL": "postgresql://u@127.0.0.1:1/x"}, "scheduler")
    assert (away.code, "GATEFOLD_POSTGRES_URL" in away.err) == (69, True)
    empty = gatefold({**surroundings, "GATEFOLD_POSTGRES_URL": f"{database.rpartition('/')[0]}/postgres"}, "scheduler")
    assert empty.code == 1
    assert "run `gatefold migrate`" in empty.err
    wrong = gatefold({**surroundings, "GATEFOLD_CRON_HOUR": "24"}, "scheduler")
    assert (wrong.code, "GATEFOLD_CRON_HOUR" in wrong.err) == (2, True)
