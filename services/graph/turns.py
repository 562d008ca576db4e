"""Who is being evaluated, who rests after a failure, and whether Neo4j may be asked."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final

import asyncpg

from catalog.index import Catalog
from services import metrics
from services.graph.breaker import Breaker
from services.graph.evaluate import Evaluated, evaluate
from services.graph.pool import Pool
from services.graph.server import Away, connect
from services.graph.store import Graph
from services.logs import logger
from services.process import backoff
from services.settings import Settings
from services.stores.graph import Due
from services.stores.postgres import TRANSIENT

# A user of whom something failed rests, so that the others have their turn.
REST_SECONDS: Final = (2.0, 600.0)

log = logger(__name__)


class Turns:
    """The evaluations of one lane, a few at a time; whatever goes wrong with one, its user stays due."""

    def __init__(self, settings: Settings, catalog: Catalog, postgres: asyncpg.Pool[asyncpg.Record]) -> None:
        self._catalog, self._postgres, self._most = catalog, postgres, settings.graph_processes
        self._driver = connect(settings.neo4j_url)
        self._graph = Graph(self._driver, settings.graph_query_seconds)
        self._pool = Pool(settings.graph_processes)
        self._breaker = Breaker()
        self._working: dict[str, asyncio.Task[None]] = {}
        self._resting: dict[str, tuple[int, float]] = {}  # failures in a row, and until when

    @property
    def room(self) -> int:
        """How many more users may be begun with."""
        return self._most - len(self._working)

    @property
    def away(self) -> str | None:
        """Why Neo4j is left alone; None while it is not."""
        return self._breaker.why

    @property
    def running(self) -> list[asyncio.Task[None]]:
        """The evaluations that are under way."""
        return list(self._working.values())

    def not_now(self) -> list[str]:
        """The users who are being evaluated or rest."""
        now = time.monotonic()
        return [*self._working, *(user for user, (_, until) in self._resting.items() if until > now)]

    def begin(self, due: Due) -> None:
        """Evaluate a user who was claimed."""
        self._working[due.user_id] = asyncio.create_task(self._one(due))

    def ended(self) -> list[str]:
        """The users whose evaluation has ended, each told once."""
        found = [user for user, task in self._working.items() if task.done()]
        for user in found:
            self._working.pop(user).result()
        return found

    async def may_ask(self) -> bool:
        """Whether Neo4j answers, as far as the breaker knows; where it is open, asked when it is time."""
        if not self._breaker.is_open:
            return True
        if self._breaker.probe_in(time.monotonic()) > 0:
            return False
        try:
            await self._graph.state()
        except Away as error:
            self._breaker.failed(time.monotonic(), str(error))
            return False
        self._answered()
        return True

    async def finish(self, seconds: float) -> None:
        """Let what is under way come to its end, for so long."""
        if self._working:
            await asyncio.wait(self._working.values(), timeout=seconds)

    async def cancel(self) -> None:
        """Give up what is under way."""
        tasks = self.running
        self._working.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        """End the processes that measure and the connections to Neo4j."""
        await self.cancel()
        self._pool.close()
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._driver.close(), 3)

    async def _one(self, due: Due) -> None:
        begin = time.perf_counter()
        try:
            done = await evaluate(self._postgres, self._graph, self._pool, self._catalog, due)
        except Exception as error:
            self._failed(due, error)
            return
        self._resting.pop(due.user_id, None)
        if done.fate in ("measured", "no_graph"):
            self._answered()
        self._tell(done, time.perf_counter() - begin)

    def _tell(self, done: Evaluated, seconds: float) -> None:
        metrics.GRAPH_EVALUATED.labels(done.fate).inc()
        if done.fate == "measured":
            metrics.GRAPH_SECONDS.observe(seconds)
        for award in done.awards:
            if not award.shadow:
                metrics.AWARDED.labels(self._catalog.badges[award.badge_key].family).inc()
        if done.fate == "no_graph":
            log.warning("there is no graph yet: gatefold graph rebuild makes it; who is due waits for it")

    def _failed(self, due: Due, error: Exception) -> None:
        failures = self._resting.get(due.user_id, (0, 0.0))[0] + 1
        self._resting[due.user_id] = failures, time.monotonic() + backoff(failures, REST_SECONDS)
        if isinstance(error, Away):
            metrics.GRAPH_FAILURES.labels("neo4j").inc()
            if self._breaker.failed(time.monotonic(), str(error)):
                log.warning("waiting", server="neo4j", reason=str(error))
        elif isinstance(error, TRANSIENT):
            metrics.GRAPH_FAILURES.labels("postgres").inc()
            log.warning("put off", server="postgres", reason=str(error) or type(error).__name__)
        else:
            metrics.GRAPH_FAILURES.labels("measuring").inc()
            log.error("could not be evaluated", user=due.user_id, failures=failures, exc_info=error)

    def _answered(self) -> None:
        if self._breaker.answered():
            self._resting.clear()
            log.info("is back", server="neo4j")
