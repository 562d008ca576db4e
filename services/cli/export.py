"""`gatefold export`: awards and state as JSON lines."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import servers

if TYPE_CHECKING:
    from services.stores.postgres import Connection

app = typer.Typer(help="Awards and state as JSON lines, in code point order.", no_args_is_help=True)

User = Annotated[str | None, typer.Option("--user", metavar="U", help="Only this user.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines, which it always prints.")]
FLUSH_BYTES = 1 << 16


@app.command("awards")
def awards(
    user: User = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="For spreadsheets, with more columns; of all users.")] = False,
    as_json: AsJson = True,
) -> None:
    """Print every award as a JSON line, sorted by user, badge and context.

    Example: gatefold export awards --user ann | head -3
    """
    from services.stores.exports import export_awards

    if as_csv and user is not None:
        raise typer.BadParameter("a spreadsheet is of all users", param_hint="--csv")
    if as_csv:
        servers.run(_print_csv())
        return
    servers.run(print_lines("export", lambda connection: export_awards(connection, user)))


@app.command("state")
def state(user: User = None, as_json: AsJson = True) -> None:
    """Print every collector's counters as a JSON line, sorted by user.

    Example: gatefold export state > state.jsonl
    """
    from services.stores.exports import export_state

    servers.run(print_lines("export", lambda connection: export_state(connection, user)))


async def _print_csv() -> None:
    from services.looking.export import BEGINNING, pieces
    from services.stores import looking

    async with (
        servers.postgres(servers.load_settings(), "export") as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        async for piece in pieces(lambda *page: looking.awards(connection, page[0], BEGINNING, None, page[1]), "csv"):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()


async def print_lines(application: str, lines: Callable[[Connection], AsyncIterator[bytes]]) -> None:
    """Write what a store yields to stdout, a line each, as of one moment."""
    options = servers.load_settings()
    out = sys.stdout.buffer
    async with (
        servers.postgres(options, application) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        held = bytearray()
        async for line in lines(connection):
            held += line
            held += b"\n"
            if len(held) >= FLUSH_BYTES:
                out.write(held)
                held.clear()
        out.write(held)
        out.flush()
