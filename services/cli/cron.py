"""`gatefold cron`: the scheduler's jobs: what they did, and one of them now."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import servers

if TYPE_CHECKING:
    from services.scheduler.jobs import Job
    from services.stores.cron import Run

app = typer.Typer(help="The scheduler's jobs: list them, run one now.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


@app.command("run")
def run_job(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A job: see `gatefold cron list`.")],
    at: Annotated[str | None, typer.Option("--at", metavar="DATE", help="Of this day (UTC) instead of today.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a job of the scheduler now, in the foreground, whether it was run for that day or not.

    A run that is under way goes on where it is, next to the scheduler or without one; an interrupted one may be run
    again. Events have identities of the day and the user, and go out through the relay: nobody is told twice.
    Counting holders of a past day takes the awards that stood at its end, and the users of today.

    Example: gatefold cron run anniversaries --at 2026-02-28 --dry-run
    """
    from services import logs
    from services.scheduler.jobs import jobs
    from services.scheduler.listing import seconds_of

    options = servers.load_settings()
    try:
        logs.configure(process="cron", as_json=options.log_json, level=options.log_level)
    except ValueError as error:
        servers.fail(str(error), servers.WRONG_USAGE)
    known = jobs(options)
    if name not in known:
        servers.fail(f"there is no job {name!r}; there are {', '.join(sorted(known))}", servers.WRONG_USAGE)
    on = _day(at)
    found = servers.run(_run(known[name], on, dry_run))
    report: dict[str, Any] = {
        "name": name,
        "at": on.isoformat(),
        "since": found.since.isoformat(),
        "counts": found.counts,
        "seconds": seconds_of(found),
        "dry_run": dry_run,
    }
    if as_json:
        typer.echo(json.dumps(report))
        return
    span = report["at"] if found.since == on else f"{report['since']} to {report['at']}"
    counts = ", ".join(f"{key} {number:,}" for key, number in found.counts.items())
    typer.echo(f"{name} of {span}{', would be' if dry_run else ''}: {counts}")


@app.command("list")
def list_jobs(as_json: AsJson = False) -> None:
    """Show every job with its last run and when it is due next; with --json a list of objects.

    Example: gatefold cron list --json | jq '.[] | select(.state != "done")'
    """
    found = servers.run(_list())
    if as_json:
        typer.echo(json.dumps(found))
    else:
        _print(found)


def _day(text: str | None) -> date:
    """The day a text names, or today; exit code 2 where it names none, or one to come."""
    from contracts.times import parse_day

    today = datetime.now(UTC).date()
    try:
        found = today if text is None else parse_day(text)
    except ValueError as error:
        servers.fail(f"--at: {error}", servers.WRONG_USAGE)
    if found > today:
        servers.fail(f"--at: {found} is in the future (today, in UTC, is {today})", servers.WRONG_USAGE)
    return found


async def _run(job: Job, on: date, dry_run: bool) -> Run:
    import asyncio

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from services.scheduler import dates, running
    from services.stores import cron
    from services.stores.cron import Run
    from services.stores.migrate import check

    options = servers.load_settings()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with servers.postgres(options, "cron") as connection:
        await check(connection)
        if dry_run:
            found = Run(job.name, on, dates.since(await cron.newest(connection, job.name), on), datetime.now(UTC))
        else:
            await running.open_run(connection, job.name, on)
            await cron.again(connection, job.name, on)
            opened = await cron.lock(connection, job.name, on)
            assert opened is not None
            found = opened
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task(job.name, total=await job.total(connection, found))
            while found.finished_at is None:
                if not dry_run and await running.crowded(connection, job):
                    progress.update(bar, description=f"{job.name}: waits for the relay to publish")
                    await asyncio.sleep(0.2)
                    continue
                progress.update(bar, description=job.name)
                if dry_run:
                    found, step = await running.imagine(connection, job, found)
                else:
                    found, step = await running.turn(connection, job, on)
                if step is not None:
                    progress.advance(bar, step.looked)
                    if found.finished_at is None and not dry_run:
                        await asyncio.sleep(step.sent / options.cron_rate)
    return found


async def _list() -> list[dict[str, Any]]:
    from services.scheduler.listing import standing
    from services.stores.migrate import check

    options = servers.load_settings()
    async with servers.postgres(options, "cron") as connection:
        await check(connection)
        return await standing(connection, options, datetime.now(UTC))


def _print(found: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for name in ("job", "last run", "state", "took", "counts", "next"):
        table.add_column(name, justify="right" if name == "took" else "left", no_wrap=name != "counts")
    for one in found:
        style = {"failed": "red", "running": "yellow", "never": "yellow"}.get(one["state"], "")
        table.add_row(
            one["name"],
            one["on"] or "",
            one["state"],
            "" if one["seconds"] is None else f"{one['seconds']:,.1f} s",
            one["error"] or ", ".join(f"{key} {number:,}" for key, number in one["counts"].items()),
            one["next_at"],
            style=style,
        )
    Console().print(table)
