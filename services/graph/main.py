"""The graph lane: measures the collections that are due, beside the workers and slower than they; it delays nobody."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from catalog.index import load_catalog
from services import metrics
from services.graph.turns import Turns
from services.graph.until import AWAY as KAFKA_AWAY
from services.graph.until import Ends
from services.logs import logger
from services.process import Process, backoff
from services.settings import Settings
from services.stores import graph as store
from services.stores.graph import Unbounded
from services.stores.postgres import TRANSIENT, Connection, connect, open_pool

IDLE_SECONDS: Final = 0.25
GAUGE_SECONDS: Final = 2.0
BACKOFF_SECONDS: Final = (0.2, 5.0)
KAFKA_SECONDS: Final = 2.0
STOP_SECONDS: Final = 10.0
COMMAND_SECONDS: Final = 20.0
LIMITS: Final = {
    "statement_timeout": "15000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "15000",
    "client_connection_check_interval": "1000",
}

log = logger(__name__)


class Lane(Process):
    """One process of the lane: claims users who are due, and evaluates a few at a time."""

    name = "graph"
    log = log

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._catalog = load_catalog()
        self._ends = Ends(settings)
        self._asked: tuple[list[Unbounded], asyncio.Task[dict[int, tuple[int, int]]]] | None = None
        self._ask_at = 0.0

    async def open(self) -> None:
        """Have connections for the evaluations."""
        self._postgres = await open_pool(
            self._settings.postgres_url,
            application="gatefold-graph",
            size=self._settings.graph_processes,
            limits=LIMITS,
            command_seconds=COMMAND_SECONDS,
        )
        metrics.begin_graph_at_zero(self._catalog.families)
        self._turns = Turns(self._settings, self._catalog, self._postgres)

    async def close(self) -> None:
        """Give up what is under way."""
        await self._turns.close()
        self._postgres.terminate()
        await self._forget_question()
        await self._ends.close()

    def troubled(self, server: str) -> None:
        """A server did not answer."""
        metrics.GRAPH_FAILURES.labels(server).inc()

    async def work(self) -> None:
        """Have a connection that holds the claims, and evaluate as long as it lasts."""
        failures = 0
        while not self._stop.is_set():
            try:
                connection = await connect(
                    self._settings.postgres_url,
                    application="gatefold-graph-claims",
                    limits=LIMITS,
                    command_seconds=COMMAND_SECONDS,
                )
                try:
                    failures = 0
                    await self._take_turns(connection)
                finally:
                    # Not a polite goodbye: claims should be free now, whatever state the connection is in.
                    connection.terminate()
            except TRANSIENT as error:
                failures += 1
                self._note("postgres", error)
                await self._turns.cancel()
                await self._pause(backoff(failures, BACKOFF_SECONDS))

    async def _take_turns(self, connection: Connection) -> None:
        gauges_at = 0.0
        while not self._stop.is_set():
            if time.monotonic() >= gauges_at:
                gauges = await store.load_gauges(connection)
                metrics.GRAPH_DUE.set(gauges.due)
                metrics.GRAPH_OLDEST_SECONDS.set(gauges.oldest_seconds)
                gauges_at = time.monotonic() + GAUGE_SECONDS
            self._well("postgres")
            await self._bound(connection)
            moved = 0
            for user in self._turns.ended():
                await store.release(connection, user)
                moved += 1
            if self._turns.room and await self._turns.may_ask():
                moved += await self._claim(connection)
            if not moved:
                await self._idle()
        await self._turns.finish(STOP_SECONDS)

    async def _claim(self, connection: Connection) -> int:
        """Begin with as many users as there is room for."""
        room = self._turns.room
        # A few more: other lanes may have the first ones.
        claimed = await store.claim(connection, room * 4, self._turns.not_now())
        for due in claimed[:room]:
            self._turns.begin(due)
        for due in claimed[room:]:
            await store.release(connection, due.user_id)
        return len(claimed[:room])

    async def _bound(self, connection: Connection) -> None:
        """Say of new due rows what has to be processed before; without Kafka they wait, and the others do not."""
        if self._asked is None and time.monotonic() >= self._ask_at:
            new = await store.unbounded(connection, 1000)
            if new:
                self._asked = new, asyncio.create_task(self._ends.now())
        if self._asked is None:
            return
        new, asking = self._asked
        await asyncio.wait({asking}, timeout=IDLE_SECONDS)
        if not asking.done():
            return
        self._asked = None
        try:
            ends = asking.result()
        except KAFKA_AWAY as error:
            self._note("kafka", error)
            self._ask_at = time.monotonic() + KAFKA_SECONDS
            await self._ends.close()
            return
        self._well("kafka")
        await store.bound(connection, new, ends)

    async def _forget_question(self) -> None:
        if self._asked is not None:
            self._asked[1].cancel()
            await asyncio.gather(self._asked[1], return_exceptions=True)
            self._asked = None

    async def _idle(self) -> None:
        """Until something has ended, or for a moment."""
        stopping = asyncio.create_task(self._stop.wait())
        waiting = {stopping, *self._turns.running}
        await asyncio.wait(waiting, timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()

    def _well(self, server: str) -> bool:
        was_away = super()._well(server)
        if was_away:
            log.info("is back", server=server)
        return was_away

    def _ready(self) -> metrics.Answer:
        waiting = dict(self._trouble)
        if self._turns.away is not None:
            waiting["neo4j"] = self._turns.away
        return not waiting, {"evaluating": len(self._turns.running), "waiting_for": waiting}
