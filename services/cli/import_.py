"""`gatefold import`: a Discogs export becomes events."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import servers

if TYPE_CHECKING:
    from services.importer.events import Import

DEFAULT_SOURCE = "gatefold-import"
# Events dated further ahead than this become dead letters.
FURTHEST_AHEAD = timedelta(hours=24)


def import_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.csv", help="A Discogs export, or release_id,date_added,rating.")
    ],
    user: Annotated[str, typer.Option("--user", help="Whose collection it is.")],
    wantlist: Annotated[
        bool, typer.Option("--wantlist", help="Read it as a wantlist; otherwise the header decides.")
    ] = False,
    source: Annotated[str, typer.Option("--source", help="CloudEvents source of the events.")] = DEFAULT_SOURCE,
    time: Annotated[
        str | None, typer.Option("--time", metavar="RFC3339", help="Time of the events; otherwise now.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, send nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON on stdout.")] = False,
    page: Annotated[int, typer.Option("--page", min=1, max=500, help="Items in an event.")] = 100,
) -> None:
    """Send a Discogs collection or wantlist export as events.

    Example: gatefold import collection.csv --user ann --dry-run

    A collection becomes ownership.added pages and one collection.synced, a wantlist wishlist.added pages. Importing the
    same file again changes nothing; an import adds and never removes. What the file does not know stays unknown, and
    what could not be read is reported by line. Exit code 1: some lines or values are wrong, the rest was sent.
    """
    from rich.console import Console

    from services.importer import report
    from services.importer.events import plan_import
    from services.importer.table import WrongFile, read_file

    moment = _checked(user, source, time)
    try:
        table = read_file(file, wantlist=wantlist)
    except WrongFile as wrong:
        servers.fail(str(wrong), servers.WRONG_USAGE)
    plan = plan_import(table, user=user, source=source, time=moment, page_items=page)
    published = 0 if dry_run or not plan.events else _publish(plan)
    if as_json:
        document: dict[str, Any] = report.as_json(str(file), user, plan, published=published, dry_run=dry_run)
        typer.echo(json.dumps(document, ensure_ascii=False))
    else:
        for remark in plan.remarks:
            style = "yellow" if remark.kind == "not mapped" else "red"
            servers.say(report.as_line(str(file), remark), style=style)
        Console().print(report.as_grid(plan, verb="would send" if dry_run else "sent"))
    if plan.faults:
        raise typer.Exit(servers.FOUND)


def _checked(user: str, source: str, time: str | None) -> datetime:
    """The time of the events; an option that the events could not carry ends the command."""
    from contracts.ids import MAX_TEXT, is_user_id
    from contracts.times import parse_time

    moment = now = datetime.now(UTC).replace(microsecond=0)
    if time is not None:
        try:
            moment = parse_time(time)
        except ValueError as error:
            servers.fail(f"--time {time}: {error}", servers.WRONG_USAGE)
    if moment > now + FURTHEST_AHEAD:
        servers.fail(f"--time {time}: more than 24 hours from now", servers.WRONG_USAGE)
    if not is_user_id(user):
        servers.fail(f"--user {user!r}: 1 to 64 of A-Z a-z 0-9 _ . : @ - are expected", servers.WRONG_USAGE)
    if not 1 <= len(source) <= MAX_TEXT or not source.isprintable():
        servers.fail(f"--source {source!r}: printable text of 1 to {MAX_TEXT} is expected", servers.WRONG_USAGE)
    return moment


def _publish(plan: Import) -> int:
    """Sends every event with a progress bar; how many there were."""
    from rich.console import Console
    from rich.progress import Progress

    from services.importer.publish import Refused

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("events", total=len(plan.events))
        try:
            servers.run(_send(plan, lambda count: progress.advance(task, count)))
        except Refused as refused:
            servers.fail(str(refused))
    return len(plan.events)


async def _send(plan: Import, published: Callable[[int], None]) -> None:
    from services.importer.publish import publish

    options = servers.load_settings()
    async with servers.publisher(options) as publisher:
        await publish(publisher, plan.events, topic=options.topic, published=published)
