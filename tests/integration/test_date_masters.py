"""The earliest dated version of a master, and which of its releases are first pressings: against plain Python."""

from __future__ import annotations

from typing import NamedTuple

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.stores import catalogue
from services.stores.postgres import Connection

VERSION = """
insert into release (
    release_id, facts_id, stated_at, by_id, by_source, master_id, issued, reissue, first_pressing
) values ($1, 1, '2020-01-01', 'x', 'y', $2, $3, $4, $5)
"""


class Version(NamedTuple):
    """A release of a master as far as it matters here."""

    master_id: int
    issued: str | None
    reissue: bool
    was_first: bool


dates = st.sampled_from([None, "1998", "1999", "1999-03", "1999-03-01", "1999-03-17", "1999-04", "2000", "2000-01-01"])
versions = st.builds(Version, st.sampled_from([1, 2, 3]), dates, st.booleans(), st.booleans())


def earliest_of(issued: list[str]) -> str | None:
    """The least date, a less precise one after every date inside it."""
    return min(issued, key=lambda date: date + "~" * (10 - len(date))) if issued else None


# Each example ends with a rollback.
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(versions, max_size=12), st.sets(st.sampled_from([1, 2, 3])))
async def test_the_first_are_those_that_nothing_is_known_to_be_earlier_than(
    connection: Connection, all_versions: list[Version], dumped: set[int]
) -> None:
    transaction = connection.transaction()
    await transaction.start()
    try:
        await _store(connection, all_versions, dumped)
        changed = await catalogue.date_masters(connection, [1, 2, 2, 4])
        expected = {number: one.was_first for number, one in enumerate(all_versions)}
        for master in (1, 2):
            own = {number: one for number, one in enumerate(all_versions) if one.master_id == master}
            known = [one.issued for one in own.values() if one.issued is not None]
            earliest = earliest_of(known)
            row = await connection.fetchrow("select earliest, dated from master where master_id = $1", master)
            assert row is not None
            assert (row["earliest"], row["dated"]) == (earliest, len(known))
            for number, one in own.items():
                compatible = bool(one.issued and earliest) and (
                    str(one.issued).startswith(str(earliest)) or str(earliest).startswith(str(one.issued))
                )
                expected[number] = compatible and not one.reissue and master in dumped
        found = {row[0]: row[1] for row in await connection.fetch("select release_id, first_pressing from release")}
        assert found == expected
        assert sorted(changed) == [n for n, one in enumerate(all_versions) if one.was_first != expected[n]]
        assert await catalogue.date_masters(connection, [1, 2]) == []
        assert await connection.fetchval("select count(*) from master where master_id = 4") == 0
    finally:
        await transaction.rollback()


async def test_a_worker_may(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute("insert into master (master_id) values (9)")
    await connection.execute("set role gatefold_worker")
    assert await catalogue.date_masters(connection, [9]) == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("update master set title = 'mine'")
    await connection.close()


async def _store(connection: Connection, all_versions: list[Version], dumped: set[int]) -> None:
    await connection.execute("insert into master (master_id, earliest, dated) values (1, '1900', 7), (2, null, 0)")
    for master in dumped:
        await connection.execute("insert into catalogue_total values ('master', $1, 1, '2020-01-01')", master)
    await connection.executemany(VERSION, [(number, *one) for number, one in enumerate(all_versions)])
