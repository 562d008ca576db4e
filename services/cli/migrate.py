"""`gatefold migrate`: bring the database up to date."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from services.cli import servers


def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be run, run nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The steps as JSON on stdout.")] = False,
) -> None:
    """Run the migrations this database still lacks, one process at a time; running it again does nothing.

    Exit code 1: the database was migrated by a newer Gatefold, nothing was done.

    Example: gatefold migrate --dry-run
    """
    steps = servers.run(migrate_now(dry_run=dry_run))
    if as_json:
        typer.echo(json.dumps({"dry_run": dry_run, "steps": steps}))
        return
    for step in steps:
        typer.echo(f"{'would run' if dry_run else 'ran'} {step['number']:04d} {step['name']}")
    if not steps:
        typer.echo("up to date")


async def migrate_now(*, dry_run: bool) -> list[dict[str, int | str]]:
    """Run, or only list, the steps the database lacks.

    Raises:  servers.Unreachable; typer.Exit(1) where a newer Gatefold was here or a step fails.
    """
    import asyncpg

    from services.stores.migrate import NewerSchema, migrate

    options = servers.load_settings()
    async with servers.postgres(options, "migrate"):
        try:
            steps = await migrate(
                options.postgres_url, dry_run=dry_run, warn=lambda text: servers.say(text, style="yellow")
            )
        except NewerSchema as newer:
            servers.fail(str(newer))
        except (asyncpg.OperatorInterventionError, asyncpg.PostgresConnectionError):
            raise
        except asyncpg.PostgresError as error:
            servers.fail(f"a migration failed and was rolled back: {error}")
    return [{"number": step.number, "name": step.name} for step in steps]
