"""A process of which several may run and one leads: by an advisory lock that lives as long as a connection."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping
from typing import Any, ClassVar

import asyncpg
from prometheus_client import Gauge

from services import metrics
from services.logs import logger
from services.settings import Settings
from services.stores.postgres import TRANSIENT, connect

STANDBY_SECONDS = 1.0
BACKOFF_SECONDS = (0.1, 5.0)
STUCK_SECONDS = 15.0

log = logger(__name__)


class Lost(Exception):
    """The connection that holds the leader's lock is gone."""


_AWAY: tuple[type[BaseException], ...] = (*TRANSIENT, Lost)


class Leader(ABC):
    """One process: stands by or leads, and outlives PostgreSQL's absences."""

    name: ClassVar[str]
    gauge: ClassVar[Gauge]
    limits: ClassVar[Mapping[str, str]]
    # A little longer than PostgreSQL gives a statement: whoever is cut off from it does not hear that the time is over.
    command_seconds: ClassVar[float]

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = asyncio.Event()
        self._leads = False
        self._trouble: dict[str, str] = {}
        self._beat = time.monotonic()

    @abstractmethod
    async def try_lead(self, connection: asyncpg.Connection[asyncpg.Record]) -> bool:
        """Whether this connection has the lock now."""

    @abstractmethod
    async def lead(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """Work until stopped, over the connection that has the lock.

        Raises:  postgres.TRANSIENT or Lost where it is gone; anything else ends the process.
        """

    def led(self) -> None:  # noqa: B027
        """What to do when this process does not lead any more; nothing, for some."""

    def troubled(self, server: str) -> None:  # noqa: B027
        """What to count when a server is away; nothing, for some."""

    def stop(self) -> None:
        """Finish what is under way, then end."""
        self._stop.set()

    async def run(self) -> None:
        """Stand by and lead until stopped.

        Raises:  whatever was not expected; the process should end then.
        """
        heart = asyncio.create_task(self._keep_beating())
        endpoint = metrics.serve_http(
            getattr(self._settings, f"{self.name}_host"),
            getattr(self._settings, f"{self.name}_port"),
            health=self._health,
            ready=self._ready,
            or_any=f"{self.name}_port" not in self._settings.model_fields_set,
        )
        failures = 0
        try:
            while not self._stop.is_set():
                try:
                    connection = await connect(
                        self._settings.postgres_url,
                        application=f"gatefold-{self.name}",
                        limits=dict(self.limits),
                        command_seconds=self.command_seconds,
                    )
                    try:
                        self._trouble.pop("postgres", None)
                        failures = 0
                        await self._stand_by(connection)
                    finally:
                        # Not a polite goodbye: the lock should be free now, whatever state the connection is in.
                        connection.terminate()
                except _AWAY as error:
                    failures += 1
                    self._note("postgres", error)
                    await self._pause(backoff(failures))
        finally:
            heart.cancel()
            await asyncio.to_thread(endpoint.close)
        log.info("stopped")

    async def _stand_by(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """Wait for the lock, then lead until stopped or the connection is lost."""
        told = False
        while not self._stop.is_set():
            if await self.try_lead(connection):
                self._leads = True
                self.gauge.set(1)
                log.info("leading")
                try:
                    await self.lead(connection)
                finally:
                    self._leads = False
                    self.gauge.set(0)
                    self.led()
                return
            if not told:
                log.info(f"standing by: another {self.name} leads")
                told = True
            await self._pause(STANDBY_SECONDS)

    async def _pause(self, seconds: float) -> None:
        """Sleep, but not through a stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    def _note(self, server: str, error: BaseException) -> None:
        reason = str(error) or type(error).__name__
        if server not in self._trouble:
            log.warning("waiting", server=server, reason=reason)
        self._trouble[server] = reason
        self.troubled(server)

    async def _keep_beating(self) -> None:
        while True:
            self._beat = time.monotonic()
            await asyncio.sleep(1)

    def _health(self) -> metrics.Answer:
        """Whether the loop turns: an absent server is no reason to restart."""
        age = time.monotonic() - self._beat
        return age < STUCK_SECONDS, {"role": self._role(), "loop_seconds": round(age, 1)}

    def _ready(self) -> metrics.Answer:
        return not self._trouble, {"role": self._role(), "waiting_for": dict(self._trouble)}

    def _role(self) -> str:
        return "leader" if self._leads else "standby"


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row, with jitter."""
    shortest, longest = BACKOFF_SECONDS
    return random.uniform(0.5, 1.0) * min(longest, shortest * 2.0 ** min(failures - 1, 16))


async def serve(leader: Leader) -> None:
    """Run it until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leader.stop)
    await leader.run()


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run it on the fastest loop there is."""
    import uvloop

    uvloop.run(work)
