"""`gatefold simulate`: which awards events, other numbers or the passing of time would bring."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import servers

if TYPE_CHECKING:
    from datetime import date

    from services.trial.simulate import Overrides, Timeline


def simulate(
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE|-]", help="JSON lines, one CloudEvent each, as for `emit`.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="Begin with a copy of this user; from nothing if left out.")] = None,
    override: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="METRIC=N",
            help="Another number: genres=12, pressings@master:5=3, years_since_join=unknown.",
        ),
    ] = None,
    on: Annotated[
        str | None, typer.Option(metavar="DATE", help="Move time until this day, or judge a past one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The timeline as JSON lines.")] = False,
) -> None:
    """Play events, or other numbers and a date, and print what they would earn as a timeline; nothing is written.

    With --user all events are taken for those of the copied user; without it everybody begins with nothing. A bad line
    is named and stops nothing else; exit code 1 if any was bad. The same input gives the same timeline.

    Example: gatefold simulate --user collector-05 --set countries=30 --on 2030-01-01
    """
    from services.trial.simulate import Unfit, UnknownUser

    if file is not None and (override or on):
        servers.fail("play a file, or set numbers and a date, not both", servers.WRONG_USAGE)
    try:
        if file is not None:
            timeline = servers.run(_play(_lines(file), user))
        else:
            timeline = servers.run(_travel(user, _overrides(override or []), _day(on)))
    except Unfit as unfit:
        servers.fail(str(unfit), servers.WRONG_USAGE)
    except UnknownUser:
        servers.fail(f"nothing is known of user {user!r}")
    if as_json:
        for entry in timeline.entries:
            typer.echo(json.dumps(entry, ensure_ascii=False))
    else:
        _print(timeline)
    for number, reason in timeline.bad:
        servers.say(f"{'stdin' if file == '-' else file}:{number}: {reason}")
    if timeline.bad:
        raise typer.Exit(servers.FOUND)


def _lines(file: str) -> list[tuple[int, bytes]]:
    try:
        text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        servers.fail(f"{file}: {error.strerror}", servers.WRONG_USAGE)
    return list(enumerate(text.split(b"\n"), 1))


def _overrides(said: list[str]) -> Overrides:
    """The overrides of the options.

    Raises:  Unfit.
    """
    from services.trial.simulate import overrides_of

    found: dict[str, Any] = {}
    for one in said:
        name, equals, value = one.partition("=")
        if not equals or not (value == "unknown" or (value.isdecimal() and value.isascii())):
            servers.fail(f"--set: expected METRIC=N or METRIC=unknown, got {one!r}", servers.WRONG_USAGE)
        found[name] = None if value == "unknown" else int(value)
    return overrides_of(found)


def _day(text: str | None) -> date | None:
    from contracts.times import parse_day

    if text is None:
        return None
    try:
        return parse_day(text)
    except ValueError as error:
        servers.fail(f"--on: {error}", servers.WRONG_USAGE)


async def _play(lines: list[tuple[int, bytes]], user: str | None) -> Timeline:
    from catalog.index import load_catalog
    from services.trial.knowledge import trial_knowledge
    from services.trial.simulate import play

    options = servers.load_settings()
    async with servers.postgres(options, "simulate") as connection:
        return await play(connection, trial_knowledge(load_catalog()), lines, user)


async def _travel(user: str | None, overrides: Overrides, on: date | None) -> Timeline:
    from datetime import UTC, datetime

    from catalog.index import load_catalog
    from services.trial.simulate import travel

    options = servers.load_settings()
    async with servers.postgres(options, "simulate") as connection:
        return await travel(connection, load_catalog(), user, overrides, on, datetime.now(UTC).date())


def _print(timeline: Timeline) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("when", "user", "event", "badge", "context", "why")
    for one in timeline.entries:
        event = one["event"]
        cause = event["type"] if event["line"] is None else f"{event['line']}: {event['type']}"
        table.add_row(
            one["time"][:10],
            escape(one["user"] or ""),
            cause,
            one["badge"],
            one["context"],
            escape(one["reason"]),
            style="dim" if one["shadow"] else "",
        )
    console = Console(highlight=False)
    if timeline.entries:
        console.print(table)
    played, repeated = f"{timeline.played:,} played", f", {len(timeline.repeated):,} repeated"
    console.print(f"{len(timeline.entries):,} awards, {played}{repeated if timeline.repeated else ''}", style="dim")
