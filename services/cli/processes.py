"""Processes from the command line: their log, PostgreSQL at the start, and how they end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import typer

from services.cli import servers

if TYPE_CHECKING:
    from services.process import Process
    from services.settings import Settings

UNEXPECTED: Final = 75


def begin(name: str, *, as_json: bool) -> Settings:
    """The settings of a process that logs from now on."""
    from services import logs

    options = servers.load_settings()
    try:
        logs.configure(process=name, as_json=as_json or options.log_json, level=options.log_level)
    except ValueError as error:
        servers.fail(str(error), servers.WRONG_USAGE)
    return options


async def migrated(name: str) -> None:
    """PostgreSQL answers and has the tables that we know.

    Raises:  servers.Unreachable; migrate.OlderSchema, NewerSchema; asyncpg.UndefinedTableError.
    """
    from services.stores.migrate import check

    async with servers.postgres(servers.load_settings(), name) as connection:
        await check(connection)


def until_stopped(name: str, make: Callable[[], Process]) -> None:
    """Make the process and run it until SIGTERM or SIGINT; the unexpected ends it with an exit code of its own."""
    import asyncio

    from services import logs
    from services.metrics import CannotListen
    from services.process import run, serve

    try:
        run(serve(make()))
    except CannotListen as error:
        servers.fail(f"{error} (GATEFOLD_{name.upper()}_PORT)")
    except (asyncio.CancelledError, Exception):
        logs.logger(__name__).exception(f"the {name} ends on an unexpected error")
        raise typer.Exit(UNEXPECTED) from None
