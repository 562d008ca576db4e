"""`gatefold why`: why a user has one badge, or has it not, in depth."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import servers

if TYPE_CHECKING:
    from rich.console import Console
    from rich.tree import Tree

    from catalog.index import Catalog


def why(
    user: Annotated[str, typer.Argument(help="User id.", metavar="USER")],
    badge: Annotated[str, typer.Argument(help="Badge key, one tier of a family.", metavar="BADGE")],
    context: Annotated[
        str, typer.Option(help="label:ID, artist:ID or master:ID; the newest award's or the nearest if left out.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The answer of the API as JSON.")] = False,
) -> None:
    """Say why a user has a badge, or has it not: the rule part by part, the numbers and how old they are, what the
    releases do not say, what would earn it, and the award with its event and its rule.

    Example: gatefold why collector-05 world-collector-gold
    """
    from catalog.index import load_catalog
    from services.cli.chosen import badge_called
    from services.missing.asked import Unfit

    catalog = load_catalog()
    try:
        known, found = servers.run(_why(user, catalog, badge, context))
    except Unfit as unfit:
        servers.fail(f"--{unfit.parameter}: {unfit}", servers.WRONG_USAGE)
    if found is None:
        badge_called(catalog, badge)  # an award of a badge that is no longer in the catalog is explained all the same
    if not known or found is None:
        servers.fail(f"nothing is known of user {user!r}")
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        _print(user, found)


async def _why(user: str, catalog: Catalog, badge: str, context: str) -> tuple[bool, dict[str, Any] | None]:
    from datetime import UTC, datetime

    from services.why.answer import Asked, known, why

    options = servers.load_settings()
    async with servers.postgres(options, "why") as connection:
        asked = Asked(badge, context, datetime.now(UTC), secrets_too=True)
        return await known(connection, user), await why(connection, user, catalog, asked)


def _print(user: str, found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    place = found["context_name"] or found["context"]
    console.print(f"[bold]{escape(', '.join(part for part in (user, found['name'], place) if part))}[/]")
    console.print(escape(found["remaining"]))
    if found.get("shadow"):
        console.print("in the shadow: no collector sees it", style="yellow")
    if found["criterion"] is not None:
        console.print(_tree(found["criterion"]))
    if (award := found["award"]) is not None:
        _print_award(console, award)
    days = found["snapshot"]["days"]
    if days is not None:
        console.print(
            f"numbers of {found['snapshot']['changed_at']}, {days:,} day{'' if days == 1 else 's'} ago", style="dim"
        )
    console.print(escape(found["since"]), style="dim")
    if found["gaps"] is None:
        console.print("what the releases do not say took too long to count", style="yellow")
    for gap in found["gaps"] or ():
        console.print(gap["words"], style="yellow")


def _tree(node: dict[str, Any], tree: Tree | None = None) -> Tree:
    from rich.markup import escape
    from rich.tree import Tree as RichTree

    mark = {True: "[green]✔[/]", False: "[red]✖[/]", None: "[yellow]?[/]"}[node["truth"]]
    text = f"{mark} {escape(node['words'])}  [dim]{escape(node['reason'] if not node['children'] else '')}[/]"
    here = RichTree(text) if tree is None else tree.add(text)
    for child in node["children"]:
        _tree(child, here)
    return here


def _print_award(console: Console, award: dict[str, Any]) -> None:
    from rich.markup import escape

    by = award["caused_by"] or {}
    words = f"awarded {award['unlocked_at']} ({award['source']}) by {award['trigger']}"
    console.print(escape(f"{words} {by.get('source', '')} {by.get('id', '')}".rstrip()))
    if award["revoked_at"]:
        console.print(f"taken back {award['revoked_at']}", style="red")
    console.print(escape(json.dumps(award["evidence"], ensure_ascii=False)), style="dim")
    rule = award["rule"]
    then, now = rule["then"] or "not kept", rule["now"] or "not in the catalog"
    console.print(f"rule then {then}, now {now}", style="yellow" if rule["changed"] else "dim")
