"""`gatefold missing`: what a user still needs for a badge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import servers

if TYPE_CHECKING:
    from catalog.definition import BadgeDefinition

MOST = 100_000


def missing(
    user: Annotated[str, typer.Argument(help="User id.", metavar="USER")],
    badge: Annotated[str, typer.Argument(help="Badge key, one tier of a family.", metavar="BADGE")],
    context: Annotated[str, typer.Option(help="label:ID, artist:ID or master:ID; the nearest if left out.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="Entries at most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="The answer of the API as JSON.")] = False,
) -> None:
    """Say what is missing for a badge: the releases of a label, the works of an artist, genres, countries, decades.

    Of a label, an artist or a master all that the user does not own is listed, oldest first.

    Example: gatefold missing collector-05 genre-tourist-silver
    """
    from catalog.index import load_catalog
    from services.cli.chosen import badge_called
    from services.missing.asked import Unfit

    catalog = load_catalog().shown
    chosen = badge_called(catalog, badge)
    try:
        found = servers.run(_missing(user, chosen, context, limit))
    except Unfit as unfit:
        servers.fail(f"--{unfit.parameter}: {unfit}", servers.WRONG_USAGE)
    if found is None:
        servers.fail(f"nothing is known of user {user!r}")
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        _print(chosen, found, user)


async def _missing(user: str, badge: BadgeDefinition, context: str, limit: int) -> dict[str, Any] | None:
    from datetime import UTC, datetime

    from services.missing.answer import missing
    from services.missing.asked import Asked
    from services.stores.missing import standing

    options = servers.load_settings()
    async with servers.postgres(options, "missing") as connection:
        if not (await standing(connection, user, badge.key)).known:
            return None
        return await missing(connection, user, Asked(badge, context, limit, None, datetime.now(UTC)))


def _print(badge: BadgeDefinition, found: dict[str, Any], user: str) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    place = found["context_name"] or found["context"]
    title = ", ".join(part for part in (user, badge.title, place) if part)
    numbers = "" if found["owned"] is None else f"{found['owned']:,}"
    if numbers and found["total"] is not None:
        numbers += f" of {found['total']:,}"
    as_of = f" ({found['as_of']})" if found["as_of"] else ""
    console = Console()
    console.print(f"[bold]{escape(title)}[/]", highlight=False)
    if numbers:
        console.print(f"{numbers} {found['kind']}{as_of}", highlight=False, style="dim")
    console.print(found["remaining"], highlight=False, markup=False)
    if not found["missing"]:
        return
    named = dict.fromkeys(name for entry in found["missing"] for name in entry)
    columns = sorted(named, key=lambda name: not name.endswith("_id"))
    table = Table(*columns)
    for entry in found["missing"]:
        table.add_row(*("" if entry.get(name) is None else escape(str(entry[name])) for name in columns))
    console.print(table)
    if found["next_cursor"]:
        console.print("… and more: --limit", style="dim")
