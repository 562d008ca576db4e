"""`gatefold wait`: until everything that was sent is processed and published."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import servers

if TYPE_CHECKING:
    from services.cli.positions import Status

POLL_SECONDS = 0.1
MOST_NAMED = 5


def wait(
    timeout: Annotated[float, typer.Option("--timeout", metavar="S", min=0, help="Seconds to wait at most.")] = 60.0,
    without_graph: Annotated[bool, typer.Option("--without-graph", help="Do not wait for graph evaluations.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The last status as JSON on stdout.")] = False,
) -> None:
    """Return when every input topic is processed to its end, the outbox is empty and no graph evaluation is due.

    Exit code 1 on time-out, saying what is left.

    Example: gatefold emit events.jsonl && gatefold wait --timeout 120
    """
    found, seconds = servers.run(_wait(timeout, without_graph))
    done = found.done_without_graph if without_graph else found.done
    if as_json:
        typer.echo(json.dumps({"done": done, "seconds": round(seconds, 3), **found.as_dict()}))
    if not done:
        servers.fail(f"not done after {timeout:g} s: {left(found, without_graph)}")
    if not as_json:
        typer.echo(f"done in {seconds:.1f} s")


async def _wait(timeout: float, without_graph: bool) -> tuple[Status, float]:
    import asyncio
    import time

    from rich.console import Console

    from services.cli.positions import observe

    options = servers.load_settings()
    begin = time.monotonic()
    async with servers.postgres(options, "wait") as connection, servers.log_reader(options) as reader:
        with Console(stderr=True).status("waiting") as line:
            while True:
                found = await observe(options, connection, reader)
                elapsed = time.monotonic() - begin
                if (found.done_without_graph if without_graph else found.done) or elapsed >= timeout:
                    return found, elapsed
                line.update(f"waiting: {left(found, without_graph)}")
                await asyncio.sleep(min(POLL_SECONDS, max(0.01, timeout - elapsed)))


def left(found: Status, without_graph: bool = False) -> str:
    """What is still to be done, in words."""
    late = sorted((one for one in found.partitions if one.behind), key=lambda one: -one.behind)
    named = [f"{one.behind} of {one.topic}[{one.partition}]" for one in late[:MOST_NAMED]]
    if len(late) > MOST_NAMED:
        named.append(f"{sum(one.behind for one in late[MOST_NAMED:])} of {len(late) - MOST_NAMED} more partitions")
    parts = [f"records to process: {', '.join(named)}"] if named else []
    if found.outbox:
        parts.append(f"messages to publish: {found.outbox}")
    if found.news:
        parts.append(f"news of the catalogue to tell: {found.news}")
    if found.graph_due and not without_graph:
        parts.append(f"graph evaluations due: {found.graph_due}")
    return "; ".join(parts) or "nothing"
