"""`gatefold relay`: the process that publishes the outbox."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli import processes, servers


def relay(
    as_json: Annotated[bool, typer.Option("--json", help="Log one JSON object per line.")] = False,
) -> None:
    """Publish awards and rejections to Kafka until stopped; of several relays one works, the others stand by.

    Exit code 0 after SIGTERM, 69 when a server is unreachable at the start, 75 after an unexpected error: restart it.
    Once it runs, servers may go away and come back.

    Example: GATEFOLD_RELAY_PORT=8102 gatefold relay
    """
    options = processes.begin("relay", as_json=as_json)
    servers.run(_check())

    from services.relay.main import Relay

    processes.until_stopped("relay", lambda: Relay(options))


async def _check() -> None:
    """Both servers answer and the outbox is there.

    Raises:  servers.Unreachable; migrate.OlderSchema, NewerSchema; asyncpg.UndefinedTableError.
    """
    await processes.migrated("relay")
    async with servers.publisher(servers.load_settings()):
        pass
