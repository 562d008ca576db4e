"""`gatefold catalog promote`: a badge leaves the shadow."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import servers

if TYPE_CHECKING:
    from catalog.definition import BadgeDefinition
    from catalog.index import Catalog
    from services.stores.shadows import Kept


def promote(
    badge: Annotated[str, typer.Argument(help="Badge key, one tier of a family.", metavar="KEY")],
    notify: Annotated[bool, typer.Option("--notify", help="Have users notified.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how many awards there are.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    by: Annotated[str, typer.Option(help="Who does it; the account you are logged in with if left out.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """Show and publish what was kept of a badge that is in the shadow no more, with the dates on which it was earned.

    Deploy its definition without `shadow=True` first. Stopped, it goes on where it was when it is run again.

    Example: gatefold catalog promote mono-enthusiast --dry-run
    """
    from catalog.index import load_catalog
    from services.cli.chosen import badge_called
    from services.shadows.promotion import StillShadow, check

    catalog = load_catalog()
    chosen = badge_called(catalog, badge)
    if not dry_run:
        try:
            check(chosen)
        except StillShadow as error:
            servers.fail(str(error))
    kept = servers.run(_kept(badge))
    if not dry_run and kept.awards and not yes:
        servers.say(f"{kept.awards:,} awards will be shown, and each told on badge.awarded", style="")
        if not sys.stdin.isatty() or not typer.confirm("show them?", err=True):
            servers.fail("nothing was done; --yes does it without asking")
    done = kept if dry_run else servers.run(_promote(catalog, chosen, kept, notify, by))
    if as_json:
        typer.echo(json.dumps({"badge_key": badge, "dry_run": dry_run, **done._asdict(), "notify": notify}))
    else:
        would = "would be" if dry_run else "were"
        typer.echo(f"{done.awards:,} awards {would} shown and told; {done.revoked:,} are revoked and told to nobody")


async def _kept(badge_key: str) -> Kept:
    from services.stores.shadows import count

    async with servers.postgres(servers.load_settings(), "catalog promote") as connection:
        return await count(connection, badge_key)


async def _promote(catalog: Catalog, badge: BadgeDefinition, kept: Kept, notify: bool, by: str) -> Kept:
    import getpass

    from rich.console import Console
    from rich.progress import Progress

    from services.shadows.promotion import promote
    from services.stores.shadows import Kept

    done = Kept(0, 0)
    async with servers.postgres(servers.load_settings(), "catalog promote") as connection:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("promoting", total=sum(kept))
            async for page in promote(connection, catalog, badge, notify=notify, by=by or getpass.getuser()):
                done = Kept(done.awards + page.awards, done.revoked + page.revoked)
                progress.advance(bar, sum(page))
    return done
