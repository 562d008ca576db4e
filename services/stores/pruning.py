"""What may be forgotten: identities of events that nobody sends any more, and dead letters that are done with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Final

from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("pruning")
BLOCKS: Final = 1024  # in a transaction; 8 MB, some 60,000 identities
LETTERS: Final = 1000  # in a transaction; a letter may have a megabyte


async def blocks(connection: Connection) -> int:
    """Pages of the table of identities."""
    return int(await connection.fetchval(SQL["blocks"]))


async def prune_identities(connection: Connection, before: date, *, dry_run: bool) -> AsyncIterator[tuple[int, int]]:
    """Forget identities seen before that day, some pages a transaction; yields pages looked at and identities gone."""
    total = await blocks(connection)
    for start in range(0, total, BLOCKS):
        end = min(start + BLOCKS, total)
        yield end - start, await prune_block(connection, start, end, before, dry_run=dry_run)


async def prune_block(connection: Connection, start: int, end: int, before: date, *, dry_run: bool) -> int:
    """Forget identities seen before that day that lie in the pages from `start` to `end`; how many."""
    pages = f"({start},0)", f"({end},0)"
    if dry_run:
        return int(await connection.fetchval(SQL["old_identities"], *pages, before))
    return _rows(await connection.execute(SQL["prune_identities"], *pages, before))


async def prune_letters(connection: Connection, before: datetime, *, unsent: bool, dry_run: bool) -> int:
    """Remove a page of the dead letters older than that; those never sent again only with `unsent`. How many.

    Shape:   0 says that none are left; `dry_run` counts all of them at once.
    """
    if dry_run:
        return int(await connection.fetchval(SQL["old_letters"], before, unsent))
    return _rows(await connection.execute(SQL["prune_letters"], before, unsent, LETTERS))


def _rows(status: str) -> int:
    return int(status.rpartition(" ")[2])
