"""`gatefold worker`: the process that turns events into awards."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli import processes, servers

app = typer.Typer(invoke_without_command=True)


@app.callback()
def worker(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Log one JSON object per line.")] = False,
) -> None:
    """Take events from Kafka and give awards until stopped; start as many as there are partitions to share.

    Exit code 0 after SIGTERM, 69 when a server is unreachable at the start, 1 when the topics or the tables are not
    there, 75 when it has to be started again. Once it runs, servers may go away and come back.

    Example: GATEFOLD_WORKER_PORT=8101 gatefold worker
    """
    if context.invoked_subcommand is not None:
        return
    options = processes.begin("worker", as_json=as_json)
    servers.run(_check())

    from services.metrics import CannotListen
    from services.worker.main import main

    try:
        raise typer.Exit(main(options))
    except CannotListen as error:
        servers.fail(f"{error} (GATEFOLD_WORKER_PORT)")


async def _check() -> None:
    """Both servers answer, all input topics exist with one number of partitions, the schema is the one we know.

    Raises:  servers.Unreachable; migrate.OlderSchema, NewerSchema; asyncpg.UndefinedTableError.
    """
    from contracts.topics import INPUT_TOPICS

    await processes.migrated("worker")
    options = servers.load_settings()
    async with servers.topic_admin(options) as admin:
        existing = await admin.existing()
    partitions = {
        name: existing[options.topic(name)].partitions for name in INPUT_TOPICS if options.topic(name) in existing
    }
    if missing := [name for name in INPUT_TOPICS if name not in partitions]:
        servers.fail(f"topics are missing: {', '.join(missing)}; run `gatefold topics`")
    if len(set(partitions.values())) > 1:
        servers.fail("the input topics differ in their number of partitions; see `gatefold topics --dry-run`")


@app.command()
def resume(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Lift the brake: let workers that stopped for a flood of dead letters go on, within seconds.

    What they refused stays in `gatefold dead-letters`. Exit code 1 where no brake was on.

    Example: gatefold worker resume
    """
    import json
    import sys

    reasons = servers.run(_resume())
    if as_json:
        sys.stdout.write(json.dumps({"lifted": reasons}) + "\n")
    else:
        for reason in reasons:
            servers.say(f"lifted: {reason}", style="green")
    if not reasons:
        if not as_json:
            servers.say("no brake is on")
        raise typer.Exit(servers.FOUND)


async def _resume() -> list[str]:
    from services.stores import brake
    from services.stores.migrate import check

    async with servers.postgres(servers.load_settings(), "resume") as connection:
        await check(connection)
        return await brake.release(connection)
