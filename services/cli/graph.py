"""`gatefold graph`: the process that measures collections, and the command that makes the graph."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import processes, servers

if TYPE_CHECKING:
    from services.graph.rebuild import Rebuilt

app = typer.Typer(invoke_without_command=True)


@app.callback()
def graph(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Log one JSON object per line.")] = False,
) -> None:
    """Measure the collections that are due and give the graph badges, until stopped; several share the users.

    Exit code 0 after SIGTERM, 69 when PostgreSQL is unreachable at the start, 75 after an unexpected error: restart
    it. Neo4j and Kafka may be away at the start as later: users wait until they are back.

    Example: GATEFOLD_GRAPH_PORT=8103 gatefold graph
    """
    if context.invoked_subcommand is not None:
        return
    options = processes.begin("graph", as_json=as_json)
    servers.run(processes.migrated("graph"))

    from services.graph.main import Lane

    processes.until_stopped("graph", lambda: Lane(options))


@app.command()
def rebuild(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how large the graph would be.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The numbers as JSON on stdout.")] = False,
) -> None:
    """Make the graph in Neo4j anew from what PostgreSQL knows of the catalogue; the lane may go on meanwhile.

    What is there stays, what is new is added, what is gone is removed in the end. Killed, it is simply run again. Exit
    code 1 where another rebuild is under way.

    Example: gatefold graph rebuild
    """
    from services.graph.rebuild import AlreadyRebuilding

    try:
        done = servers.run(rebuild_now(dry_run=dry_run))
    except AlreadyRebuilding:
        servers.fail("another rebuild of the graph is under way")
    if as_json:
        typer.echo(json.dumps(done.as_dict()))
        return
    typer.echo(f"artists         {done.artists:,}\ncollaborations  {done.collaborations:,}")
    if not dry_run:
        typer.echo(f"removed         {done.artists_gone:,} artists, {done.collaborations_gone:,} collaborations")
    typer.echo(f"as of           {done.as_of}")


async def rebuild_now(*, dry_run: bool) -> Rebuilt:
    """Make the graph, with a bar for each step.

    Raises:  AlreadyRebuilding; servers.Unreachable.
    """
    from rich.console import Console
    from rich.progress import Progress

    from services.graph.rebuild import STEPS, plan, rebuild_graph
    from services.graph.server import Away
    from services.stores.migrate import check

    options = servers.load_settings()
    async with servers.postgres(options, "graph-rebuild") as connection:
        await check(connection)
        if dry_run:
            return await plan(connection)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bars = {step: progress.add_task(step, total=None) for step in STEPS}

            def show(step: str, done: int, total: int) -> None:
                progress.update(bars[step], completed=done, total=total)

            try:
                return await rebuild_graph(connection, options.neo4j_url, show)
            except Away as error:
                where = servers.without_password(options.neo4j_url)
                raise servers.Unreachable("Neo4j", where, "GATEFOLD_NEO4J_URL", error) from error
