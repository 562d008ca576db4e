"""`gatefold explain`: why a user has a badge, or what is missing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import servers

if TYPE_CHECKING:
    from catalog.definition import BadgeDefinition

MOST_CONTEXTS = 5


def explain(
    user: Annotated[str, typer.Argument(help="User id.", metavar="USER")],
    badge: Annotated[str | None, typer.Argument(help="Badge key or family; all families if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A list of verdicts as JSON.")] = False,
) -> None:
    """Say of each badge whether the user has it, since when, and what today's numbers say.

    Of a badge with contexts the nearest few are shown. An award stands even where the numbers fell since.

    Example: gatefold explain collector-05 genre-tourist
    """
    from catalog.index import load_catalog

    catalog = load_catalog().shown
    chosen = [one for one in catalog.badges.values() if badge in (None, one.key, one.family)]
    if not chosen:
        servers.fail(f"no badge or family is called {badge!r}; see `gatefold catalog list`", servers.WRONG_USAGE)
    verdicts = servers.run(_verdicts(user, chosen))
    if verdicts is None:
        servers.fail(f"nothing is known of user {user!r}")
    if as_json:
        typer.echo(json.dumps(verdicts, ensure_ascii=False))
    else:
        _print(user, verdicts)


async def _verdicts(user: str, badges: list[BadgeDefinition]) -> list[dict[str, Any]] | None:
    from datetime import UTC, datetime

    from contracts.snapshot import Occasion
    from contracts.times import rfc3339
    from evaluators.engine import evaluate_all
    from services.stores import awards
    from services.why.snapshot import whole

    options = servers.load_settings()
    async with servers.postgres(options, "explain") as connection:
        collector = await whole(connection, user)
        if collector is None:
            return None
        since = await awards.since(connection, user)
    now = datetime.now(UTC)
    found = evaluate_all(badges, collector, Occasion("cron.sweep", now, now.date()))
    found.sort(key=lambda one: (not one.earned, -(one.value or 0) / one.target))
    shown: dict[str, int] = {}
    verdicts = []
    for one in found:
        held = since.get((one.badge.key, one.context))
        shown[one.badge.key] = shown.get(one.badge.key, 0) + 1
        if held is None and shown[one.badge.key] > MOST_CONTEXTS:
            continue
        verdicts.append(
            {
                "badge": one.badge.key,
                "context": one.context,
                "awarded_at": rfc3339(held) if held else None,
                "met_today": one.earned,
                "reason": one.reason,
                "evidence": dict(one.evidence),
            }
        )
    order = {badge.key: at for at, badge in enumerate(badges)}
    verdicts.sort(key=lambda one: (order[str(one["badge"])], one["context"]))
    return verdicts


def _print(user: str, verdicts: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("badge", "context", "awarded", "today", title=f"{user}", title_justify="left")
    for one in verdicts:
        has = one["awarded_at"]
        table.add_row(one["badge"], one["context"], has[:10] if has else "", one["reason"], style="" if has else "dim")
    Console().print(table)
