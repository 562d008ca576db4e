"""Databases for one measurement each, on the server that all of them share."""

from __future__ import annotations

import contextlib
import gc
import secrets
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg

from services.stores.migrate import migrate
from services.stores.postgres import Connection, connect, worker_limits


@contextlib.asynccontextmanager
async def database(server: str, copy_of: str | None = None) -> AsyncIterator[str]:
    """The address of a new, migrated database that is dropped at the end; or of a copy of the one at that address."""
    name = f"gatefold_bench_{secrets.token_hex(4)}"
    source = f" template {urlsplit(copy_of).path[1:]} strategy file_copy" if copy_of else ""
    await _execute(server, f"create database {name}{source}")
    try:
        url = urlsplit(server)._replace(path=f"/{name}").geturl()
        await migrate(url)
        yield url
    finally:
        await _execute(server, f"drop database {name} with (force)")


@contextlib.asynccontextmanager
async def session(url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """A connection with the settings of a worker's own."""
    connection = await connect(url, application="gatefold-bench", limits=worker_limits() | {"statement_timeout": "0"})
    try:
        yield connection
    finally:
        await connection.close()


async def settle(connection: Connection) -> None:
    """Write out what earlier measurements left, so that the next one does not pay for it; the same for our garbage."""
    gc.collect()
    with contextlib.suppress(asyncpg.InsufficientPrivilegeError):
        await connection.execute("checkpoint")


async def _execute(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
