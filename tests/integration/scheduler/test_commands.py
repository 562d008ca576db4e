"""`gatefold cron`: a job now, of any day up to today, or only counted; and what was run."""

import json
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest_asyncio

from services.scheduler.dates import slice_of
from tests.integration.awards import award
from tests.integration.commands import Done, gatefold
from tests.integration.scheduler.world import join, told

EVERY_TABLE = "select tablename from pg_tables where schemaname = 'public' order by 1"
NAMES = ("anniversaries", "holders", "alarms", "prune", "sweep")


@pytest_asyncio.fixture(loop_scope="session")
async def db(db: asyncpg.Connection) -> asyncpg.Connection:
    """Users of two join days, awards, identities and letters old enough to go."""
    leap = [(f"leap-{n}", date(2020, 2, 29)) for n in range(3)]
    await join(db, [*leap, ("ann", date(2019, 2, 28)), ("bob", date(2019, 3, 1))], date.today())
    await award(db, "ann", "owner-i")
    await award(db, "bob", "owner-i")
    await db.execute("insert into inbox values ('\\x01', 0, '2020-01-01'), ('\\x02', 0, current_date)")
    await db.execute(
        'insert into dead_letter (topic, partition, "offset", headers, recorded_at, stage, reason, seen_at,'
        " redriven_at) values ('review.approved', 0, 1, '[]', now(), 'decode', 'x', '2020-01-01', '2020-01-02')"
    )
    return db


def cron(database: str, *words: str, **more: str) -> Done:
    environment = {"GATEFOLD_POSTGRES_URL": database, "GATEFOLD_CRON_RATE": "100000"}
    return gatefold(environment | more, "cron", *words)


async def contents(db: asyncpg.Connection) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    tables = [row[0] for row in await db.fetch(EVERY_TABLE)]
    return {table: [tuple(row) for row in await db.fetch(f"table {table}")] for table in tables}


async def test_a_dry_run_says_what_would_be_and_changes_nothing(db: asyncpg.Connection, database: str) -> None:
    before = await contents(db)
    on = datetime.now(UTC).date()
    found = {}
    for name in NAMES:
        at = ["--at", "2026-02-28"] if name == "anniversaries" else []
        done = cron(database, "run", name, "--dry-run", "--json", *at)
        assert done.code == 0, done.err
        report = json.loads(done.out)
        assert (report["name"], report["dry_run"]) == (name, True)
        assert report["at"] == report["since"] == (at[1] if at else str(on))
        found[name] = report["counts"]
    swept = found.pop("sweep")["users"]
    assert found == {
        "anniversaries": {"users": 4},
        "holders": {"users": 5, "active": 5, "held": 2},
        "alarms": {"found": 0, "raised": 0, "ended": 0},
        "prune": {"identities": 1, "letters": 1},
    }
    assert await contents(db) == before
    # And what would be is what will be.
    for name in NAMES:
        report = json.loads(cron(database, "run", name, "--json").out)
        assert report["dry_run"] is False
        if name != "anniversaries":
            assert report["counts"] == {**found, "sweep": {"users": swept}}[name]
    assert await db.fetchval("select count(*) from inbox") == 1
    assert await db.fetchval("select count(*) from dead_letter") == 0
    assert await db.fetchval("select holders from badge_holders_history where badge_key = 'owner-i'") == 2


async def test_of_a_past_day_and_again(db: asyncpg.Connection, database: str) -> None:
    done = cron(database, "run", "anniversaries", "--at", "2026-02-28")
    assert (done.code, done.out) == (0, "anniversaries of 2026-02-28: users 4\n")
    first = await told(db, "cron.anniversary")
    assert [(name, on) for name, _, on, _ in first] == [
        (f"anniversary:2026-02-28:{user}", date(2026, 2, 28)) for user in ("ann", "leap-0", "leap-1", "leap-2")
    ]
    await db.execute("truncate outbox")
    assert cron(database, "run", "anniversaries", "--at", "2026-02-28").code == 0
    assert await told(db, "cron.anniversary") == first, "the same identities, which workers know"
    # The days in between are made up for by the run of a later one; a run of an earlier one stands for itself.
    done = cron(database, "run", "anniversaries", "--at", "2026-03-02", "--dry-run")
    assert done.out == "anniversaries of 2026-03-01 to 2026-03-02, would be: users 1\n"
    done = cron(database, "run", "anniversaries", "--at", "2026-02-27", "--dry-run")
    assert done.out == "anniversaries of 2026-02-27, would be: users 0\n"


