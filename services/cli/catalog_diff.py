"""`gatefold catalog save` and `catalog diff`: what other rules would come to for real users."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import servers

if TYPE_CHECKING:
    from services.difference.compare import Comparison, Difference


def save(file: Annotated[Path, typer.Argument(help="Where to.", metavar="FILE")]) -> None:
    """Save this catalog's badges as JSON, for `catalog diff` where there is no git.

    Example: gatefold catalog save before.json
    """
    from catalog.index import every_badge
    from services.difference.saved import document

    try:
        file.write_text(document(every_badge()), encoding="utf-8")
    except OSError as error:
        servers.fail(f"{file}: {error.strerror}")
    typer.echo(f"{len(every_badge())} badges in {file}")


def diff(
    before: Annotated[str, typer.Argument(help="A file of `catalog save`, or a git reference.", metavar="REF")],
    sample: Annotated[int, typer.Option(help="Users that are evaluated.", min=1)] = 1000,
    everybody: Annotated[bool, typer.Option("--all", help="Evaluate all users.")] = False,
    allow: Annotated[int, typer.Option(help="Gains and losses that are no reason for exit code 1.", min=0)] = 0,
    markdown: Annotated[bool, typer.Option("--markdown", help="Markdown for a pull request.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """Evaluate the rules of REF and those of this catalog over users: who gains, who would earn it no more.

    Only badges whose rules differ are evaluated, as of now. Nothing is written. Exit code 1: more gains and losses
    than --allow, so that a pull request has to say that it means them, or users whose stored state contradicts itself.

    Example: gatefold catalog diff origin/main --markdown
    """
    from catalog.index import load_catalog
    from services.difference.compare import Comparison, as_dict, as_markdown
    from services.difference.saved import NoCatalog, read

    try:
        comparison = Comparison(read(before), load_catalog().badges.values())
    except NoCatalog as error:
        servers.fail(str(error), servers.WRONG_USAGE)
    if comparison.found.changes:
        servers.run(_compare(comparison, None if everybody else sample))
    found = comparison.found
    for user, why in found.failed.items():
        servers.say(f"{user}: {why}")
    if as_json:
        typer.echo(json.dumps(as_dict(found), ensure_ascii=False))
    elif markdown:
        typer.echo(as_markdown(found, before), nl=False)
    else:
        _print(found)
    if found.moved > allow or found.failed:
        raise typer.Exit(servers.FOUND)


async def _compare(comparison: Comparison, sample: int | None) -> None:
    from rich.console import Console
    from rich.progress import Progress

    from catalog.index import load_catalog
    from services.difference.compare import compare
    from services.stores import collectors
    from services.worker.work import Knowledge

    knowledge = Knowledge(load_catalog(), erasure_key=b"", owner="gatefold catalog diff")
    async with servers.postgres(servers.load_settings(), "catalog-diff") as connection:
        total = await collectors.count(connection)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("evaluating", total=min(total, sample or total))
            async for done in compare(connection, knowledge, comparison, datetime.now(UTC), sample):
                progress.advance(bar, done)


def _print(found: Difference) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title=f"{len(found.changes)} badges differ, {found.touched:,} of {found.users:,} users are touched")
    for name in ("badge", "", "rule", "gains", "no more", "new awards", "for example"):
        table.add_column(name)
    for one in found.changes.values():
        rule = " → ".join(text for text in dict.fromkeys((one.before, one.after)) if text)
        numbers = (f"{one.gains:,}", f"{one.losses:,}", f"{one.messages:,}")
        table.add_row(one.key, one.what, rule, *numbers, ", ".join(one.examples))
    console.print(table)
    for (family, before, after), users in sorted(found.tiers.items()):
        console.print(f"{family}: {before} to {after}: {users:,} users", highlight=False)
    if found.unknown:
        console.print(f"not evaluated: {', '.join(sorted(set(found.unknown)))}", highlight=False)
    if found.failed:
        console.print(
            f"{len(found.failed):,} users left out: what is stored of them contradicts itself", highlight=False
        )
