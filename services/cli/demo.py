"""`gatefold demo`: the main job on real collections, from empty engines to awards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import servers

if TYPE_CHECKING:
    from services.demo.run import Result

INTERRUPTED = 130


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything up until Ctrl-C, and say how to use it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON on stdout, nothing else.")] = False,
    state_dir: Annotated[
        Path | None,
        typer.Option(
            "--state-dir", metavar="D", help="Where engines and logs live meanwhile: an empty directory, or a new one."
        ),
    ] = None,
) -> None:
    """Run the main job on real collections: events, awards and why, with a worker killed in the middle.

    Boots PostgreSQL, Kafka and Neo4j, sends three collections through two workers, kills one,
    loads a catalogue, asks why and what if, runs a campaign, and counts everything again at the end.
    Exit code 0 only if every invariant holds.
    Nothing stays running or on disk, but the logs when something went wrong.

    GATEFOLD_*_URL replaces an engine: the run makes a database and topics of its own there.

    Examples:

        gatefold demo

        gatefold demo --keep

        gatefold demo --json | jq .awards
    """
    servers.load_settings()
    if state_dir is not None and state_dir.exists() and (not state_dir.is_dir() or any(state_dir.iterdir())):
        raise typer.BadParameter(
            f"{state_dir} is not an empty directory, and the demo removes what is in it", param_hint="--state-dir"
        )

    from services.demo.run import Failed, run
    from services.demo.screen import Screen
    from services.stack.errors import DownloadFailed, Unreachable

    screen = Screen(quiet=as_json)

    def report(result: Result) -> None:
        _report(result, as_json=as_json, keep=keep)

    try:
        result = run(screen, state_dir=state_dir, progress=not as_json, keep=keep, report=report)
    except Failed as failed:
        servers.say(str(failed))
        servers.say(f"the demo failed; its logs are in {failed.logs}")
        away = isinstance(failed.__cause__, Unreachable | DownloadFailed)
        raise typer.Exit(servers.UNREACHABLE if away else servers.FOUND) from None
    except KeyboardInterrupt:
        servers.say("interrupted; everything was stopped and removed", style="yellow")
        raise typer.Exit(INTERRUPTED) from None
    if not result.held:
        for check in result.checks:
            if not check.held:
                servers.say(f"did not hold: {check.name}: {check.said}")
        servers.say(f"the logs are in {result.logs}")
        raise typer.Exit(servers.FOUND)


def _report(result: Result, *, as_json: bool, keep: bool) -> None:
    from services.demo import report

    use = report.ways_in(result) if keep else None
    if as_json:
        typer.echo(json.dumps(report.summary(result) | ({"keep": use} if use else {}), ensure_ascii=False))
        return
    report.show(result)
    if use:
        report.show_ways_in(use)
    else:
        report.show_page(result)
