"""`gatefold prune`: what may be forgotten is forgotten."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer

from contracts.topics import INPUT_TOPICS, TOPICS
from services.cli import servers

LONGEST_RETENTION: Final = max(TOPICS[name].retention_days for name in INPUT_TOPICS)
IDENTITIES: Final = "GATEFOLD_PRUNE_IDENTITIES_DAYS"
LETTERS: Final = "GATEFOLD_PRUNE_LETTERS_DAYS"


def prune(
    identities_days: Annotated[
        int | None, typer.Option(help="Keep identities of events for so many days.", show_default=IDENTITIES)
    ] = None,
    letters_days: Annotated[
        int | None, typer.Option(help="Keep dead letters for so many days.", min=1, show_default=LETTERS)
    ] = None,
    unsent: Annotated[bool, typer.Option("--unsent", help="Also dead letters that were never sent again.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The numbers as JSON on stdout.")] = False,
) -> None:
    """Forget identities of old events, and dead letters that were sent again long ago. Workers may go on meanwhile.

    An event that comes again after its identity is forgotten counts as new: keep identities longer than the topics keep
    their records, and longer than any producer sends again. The scheduler does it daily.

    Example: gatefold prune --identities-days 45 --dry-run
    """
    options = servers.load_settings()
    identities_days = options.prune_identities_days if identities_days is None else identities_days
    letters_days = options.prune_letters_days if letters_days is None else letters_days
    if identities_days <= LONGEST_RETENTION:
        why = f"must be more than {LONGEST_RETENTION}: so long the topics keep records that may be read again"
        servers.fail(f"--identities-days {why}", servers.WRONG_USAGE)
    report = servers.run(_prune(identities_days, letters_days, unsent, dry_run))
    if as_json:
        typer.echo(json.dumps(report))
        return
    verb = "that would go" if dry_run else "gone"
    typer.echo(f"identities {verb}: {report['identities']:,}\ndead letters {verb}: {report['letters']:,}")


async def _prune(identities_days: int, letters_days: int, unsent: bool, dry_run: bool) -> dict[str, Any]:
    from rich.console import Console
    from rich.progress import Progress

    from services.stores import pruning

    now = datetime.now(UTC)
    gone = 0
    async with servers.postgres(servers.load_settings(), "prune") as connection:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("pruning", total=await pruning.blocks(connection))
            before = (now - timedelta(days=identities_days)).date()
            async for pages, identities in pruning.prune_identities(connection, before, dry_run=dry_run):
                progress.advance(bar, pages)
                gone += identities
        letters, seen_before = 0, now - timedelta(days=letters_days)
        while page := await pruning.prune_letters(connection, seen_before, unsent=unsent, dry_run=dry_run):
            letters += page
            if dry_run:
                break
    return {"identities": gone, "letters": letters, "dry_run": dry_run}
