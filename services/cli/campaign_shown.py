"""How `gatefold campaign` shows campaigns and their trials."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from services.campaigns.sample import Trial
    from services.stores.campaigns import Campaign


def print_trial(found: Trial, as_json: bool) -> None:
    """What a campaign would give a sample of users."""
    if as_json:
        typer.echo(json.dumps(found.as_dict()))
        return
    typer.echo(f"{found.users:,} users would be evaluated for {found.badges} badges")
    typer.echo(f"of {found.tried} tried, {found.winners} would be given {found.awards.total()} awards")
    for key, number in found.awards.most_common():
        typer.echo(f" {key}  {number}")


def print_campaign(campaign: Campaign, as_json: bool) -> None:
    """One campaign with the share that is done."""
    from services.campaigns.shown import shown

    found = shown(campaign, datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    console = Console()
    grid = Table.grid(padding=(0, 2))
    badges = found["badges"]
    grid.add_row("campaign", found["campaign_id"])
    grid.add_row("for", f"{found['scope']} {found['value']}".strip() + f", {len(badges)} badges")
    grid.add_row("state", found["state"].replace("_", " "))
    grid.add_row("users", f"{found['done']:,} of {found['users']:,} done, {found['sent']:,} sent")
    grid.add_row("", ProgressBar(total=max(1, found["users"]), completed=found["done"], width=40))
    grid.add_row("awards", f"{found['awards']:,} given, {found['standing']:,} stand")
    grid.add_row("rate", f"{found['rate']:g} users a second, notify {found['notify']}")
    grid.add_row("started", f"{found['started_at']} by {found['started_by']}: {found['reason']}")
    if found["estimated_end"]:
        grid.add_row("ends about", found["estimated_end"])
    if found["finished_at"]:
        grid.add_row("ended", found["finished_at"])
    console.print(grid, markup=False)


def print_table(found: list[dict[str, Any]]) -> None:
    """All of them, a line each."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f"{len(found)} campaigns")
    table.add_column("campaign", no_wrap=True, min_width=36)
    for name in ("for", "state", "users", "awards", "started", "reason"):
        table.add_column(name)
    for one in found:
        table.add_row(
            one["campaign_id"],
            escape(f"{one['scope']} {one['value']}".strip()),
            one["state"].replace("_", " "),
            f"{one['done']:,} of {one['users']:,}",
            f"{one['standing']:,}",
            one["started_at"][:16],
            escape(one["reason"]),
        )
    Console().print(table)
