"""`gatefold up`: all processes on one machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import servers

if TYPE_CHECKING:
    from services.cli.supervisor import Child
    from services.settings import Settings

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")


def up(
    workers: Annotated[int, typer.Option("--workers", metavar="N", min=1, max=64, help="Workers to run.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Log one JSON object per line.")] = False,
) -> None:
    """Run migrations, declare topics, then all processes under one supervisor until Ctrl-C or SIGTERM.

    These are workers, relay, scheduler and api, the graph lane where GATEFOLD_NEO4J_URL is set, and the notifier where
    GATEFOLD_NOTIFIER_WEBHOOK_URL or GATEFOLD_NOTIFIER_SMTP_URL is.
    A process that ends is started again. Stopping is orderly; what has not ended after 30 seconds is killed.

    Example: gatefold up --workers 2
    """
    import asyncio

    from services import logs
    from services.cli.migrate import migrate_now
    from services.cli.topics import declare

    options = servers.load_settings()
    as_json = as_json or options.log_json
    try:
        logs.configure(process="up", as_json=as_json, level=options.log_level, stream=sys.stdout)
    except ValueError as error:
        servers.fail(str(error), servers.WRONG_USAGE)
    log = logs.logger(__name__)
    steps = servers.run(migrate_now(dry_run=False))
    plan = servers.run(declare(dry_run=False))
    if plan.refusal:
        servers.fail(plan.refusal)
    log.info("ready to start", migrations=len(steps), new_topics=len(plan.create), workers=workers)
    asyncio.run(_supervise(children(options, workers, as_json=as_json), as_json=as_json))


def children(options: Settings, workers: int, *, as_json: bool) -> list[Child]:
    """The processes, each with a port of its own: workers count up from theirs, around the others; 0 stays 0."""
    from services.cli.supervisor import Child

    common = {"GATEFOLD_LOG_JSON": "true"} if as_json else {"FORCE_COLOR": "1"} if sys.stdout.isatty() else {}
    command = [sys.executable, "-m", "services.cli.main"]
    graph = "neo4j_url" in options.model_fields_set
    notifier = any(url and url.get_secret_value() for url in (options.notifier_webhook_url, options.notifier_smtp_url))
    taken = {options.relay_port, options.scheduler_port, options.api_port}
    taken |= {port for port, runs in ((options.graph_port, graph), (options.notifier_port, notifier)) if runs}
    port = options.worker_port
    found = []
    for number in range(1, workers + 1):
        while port and port in taken:
            port += 1
        taken.add(port)
        environment = {**common, "GATEFOLD_WORKER_PORT": str(port)}
        found.append(Child(f"worker-{number}" if workers > 1 else "worker", [*command, "worker"], environment))
    found.append(Child("relay", [*command, "relay"], common))
    found.append(Child("scheduler", [*command, "scheduler"], common))
    found.append(Child("api", [*command, "api"], common))
    if graph:
        found.append(Child("graph", [*command, "graph"], common))
    if notifier:
        found.append(Child("notifier", [*command, "notifier"], common))
    return found


async def _supervise(processes: list[Child], *, as_json: bool) -> None:
    import asyncio
    import signal

    from services.cli.supervisor import Supervisor

    supervisor = Supervisor(processes, _writer([child.name for child in processes], as_json=as_json))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop)
    await supervisor.run()


def _writer(names: list[str], *, as_json: bool) -> Callable[[str, bytes], None]:
    """Who writes the children's lines: with the name in colour before each, or as they are where they are JSON."""
    from rich.console import Console

    console = Console()
    width = max(map(len, names))
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}
    out = sys.stdout.buffer

    def write(name: str, line: bytes) -> None:
        if not as_json:
            with console.capture() as capture:
                console.print(f"{name:<{width}} │", style=colours[name], end=" ", markup=False, highlight=False)
            out.write(capture.get().encode("utf-8", "replace"))
        out.write(line)
        out.flush()

    return write
