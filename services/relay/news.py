"""Tells the owners what the catalogue has learned: a `cron.sweep` each, a page at a time and no faster than set."""

from __future__ import annotations

import asyncio
from typing import Final

from services import metrics
from services.logs import logger
from services.settings import Settings
from services.stores import news
from services.stores.postgres import TRANSIENT, Connection, connect

IDLE_SECONDS: Final = 0.2
PAGE: Final = 1000  # users looked at in one transaction
# Sweeps that wait to be published at most: messages that somebody else waits for stand behind them.
MOST_WAITING: Final = 2000
# A page reads what a thousand users own.
LIMITS: Final = {"statement_timeout": "60000", "idle_in_transaction_session_timeout": "30000"}
COMMAND_SECONDS: Final = 65.0

log = logger(__name__)


class Teller:
    """Works the news off on a connection of its own; a failure delays it and nothing else."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                connection = await connect(
                    self._settings.postgres_url,
                    application="gatefold-relay-news",
                    limits=LIMITS,
                    command_seconds=COMMAND_SECONDS,
                )
                try:
                    pause = 0.0
                    while True:
                        await asyncio.sleep(pause)
                        pause = await self.page(connection)
                finally:
                    connection.terminate()
            except TRANSIENT as error:
                log.warning("telling is put off", reason=str(error) or type(error).__name__)
            await asyncio.sleep(IDLE_SECONDS)

    async def page(self, connection: Connection) -> float:
        """Tell a page of users; answers how long to wait before the next."""
        unsent, untold = await news.waiting(connection, MOST_WAITING)
        metrics.NEWS_UNTOLD.set(untold)
        if not untold or unsent >= MOST_WAITING:
            return IDLE_SECONDS
        told = await news.tell(connection, PAGE)
        if told is None:
            return IDLE_SECONDS
        metrics.NEWS_SWEEPS.inc(told.sweeps)
        return told.sweeps / self._settings.news_rate
