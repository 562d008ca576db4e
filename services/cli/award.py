"""`gatefold award`: badges given and taken by hand, with a reason, and the log of all that was done so."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import servers

if TYPE_CHECKING:
    from catalog.index import Catalog
    from services.manual.acts import Act, Done
    from services.stores.by_hand import Entry
    from services.stores.postgres import Connection

app = typer.Typer(help="Awards by hand: grant, revoke, hide, sort; who did it and why.", no_args_is_help=True)

User = Annotated[str, typer.Argument(help="User id.", metavar="USER")]
Badge = Annotated[str, typer.Argument(help="Badge key, one tier of a family.", metavar="BADGE")]
Context = Annotated[str, typer.Option(help="label:ID, artist:ID or master:ID, for badges that are earned for one.")]
Reason = Annotated[str, typer.Option(help="Why; 1 to 500 characters.")]
By = Annotated[str, typer.Option(help="Who does it; the account you are logged in with if left out.", metavar="NAME")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would become of it, keep nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


@app.command("grant")
def grant(
    user: User,
    badge: Badge,
    reason: Reason,
    context: Context = "",
    notify: Annotated[bool, typer.Option(help="Whether the user should be told.")] = True,
    by: By = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give USER a badge. Who has it keeps it as it is; a revoked award stands again.

    Example: gatefold award grant ann deep-cut --reason "found the test pressing"
    """
    from services.manual import acts

    async def work(connection: Connection, catalog: Catalog, act: Act) -> Done:
        return await acts.grant(connection, catalog, act, notify=notify)

    _do(work, user, badge, context, reason, by, dry_run, as_json)


@app.command("revoke")
def revoke(
    user: User,
    badge: Badge,
    reason: Reason,
    context: Context = "",
    by: By = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take a badge from USER. It is not earned again; only `grant` brings it back.

    Example: gatefold award revoke ann deep-cut --reason "it was a reissue"
    """
    from services.manual import acts

    _do(acts.revoke, user, badge, context, reason, by, dry_run, as_json)


@app.command("edit")
def edit(
    user: User,
    badge: Badge,
    reason: Reason,
    context: Context = "",
    sort: Annotated[int | None, typer.Option(help="Sort it by this number instead of the badge's own.")] = None,
    no_sort: Annotated[bool, typer.Option("--no-sort", help="Sort it by the badge's own number again.")] = False,
    hide: Annotated[bool | None, typer.Option("--hide/--show", help="Leave it out of what the user is shown.")] = None,
    by: By = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Hide an award from USER's list, or sort it elsewhere in it. Nobody is told.

    Example: gatefold award edit ann deep-cut --hide --reason "asked for it"
    """
    from services.manual import acts

    if sort is not None and no_sort:
        raise typer.BadParameter("give one of --sort and --no-sort", param_hint="--no-sort")
    changes: dict[str, Any] = {}
    if sort is not None or no_sort:
        changes["sort_override"] = sort
    if hide is not None:
        changes["hidden"] = hide
    if not changes:
        raise typer.BadParameter("say what to change: --sort, --no-sort, --hide or --show")

    async def work(connection: Connection, catalog: Catalog, act: Act) -> Done:
        return await acts.edit(connection, catalog, act, changes)

    _do(work, user, badge, context, reason, by, dry_run, as_json)


@app.command("log")
def log(
    user: Annotated[str | None, typer.Option("--user", help="Only what was done to this user.")] = None,
    badge: Annotated[str | None, typer.Option("--badge", help="Only what was done with this badge.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Rows at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what was done by hand, the newest first; with --json one object per line.

    Example: gatefold award log --user ann
    """
    entries = servers.run(_log(user, badge, limit))
    if as_json:
        from services.manual.log import shown

        for entry in entries:
            typer.echo(json.dumps(shown(entry), ensure_ascii=False))
    else:
        _print_log(entries)


def _do(
    work: Callable[[Connection, Catalog, Act], Awaitable[Done]],
    user: str,
    badge: str,
    context: str,
    reason: str,
    by: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    import getpass
    from datetime import UTC, datetime

    from catalog.index import load_catalog
    from services.manual.acts import Act, Unfit, Unknown

    async def done() -> Done:
        async with servers.postgres(servers.load_settings(), "award") as connection:
            return await work(connection, load_catalog(), act)

    try:
        act = Act(user, badge, context, reason, by or getpass.getuser(), datetime.now(UTC), dry_run)
        found = servers.run(done())
    except Unfit as unfit:
        servers.fail(f"{unfit.parameter}: {unfit}", servers.WRONG_USAGE)
    except Unknown as unknown:
        servers.fail(str(unknown))
    if as_json:
        typer.echo(json.dumps(found.shown() | {"dry_run": dry_run}, ensure_ascii=False))
        return
    state = "is revoked" if found.award.revoked_at else "stands"
    would = "would be " if dry_run and found.outcome != "unchanged" else ""
    text = f"{would}{found.outcome}: {act.place} of {user}, revision {found.award.revision}, {state}"
    typer.echo(text + (", hidden" if found.award.hidden else "") + (", in the shadow" if found.award.shadow else ""))


async def _log(user: str | None, badge: str | None, limit: int) -> list[Entry]:
    from services.stores.by_hand import page_of_log

    async with servers.postgres(servers.load_settings(), "award") as connection:
        return await page_of_log(connection, None, user, badge, limit)


def _print_log(entries: list[Entry]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from contracts.times import rfc3339

    table = Table("at", "by", "act", "user", "badge", "context", "reason")
    for one in entries:
        user = one.user_id or f"deleted {(one.user_hash or '')[:8]}…"
        cells = (one.by, one.act, user, one.badge_key, one.context or "", one.reason or "")
        table.add_row(rfc3339(one.at)[:19], *(escape(cell) for cell in cells))
    Console().print(table)
