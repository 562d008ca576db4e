"""`gatefold status`: how far workers and relay have come."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import servers

if TYPE_CHECKING:
    from services.cli.positions import Status


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Every partition as JSON on stdout.")] = False,
) -> None:
    """Show every input partition's position, and what waits in the outbox.

    processed + duplicate + dead + hole = next_offset - base_offset, always.

    Example: gatefold status --json | jq .outbox
    """
    found = servers.run(_status())
    if as_json:
        typer.echo(json.dumps(found.as_dict()))
    else:
        _print(found)


async def _status() -> Status:
    from services.cli.positions import observe

    options = servers.load_settings()
    async with servers.postgres(options, "status") as connection, servers.log_reader(options) as reader:
        return await observe(options, connection, reader)


def _print(found: Status) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    table.add_column("topic", no_wrap=True)
    for name in ("parts", "records", "behind", "processed", "duplicate", "dead", "hole"):
        table.add_column(name, justify="right", no_wrap=True)
    for topic in dict.fromkeys(one.topic for one in found.partitions):
        rows = [one for one in found.partitions if one.topic == topic]
        behind = sum(one.behind for one in rows)
        table.add_row(
            topic,
            str(len(rows)),
            f"{sum(one.log_end - one.base_offset for one in rows):,}",
            f"[yellow]{behind:,}" if behind else "0",
            *(f"{sum(getattr(one, name) for one in rows):,}" for name in ("processed", "duplicate")),
            *(f"{sum(getattr(one, name) for one in rows):,}" for name in ("dead", "hole")),
        )
    console = Console()
    console.print(table)
    failed = f", [red]{found.outbox_failed:,} refused by Kafka[/red]" if found.outbox_failed else ""
    console.print(
        f"outbox: {found.outbox:,} to publish{failed}; news to tell: {found.news};"
        f" graph evaluations due: {found.graph_due}"
    )
