"""What follows the last file of a load: who is gone, totals, dates of masters, the news."""

from __future__ import annotations

from typing import Final

from services.catalogue.watcher import Watcher
from services.stores import catalogue, catalogue_load
from services.stores.catalogue_load import Load
from services.stores.postgres import Connection

# So many rows in a transaction, that workers which need the catalogue for themselves never wait long.
PAGE: Final = 5_000
LARGE_PAGE: Final = 20_000  # where hardly a row changes


async def finish(connection: Connection, load: Load, *, whole: bool, watch: Watcher) -> int:
    """Count and date what the load touched, announce what changed; may be done again. How many releases are gone."""
    gone = await _forget_gone(connection, load, watch) if whole else 0
    for kind in ("master", "label", "artist"):
        await _count(connection, load, kind, watch)
    await connection.execute("set synchronous_commit = on")
    async with connection.transaction():
        await catalogue_load.finish(connection, load)
    return gone


async def _count(connection: Connection, load: Load, kind: str, watch: Watcher) -> None:
    """Totals of this kind, and the dates of masters."""
    counted = await catalogue_load.completed(connection)
    after = done = 0
    more = True
    while more:
        until = await catalogue_load.next_page(connection, kind, after, PAGE)
        async with connection.transaction():
            await catalogue_load.share_catalogue(connection)
            ids = await catalogue_load.count_touched(connection, load, kind, counted, PAGE)
            more = bool(ids)
            if until is not None:
                ids += await catalogue_load.count_fresh(connection, load, kind, after, until, counted)
                after, more = until, True
            if kind == "master":
                first = await catalogue.date_masters(connection, ids)
                await catalogue_load.add_releases(connection, load, first)
        done += len(ids)
        watch.step(f"totals of {kind}s", done)


async def _forget_gone(connection: Connection, load: Load, watch: Watcher) -> int:
    """Releases that this whole dump no longer has count no more."""
    # What the whole dump before it lacked was forgotten then.
    before = await catalogue_load.completed(connection)
    gone = after = 0
    while (until := await catalogue_load.next_page(connection, "release", after, LARGE_PAGE)) is not None:
        async with connection.transaction():
            await catalogue_load.share_catalogue(connection)
            gone += await catalogue_load.forget_gone(connection, load, after, until, before)
        after = until
        watch.step("releases that are gone", gone)
    await catalogue_load.complete(connection, load)
    return gone
