"""`gatefold notifier`: the process that tells users of their badges, and its dead list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from services.cli import processes, servers

if TYPE_CHECKING:
    from services.stores.notices import Dead

app = typer.Typer(invoke_without_command=True)

AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


@app.callback()
def notifier(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Log one JSON object per line.")] = False,
) -> None:
    """Tell users of their new badges, by signed webhooks or by mail, until stopped; several share the work.

    Exit code 0 after SIGTERM, 2 where neither GATEFOLD_NOTIFIER_WEBHOOK_URL nor GATEFOLD_NOTIFIER_SMTP_URL is set, 69
    when PostgreSQL is unreachable at the start, 75 after an unexpected error: restart it. Once it runs, servers may go
    away and come back.

    Example: gatefold notifier
    """
    if context.invoked_subcommand is not None:
        return
    from services.notifier.chosen import NoChannel, channel_of

    options = processes.begin("notifier", as_json=as_json)
    try:
        channel = channel_of(options)
    except (NoChannel, ValueError) as error:
        servers.fail(str(error), servers.WRONG_USAGE)
    servers.run(processes.migrated("notifier"))

    from services.notifier.main import Notifier

    processes.until_stopped("notifier", lambda: Notifier(options, channel))


@app.command("dead")
def dead(
    limit: Annotated[int, typer.Option("--limit", min=1, help="Rows of the table; --json prints all.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the notices that could not be delivered, the newest first, and why.

    Example: gatefold notifier dead --json | jq -r .reason | sort | uniq -c
    """
    found = servers.run(_dead(None if as_json else limit))
    if as_json:
        for one in found:
            typer.echo(json.dumps(_as_dict(one)))
    else:
        _print(found)


@app.command("redrive")
def redrive(
    notice: Annotated[UUID | None, typer.Argument(metavar="NOTICE", help="One notice by its id.")] = None,
    every: Annotated[bool, typer.Option("--all", help="The whole dead list.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which, send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Deliver dead notices once more, under the ids they had. Exit code 1 where there is no such notice.

    Example: gatefold notifier redrive --all --dry-run
    """
    if (notice is None) != every:
        raise typer.BadParameter("name one notice, or --all", param_hint="NOTICE")
    ids = servers.run(_redrive(notice, dry_run=dry_run))
    if as_json:
        typer.echo(json.dumps({"dry_run": dry_run, "notices": [str(one) for one in ids]}))
    else:
        for one in ids:
            typer.echo(f"{'would be ' if dry_run else ''}due {one}")
    if notice is not None and not ids:
        servers.fail(f"there is no dead notice {notice}")


async def _dead(limit: int | None) -> list[Dead]:
    from services.stores import notices

    async with servers.postgres(servers.load_settings(), "notifier") as connection:
        return await notices.list_dead(connection, limit)


async def _redrive(notice: UUID | None, *, dry_run: bool) -> list[UUID]:
    from services.stores import notices

    async with servers.postgres(servers.load_settings(), "notifier") as connection:
        if dry_run:
            dead = [one.notice_id for one in await notices.list_dead(connection, None)]
            return [one for one in dead if notice in (None, one)]
        return await notices.redrive(connection, notice)


def _as_dict(one: Dead) -> dict[str, object]:
    from contracts.times import rfc3339

    return {
        "notice_id": str(one.notice_id),
        "user_id": one.user_id,
        "awards": one.awards,
        "opened_at": rfc3339(one.opened_at),
        "died_at": rfc3339(one.settled_at),
        "attempts": one.attempts,
        "reason": one.reason,
    }


def _print(found: list[Dead]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    total = found[0].total if found else 0
    table = Table(title=f"{total:,} dead notices" + (f", the newest {len(found)}" if total > len(found) else ""))
    table.add_column("notice", no_wrap=True)
    table.add_column("user", overflow="fold")
    table.add_column("awards", justify="right")
    table.add_column("attempts", justify="right")
    table.add_column("why", overflow="fold", ratio=1)
    for one in found:
        table.add_row(str(one.notice_id), one.user_id, str(one.awards), str(one.attempts), escape(one.reason))
    Console().print(table)
