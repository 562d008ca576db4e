"""Where each input partition stands: the position that moves in the transaction of the result."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("ledger")
# Shared by every bundle, exclusive where the catalogue changes: no owner of a release is overlooked.
CATALOGUE_LOCK: Final = 0x67617465_63617461
# Shared by whoever evaluates for a campaign, exclusive for whoever changes one: what it gave is then known.
CAMPAIGN_LOCK: Final = 0x67617465_63616D70


async def positions(connection: Connection, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Next offset of each partition that was ever seen."""
    wanted = list(partitions)
    rows = await connection.fetch(SQL["positions"], [topic for topic, _ in wanted], [part for _, part in wanted])
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def open_partition(connection: Connection, topic: str, partition: int, beginning: int, owner: str) -> None:
    """Begin the account of a partition at `beginning`, the first offset of its log."""
    await connection.execute(SQL["open_partition"], topic, partition, beginning, owner)


async def lock(
    connection: Connection, topic: str, partition: int, *, exclusive: bool, campaigns: bool = False
) -> int | None:
    """Lock the partition's position for this transaction; None where it was never seen.

    `exclusive`: this transaction changes the catalogue and lets nobody count a release meanwhile.
    `campaigns`: it may give what campaigns give, and lets nobody change one meanwhile.
    """
    if exclusive:
        await connection.execute(SQL["lock_catalogue"], CATALOGUE_LOCK)
    shared = [CATALOGUE_LOCK, CAMPAIGN_LOCK] if campaigns else [CATALOGUE_LOCK]
    found: int | None = await connection.fetchval(SQL["lock"], topic, partition, shared)
    return found


async def advance(
    connection: Connection, topic: str, partition: int, *, processed: int, duplicate: int, dead: int, owner: str
) -> None:
    """Move the position over records with these fates."""
    await connection.execute(SQL["advance"], topic, partition, processed, duplicate, dead, owner)


async def suspect_hole(connection: Connection, topic: str, partition: int, start: int, end: int) -> int:
    """Note that the log jumped from `start` to `end`; answers how often that was seen."""
    return int(await connection.fetchval(SQL["suspect_hole"], topic, partition, start, end))


async def record_hole(connection: Connection, topic: str, partition: int, start: int, end: int) -> None:
    """Account for offsets `start` … `end` - 1, which the log no longer holds."""
    await connection.execute(SQL["record_hole"], topic, partition, start, end)


async def owners(connection: Connection) -> dict[tuple[str, int], str]:
    """The worker, as host:pid, that last moved each partition."""
    return {(row["topic"], row["partition"]): row["owner"] for row in await connection.fetch(SQL["owners"])}
