"""Tells the owners what the catalogue has learned: a `cron.sweep` each, a page at a time and no faster than set."""

from __future__ import annotations

from typing import Final

from services import metrics
from services.relay.aside import IDLE_SECONDS, Aside
from services.stores import news, outbox
from services.stores.postgres import Connection

PAGE: Final = 1000  # users looked at in one transaction


class Teller(Aside):
    """Works the news off."""

    name = "news"

    async def step(self, connection: Connection) -> float:
        """Tell a page of users; answers how long to wait before the next."""
        untold = await news.waiting(connection)
        metrics.NEWS_UNTOLD.set(untold)
        if not untold or await outbox.crowded(connection):
            return IDLE_SECONDS
        told = await news.tell(connection, PAGE)
        if told is None:
            return IDLE_SECONDS
        metrics.NEWS_SWEEPS.inc(told.sweeps)
        return told.sweeps / self._settings.news_rate
