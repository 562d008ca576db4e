"""Migrations: numbered SQL files, run in order, once, by one process at a time."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

from services.stores.postgres import connect

_FILE = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
LOCK = 0x67617465_6D696772  # any constant of our own; advisory locks share one name space per database


class NewerSchema(Exception):
    """The database was migrated by a newer Gatefold; this one would not understand it."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step."""

    number: int
    name: str
    sql: str


def migrations() -> list[Migration]:
    """All steps, in order; numbers are 1, 2, 3 … without a gap."""
    folder = files("services.stores") / "migrations"
    found = []
    for entry in folder.iterdir():
        if match := _FILE.match(entry.name):
            found.append(Migration(int(match[1]), match[2], entry.read_text(encoding="utf-8")))
    found.sort(key=lambda step: step.number)
    if [step.number for step in found] != list(range(1, len(found) + 1)):
        raise ValueError("migrations are not numbered 1, 2, 3 …")
    return found


async def pending(connection: asyncpg.Connection[asyncpg.Record]) -> list[Migration]:
    """The steps this database still lacks.

    Raises:  NewerSchema where it has steps that we do not know.
    """
    await connection.execute(
        "create table if not exists migration"
        " (number integer primary key, name text not null, at timestamptz not null default now())"
    )
    done = await connection.fetchval("select coalesce(max(number), 0) from migration")
    steps = migrations()
    if done > len(steps):
        raise NewerSchema(f"the database is at migration {done}, this Gatefold knows {len(steps)}: run the newer one")
    return steps[done:]


class OlderSchema(Exception):
    """The database lacks migrations."""


async def check(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Whether the database is exactly as far as this Gatefold.

    Raises:  OlderSchema, NewerSchema; asyncpg.UndefinedTableError where it was never migrated.
    """
    done = await connection.fetchval("select coalesce(max(number), 0) from migration")
    known = len(migrations())
    if done > known:
        raise NewerSchema(f"the database is at migration {done}, this Gatefold knows {known}: run the newer one")
    if done < known:
        raise OlderSchema(f"the database is at migration {done} of {known}: run `gatefold migrate`")


async def migrate(
    url: str, *, dry_run: bool = False, warn: Callable[[str], None] = lambda text: None
) -> list[Migration]:
    """Bring the database at `url` up to date; answers the steps taken (with `dry_run`: that would be taken).

    Shape:   `warn` is told what a step had to leave out.

    Raises:  NewerSchema; one of postgres.TRANSIENT where the server does not answer.
    """
    connection = await connect(url, application="gatefold-migrate")

    def hear(_: object, message: asyncpg.PostgresLogMessage) -> None:
        if message.severity_en == "WARNING":
            warn(message.message)

    connection.add_log_listener(hear)
    try:
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        if dry_run:
            transaction = connection.transaction()
            await transaction.start()
            steps = await pending(connection)
            await transaction.rollback()
            return steps
        steps = await pending(connection)
        for step in steps:
            async with connection.transaction():
                await connection.execute(step.sql)
                await connection.execute("insert into migration (number, name) values ($1, $2)", step.number, step.name)
        return steps
    finally:
        await connection.close()
