"""`gatefold stack`: the local engines, up and down."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import servers

if TYPE_CHECKING:
    from services.stack.endpoints import EngineStatus
    from services.stack.stack import Stack

app = typer.Typer(help="The local engines: PostgreSQL, Kafka and Neo4j from packages.", no_args_is_help=True)

StateDir = Annotated[
    Path, typer.Option("--state-dir", help="Where ports, data, logs and the env file live.", metavar="D")
]
Only = Annotated[
    str | None, typer.Option("--only", help="Only these engines, comma separated.", metavar="postgres,kafka,neo4j")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
STATE = Path("state")


@app.command("up")
def up(state_dir: StateDir = STATE, only: Only = None, as_json: AsJson = False) -> None:
    """Start the engines and write D/env, the settings to source in a shell; what runs already is left alone.

    An engine whose GATEFOLD_POSTGRES_URL, GATEFOLD_KAFKA_URL or GATEFOLD_NEO4J_URL is set is not started; it has to
    answer, else the exit code is 69.

    Examples:

        gatefold stack up --state-dir state

        gatefold stack up --only postgres,kafka --json
    """
    names, stack = _engines(only), _stack(state_dir)
    began = time.monotonic()
    if not as_json:
        servers.say(f"starting {', '.join(names)} in {state_dir}", style="default")
    with _explained():
        stack.up(names, progress=not as_json)
        found = [each for each in stack.status() if each.engine in names]
    if as_json:
        endpoints = {each.engine: each.url for each in found}
        typer.echo(json.dumps({"state_dir": str(stack.directory), "env": str(stack.env_file), "endpoints": endpoints}))
        return
    _print(found)
    servers.say(f"ready after {time.monotonic() - began:.1f} s; now: source {state_dir / 'env'}", style="green")


@app.command("down")
def down(
    state_dir: StateDir = STATE,
    wipe: Annotated[bool, typer.Option("--wipe", help="Remove the data, the logs and the env file, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stop the engines that `up` started, and nothing else; their data stay unless --wipe is given.

    Examples:

        gatefold stack down --state-dir state

        gatefold stack down --wipe
    """
    with _explained():
        stopped = _stack(state_dir).down(wipe=wipe)
    if as_json:
        typer.echo(json.dumps({"stopped": stopped, "wiped": wipe}))
        return
    servers.say(f"stopped {', '.join(stopped)}" if stopped else "nothing was running", style="default")
    if wipe:
        servers.say(f"removed the data in {state_dir}", style="default")


@app.command("status")
def status(state_dir: StateDir = STATE, only: Only = None, as_json: AsJson = False) -> None:
    """Show each engine and whether it answers; exit 1 unless all of them do.

    Examples:

        gatefold stack status

        gatefold stack status --only postgres,kafka --json
    """
    names = _engines(only)
    with _explained():
        found = [each for each in _stack(state_dir).status() if each.engine in names]
    if as_json:
        rows = [{"engine": each.engine, "state": each.state, "url": each.url, "pid": each.pid} for each in found]
        typer.echo(json.dumps(rows))
    else:
        _print(found)
    if not all(each.answers for each in found):
        raise typer.Exit(servers.FOUND)


@app.command("logs")
def logs(
    state_dir: StateDir = STATE,
    only: Only = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many lines of each engine.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the end of the engines' logs; exit 1 if there are none.

    Examples:

        gatefold stack logs --only kafka --lines 200
    """
    stack = _stack(state_dir)
    found = {name: stack.logs(name, lines) for name in _engines(only)}
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        for name, said in found.items():
            for line in said:
                typer.echo(f"{name:<8} | {line}")
    if not any(found.values()):
        servers.fail(f"there are no logs in {state_dir}")


def _engines(only: str | None) -> tuple[str, ...]:
    from services.stack.stack import ALL, chosen

    if only is None:
        return ALL
    try:
        return chosen([name.strip() for name in only.split(",")])
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint="--only") from None


def _stack(state_dir: Path) -> Stack:
    from services.stack.stack import Stack

    if state_dir.exists() and not state_dir.is_dir():
        raise typer.BadParameter(f"{state_dir} is not a directory", param_hint="--state-dir")
    return Stack(state_dir)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn what the stack raises into one message and an exit code."""
    from services.stack.errors import DownloadFailed, StackError, Unreachable

    # While a server boots its clients complain; what matters of that is in our own message.
    before = {client: logging.getLogger(client).level for client in ("aiokafka", "neo4j")}
    for client in before:
        logging.getLogger(client).setLevel(logging.CRITICAL)
    try:
        yield
    except (Unreachable, DownloadFailed) as away:
        servers.fail(str(away), servers.UNREACHABLE)
    except StackError as fault:
        servers.fail(str(fault))
    except PermissionError as fault:
        servers.fail(str(fault))
    finally:
        for client, level in before.items():
            logging.getLogger(client).setLevel(level)


def _print(found: list[EngineStatus]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("engine", "")
    table.add_column("address", overflow="fold")
    table.add_column("pid")
    for each in found:
        colour = "green" if each.answers else "red"
        address = servers.without_password(each.url) if each.url else ""
        table.add_row(each.engine, f"[{colour}]{each.state}", escape(address), str(each.pid or ""))
    Console().print(table)
