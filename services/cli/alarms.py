"""`gatefold alarms`: what is beyond what history makes likely; the answer of /api/admin/alarms with --json."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from services.cli import servers

PAGE = 500


def alarms(
    ended: Annotated[bool, typer.Option("--ended", help="Those that have ended, too.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit code 1 if an alarm stands.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Rows at most.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="The answer of the API as JSON.")] = False,
) -> None:
    """Show the alarms that stand: mass awards, silence, drift, what costs too much to evaluate.

    The scheduler looks for them once a day; `gatefold cron run alarms` does it now.

    Example: gatefold alarms --check
    """
    found = servers.run(_alarms(limit, ended))
    standing = [one for one in found["alarms"] if one["ended_at"] is None]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        _print(found["alarms"], ended)
        typer.echo({0: "no alarm stands", 1: "1 alarm stands"}.get(len(standing), f"{len(standing):,} alarms stand"))
    if check and standing:
        raise typer.Exit(1)


async def _alarms(limit: int, ended: bool) -> dict[str, Any]:
    from services.alarms.listing import listed
    from services.cursors import mark_of
    from services.stores.alarms import AlarmMark
    from services.stores.migrate import check

    async with servers.postgres(servers.load_settings(), "alarms") as connection:
        await check(connection)
        whole = await listed(connection, AlarmMark(), min(limit, PAGE), ended=ended)
        while whole["next_cursor"] and (left := limit - len(whole["alarms"])):
            mark = mark_of(whole["next_cursor"], AlarmMark)
            page = await listed(connection, mark, min(left, PAGE), ended=ended)
            whole["alarms"] += page["alarms"]
            whole["next_cursor"] = page["next_cursor"]
    return whole


def _print(found: list[dict[str, Any]], ended: bool) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if not found:
        return
    names = ["raised_at", *(["ended_at"] if ended else []), "kind", "subject", "says"]
    table = Table(*names)
    for one in found:
        table.add_row(*(escape(str(one[name] or "")) for name in names), style="dim" if one["ended_at"] else "")
    Console().print(table)
