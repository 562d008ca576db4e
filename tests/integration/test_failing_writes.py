"""A write that fails takes the whole bundle with it: no award without its message, no message without its award."""

import json
from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest

from services.stores.postgres import Connection
from tests.model import lab
from tests.model.events import added, minutes
from tests.model.lab import Log

USERS = 100
WRITTEN = ("inbox", "collector", "owned", "owned_release", "facet_count", "award", "outbox", "offset_ledger")


@pytest.fixture
async def saboteur(connection: Connection) -> AsyncIterator[Connection]:
    """A connection whose sabotage of the tables ends with the test."""
    await connection.execute(
        "create function sabotage() returns trigger language plpgsql as"
        " $$ begin raise serialization_failure using message = 'sabotaged'; end $$"
    )
    yield connection
    await connection.execute("drop function sabotage() cascade")


def history() -> Log:
    """A hundred users earn the same badges with one event each."""
    log = Log()
    releases = [{"id": at, "title": f"T{at}", "master_id": 1, "labels": [{"id": 7, "name": "L"}]} for at in range(1, 6)]
    for number in range(USERS):
        owned = [(100 * number + at, release) for at, release in enumerate(releases, 1)]
        log.append(added(f"e{number}", *owned, user=f"user-{number:03d}", time=minutes(number)))
    return log


async def rows_of(connection: Connection, tables: Sequence[str]) -> dict[str, list[asyncpg.Record]]:
    """All rows of the tables."""
    return {table: await connection.fetch(f"select * from {table} order by 1, 2") for table in tables}  # noqa: S608


@pytest.mark.parametrize("table", WRITTEN)
async def test_nothing_stays_of_a_bundle_whose_write_fails(saboteur: Connection, table: str) -> None:
    log = history()
    place = ("ownership.added", 0)
    await lab.apply(saboteur, lab.knowledge(), place, log.partitions[place][: USERS // 2])
    before = await rows_of(saboteur, WRITTEN)
    assert len(before["award"]) == len(before["outbox"]) >= USERS // 2
    await saboteur.execute(
        f"create trigger sabotage before insert or update on {table} for each row execute function sabotage()"
    )
    with pytest.raises(asyncpg.SerializationError, match="sabotaged"):
        await lab.apply(saboteur, lab.knowledge(), place, log.partitions[place][USERS // 2 :])
    assert await rows_of(saboteur, WRITTEN) == before

    await saboteur.execute(f"drop trigger sabotage on {table}")
    await lab.drain(saboteur, lab.knowledge(), log)
    awards = await lab.awards_of(saboteur)
    assert {user for user, _, _ in awards} == {f"user-{number:03d}" for number in range(USERS)}
    assert len(awards) == 2 * len(before["award"])  # each of them earned the same
    told = [json.loads(value) for (value,) in await saboteur.fetch("select value from outbox")]
    assert sorted((one["user_id"], one["badge"]["key"], one["context"]) for one in told) == sorted(awards)