async def test_an_open_run_goes_on_where_it_is(db: asyncpg.Connection, database: str) -> None:
    on = date(2026, 2, 28)
    await db.execute(
        "insert into cron_run (name, due_on, since, started_at, cursor, counts)"
        " values ('anniversaries', $1, $1, now(), '2026-02-28/leap-0', '{\"users\": 2}')",
        on,
    )
    assert cron(database, "run", "anniversaries", "--at", str(on)).out == "anniversaries of 2026-02-28: users 4\n"
    assert [user for _, user, _, _ in await told(db, "cron.anniversary")] == ["leap-1", "leap-2"]


async def test_wrong_words_are_wrong_usage(db: asyncpg.Connection, database: str) -> None:
    before = await contents(db)
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    for words, said in (
        (["everything"], "there is no job 'everything'; there are alarms, anniversaries, holders, prune, sweep\n"),
        (["sweep", "--at", str(tomorrow)], f"--at: {tomorrow} is in the future"),
        (["sweep", "--at", "yesterday"], "--at: expected a date YYYY-MM-DD\n"),
        (["sweep", "--at", "2026-02-29"], "--at: no such day in the calendar\n"),
    ):
        done = cron(database, "run", *words)
        assert (done.code, done.err.startswith(said), done.out) == (2, True, ""), done.err
    assert await contents(db) == before
    for words in (["run", "sweep"], ["list"]):
        assert cron(database, *words, GATEFOLD_POSTGRES_URL="postgresql://u@127.0.0.1:1/x").code == 69


async def test_the_list_shows_last_and_next_runs(db: asyncpg.Connection, database: str) -> None:
    now = datetime.now(UTC)
    today = now.date()
    assert {one["state"] for one in json.loads(cron(database, "list", "--json").out)} == {"never"}
    cron(database, "run", "holders")
    await db.execute(
        "insert into cron_run (name, due_on, since, started_at, finished_at, counts, error) values"
        " ('prune', $1, $1, now(), null, '{}', 'KeyError: x'),"
        " ('sweep', $2, $2, $3, $3::timestamptz + interval '90 s', '{\"users\": 1200}', null)",
        *(today, today - timedelta(days=3), now - timedelta(days=3)),
    )
    found = {one["name"]: one for one in json.loads(cron(database, "list", "--json").out)}
    assert {name: one["state"] for name, one in found.items()} == {
        "alarms": "never",
        "anniversaries": "never",
        "holders": "done",
        "prune": "failed",
        "sweep": "done",
    }
    assert found["anniversaries"]["next_at"] == found["sweep"]["next_at"] == f"{today}T00:00:00Z"
    assert found["holders"]["next_at"] == f"{today + timedelta(days=1)}T00:00:00Z"
    assert (found["sweep"]["seconds"], found["sweep"]["counts"]) == (90.0, {"users": 1200})
    assert (found["prune"]["error"], found["prune"]["succeeded_at"]) == ("KeyError: x", None)
    shown = cron(database, "list", COLUMNS="150")
    assert shown.code == 0
    for words in ("KeyError: x", "users 1,200", "90.0 s", "anniversaries"):
        assert words in shown.out


async def test_a_sweep_of_a_day_is_that_day_s_slice(db: asyncpg.Connection, database: str) -> None:
    day = date(2026, 5, 6)
    users = [f"many-{number}" for number in range(200)]
    await join(db, [(user, None) for user in users])
    assert cron(database, "run", "sweep", "--at", str(day)).code == 0
    swept = {user for name, user, on, _ in await told(db, "cron.sweep") if on == day and name == f"sweep:{day}:{user}"}
    rows = await db.fetch(
        "select user_id from collector where ('x' || left(md5(user_id), 7))::bit(28)::integer % 30 = $1", slice_of(day)
    )
    assert swept == {row["user_id"] for row in rows} != set()
