"""`gatefold scheduler`: the process that starts what the calendar brings."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli import servers

UNEXPECTED = 75


def scheduler(
    as_json: Annotated[bool, typer.Option("--json", help="Log one JSON object per line.")] = False,
) -> None:
    """Tell anniversaries, count holders, sweep and prune every day until stopped; of several schedulers one works.

    What was missed is caught up once, what was interrupted goes on. Exit code 0 after SIGTERM, 69 when PostgreSQL is
    unreachable at the start, 75 after an unexpected error: restart it. Once it runs, PostgreSQL may go away and come
    back. Its events go out through the relay.

    Example: GATEFOLD_SCHEDULER_PORT=8104 gatefold scheduler
    """
    import asyncio

    from services import logs
    from services.metrics import CannotListen
    from services.process import run, serve
    from services.scheduler.main import Scheduler

    options = servers.load_settings()
    try:
        logs.configure(process="scheduler", as_json=as_json or options.log_json, level=options.log_level)
    except ValueError as error:
        servers.fail(str(error), servers.WRONG_USAGE)
    servers.run(_check())
    try:
        run(serve(Scheduler(options)))
    except CannotListen as error:
        servers.fail(f"{error} (GATEFOLD_SCHEDULER_PORT)")
    except (asyncio.CancelledError, Exception):
        logs.logger(__name__).exception("the scheduler ends on an unexpected error")
        raise typer.Exit(UNEXPECTED) from None


async def _check() -> None:
    """PostgreSQL answers and the tables are there.

    Raises:  servers.Unreachable; migrate.OlderSchema, NewerSchema; asyncpg.UndefinedTableError.
    """
    from services.stores.migrate import check

    async with servers.postgres(servers.load_settings(), "scheduler") as connection:
        await check(connection)
