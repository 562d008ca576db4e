"""Numbered slots of a consumer group: one holder each, free again the moment its connection ends."""

from __future__ import annotations

from services.stores.postgres import Connection
from services.stores.queries import statements

SQL = statements("slots")


async def try_take(connection: Connection, group: str, number: int, *, timeout: float) -> bool:
    """Whether this connection holds the slot from now on."""
    return bool(await connection.fetchval(SQL["try_take"], group, number, timeout=timeout))
