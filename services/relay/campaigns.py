"""Works campaigns off: a `cron.sweep` for each user at the campaign's rate, or awards taken back, a page at a time.

The cursor moves in the transaction of the messages, so that a relay may die at any point; the worker knows a sweep by
its id and takes it once.
"""

from __future__ import annotations

import time
from typing import Final

from services import metrics
from services.logs import logger
from services.relay.aside import IDLE_SECONDS, Aside
from services.settings import Settings
from services.stores import campaigns, outbox
from services.stores.campaigns import Unfinished
from services.stores.postgres import Connection

PAGE: Final = 1000  # users or awards in one transaction
BEAT_SECONDS: Final = 0.5  # a page is what the rate allows for so long
# Sweeps that workers have not taken yet at most: so a pause is one, and nothing piles up before workers that stand.
MOST_AHEAD: Final = 2000

log = logger(__name__)


class Campaigner(Aside):
    """Works on every campaign that runs or is rolled back."""

    name = "campaigns"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._due: dict[str, float] = {}

    async def step(self, connection: Connection) -> float:
        """A page of each campaign that is due; answers how long to wait before the next step."""
        found = await campaigns.unfinished(connection)
        metrics.CAMPAIGNS.set(len(found))
        self._due = {one.campaign_id: self._due.get(one.campaign_id, 0.0) for one in found}
        pause = IDLE_SECONDS
        for one in found:
            wait = self._due[one.campaign_id] - time.monotonic()
            if wait <= 0:
                wait = await self._page(connection, one)
                self._due[one.campaign_id] = time.monotonic() + wait
            pause = min(pause, max(wait, 0.0))
        return pause

    async def _page(self, connection: Connection, one: Unfinished) -> float:
        if await outbox.crowded(connection):
            return IDLE_SECONDS
        if one.state == "rolling_back":
            revoked = await campaigns.take_back(connection, one.campaign_id, PAGE)
            metrics.CAMPAIGN_REVOKED.inc(revoked)
            return 0.0 if revoked else IDLE_SECONDS
        if one.complete:
            if one.done >= one.sent and await campaigns.finish(connection, one.campaign_id):
                log.info("campaign done", campaign=one.campaign_id, users=one.done)
            return IDLE_SECONDS
        if one.sent - one.done >= MOST_AHEAD:
            return IDLE_SECONDS
        page = max(1, min(PAGE, round(one.rate * BEAT_SECONDS)))
        sent = await campaigns.send(connection, one.campaign_id, page)
        metrics.CAMPAIGN_SWEEPS.inc(sent)
        return sent / one.rate if sent else IDLE_SECONDS
