"""`gatefold catalogue`: what is known of releases, labels, artists and masters, from Discogs' monthly dumps."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli import servers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.progress import Progress

    from services.catalogue.batches import Bad
    from services.catalogue.load import File, Summary

app = typer.Typer(help="What is known of all releases: load Discogs' monthly dumps.", no_args_is_help=True)


@app.command("load")
def load(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Dumps, .xml.gz or .xml, in any order.")],
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Day of the dump; otherwise from the file's name.")
    ] = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="These are whole dumps: releases that are not in them count no longer.")
    ] = False,
    without_graph: Annotated[
        bool, typer.Option("--without-graph", help="Leave the graph for `gatefold graph rebuild`.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only read the files and say what is in them.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON on stdout.")] = False,
) -> None:
    """Load Discogs' monthly dumps of releases, masters, artists and labels. Workers may go on meanwhile.

    Stopped or killed, it goes on where it was when it is run again. The same dump again changes nothing, a newer one
    brings facts up to date, an older one changes nothing that a newer one has stated.

    In the end the graph in Neo4j is made anew. Exit code 1: elements were left out, each named with its line and id, or
    a file broke off; all the rest is loaded. 69: Neo4j does not answer; all but the graph is loaded.

    Example: gatefold catalogue load discogs_20201101_*.xml.gz --complete
    """
    from rich.console import Console

    from services.catalogue.dump import NotADump, kind_of
    from services.catalogue.load import File

    day = _day(files, as_of)
    try:
        found = [File(path, kind_of(path)) for path in files]
    except NotADump as wrong:
        servers.fail(str(wrong), servers.WRONG_USAGE)
    begin = time.monotonic()
    with _Shown.bar() as progress:
        summary = servers.run(_run(found, day, complete, dry_run, _Shown(progress, found)))
    seconds = time.monotonic() - begin
    graph = None if dry_run or without_graph or not summary.finished else _graph()
    if as_json:
        typer.echo(json.dumps(_document(found, summary, seconds, dry_run) | {"graph": graph}, ensure_ascii=False))
    else:
        Console().print(_grid(found, summary, seconds, dry_run))
        if graph is not None:
            Console().print(f"graph: {graph['artists']:,} artists, {graph['collaborations']:,} collaborations")
    if not summary.flawless:
        raise typer.Exit(servers.FOUND)


def _graph() -> dict[str, Any]:
    """Make the graph of what is loaded; ends the command where Neo4j does not answer."""
    from services.cli.graph import rebuild_now
    from services.graph.rebuild import AlreadyRebuilding

    try:
        return servers.run(rebuild_now(dry_run=False)).as_dict()
    except AlreadyRebuilding:
        servers.fail("the files are loaded, but another rebuild of the graph is under way: gatefold graph rebuild")


def _day(files: Sequence[Path], as_of: str | None) -> date:
    """The day of the dump; ends the command where nothing says it."""
    from contracts.times import parse_day
    from services.catalogue.dump import date_in

    if as_of is not None:
        try:
            day = parse_day(as_of)
        except ValueError as error:
            servers.fail(f"--as-of {as_of}: {error}", servers.WRONG_USAGE)
    else:
        days = {path: date_in(path.name) for path in files}
        for path, found in days.items():
            if found is None:
                servers.fail(
                    f"{path}: the name does not tell the day of the dump (discogs_YYYYMMDD_…): give --as-of",
                    servers.WRONG_USAGE,
                )
        known = sorted({found for found in days.values() if found is not None})
        if len(known) > 1:
            servers.fail(f"dumps of {known[0]} and {known[-1]}: load one day at a time", servers.WRONG_USAGE)
        day = known[0]
    if day > (datetime.now(UTC) + timedelta(days=1)).date():
        servers.fail(f"a dump of {day} is not there yet", servers.WRONG_USAGE)
    return day


async def _run(files: Sequence[File], day: date, whole: bool, dry_run: bool, shown: _Shown) -> Summary:
    import asyncpg

    from services.catalogue import load
    from services.catalogue.reader import ReaderDied
    from services.stores import migrate

    try:
        if dry_run:
            return await load.count(files, day, watch=shown)
        async with servers.postgres(servers.load_settings(), "catalogue") as connection:
            await migrate.check(connection)
            return await load.load(connection, files, day, whole=whole, watch=shown)
    except load.Busy:
        servers.fail("another load is running; wait for it")
    except (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.UndefinedTableError):
        raise
    except asyncpg.PostgresError as error:
        servers.fail(f"PostgreSQL refuses: {error}; what was loaded stays: run it again when that is repaired")
    except ReaderDied as died:
        servers.fail(f"{died}; what was loaded stays: run it again")


class _Shown:
    """What a load says while it runs: a bar by bytes, and each fault above it."""

    def __init__(self, progress: Progress, files: Sequence[File]) -> None:
        self._progress, self._files = progress, files
        self._sizes = [file.path.stat().st_size for file in files]
        self._read = [0] * len(files)
        self._task = progress.add_task("reading", total=sum(self._sizes), what="")

    @staticmethod
    def bar() -> Progress:
        """By bytes, with rate and remaining time."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        shown = (TimeRemainingColumn(), TextColumn("{task.fields[what]}"))
        console = Console(stderr=True)
        return Progress(*columns, *shown, console=console, transient=True, disable=not console.is_terminal)

    def read(self, file: int, done: int, elements: int) -> None:
        self._read[file] = done
        name = self._files[file].path.name
        self._progress.update(self._task, completed=sum(self._read), description=name, what=f"{elements:,}")

    def bad(self, file: int, bad: Bad) -> None:
        one = self._files[file]
        self._say(f"{one.path}:{bad.line}: {one.kind} {bad.id or 'without id'}: {bad.why}")

    def broken(self, file: int, line: int, why: str) -> None:
        self._say(f"{self._files[file].path}:{line}: {why}; what is before it is loaded")

    def step(self, what: str, done: int) -> None:
        self._progress.update(self._task, description=what, what=f"{done:,}")

    def _say(self, text: str) -> None:
        import sys

        if sys.stderr.isatty():
            self._progress.console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
        else:
            sys.stderr.write(text.encode("utf-8", "replace").decode() + "\n")


