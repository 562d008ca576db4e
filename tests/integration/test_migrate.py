"""Migrations run once, under a lock, and a newer schema is refused."""

import json
import secrets
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio

from services.stores.migrate import migrations
from tests.conftest import Engines
from tests.integration.commands import gatefold


@pytest_asyncio.fixture(loop_scope="session")
async def empty(stack: Engines) -> AsyncIterator[str]:
    """The address of a database without anything in it."""
    server = stack.endpoints().postgres_url
    name = f"gatefold_empty_{secrets.token_hex(4)}"
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


async def tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        return {row[0] for row in await connection.fetch("select tablename from pg_tables where schemaname='public'")}
    finally:
        await connection.close()


async def test_runs_once_and_a_dry_run_changes_nothing(empty: str) -> None:
    surroundings = {"GATEFOLD_POSTGRES_URL": empty}
    done = gatefold(surroundings, "migrate", "--dry-run", "--json")
    assert [step["number"] for step in json.loads(done.out)["steps"]] == [step.number for step in migrations()]
    assert await tables(empty) == set()

    assert len(json.loads(gatefold(surroundings, "migrate", "--json").out)["steps"]) == len(migrations())
    assert {"collector", "outbox", "offset_ledger"} <= await tables(empty)

    done = gatefold(surroundings, "migrate")
    assert (done.code, done.out) == (0, "up to date\n")


async def test_several_at_once_run_each_step_once(empty: str) -> None:
    surroundings = {"GATEFOLD_POSTGRES_URL": empty}
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda _: gatefold(surroundings, "migrate", "--json"), range(3)))
    assert [done.code for done in runs] == [0, 0, 0], [done.err for done in runs]
    assert sum(len(json.loads(done.out)["steps"]) for done in runs) == len(migrations())


async def test_a_newer_schema_is_refused(empty: str) -> None:
    surroundings = {"GATEFOLD_POSTGRES_URL": empty}
    assert gatefold(surroundings, "migrate").code == 0
    connection = await asyncpg.connect(empty)
    await connection.execute("insert into migration (number, name) values (9000, 'of_tomorrow')")
    await connection.close()
    done = gatefold(surroundings, "migrate")
    assert done.code == 1
    assert "9000" in done.err


@pytest.mark.parametrize(
    ("url", "code"), [("postgresql://u:secret@127.0.0.1:1/x", 69), ("postgresql://u:secret#x@h/x", 2), ("nonsense", 2)]
)
def test_an_unreachable_database_is_named_without_its_password(url: str, code: int) -> None:
    done = gatefold({"GATEFOLD_POSTGRES_URL": url}, "migrate")
    assert done.code == code
    assert "GATEFOLD_POSTGRES_URL" in done.err
    assert "secret" not in done.err
    assert done.err.count("\n") == 1


def test_a_database_without_schema_is_said_to_be_so(stack: Engines, topic_prefix: str) -> None:
    done = gatefold({"GATEFOLD_POSTGRES_URL": stack.endpoints().postgres_url}, "export", "awards")
    assert done.code == 1
    assert "gatefold migrate" in done.err
