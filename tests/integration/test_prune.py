"""`gatefold prune`: what is old goes, what is not stays, and nothing that may still be read again is forgotten."""

import json
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
import pytest_asyncio

from services.stores import pruning
from tests.integration.commands import gatefold

NOW = datetime.now(UTC)


@pytest_asyncio.fixture(loop_scope="session")
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    """With 30,000 identities a day old, 20,000 of 40 days, and four dead letters."""
    made = await asyncpg.connect(database)
    await made.execute("truncate inbox, dead_letter")
    for number, days in ((20_000, 40), (30_000, 1)):
        rows = [(secrets.token_bytes(16), 0, (NOW - timedelta(days=days)).date()) for _ in range(number)]
        await made.copy_records_to_table("inbox", records=rows)
    letters = [(1, 100, None), (2, 100, NOW), (3, 10, NOW), (4, 10, None)]
    await made.executemany(
        'insert into dead_letter (topic, partition, "offset", headers, recorded_at, stage, reason, seen_at,'
        " redriven_at) values ('review.approved', 0, $1, '[]', now(), 'decode', 'x', $2, $3)",
        [(offset, NOW - timedelta(days=days), redriven) for offset, days, redriven in letters],
    )
    yield made
    await made.close()


async def left(connection: asyncpg.Connection) -> tuple[int, list[int]]:
    """How many identities, and which letters."""
    letters = await connection.fetch('select "offset" from dead_letter order by 1')
    return await connection.fetchval("select count(*) from inbox"), [row[0] for row in letters]


async def test_a_dry_run_counts_and_changes_nothing(connection: asyncpg.Connection, database: str) -> None:
    done = gatefold({"GATEFOLD_POSTGRES_URL": database}, "prune", "--dry-run", "--json")
    assert json.loads(done.out) == {"identities": 20_000, "letters": 1, "dry_run": True}
    assert await left(connection) == (50_000, [1, 2, 3, 4])


async def test_what_is_old_goes(connection: asyncpg.Connection, database: str) -> None:
    environment = {"GATEFOLD_POSTGRES_URL": database}
    assert gatefold(environment, "prune").out == "identities gone: 20,000\ndead letters gone: 1\n"
    assert await left(connection) == (30_000, [1, 3, 4])
    assert json.loads(gatefold(environment, "prune", "--unsent", "--json").out)["letters"] == 1
    assert await left(connection) == (30_000, [3, 4])
    assert json.loads(gatefold(environment, "prune", "--json").out)["identities"] == 0


async def test_letters_go_in_pages(connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, none of the statements outlasts its time; those of one moment go together."""
    monkeypatch.setattr(pruning, "LETTERS", 2)
    await connection.executemany(
        'insert into dead_letter (topic, partition, "offset", headers, recorded_at, stage, reason, seen_at,'
        " redriven_at) values ('review.approved', 0, $1, '[]', now(), 'decode', 'x', $2, now())",
        [(10 + at, NOW - timedelta(days=days)) for at, days in enumerate((104, 103, 103, 103, 102))],
    )
    before = NOW - timedelta(days=30)
    assert await pruning.prune_letters(connection, before, unsent=False, dry_run=True) == 6
    gone = []
    while page := await pruning.prune_letters(connection, before, unsent=False, dry_run=False):
        gone.append(page)
    assert gone == [4, 2]
    assert (await left(connection))[1] == [1, 3, 4]


async def test_identities_are_kept_as_long_as_records(connection: asyncpg.Connection, database: str) -> None:
    done = gatefold({"GATEFOLD_POSTGRES_URL": database}, "prune", "--identities-days", "14")
    assert done.code == 2
    assert "must be more than 14" in done.err
    assert await left(connection) == (50_000, [1, 2, 3, 4])


async def test_every_page_is_looked_at_once(connection: asyncpg.Connection) -> None:
    pages = await pruning.blocks(connection)
    before = (NOW - timedelta(days=30)).date()
    steps = [step async for step in pruning.prune_identities(connection, before, dry_run=True)]
    assert sum(looked for looked, _ in steps) == pages
    assert sum(gone for _, gone in steps) == 20_000
