"""A process of which several may run and one leads: by an advisory lock that lives as long as a connection."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import asyncpg
from prometheus_client import Gauge

from services import metrics
from services.logs import logger
from services.process import Process, backoff
from services.settings import Settings
from services.stores.postgres import TRANSIENT, connect

STANDBY_SECONDS = 1.0
BACKOFF_SECONDS = (0.1, 5.0)

log = logger(__name__)


class Lost(Exception):
    """The connection that holds the leader's lock is gone."""


_AWAY: tuple[type[BaseException], ...] = (*TRANSIENT, Lost)


class Leader(Process):
    """One process: stands by or leads, and outlives PostgreSQL's absences."""

    log = log
    gauge: ClassVar[Gauge]
    limits: ClassVar[Mapping[str, str]]
    # A little longer than PostgreSQL gives a statement: whoever is cut off from it does not hear that the time is over.
    command_seconds: ClassVar[float]

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._leads = False

    @abstractmethod
    async def try_lead(self, connection: asyncpg.Connection[asyncpg.Record]) -> bool:
        """Whether this connection has the lock now."""

    @abstractmethod
    async def lead(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """Work until stopped, over the connection that has the lock.

        Raises:  postgres.TRANSIENT or Lost where it is gone; anything else ends the process.
        """

    def led(self) -> None:
        """What to do when this process does not lead any more; nothing, for some."""

    async def work(self) -> None:
        """Stand by and lead until stopped."""
        failures = 0
        while not self._stop.is_set():
            try:
                connection = await connect(
                    self._settings.postgres_url,
                    application=f"gatefold-{self.name}",
                    limits=dict(self.limits),
                    command_seconds=self.command_seconds,
                )
                try:
                    self._well("postgres")
                    failures = 0
                    await self._stand_by(connection)
                finally:
                    # Not a polite goodbye: the lock should be free now, whatever state the connection is in.
                    connection.terminate()
            except _AWAY as error:
                failures += 1
                self._note("postgres", error)
                await self._pause(backoff(failures, BACKOFF_SECONDS))

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

    def _health(self) -> metrics.Answer:
        good, facts = super()._health()
        return good, {"role": self._role(), **facts}

    def _ready(self) -> metrics.Answer:
        return not self._trouble, {"role": self._role(), "waiting_for": dict(self._trouble)}

    def _role(self) -> str:
        return "leader" if self._leads else "standby"
