"""What the leading relay does beside publishing: each on a connection of its own, so that a failure delays it alone."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import ClassVar, Final

from services.logs import logger
from services.settings import Settings
from services.stores.postgres import TRANSIENT, Connection, connect

IDLE_SECONDS: Final = 0.2
GRACE_SECONDS: Final = 5.0

log = logger(__name__)


class Aside(ABC):
    """One such work, step by step.

    Units:   `statement_seconds` is what PostgreSQL gives a statement.
    """

    name: ClassVar[str]
    statement_seconds: ClassVar[int] = 60

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                connection = await connect(
                    self._settings.postgres_url,
                    application=f"gatefold-relay-{self.name}",
                    limits={
                        "statement_timeout": str(self.statement_seconds * 1000),
                        "idle_in_transaction_session_timeout": "30000",
                    },
                    command_seconds=self.statement_seconds + GRACE_SECONDS,
                )
                try:
                    pause = 0.0
                    while True:
                        await asyncio.sleep(pause)
                        pause = await self.step(connection)
                finally:
                    connection.terminate()
            except TRANSIENT as error:
                log.warning("put off", work=self.name, reason=str(error) or type(error).__name__)
            await asyncio.sleep(IDLE_SECONDS)

    @abstractmethod
    async def step(self, connection: Connection) -> float:
        """Do what is due; answers how many seconds to wait before the next step."""
