"""`gatefold catalog`: which badges there are, and whether they obey the rules."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import catalog_diff, catalog_golden, catalog_promote

if TYPE_CHECKING:
    from catalog.definition import BadgeDefinition

app = typer.Typer(help="The badges: list them, check their rules, see what other rules come to.", no_args_is_help=True)

app.command("save")(catalog_diff.save)
app.command("diff")(catalog_diff.diff)
app.command("golden")(catalog_golden.golden)
app.command("promote")(catalog_promote.promote)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON only.")]


class Visible(Enum):
    """Who sees a badge that is not earned."""

    PUBLIC = "public"
    HIDDEN = "hidden"
    SECRET = "secret"
    SHADOW = "shadow"
    RETIRED = "retired"


@app.command("list")
def list_badges(
    family: Annotated[str | None, typer.Option(help="Only the tiers of this family.", metavar="FAMILY")] = None,
    trigger: Annotated[str | None, typer.Option(help="Only badges this topic may earn.", metavar="TOPIC")] = None,
    visibility: Annotated[
        Visible | None, typer.Option(help="Only public, hidden (until earned), secret, shadow or retired ones.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the badges with their rules.

    Examples:

        gatefold catalog list --family genre-tourist

        gatefold catalog list --trigger cron.anniversary --json
    """
    from catalog.index import load_catalog
    from services.looking.badges import NoSuch, chosen, shown

    try:
        badges = chosen(load_catalog(), family, trigger, None if visibility is None else visibility.value)
    except NoSuch as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        typer.echo(json.dumps([shown(badge) for badge in badges], indent=2, ensure_ascii=False))
    else:
        _print_table(badges)


@app.command("triggers")
def list_triggers(as_json: AsJson = False) -> None:
    """List the topics and the badges each may earn; those that earn none are marked.

    Example: gatefold catalog triggers
    """
    from catalog.index import load_catalog
    from services.looking.badges import triggers

    found = triggers(load_catalog())
    if as_json:
        typer.echo(json.dumps({"triggers": found}, indent=2))
        return

    from rich.console import Console
    from rich.table import Table

    table = Table("trigger", "badges", "families")
    for one in found:
        families = ", ".join(one["families"]) or "none: earns nothing"
        table.add_row(one["trigger"], str(len(one["badges"])), families, style="dim" if one["empty"] else "")
    Console().print(table)


@app.command("lint")
def lint(
    write_lock: Annotated[
        bool, typer.Option("--write-lock", help="Renew catalog.lock, which says that changed rules are meant.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check every rule of the catalog and report all faults at once; exit 1 if there are any.

    Examples:

        gatefold catalog lint

        gatefold catalog lint --write-lock
    """
    from catalog.index import every_badge
    from catalog.lint import faults, warnings
    from catalog.lock import irrevocable, lock_faults, read_lock, render

    badges = every_badge()
    found = faults(badges)
    try:
        locked = read_lock()
        found += irrevocable(badges, locked) if write_lock else lock_faults(badges, locked)
    except ValueError as fault:
        found.append(str(fault))
    if write_lock and not found:
        _lock_path().write_text(render(badges), encoding="utf-8")
    notes = warnings(badges)
    if as_json:
        typer.echo(json.dumps({"badges": len(badges), "faults": found, "warnings": notes}, indent=2))
    else:
        _print_findings(len(badges), found, notes)
    if found:
        raise typer.Exit(1)


def _lock_path() -> Path:
    from importlib import resources

    from catalog.lock import LOCK_FILE

    with resources.as_file(resources.files("catalog")) as package:
        return package / LOCK_FILE


def _print_table(badges: list[BadgeDefinition]) -> None:
    from rich.console import Console
    from rich.table import Table

    from catalog.definition import in_words

    table = Table("key", "name", "tier", "rule", "triggers", title=f"{len(badges)} badges")
    for badge in badges:
        style = "dim" if badge.shadow else ""
        name = badge.name + (f" (per {badge.context_kind})" if badge.context_kind else "")
        table.add_row(
            badge.key, name, badge.tier or "", in_words(badge.criterion), ", ".join(badge.triggers), style=style
        )
    Console().print(table)


def _print_findings(count: int, found: list[str], notes: list[str]) -> None:
    from rich.console import Console

    console = Console()
    for fault in found:
        console.print("[red]fault[/red]  ", end="")
        console.print(fault, markup=False, soft_wrap=True)
    for note in notes:
        console.print("[yellow]warning[/yellow]  ", end="")
        console.print(note, markup=False, soft_wrap=True)
    console.print(f"{count} badges, {len(found)} faults, {len(notes)} warnings")
