"""The graph lane: measures the collections that are due, beside the workers and slower than they; it delays nobody."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import Final

from catalog.index import load_catalog
from services import metrics
from services.graph.turns import Turns, backoff
from services.graph.until import AWAY as KAFKA_AWAY
from services.graph.until import Ends
from services.logs import logger
from services.settings import Settings
from services.stores import graph as store
from services.stores.graph import Unbounded
from services.stores.postgres import TRANSIENT, Connection, connect, open_pool

IDLE_SECONDS: Final = 0.25
GAUGE_SECONDS: Final = 2.0
BACKOFF_SECONDS: Final = (0.2, 5.0)
KAFKA_SECONDS: Final = 2.0
STOP_SECONDS: Final = 10.0
STUCK_SECONDS: Final = 15.0
COMMAND_SECONDS: Final = 20.0
LIMITS: Final = {
    "statement_timeout": "15000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "15000",
    "client_connection_check_interval": "1000",
}

log = logger(__name__)


class Lane:
    """One process of the lane: claims users who are due, and evaluates a few at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._catalog = load_catalog()
        self._stop = asyncio.Event()
        self._ends = Ends(settings)
        self._asked: tuple[list[Unbounded], asyncio.Task[dict[int, tuple[int, int]]]] | None = None
        self._ask_at = 0.0
        self._trouble: dict[str, str] = {}
        self._beat = time.monotonic()

    def stop(self) -> None:
        """Finish the users that are being evaluated, then end."""
        self._stop.set()

    async def run(self) -> None:
        """Work until stopped; absent servers are waited for.

        Raises:  whatever was not expected; the process should end then.
        """
        postgres = await open_pool(
            self._settings.postgres_url,
            application="gatefold-graph",
            size=self._settings.graph_processes,
            limits=LIMITS,
            command_seconds=COMMAND_SECONDS,
        )
        metrics.begin_graph_at_zero(self._catalog.families)
        self._turns = Turns(self._settings, self._catalog, postgres)
        heart = asyncio.create_task(self._keep_beating())
        endpoint = None
        try:
            endpoint = metrics.serve_http(
                self._settings.graph_host,
                self._settings.graph_port,
                health=self._health,
                ready=self._ready,
                or_any="graph_port" not in self._settings.model_fields_set,
            )
            await self._keep_working()
        finally:
            heart.cancel()
            await self._turns.close()
            postgres.terminate()
            await self._forget_question()
            await self._ends.close()
            if endpoint is not None:
                await asyncio.to_thread(endpoint.close)
        log.info("stopped")

    async def _keep_working(self) -> None:
        """Have a connection that holds the claims, and work as long as it lasts."""
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
                    await self._work(connection)
                finally:
                    # Not a polite goodbye: claims should be free now, whatever state the connection is in.
                    connection.terminate()
            except TRANSIENT as error:
                failures += 1
                self._note("postgres", error)
                await self._turns.cancel()
                await self._pause(backoff(failures, BACKOFF_SECONDS))

    async def _work(self, connection: Connection) -> None:
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

    async def _pause(self, seconds: float) -> None:
        """Sleep, but not through a stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    def _note(self, server: str, error: BaseException) -> None:
        why = str(error) or type(error).__name__
        if server not in self._trouble:
            log.warning("waiting", server=server, reason=why)
        self._trouble[server] = why
        metrics.GRAPH_FAILURES.labels(server).inc()

    def _well(self, server: str) -> None:
        if self._trouble.pop(server, None):
            log.info("is back", server=server)

    async def _keep_beating(self) -> None:
        while True:
            self._beat = time.monotonic()
            await asyncio.sleep(1)

    def _health(self) -> metrics.Answer:
        """Whether the loop turns: an absent server is no reason to restart."""
        age = time.monotonic() - self._beat
        return age < STUCK_SECONDS, {"loop_seconds": round(age, 1)}

    def _ready(self) -> metrics.Answer:
        waiting = dict(self._trouble)
        if self._turns.away is not None:
            waiting["neo4j"] = self._turns.away
        return not waiting, {"evaluating": len(self._turns.running), "waiting_for": waiting}


async def serve(settings: Settings) -> None:
    """Run the lane until SIGTERM or SIGINT."""
    lane = Lane(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lane.stop)
    await lane.run()
