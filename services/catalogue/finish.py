"""What follows the last file of a load: who is gone, totals, dates of masters, the news."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from services.stores import catalogue, catalogue_load
from services.stores.catalogue_load import Load
from services.stores.postgres import Connection

if TYPE_CHECKING:
    from services.catalogue.load import Watcher

# So many rows in a transaction, that workers which need the catalogue for themselves never wait long.
PAGE: Final = 20_000
CHUNK: Final = 2_000


async def finish(connection: Connection, load: Load, *, whole: bool, watch: Watcher) -> int:
    """Count and date what the load touched, announce what changed; goes on where it was stopped. How many are gone."""
    gone = await _forget_gone(connection, load, watch) if whole else 0
    counted = await catalogue_load.completed(connection)
    for kind in ("master", "label", "artist"):
        done = 0
        while ids := await catalogue_load.touched(connection, load, kind, CHUNK):
            async with connection.transaction():
                await catalogue_load.share_catalogue(connection)
                await catalogue_load.count_again(connection, load, kind, ids, counted)
                if kind == "master":
                    first = await catalogue.date_masters(connection, ids)
                    await catalogue_load.add_releases(connection, load, first)
            done += len(ids)
            watch.step(f"totals of {kind}s", done, None)
    await connection.execute("set synchronous_commit = on")
    async with connection.transaction():
        await catalogue_load.finish(connection, load)
    return gone


async def _forget_gone(connection: Connection, load: Load, watch: Watcher) -> int:
    """Releases that this whole dump no longer has count no more."""
    # What the whole dump before it lacked was forgotten then.
    before = await catalogue_load.completed(connection)
    gone = after = 0
    while (until := await catalogue_load.next_page(connection, after, PAGE)) is not None:
        async with connection.transaction():
            await catalogue_load.share_catalogue(connection)
            gone += await catalogue_load.forget_gone(connection, load, after, until, before)
        after = until
        watch.step("releases that are gone", gone, None)
    await catalogue_load.complete(connection, load)
    return gone
