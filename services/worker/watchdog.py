"""Ends a worker that only looks alive: a thread, because a stuck event loop cannot watch itself."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NoReturn

import asyncpg

from services.logs import logger

log = logger(__name__)

RESTART_ME: Final = 75  # EX_TEMPFAIL: a supervisor starts us again
EVERY_SECONDS: Final = 3.0
LOOP_SECONDS: Final = 15.0
ASSIGNMENT_SECONDS: Final = 90.0
PROGRESS_SECONDS: Final = 120.0


def die(why: str, error: BaseException | None = None) -> NoReturn:
    """End at once, without the orderly shutdown that would acknowledge what is not done."""
    # Of PostgreSQL's errors the class alone: its own words quote rows.
    log.critical("exit for a restart", why=why, exc_info=None if isinstance(error, asyncpg.PostgresError) else error)
    os._exit(RESTART_ME)


@dataclass(slots=True)
class Pulse:
    """What the watchdog looks at; times are `time.monotonic()`."""

    beat: float = field(default_factory=time.monotonic)
    assigned: bool = False
    assignment_changed: float = field(default_factory=time.monotonic)
    progress: float = field(default_factory=time.monotonic)
    lag: int = 0
    postgres_since: float | None = None  # since when PostgreSQL has answered whenever it was asked
    stopping: bool = False

    def fault(self, now: float, coordinator_error: Callable[[], str | None]) -> str | None:
        """Why this worker should be restarted; None while all is well."""
        if now - self.beat > LOOP_SECONDS:
            return f"event loop stuck for {now - self.beat:.0f} s"
        if self.stopping:
            return None
        if not self.assigned and now - self.assignment_changed > ASSIGNMENT_SECONDS:
            return f"no assignment for {now - self.assignment_changed:.0f} s"
        if (error := coordinator_error()) is not None:
            return f"group coordination failed: {error}"
        if self.lag > 0 and self.postgres_since is not None:
            idle = now - max(self.progress, self.postgres_since)
            if idle > PROGRESS_SECONDS:
                return f"{self.lag} records wait and none was processed for {idle:.0f} s"
        return None

    def hear_postgres(self, now: float, answers: bool) -> None:
        """Note whether PostgreSQL answered just now; a worker that waited for it is given time to catch up."""
        if not answers:
            self.postgres_since = None
        elif self.postgres_since is None:
            self.postgres_since = now


def watch(pulse: Pulse, coordinator_error: Callable[[], str | None]) -> None:
    """Start the thread that ends the process with exit code 75 when `pulse` shows a fault."""

    def run() -> None:
        while True:
            time.sleep(EVERY_SECONDS)
            if why := pulse.fault(time.monotonic(), coordinator_error):
                die(why)

    threading.Thread(target=run, name="watchdog", daemon=True).start()
