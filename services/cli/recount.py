"""`gatefold recount`: the counters against a recount from the stored sets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import servers

if TYPE_CHECKING:
    from services.stores.postgres import Connection

PAGE = 500


def recount(
    user: Annotated[str | None, typer.Option("--user", help="Only this user.", metavar="U")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only report; exit 1 when anything drifted.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON on stdout.")] = False,
) -> None:
    """Recount users from their copies, facts and activity, and put right what drifted.

    Awards are not touched: a `cron.sweep` evaluates. Workers may go on meanwhile, each user is locked for a moment.

    Example: gatefold recount --check
    """
    report = servers.run(_recount(user, check))
    if user is not None and not report["users"]:
        servers.fail(f"nothing is known of user {user!r}")
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False, default=str))
    else:
        _print(report, check)
    if check and report["drifted"]:
        raise typer.Exit(servers.FOUND)


async def _recount(user: str | None, check: bool) -> dict[str, Any]:
    from rich.console import Console
    from rich.progress import Progress

    from catalog.index import load_catalog
    from services.stores import collectors
    from services.worker.work import Knowledge

    options = servers.load_settings()
    knowledge = Knowledge(
        load_catalog(), erasure_key=options.erasure_key.get_secret_value().encode(), owner="gatefold recount"
    )
    report: dict[str, Any] = {"users": 0, "drifted": 0, "repaired": 0, "drift": {}}
    async with servers.postgres(options, "recount") as connection:
        total = 1 if user is not None else await collectors.count(connection)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("recounting", total=total)
            async for one in _users(connection, user):
                drift = await _one(connection, knowledge, one, check)
                progress.advance(bar)
                if drift is None:
                    continue
                report["users"] += 1
                if drift:
                    report["drifted"] += 1
                    report["repaired"] += not check
                    report["drift"][one] = drift
    return report


async def _one(connection: Connection, knowledge: Any, user: str, check: bool) -> dict[str, Any] | None:
    """What drifted of one user; None when the user is gone."""
    from services.stores import collectors
    from services.worker import recounting

    async with connection.transaction():
        locked = await collectors.lock(connection, [user], knowledge.erasure_key, create=False)
        if user not in locked:
            return None
        found = await recounting.recount(connection, knowledge, locked[user], refresh=False)
        if found.drift and not check:
            await recounting.save(connection, found)
        return {name: list(pair) for name, pair in found.drift.items()}


async def _users(connection: Connection, user: str | None) -> AsyncIterator[str]:
    from services.stores import collectors

    if user is not None:
        yield user
        return
    last = ""
    while page := await collectors.page(connection, last, PAGE):
        for one in page:
            yield one
        last = page[-1]


def _print(report: dict[str, Any], check: bool) -> None:
    from rich.console import Console

    console = Console()
    for user, drift in report["drift"].items():
        for name, (stored, counted) in drift.items():
            console.print(f"{user}: {name} is {stored}, counted {counted}", markup=False)
    verb = "found" if check else "repaired"
    console.print(f"{report['users']} users recounted, drift {verb} in {report['drifted']}", markup=False)
