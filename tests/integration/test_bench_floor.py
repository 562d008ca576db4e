"""The bare SQL that the bench compares with makes the very row changes that the worker makes."""

from __future__ import annotations

import asyncpg

from bench import bundles, floors, load
from bench.changes import tables
from bench.databases import database, session
from bench.population import Group, populated
from tests.conftest import Engines


async def _content(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, sorted by key; times of writing left out."""
    found = {}
    async with session(url) as connection:
        for table in await tables(connection):
            rows = await connection.fetch(f"select * from {table.name}")  # noqa: S608 - a name from the catalog
            kept = [at for at, one in enumerate(table.columns) if one not in ("updated_at", "created_at")]
            found[table.name] = sorted((tuple(row[at] for at in kept) for row in rows), key=repr)
    return found


async def test_bare_sql_leaves_the_same_rows(stack: Engines) -> None:
    server = stack.endpoints().postgres_url
    crowd = Group("user", 10, 5, models=2)
    async with populated(server, [crowd]) as population:
        # Half of the users are known, the others new; some meet in several bundles.
        users = [*crowd.members(), *(f"new-{number}" for number in range(10))]
        planned = bundles.cut(load.random_events(120, users, 2), 40)
        async with database(server, population) as ours, database(server, population) as theirs:
            prepared = [floors.prepare_sql(changes) async for changes in bundles.changes(ours, planned)]
            async with session(theirs) as connection:
                await bundles.open_accounts(connection, planned)
                marks = await floors.run_sql(connection, prepared)
            expected, found = await _content(ours), await _content(theirs)
    assert len(marks) == 1 + len(planned)
    assert sum(map(len, expected["owned"])) > 0
    assert found == expected


async def test_copied_records_are_all_there(stack: Engines) -> None:
    server = stack.endpoints().postgres_url
    planned = bundles.cut(load.random_events(50, ["user-1"], 1), 20)
    async with database(server) as url, session(url) as connection:
        await floors.run_copy(connection, [floors.prepare_copy(0, bundle.records) for bundle in planned])
        rows: list[asyncpg.Record] = await connection.fetch('select value from raw order by "offset"')
    assert [row["value"] for row in rows] == [record.value for bundle in planned for record in bundle.records]
