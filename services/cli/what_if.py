"""`gatefold what-if`: what a change of a user's collection would do."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import servers

if TYPE_CHECKING:
    from catalog.index import Catalog


def what_if(
    user: Annotated[str, typer.Argument(help="User id.", metavar="USER")],
    add: Annotated[
        list[str] | None,
        typer.Option(metavar="RELEASE|FILE|-", help="A release as JSON, its id, or a file of either, a line each."),
    ] = None,
    remove: Annotated[list[int] | None, typer.Option(metavar="ID", help="Instance id of a copy that leaves.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The answer of the API as JSON.")] = False,
) -> None:
    """Say which badges a change of the collection would earn and which tiers its numbers would leave.

    Nothing is written: before you sell this record. Exit code 1 where a copy is not known.

    Example: gatefold what-if collector-05 --remove 48151623 --add 1475088
    """
    from catalog.index import load_catalog

    releases = [release for one in add or () for release in _releases(one)]
    change = _change(releases, remove or [])
    try:
        found = servers.run(_what_if(user, load_catalog().shown, change))
    except ValueError as error:
        servers.fail(f"the stored state of {user!r} contradicts itself ({error}): run `gatefold recount --user {user}`")
    if found is None:
        servers.fail(f"nothing is known of user {user!r}")
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        _print(user, found)
    for instance in found["unknown"]:
        servers.say(f"no copy {instance}")
    if found["unknown"]:
        raise typer.Exit(servers.FOUND)


def _releases(said: str) -> list[Any]:
    """The releases of one --add: JSON, an id, or a file with a line for each."""
    if said.startswith("{"):
        lines = [said]
    elif said.isdecimal():
        return [{"id": int(said)}]
    elif said == "-":
        lines = sys.stdin.read().splitlines()
    else:
        try:
            lines = Path(said).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            servers.fail(f"--add: {said}: {getattr(error, 'strerror', None) or error}", servers.WRONG_USAGE)
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            one = json.loads(line)
        except (ValueError, RecursionError) as error:
            servers.fail(f"--add, line {number}: not JSON: {error}", servers.WRONG_USAGE)
        found.append({"id": one} if isinstance(one, int) else one)
    return found


def _change(releases: list[Any], instances: list[int]) -> Any:
    """The change as the API takes it; exit code 2 where it does not."""
    from contracts.hot import Mismatch, NotJson
    from services.trial.what_if import decoder

    if not releases and not instances:
        servers.fail("nothing to try: name releases with --add, copies with --remove", servers.WRONG_USAGE)
    try:
        return decoder.decode(json.dumps({"add": releases, "remove": instances}).encode())
    except (Mismatch, NotJson) as error:
        servers.fail(str(error).lstrip("."), servers.WRONG_USAGE)


async def _what_if(user: str, catalog: Catalog, change: Any) -> dict[str, Any] | None:
    from datetime import UTC, datetime

    from services.trial.knowledge import trial_knowledge
    from services.trial.what_if import what_if
    from services.why.answer import known

    options = servers.load_settings()
    async with servers.postgres(options, "what-if") as connection:
        if not await known(connection, user):
            return None
        return await what_if(connection, trial_knowledge(catalog), user, change, datetime.now(UTC))


def _print(user: str, found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("", "badge", "context", "why", title=escape(user), title_justify="left")
    for one in found["gains"]:
        table.add_row("[green]+[/]", escape(one["name"]), one["context"], escape(one["reason"]))
    for one in found["loses"]:
        stays = "; the award stands" if one["award_stands"] else ""
        table.add_row("[red]−[/]", escape(one["name"]), one["context"], escape(one["reason"]) + stays)
    console = Console(highlight=False)
    if table.row_count:
        console.print(table)
    else:
        console.print("no badge would be gained, no tier left")
    for one in found["changes"]:
        place = f" {one['context']}" if one["context"] else ""
        console.print(f"{one['metric']}{place}: {_number(one['before'])} → {_number(one['after'])}", style="dim")


def _number(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"