def _document(files: Sequence[File], summary: Summary, seconds: float, dry_run: bool) -> dict[str, Any]:
    return {
        "as_of": summary.as_of.isoformat(),
        "dry_run": dry_run,
        "load_id": summary.load_id,
        "finished": summary.finished,
        "files": [
            {
                "file": str(file.path),
                "kind": file.kind,
                "elements": counts.elements,
                "bad": counts.bad,
                "broken": counts.broken,
            }
            for file, counts in zip(files, summary.files, strict=True)
        ],
        "changed": {"releases": summary.releases, "totals": summary.totals, "gone": summary.gone},
        "earlier": [day.isoformat() for day in summary.earlier],
        "seconds": round(seconds, 3),
        "resident_mb": round(summary.resident / 1e6, 1),
    }


def _grid(files: Sequence[File], summary: Summary, seconds: float, dry_run: bool) -> Any:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    for file, counts in zip(files, summary.files, strict=True):
        faults = (f"{counts.bad:,} left out" if counts.bad else "") + (" broke off" if counts.broken else "")
        grid.add_row(file.path.name, f"{counts.elements:,} {file.kind}s", faults.strip())
    if dry_run:
        grid.add_row("nothing loaded", f"{seconds:.1f} s", "")
        return grid
    for day in summary.earlier:
        grid.add_row(f"dump of {day}", "was not finished before, now it is", "")
    grid.add_row("changed", f"{summary.releases:,} releases, {summary.totals:,} totals, {summary.gone:,} gone", "")
    if summary.finished:
        grid.add_row(f"dump of {summary.as_of}", f"loaded in {seconds:.1f} s", "")
    else:
        grid.add_row(f"dump of {summary.as_of}", "not finished: run it again with a whole file", "")
    return grid
