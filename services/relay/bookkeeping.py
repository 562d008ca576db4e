"""The outbox gauges and the count of badge holders, which the leading relay keeps."""

from __future__ import annotations

import time

from services import metrics
from services.relay.aside import Aside
from services.settings import Settings
from services.stores import outbox
from services.stores.postgres import Connection

GAUGE_SECONDS = 2.0
# A count may cost this share of the time at most: one twentieth.
PAUSE_PER_COST = 20


class Bookkeeper(Aside):
    """Keeps gauges and holders up to date."""

    name = "counts"
    statement_seconds = 600

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._gauges_due = self._holders_due = 0.0

    async def step(self, connection: Connection) -> float:
        """Count what is due."""
        now = time.monotonic()
        if now >= self._gauges_due:
            gauges = await outbox.load_gauges(connection)
            metrics.OUTBOX_UNSENT.set(gauges.unsent)
            metrics.OUTBOX_FAILED.set(gauges.failed)
            metrics.OUTBOX_OLDEST_SECONDS.set(gauges.oldest_seconds)
            self._gauges_due = _next(now, GAUGE_SECONDS)
        if now >= self._holders_due:
            begin = time.monotonic()
            await outbox.count_holders(connection)
            metrics.HOLDERS_SECONDS.set(time.monotonic() - begin)
            self._holders_due = _next(begin, self._settings.holders_seconds)
        return max(0.05, min(self._gauges_due, self._holders_due) - time.monotonic())


def _next(begin: float, pause_seconds: float) -> float:
    """When to do again what began at `begin` and ended just now."""
    now = time.monotonic()
    return now + max(pause_seconds, PAUSE_PER_COST * (now - begin))
