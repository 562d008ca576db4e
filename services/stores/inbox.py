"""Identities of accepted events: the second one changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from services.stores.postgres import Connection
from services.stores.queries import column, statements

SQL = statements("inbox")


def identity(source: str, event_id: str) -> bytes:
    """Name of an event, 16 bytes: the digest of its source and id."""
    return blake2b(f"{len(source)}:{source}{event_id}".encode(), digest_size=16).digest()


async def accept(connection: Connection, digests: Mapping[bytes, int]) -> set[bytes]:
    """Accept events by identity, with the digests of their data; answers those that are new.

    Sorted, so that two transactions that accept the same events wait for each other and never in a circle.
    """
    wanted = sorted(digests)
    rows = await connection.fetch(SQL["accept"], wanted, column([digests[one] for one in wanted]))
    return {identity for (identity,) in rows}


async def digests(connection: Connection, identities: list[bytes]) -> dict[bytes, int]:
    """Digest of the data that was accepted under each identity."""
    return {row["identity"]: row["digest"] for row in await connection.fetch(SQL["digests"], identities)}
