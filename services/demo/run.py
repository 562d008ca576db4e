"""A whole run: a place, its engines, the processes, the course, and whatever happens: nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.demo.course import Findings, course
from services.demo.engines import Place, place
from services.demo.foreign import guest
from services.demo.outcome import Check, checks
from services.demo.processes import Crew, ProcessEnded, crew
from services.demo.screen import Screen
from services.settings import Settings
from services.stack.errors import StackError

FIRST: Final = ("postgres", "kafka")
LAST: Final = "neo4j"
NAMES: Final = {"postgres": "PostgreSQL", "kafka": "Kafka", "neo4j": "Neo4j"}


class Failed(Exception):
    """The run came to no result; `logs` are kept."""

    def __init__(self, reason: str, logs: Path) -> None:
        super().__init__(reason)
        self.logs = logs


@dataclass(frozen=True, slots=True)
class Result:
    """A run that came to its end.

    Units:   `seconds` from the start to the last check, the engines' boot included.
    """

    findings: Findings
    checks: list[Check]
    seconds: float
    place: Place
    options: Settings
    logs: Path | None  # kept where an invariant did not hold

    @property
    def held(self) -> bool:
        return all(check.held for check in self.checks)


def run(screen: Screen, *, state_dir: Path | None, progress: bool, finished: Callable[[Result], None]) -> None:
    """Do it all; `finished` is told the result while everything still runs, and may take its time.

    Raises:  Failed; StackError where the engines do not come up; KeyboardInterrupt, after everything was removed.
    """
    # While a server boots its clients complain; what matters of that is in our own messages.
    for client in ("aiokafka", "neo4j"):
        logging.getLogger(client).setLevel(logging.CRITICAL)
    with _every_end_is_an_interrupt(), place(state_dir) as where:
        _announce(screen, where)
        where.stack.up(FIRST, progress=progress)
        options, environment = where.settings()
        screen.done(f"{' and '.join(NAMES[name] for name in FIRST)} answer")
        try:
            with guest(where, options), crew(where.logs, environment) as processes, screen:
                graph = processes.start(
                    LAST, "stack", "up", "--state-dir", str(where.stack.directory), "--only", LAST, "--json", ends=True
                )
                findings = asyncio.run(course(options, processes, screen))
                _wait_for(processes, graph.child.poll)
                screen.done(f"{NAMES[LAST]} answers")
                seconds = screen.seconds
                screen.stop()
                found = checks(findings.outcome)
                logs = None if all(check.held for check in found) else _kept(where)
                finished(Result(findings, found, seconds, where, options, logs))
        except StackError:
            raise
        except Exception as error:
            raise Failed(_reason(error), _kept(where, traceback.format_exc())) from error
        screen.restart()
    screen.done("all processes stopped, all data removed")


def stay(processes_say: Callable[[], None]) -> None:
    """Return at Ctrl-C; what runs is looked at meanwhile.

    Raises:  ProcessEnded.
    """
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(0.5)
            processes_say()
