"""`gatefold feed`, `history`, `holders`: what operators look at; the answers of /api/admin with --json."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import servers

if TYPE_CHECKING:
    from datetime import datetime

PAGE = 500
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="Rows at most.")]
AsJson = Annotated[bool, typer.Option("--json", help="The answer of the API as JSON.")]


def feed(
    hours: Annotated[float, typer.Option(min=0.01, max=87_600, help="How far back.")] = 24.0,
    trigger: Annotated[str | None, typer.Option(help="Only awards of this topic, or manual.", metavar="TOPIC")] = None,
    badge: Annotated[str | None, typer.Option(help="Only awards of this badge.", metavar="BADGE")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show the newest awards, and how many there were by trigger and badge.

    Example: gatefold feed --hours 2 --trigger ownership.added
    """
    from datetime import UTC, datetime, timedelta

    from catalog.index import load_catalog
    from services.looking.awards import check
    from services.looking.badges import NoSuch

    try:
        check(load_catalog(), trigger, badge)
    except NoSuch as error:
        servers.fail(str(error), servers.WRONG_USAGE)
    found = servers.run(_feed(datetime.now(UTC) - timedelta(hours=hours), trigger, badge, limit))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    columns = {"awarded_at": 20, "user_id": 64, "badge_key": 64, "context": 64, "source": 8, "trigger": 32}
    _table(found["awards"], columns)
    for name in ("by_trigger", "by_badge"):
        counts = sorted(found[name].items(), key=lambda one: -one[1])
        typer.echo(f"{name.replace('_', ' ')}: " + (", ".join(f"{key} {n:,}" for key, n in counts) or "none"))
    typer.echo(f"{found['total']:,} awards since {found['since']}")


def history(
    user: Annotated[str, typer.Argument(help="User id.", metavar="USER")],
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show what USER was given and what was done by hand, the newest first.

    Example: gatefold history ann
    """
    found = servers.run(_history(user, limit))
    if found is None:
        servers.fail(f"nothing is known of user {user!r}")
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        _table(found["history"], {"at": 20, "what": 9, "badge_key": 64, "context": 64, "by": 64, "reason": 500})


def holders(
    odd: Annotated[bool, typer.Option("--odd", help="Only tiers that look odd beside the one before.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how many hold each badge, and which tiers look odd.

    Example: gatefold holders --odd
    """
    found = servers.run(_holders())
    found["badges"] = [one for one in found["badges"] if one["outlier"] or not odd]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    _table(found["badges"], {"badge_key": 64, "holders": 12, "share": 9, "outlier": 200})
    typer.echo(f"of {found['collectors']:,} collectors, {found['as_of']}" if found["as_of"] else "not counted yet")


async def _feed(since: datetime, trigger: str | None, badge: str | None, limit: int) -> dict[str, Any]:
    from services.cursors import mark_of
    from services.looking import awards
    from services.stores.looking import FeedMark

    async with servers.postgres(servers.load_settings(), "feed") as connection:
        whole = await awards.feed(connection, FeedMark(since), trigger, badge, min(limit, PAGE))
        while whole["next_cursor"] and (left := limit - len(whole["awards"])):
            mark = mark_of(whole["next_cursor"], FeedMark)
            page = await awards.feed(connection, mark, trigger, badge, min(left, PAGE))
            whole["awards"] += page["awards"]
            whole["next_cursor"] = page["next_cursor"]
    return whole


async def _history(user: str, limit: int) -> dict[str, Any] | None:
    from contracts.ids import is_user_id
    from services.looking.awards import history
    from services.stores.looking import HistoryMark

    if not is_user_id(user):
        return None
    async with servers.postgres(servers.load_settings(), "history") as connection:
        return await history(connection, user, HistoryMark(), limit)


async def _holders() -> dict[str, Any]:
    from catalog.index import load_catalog
    from services.looking import badges

    catalog = load_catalog()
    async with servers.postgres(servers.load_settings(), "holders") as connection:
        return badges.holders(catalog, *await badges.counted(connection, catalog))


def _table(entries: list[dict[str, Any]], columns: dict[str, int]) -> None:
    """Entries as rows, dim what is in the shadow; a cell has so many characters at most."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*columns)
    for entry in entries:
        table.add_row(
            *("" if entry[name] is None else escape(str(entry[name])[:most]) for name, most in columns.items()),
            style="dim" if entry["shadow"] else "",
        )
    Console().print(table)
