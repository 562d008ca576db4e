"""`gatefold worker`: Faust with bundles, from assignment to acknowledgement."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import time
from collections.abc import Mapping
from typing import Any

from faust.types import TP

from catalog.index import load_catalog
from contracts.topics import INPUT_TOPICS
from services import metrics
from services.logs import logger
from services.settings import Settings
from services.stores import brake
from services.stores.postgres import TRANSIENT, Connection, open_pool
from services.worker import costs
from services.worker.brake import Brake
from services.worker.bundle import Gap
from services.worker.consumer import coordinator_error, create_app
from services.worker.positions import Seeker
from services.worker.runner import Runner
from services.worker.slot import Slot
from services.worker.watchdog import Pulse, die, watch
from services.worker.work import Knowledge

log = logger(__name__)

GARBAGE_SECONDS = 60.0
PROBE_SECONDS = 10.0
SIDE_SECONDS = 5.0
STOP_SECONDS = 25.0  # a supervisor loses patience at 30


class Worker:
    """One worker process: built closed, opened by `run`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        catalog = load_catalog()
        self._knowledge = Knowledge(
            catalog, erasure_key=settings.erasure_key.get_secret_value().encode(), owner=self._owner
        )
        metrics.EVALUATION_BUDGET.set(settings.evaluation_budget_seconds)
        self._pulse = Pulse()
        self._given_up: int | None = None  # the generation whose bundles are no longer taken
        # The last bundle of each partition number: partition n of all topics has the same users, so its bundles wait
        # for each other, while Python works on one number and PostgreSQL on another.
        self._last: dict[int, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(2 * settings.worker_lanes)
        self._brake_shared = False  # whether the brake is on in the database too
        self._names = {settings.topic(name): name for name in INPUT_TOPICS}
        self._runner = Runner(
            settings.postgres_url,
            self._knowledge,
            lanes=settings.worker_lanes,
            bundle_bytes=settings.bundle_bytes,
            leaving=lambda: bool(self._app.rebalancing or self._app.should_stop),
            brake=Brake(settings.brake_in_a_row, settings.brake_percent),
        )
        self._seeker = Seeker(self._runner, self._names, self._owner)
        self._slot = Slot(settings.postgres_url, settings.topic(settings.group), die)
        self._app, self._topic = create_app(settings, INPUT_TOPICS, self._seeker.positions)
        self._app.agent(self._topic, concurrency=1, name="worker")(self._take)
        self._app.on_partitions_assigned.connect(self._on_assigned)
        self._app.on_partitions_revoked.connect(self._on_revoked)

    async def run(self) -> int:
        """Work until SIGTERM or SIGINT; answers the exit code."""
        for line in self._knowledge.catalog.boot_lines():
            log.info("catalog", badges=line)
        if "erasure_key" not in self._settings.model_fields_set:
            log.warning("GATEFOLD_ERASURE_KEY is not set: hashes of deleted users could be guessed")
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        stopped = asyncio.create_task(stop.wait())
        self._pool = self._seeker.pool = await open_pool(
            self._settings.postgres_url, application="gatefold-worker-side", size=2, command_seconds=SIDE_SECONDS
        )
        endpoint = metrics.serve_http(
            self._settings.worker_host,
            self._settings.worker_port,
            health=self._healthy,
            ready=self._ready,
            or_any="worker_port" not in self._settings.model_fields_set,
        )
        await self._probe()  # a worker that was started anew stands still if the ones before it had to
        taking = asyncio.create_task(self._slot.take())
        await asyncio.wait([stopped, taking], return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            return 0
        taking.result()
        self._app.conf.consumer_group_instance_id = self._slot.instance_id
        log.info("slot", number=self._slot.number)
        watch(self._pulse, self._coordinator_error)
        background = [asyncio.create_task(task) for task in (self._consume(), self._beat(), self._slot.keep())]
        ended, _ = await asyncio.wait([stopped, *background], return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            die("something ended that never should", ended.pop().exception() or self._app.crash_reason)
        log.info("stopping")
        self._pulse.stopping = True
        loop.call_later(STOP_SECONDS, die, "did not stop in time")
        await self._app.stop()
        for task in background:
            task.cancel()
        endpoint.close()
        self._pool.terminate()
        log.info("stopped")
        return 0

    async def _consume(self) -> None:
        """Until Faust crashes."""
        await self._app.start()
        await self._app._crashed.wait()

    # -- bundles ------------------------------------------------------------------------------------------------

    async def _take(self, stream: Any) -> None:
        """The agent: hands bundles to the lanes, in order within a partition number; nothing escapes."""
        async for event in stream.noack().events():
            await self._room.acquire()
            number = event.message.tp.partition
            self._last[number] = asyncio.create_task(self._work_off(stream, event, self._last.get(number)))

    async def _work_off(self, stream: Any, event: Any, before: asyncio.Task[None] | None) -> None:
        """One bundle, acknowledged after its commit and never before."""
        try:
            if before is not None:
                await before
            message, generation = event.message, self._app.consumer_generation_id
            if message.generation_id != generation or self._given_up == generation:
                self._app.consumer.unacked.discard(message)
                return
            tp = message.tp
            if await self._runner.run(self._names[tp.topic], tp.partition, message.value):
                await stream.ack(event)
            else:
                self._given_up = generation
                self._app.consumer.unacked.discard(message)
                if not (self._app.rebalancing or self._app.should_stop):
                    die("a partition without an account in the ledger")
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            die(str(error) if isinstance(error, Gap) else type(error).__name__, error)
        finally:
            self._room.release()

    # -- membership and health ----------------------------------------------------------------------------------

    async def _on_assigned(self, app: Any, assigned: set[TP], **_: Any) -> None:
        self._given_up = None
        self._pulse.assigned, self._pulse.assignment_changed = True, time.monotonic()
        self._pulse.progress = time.monotonic()
        metrics.ASSIGNED.set(len(assigned))
        log.info("assigned", partitions=len(assigned), numbers=sorted({tp.partition for tp in assigned}))

    async def _on_revoked(self, app: Any, revoked: set[TP], **_: Any) -> None:
        self._pulse.assigned, self._pulse.assignment_changed = False, time.monotonic()
        metrics.ASSIGNED.set(0)
        metrics.LAG.clear()
        log.info("revoked", partitions=len(revoked))

    async def _beat(self) -> None:
        # Bundles allocate by the million and leave no cycles: the collector would take half of the time.
        gc.collect()
        gc.freeze()
        gc.disable()
        swept = probed = time.monotonic()
        while True:
            braked = self._runner.brake.why is not None
            if braked or time.monotonic() - probed > PROBE_SECONDS:
                await self._probe()
                probed = time.monotonic()
            if time.monotonic() - swept > GARBAGE_SECONDS:
                gc.collect()
                await costs.tell(self._pool)
                swept = time.monotonic()
            self._pulse.beat = time.monotonic()
            self._pulse.progress = max(self._pulse.progress, self._runner.progress)
            if braked:
                self._pulse.progress = time.monotonic()  # standing still on purpose
            self._measure_lag()
            await asyncio.sleep(1)

    def _measure_lag(self) -> None:
        """Records behind the end of each assigned partition, as far as fetches have told."""
        if not self._pulse.assigned:
            return
        total = 0
        behind: dict[str, int] = {}
        for tp in self._app.consumer.assignment():
            topic = self._names[tp.topic]
            end = self._app.consumer.highwater(tp) or 0
            lag = max(0, end - self._runner.positions.get((topic, tp.partition), end))
            behind[topic] = behind.get(topic, 0) + lag
            total += lag
        for topic, lag in behind.items():
            metrics.LAG.labels(topic).set(lag)
        if total == 0:
            self._pulse.progress = time.monotonic()
        self._pulse.lag = total

    def _coordinator_error(self) -> str | None:
        return coordinator_error(self._app)

    def _healthy(self) -> tuple[bool, Mapping[str, Any]]:
        fault = self._pulse.fault(time.monotonic(), self._coordinator_error)
        return fault is None, {"fault": fault} if fault else {}

    async def _probe(self) -> None:
        """What PostgreSQL says of the brake; while it does not answer, a standstill is no fault of ours."""
        try:
            async with self._pool.acquire(timeout=2) as connection:
                await self._share_brake(connection)
            self._pulse.hear_postgres(time.monotonic(), True)
        except TRANSIENT:
            self._pulse.hear_postgres(time.monotonic(), False)

    async def _share_brake(self, connection: Connection) -> None:
        """Tell the other workers that the brake is on, or hear it from them; and hear that it was lifted."""
        ours = self._runner.brake
        if ours.why is not None and not self._brake_shared:
            await brake.pull(connection, ours.why, timeout=2)
            self._brake_shared = True
        theirs = await brake.why(connection, timeout=2)
        if theirs is not None:
            ours.pull(theirs)
            self._brake_shared = True
        elif self._brake_shared:
            ours.release()
            self._brake_shared = False

    async def _ready(self) -> tuple[bool, Mapping[str, Any]]:
        await self._probe()
        postgres = self._pulse.postgres_since is not None
        facts = {
            "assigned": self._pulse.assigned,
            "postgres": postgres,
            "lag": self._pulse.lag,
            "owner": self._owner,
        }
        if (braked := self._runner.brake.why) is not None:
            facts["brake"] = braked
        return self._pulse.assigned and postgres and braked is None, facts


def main(settings: Settings) -> int:
    """Run a worker until it is told to stop; answers the exit code."""
    import uvloop

    async def run() -> int:
        return await Worker(settings).run()  # built inside: Faust keeps the loop it is born in

    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # also for the loop of the consumer's thread
    return asyncio.run(run())
