"""`gatefold relay`: the process that publishes the outbox."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli import servers

UNEXPECTED = 75


def relay(
    as_json: Annotated[bool, typer.Option("--json", help="Log one JSON object per line.")] = False,
) -> None:
    """Publish awards and rejections to Kafka until stopped; of several relays one works, the others stand by.

    Exit code 0 after SIGTERM, 69 when a server is unreachable at the start, 75 after an unexpected error: restart it.
    Once it runs, servers may go away and come back.

    Example: GATEFOLD_RELAY_PORT=8102 gatefold relay
    """
    import asyncio

    from services import logs
    from services.metrics import CannotListen
    from services.process import run, serve
    from services.relay.main import Relay

    options = servers.load_settings()
    try:
        logs.configure(process="relay", as_json=as_json or options.log_json, level=options.log_level)
    except ValueError as error:
        servers.fail(str(error), servers.WRONG_USAGE)
    servers.run(_check())
    try:
        run(serve(Relay(options)))
    except CannotListen as error:
        servers.fail(f"{error} (GATEFOLD_RELAY_PORT)")
    except (asyncio.CancelledError, Exception):
        logs.logger(__name__).exception("the relay ends on an unexpected error")
        raise typer.Exit(UNEXPECTED) from None


async def _check() -> None:
    """Both servers answer and the outbox is there.

    Raises:  servers.Unreachable; migrate.OlderSchema, NewerSchema; asyncpg.UndefinedTableError.
    """
    from services.stores.migrate import check

    options = servers.load_settings()
    async with servers.postgres(options, "relay") as connection:
        await check(connection)
    async with servers.publisher(options):
        pass
