"""Connections to PostgreSQL, and which of its errors pass by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

# Trying again with a fresh connection is right for these, and for nothing else. InternalClientError: asyncpg's own
# words for a backend that was terminated under it.
TRANSIENT: tuple[type[BaseException], ...] = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,  # a primary that was demoted
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ObjectInUseError,
)

CONNECT_SECONDS = 3.0


def worker_limits(patience: int = 1) -> dict[str, str]:
    """Settings of a worker's connection; `patience` multiplies the time that a statement and a pause may take.

    Units:   a statement has 4 s, less than the client waits (5 s): a bundle is far shorter.
    """
    return {
        # Every statement of a bundle looks rows up by key, however small the table still is.
        "enable_hashjoin": "off",
        "enable_mergejoin": "off",
        "enable_seqscan": "off",
        "plan_cache_mode": "force_generic_plan",
        "statement_timeout": str(4000 * patience),
        "lock_timeout": "2000",
        "idle_in_transaction_session_timeout": str(8000 * patience),
    }


@asynccontextmanager
async def looking(connection: Connection) -> AsyncIterator[None]:
    """One moment of the database for several questions, without a lock; PostgreSQL refuses every write."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield


async def connect(
    url: str, *, application: str, limits: dict[str, str] | None = None, command_seconds: float | None = None
) -> asyncpg.Connection[asyncpg.Record]:
    """One connection of its own, for a lock that lives as long as it, or for a command.

    Raises:  one of TRANSIENT where the server does not answer; asyncpg.PostgresError where it refuses.
    """
    return await asyncpg.connect(
        url,
        timeout=CONNECT_SECONDS,
        command_timeout=command_seconds,
        server_settings={"application_name": application, "jit": "off"} | (limits or {}),
        statement_cache_size=200,
        max_cached_statement_lifetime=0,
    )


async def open_pool(
    url: str,
    *,
    application: str,
    size: int,
    limits: dict[str, str] | None = None,
    command_seconds: float | None = None,
) -> asyncpg.Pool[asyncpg.Record]:
    """A pool that connects when first used, so a server that is away at start is waited for like any other time."""
    return await asyncpg.create_pool(
        url,
        min_size=0,
        max_size=size,
        timeout=CONNECT_SECONDS,
        command_timeout=command_seconds,
        server_settings={"application_name": application, "jit": "off"} | (limits or {}),
        # Every statement of ours is prepared once per connection and stays.
        statement_cache_size=200,
        max_cached_statement_lifetime=0,
    )
