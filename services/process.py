"""A process for the long run: says how it is, waits for servers that are away, and ends when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any, ClassVar

import structlog

from services import metrics
from services.settings import Settings

STUCK_SECONDS = 15.0


class Process(ABC):
    """One process, with its health at `<name>_host` and `<name>_port` of the settings."""

    name: ClassVar[str]
    log: ClassVar[structlog.stdlib.BoundLogger]

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = asyncio.Event()
        self._trouble: dict[str, str] = {}
        self._beat = time.monotonic()

    async def open(self) -> None:  # noqa: B027
        """Get what the work needs; nothing, for some."""

    @abstractmethod
    async def work(self) -> None:
        """Work until stopped; absent servers are waited for.

        Raises:  whatever was not expected; the process should end then.
        """

    async def close(self) -> None:  # noqa: B027
        """Give back what `open` got; nothing, for some."""

    def troubled(self, server: str) -> None:  # noqa: B027
        """What to count when a server is away; nothing, for some."""

    def stop(self) -> None:
        """Finish what is under way, then end."""
        self._stop.set()

    async def run(self) -> None:
        """Work until stopped.

        Raises:  whatever was not expected; the process should end then.
        """
        await self.open()
        heart = asyncio.create_task(self._keep_beating())
        endpoint = None
        try:
            endpoint = metrics.serve_http(
                getattr(self._settings, f"{self.name}_host"),
                getattr(self._settings, f"{self.name}_port"),
                health=self._health,
                ready=self._ready,
                or_any=f"{self.name}_port" not in self._settings.model_fields_set,
            )
            await self.work()
        finally:
            heart.cancel()
            await self.close()
            if endpoint is not None:
                await asyncio.to_thread(endpoint.close)
        self.log.info("stopped")

    async def _pause(self, seconds: float) -> None:
        """Sleep, but not through a stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    def _note(self, server: str, error: BaseException) -> None:
        """A server is away."""
        reason = str(error) or type(error).__name__
        if server not in self._trouble:
            self.log.warning("waiting", server=server, reason=reason)
        self._trouble[server] = reason
        self.troubled(server)

    def _well(self, server: str) -> bool:
        """A server answers; whether it was away."""
        return self._trouble.pop(server, None) is not None

    async def _keep_beating(self) -> None:
        while True:
            self._beat = time.monotonic()
            await asyncio.sleep(1)

    def _health(self) -> metrics.Answer:
        """Whether the loop turns: an absent server is no reason to restart."""
        age = time.monotonic() - self._beat
        return age < STUCK_SECONDS, {"loop_seconds": round(age, 1)}

    @abstractmethod
    def _ready(self) -> metrics.Answer:
        """Whether no server is waited for."""


def backoff(failures: int, seconds: tuple[float, float]) -> float:
    """Seconds to wait after so many failures in a row, with jitter; from the shortest to the longest."""
    shortest, longest = seconds
    return random.uniform(0.5, 1.0) * min(longest, shortest * 2.0 ** min(failures - 1, 16))


async def serve(process: Process) -> None:
    """Run it until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, process.stop)
    await process.run()


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run it on the fastest loop there is."""
    import uvloop

    uvloop.run(work)
