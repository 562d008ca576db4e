"""A whole run: a place, its engines, the processes, the course; and whatever happens, nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final, TypeVar

from services.demo.course import Findings, course
from services.demo.engines import Place, place
from services.demo.foreign import guest
from services.demo.outcome import Check, checks
from services.demo.processes import Crew, Process, crew
from services.demo.screen import Screen
from services.settings import Settings
from services.stack.errors import StackError

FIRST: Final = ("postgres", "kafka")
LAST: Final = "neo4j"
NAMES: Final = {"postgres": "PostgreSQL", "kafka": "Kafka", "neo4j": "Neo4j"}
ENDS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK_SECONDS: Final = 0.2

T = TypeVar("T")


class Failed(Exception):
    """The run came to no result. `logs` are kept; the cause is chained."""

    def __init__(self, reason: str, logs: Path) -> None:
        super().__init__(reason)
        self.logs = logs


@dataclass(frozen=True, slots=True)
class Result:
    """A run that came to its end.

    Shape:   `logs` is where they are kept when an invariant did not hold, None otherwise.
    Units:   `seconds` from the start to the last check, the engines' boot included.
    """

    findings: Findings
    checks: list[Check]
    seconds: float
    place: Place
    options: Settings
    logs: Path | None

    @property
    def held(self) -> bool:
        """Whether every invariant held."""
        return all(check.held for check in self.checks)


def run(
    screen: Screen, *, state_dir: Path | None, progress: bool, keep: bool, report: Callable[[Result], None]
) -> Result:
    """Do it all; `report` is told the result while everything runs, and with `keep` it runs on until Ctrl-C.

    Raises:  Failed; KeyboardInterrupt. In both cases everything was stopped and removed before.
    """
    # While a server boots its clients complain; what matters of that is in our own messages.
    for client in ("aiokafka", "neo4j"):
        logging.getLogger(client).setLevel(logging.CRITICAL)
    with _interruptible(), place(state_dir) as where:
        try:
            screen.title("real collections through the worker, from empty engines to awards")
            where.fetch(progress=progress)
            with screen:
                screen.boot(0, ", ".join(NAMES[name] for name in FIRST))
                where.stack.up(FIRST)
            options, environment = where.settings()
            screen.done(f"{_named(where, FIRST)} answer")
            with guest(where, options), crew(where.logs, environment) as processes:
                result = _on_engines(screen, where, options, processes)
                report(result)
                if keep:
                    _stay(processes)
                _uninterrupted()
        except Exception as error:
            raise Failed(_reason(error), _kept(where, traceback.format_exc())) from error
    screen.done("all processes stopped, all data removed")
    return result


def _on_engines(screen: Screen, where: Place, options: Settings, processes: Crew) -> Result:
    """The run between the boot and the report."""
    graph: list[Process] = []

    def boot_the_last() -> None:
        screen.boot(5, NAMES[LAST])
        arguments = ("--state-dir", str(where.stack.directory), "--only", LAST, "--json")
        graph.append(processes.start(LAST, "stack", "up", *arguments, ends=(0,)))

    async def answering() -> str | None:
        while graph[0].child.poll() is None:
            await asyncio.sleep(LOOK_SECONDS)
            processes.check()
        processes.check()
        screen.boot(6, "")
        screen.done(f"{_named(where, (LAST,))} answers")
        # One that was there before may hold somebody's graph: it is left alone.
        return None if LAST in where.replaced else where.stack.endpoints().neo4j_url

    with screen:
        # The first act does without Neo4j, and while Kafka waits for a dead worker the machine has time.
        findings = _interruptibly(course(options, processes, screen, ready=boot_the_last, neo4j=answering))
    found = checks(findings.outcome)
    logs = None if all(check.held for check in found) else _kept(where)
    return Result(findings, found, screen.seconds, where, options, logs)


def _stay(processes: Crew) -> None:
    """Return at Ctrl-C.

    Raises:  ProcessEnded when one of the processes does not stay.
    """
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(LOOK_SECONDS)
            processes.check()


def _named(where: Place, engines: tuple[str, ...]) -> str:
    return " and ".join(NAMES[name] + (" (not ours)" if name in where.replaced else "") for name in engines)


def _reason(error: Exception) -> str:
    """What went wrong in a sentence; our own exceptions are sentences already."""
    ours = isinstance(error, StackError) or type(error).__module__.startswith("services.")
    return str(error) if ours else f"{type(error).__name__}: {error}"


def _kept(where: Place, trace: str = "") -> Path:
    """A directory that outlives the run, with all logs in it."""
    target = Path(tempfile.mkdtemp(prefix="gatefold-demo-logs-"))
    where.save_logs(target)
    if trace:
        (target / "traceback.txt").write_text(trace, encoding="utf-8")
    return target


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and a closed terminal end the run as Ctrl-C does; whoever is impatient cannot end the tidying up."""

    def interrupt(_: int, __: FrameType | None) -> None:
        _uninterrupted()
        raise KeyboardInterrupt

    # Whoever started us with a signal ignored, as nohup does, means it.
    before = {number: signal.getsignal(number) for number in ENDS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interruptibly(work: Coroutine[Any, Any, T]) -> T:
    """The result of the coroutine, with a loop of its own; an interrupt cancels it.

    Shape:   raised amid the callbacks of compiled clients, KeyboardInterrupt would leave them in no defined state.
    Raises:  KeyboardInterrupt.
    """

    async def watched() -> T:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                loop.add_signal_handler(number, task.cancel)
        return await work

    before = {number: signal.getsignal(number) for number in ENDS}
    interrupted = False
    try:
        return asyncio.run(watched())
    except asyncio.CancelledError:
        interrupted = True
        raise KeyboardInterrupt from None
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if interrupted else handler)


def _uninterrupted() -> None:
    for number in ENDS:
        signal.signal(number, signal.SIG_IGN)
