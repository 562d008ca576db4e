"""What the leading relay does beside publishing: the outbox gauges and the count of badge holders."""

from __future__ import annotations

import asyncio
import time

from services import metrics
from services.logs import logger
from services.settings import Settings
from services.stores import outbox
from services.stores.postgres import TRANSIENT, Connection, connect

GAUGE_SECONDS = 2.0
# A count may cost this share of the time at most: one twentieth.
PAUSE_PER_COST = 20
LONGEST_COUNT = "600000"

log = logger(__name__)


class Bookkeeper:
    """Keeps gauges and holders up to date on a connection of its own; a failure delays it and nothing else."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                connection = await connect(
                    self._settings.postgres_url,
                    application="gatefold-relay-counts",
                    limits={"statement_timeout": LONGEST_COUNT},
                    command_seconds=int(LONGEST_COUNT) / 1000 + 5,
                )
                try:
                    await self._work(connection)
                finally:
                    connection.terminate()
            except TRANSIENT as error:
                log.warning("counting is put off", reason=str(error) or type(error).__name__)
            await asyncio.sleep(GAUGE_SECONDS)

    async def _work(self, connection: Connection) -> None:
        gauges_due = holders_due = 0.0
        while True:
            now = time.monotonic()
            if now >= gauges_due:
                gauges = await outbox.load_gauges(connection)
                metrics.OUTBOX_UNSENT.set(gauges.unsent)
                metrics.OUTBOX_FAILED.set(gauges.failed)
                metrics.OUTBOX_OLDEST_SECONDS.set(gauges.oldest_seconds)
                gauges_due = _next(now, GAUGE_SECONDS)
            if now >= holders_due:
                begin = time.monotonic()
                await outbox.count_holders(connection)
                metrics.HOLDERS_SECONDS.set(time.monotonic() - begin)
                holders_due = _next(begin, self._settings.holders_seconds)
            await asyncio.sleep(max(0.05, min(gauges_due, holders_due) - time.monotonic()))


def _next(begin: float, pause_seconds: float) -> float:
    """When to do again what began at `begin` and ended just now."""
    now = time.monotonic()
    return now + max(pause_seconds, PAUSE_PER_COST * (now - begin))
