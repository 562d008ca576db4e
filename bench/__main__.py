"""`python -m bench`: every bench, a table, exit code 1 where a goal is missed."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from bench.plan import Engines, Scale, Steps
    from bench.results import Result

    Bench = Callable[[Engines, Scale, Steps], Awaitable[list[Result]]]

NAMES = (
    *("single", "pages", "workers", "flat", "wide", "crowd", "known", "consumer", "latency", "reads", "streams"),
    *("evaluation", "graph", "catalogue", "campaign", "sizes"),
)


def benches() -> dict[str, Bench]:
    """The benches by name, in the order in which they run."""
    from bench.campaign import campaign
    from bench.catalogue import catalogue
    from bench.consumer import consumer
    from bench.evaluation import evaluation
    from bench.flatness import crowd, flat, known, wide
    from bench.graph import graph
    from bench.latency import latency
    from bench.reads import reads
    from bench.sizes import sizes
    from bench.streams import streams
    from bench.throughput import pages, single, workers

    every = (
        single,
        pages,
        workers,
        flat,
        wide,
        crowd,
        known,
        consumer,
        latency,
        reads,
        streams,
        evaluation,
        graph,
        catalogue,
        campaign,
        sizes,
    )
    return {one.__name__: one for one in every}


class Shown:
    """The steps as a progress bar on stderr, each said in a line when it is done."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bench = ""

    def begin(self, bench: str, steps: int) -> None:
        """A bench of so many steps begins."""
        self._bench = bench
        self._task = self._progress.add_task(bench, total=steps)

    def done(self, what: str) -> None:
        """A step is done."""
        self._progress.advance(self._task)
        self._progress.console.print(f"{self._bench}: {what}", markup=False, highlight=False)


async def run(names: Sequence[str], engines: Engines, scale: Scale, console: Console) -> list[Result]:
    """All results of these benches."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    bars = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )
    found: list[Result] = []
    with bars:
        for name in names:
            found += await benches()[name](engines, scale, Shown(bars))
    return found


def main() -> int:
    """Run what the command line asks for."""
    options = _parser().parse_args()
    import uvloop
    from rich.console import Console

    from bench.plan import QUICK, Engines, Scale
    from bench.results import as_json, as_table
    from bench.worker import WorkerFailed
    from services.stack.errors import StackError
    from services.stack.stack import Stack

    gc.disable()  # the records of a bench are many objects and no garbage; `settle` collects between measurements
    # A topic that was made a moment ago has no leader yet; the producer asks again and says so at length.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    said = Console(stderr=True)
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores / 2:
        said.print(f"the machine is busy (load {load:.1f} on {cores} cores): the ratios will be of little worth")
    scale = QUICK if options.quick else Scale()
    names = [options.only] if options.only else list(NAMES)
    local = options.in_process or options.profile
    try:
        with Stack.temporary(("postgres",) if local else ("postgres", "kafka"), progress=True) as stack:
            found = stack.endpoints()
            if local:
                from bench.profile import profile

                asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
                asyncio.run(
                    profile(found.postgres_url, scale, pages=options.only == "pages", functions=options.profile)
                )
                return 0
            engines = Engines(found.postgres_url, found.kafka_url)
            results = uvloop.run(run(names, engines, scale, said))
    except (StackError, WorkerFailed) as error:
        said.print(str(error), style="red", markup=False, highlight=False)
        return 69 if isinstance(error, StackError) else 1
    if options.json:
        sys.stdout.write(as_json(results) + "\n")
    else:
        Console().print(as_table(results))
    return 0 if all(one.ok for one in results) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Speed of one worker beside bare SQL and COPY on the same data, in the same run.",
        epilog="Example: make bench ARGS='--only single --quick'. Exit code 1: a goal is missed.",
    )
    parser.add_argument("--only", choices=NAMES, help="one bench instead of all")
    parser.add_argument("--quick", action="store_true", help="smaller and less exact, within a minute")
    parser.add_argument("--json", action="store_true", help="print a list of objects instead of the table")
    parser.add_argument(
        "--in-process", action="store_true", help="show where the time of a bundle goes, without Kafka and worker"
    )
    parser.add_argument("--profile", action="store_true", help="the same, and Python's functions by time")
    return parser


if __name__ == "__main__":
    sys.exit(main())
