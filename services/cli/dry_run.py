"""`gatefold dry-run`: what an event would earn a user, a sample of users, or everybody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import servers

if TYPE_CHECKING:
    from contracts.envelope import Event
    from services.trial.dry_run import Summary


def dry_run(
    event_type: Annotated[str, typer.Argument(help="Type of the event, as cron.sweep.", metavar="EVENT_TYPE")],
    user: Annotated[str | None, typer.Option(help="One user.")] = None,
    sample: Annotated[int | None, typer.Option(min=1, metavar="N", help="So many users, picked by chance.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="All users, one after another.")] = False,
    data: Annotated[str | None, typer.Option(metavar="JSON", help="What the event carries.")] = None,
    time: Annotated[str | None, typer.Option(metavar="T", help="RFC 3339; now if left out, never later.")] = None,
    seed: Annotated[str, typer.Option(help="Another sample for another seed.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="A line of JSON for each user, and the summary of many last.")
    ] = False,
) -> None:
    """Say which badges an event would earn, and why, without sending it; nothing is written.

    Exit code 1 where a user is unknown, or the stored state of one contradicts itself.

    Example: gatefold dry-run cron.anniversary --user collector-05 --data '{"on": "2026-06-01"}'
    """
    if [user is not None, sample is not None, everybody].count(True) != 1:
        servers.fail("name one of --user, --sample and --all", servers.WRONG_USAGE)
    event = _event(event_type, user, data, time)
    summary = servers.run(_runs(event, user, sample, seed, as_json=as_json))
    if user is not None and not (summary.users or summary.failed):
        servers.fail(f"nothing is known of user {user!r}")
    for one in summary.failed:
        servers.say(f"{one['user']}: {one['failed']}")
    if user is None:
        _print_summary(summary, as_json=as_json)
    if summary.failed:
        raise typer.Exit(servers.FOUND)


def _event(event_type: str, user: str | None, data: str | None, time: str | None) -> Event:
    from datetime import UTC, datetime

    from contracts.envelope import InvalidEvent
    from services.cli.chosen import json_of, moment
    from services.trial.events import Future, named

    said = json_of("--data", data)
    if said is not None and not isinstance(said, dict):
        servers.fail("--data: expected a JSON object", servers.WRONG_USAGE)
    now = datetime.now(UTC)
    try:
        return named(event_type, user or "nobody", said, moment("--time", time) or now, now)
    except Future as error:
        servers.fail(f"--time: {error}", servers.WRONG_USAGE)
    except InvalidEvent as error:
        servers.fail(error.reason, servers.WRONG_USAGE)


async def _runs(event: Event, user: str | None, sample: int | None, seed: str, *, as_json: bool) -> Summary:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from catalog.index import load_catalog
    from services.stores import collectors
    from services.trial.dry_run import Summary, dry_runs, every_user
    from services.trial.knowledge import trial_knowledge

    options = servers.load_settings()
    summary = Summary()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with servers.postgres(options, "dry-run") as connection:
        if user is not None:
            users = [user]
        elif sample is not None:
            users = await collectors.sample(connection, sample, seed)
        else:
            users = await every_user(connection)
        knowledge = trial_knowledge(load_catalog())
        with Progress(*columns, console=Console(stderr=True), disable=user is not None) as progress:
            bar = progress.add_task("users", total=len(users))
            async for found in dry_runs(connection, knowledge, users, event):
                summary.add(found)
                progress.advance(bar)
                if as_json:
                    typer.echo(json.dumps(found, ensure_ascii=False))
                elif user is not None and "failed" not in found:
                    _print(found)
    return summary


def _print(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    if not found["passes"]:
        console.print(f"no badge passes with {found['event']['type']}")
        return
    table = Table("badge", "context", "why", "", title=escape(found["user"]), title_justify="left")
    for one in found["passes"]:
        held = "held already" if one["held"] else "in the shadow" if one["shadow"] else ""
        table.add_row(one["id"], one["context"], escape(one["reason"]), held, style="dim" if held else "")
    console.print(table)


def _print_summary(summary: Summary, *, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = summary.shown()
    if as_json:
        typer.echo(json.dumps({"summary": shown}))
        return
    console = Console(highlight=False)
    words = f"{shown['users']:,} users: {shown['awards']:,} awards for {shown['with_awards']:,} of them"
    console.print(f"{words}, {shown['held']:,} held already")
    if shown["by_badge"]:
        table = Table("badge", "users")
        for key, number in shown["by_badge"].items():
            table.add_row(key, f"{number:,}")
        console.print(table)
