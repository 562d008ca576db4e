"""`gatefold scheduler`: the process that starts what the calendar brings."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli import processes, servers


def scheduler(
    as_json: Annotated[bool, typer.Option("--json", help="Log one JSON object per line.")] = False,
) -> None:
    """Tell anniversaries, count holders, sweep and prune every day until stopped; of several schedulers one works.

    What was missed is caught up once, what was interrupted goes on. Exit code 0 after SIGTERM, 69 when PostgreSQL is
    unreachable at the start, 75 after an unexpected error: restart it. Once it runs, PostgreSQL may go away and come
    back. Its events go out through the relay.

    Example: GATEFOLD_SCHEDULER_PORT=8104 gatefold scheduler
    """
    options = processes.begin("scheduler", as_json=as_json)
    servers.run(processes.migrated("scheduler"))

    from services.scheduler.main import Scheduler

    processes.until_stopped("scheduler", lambda: Scheduler(options))
