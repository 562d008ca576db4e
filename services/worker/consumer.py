"""Faust, made to hand over bundles and to trust the ledger instead of Kafka's committed offsets.

Source:  Faust acknowledges a message even when the agent raised, and makes a task per message. Here a message is the
         list of records that one partition's fetch brought, nothing is acknowledged before its commit, and every
         assignment seeks to the ledger. Relies on internals of the three pinned packages (pyproject.toml).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import faust
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport, ensure_aiokafka_TP
from faust.types import TP

from services.logs import logger
from services.settings import Settings

log = logger(__name__)

# Where each assigned partition has to be read from, given the offsets that its log holds.
Positions = Callable[[Mapping[TP, range]], Awaitable[Mapping[TP, int]]]

SEEK_AGAIN_SECONDS: Final = 0.02
BUFFERED_SECONDS: Final = 0.02
# An assignment asks for offsets on the connection where a fetch waits for records: Faust's 1.5 s are a pause for all.
LONG_POLL_MILLISECONDS: Final = 250


class RangeThread(AIOKafkaConsumerThread):  # type: ignore[misc]
    """Partition n of every topic goes to one worker: Faust sets round-robin just before it builds the consumer."""

    @property
    def _assignor(self) -> Any:
        return RangePartitionAssignor

    @_assignor.setter
    def _assignor(self, value: object) -> None:
        pass

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = LONG_POLL_MILLISECONDS
        return consumer

    async def committed(self, partitions: Iterable[TP]) -> dict[TP, int | None]:
        """What Kafka was last told of each partition."""
        consumer = self._ensure_consumer()
        return {tp: await consumer.committed(tp) for tp in partitions}

    async def go_to(self, positions: Mapping[TP, int]) -> None:
        """Read on from there, all at once and in the thread that fetches; and tell Kafka, whose lag others look at."""
        consumer = self._ensure_consumer()
        for tp, offset in positions.items():
            consumer.seek(tp, offset)
        try:
            await consumer.commit({ensure_aiokafka_TP(tp): offset for tp, offset in positions.items()})
        except KafkaError as error:
            log.debug("positions not committed", error=f"{type(error).__name__}: {error}")


class BundleConsumer(Consumer):  # type: ignore[misc]
    """Hands over one message per partition and fetch, whose value is the list of its records."""

    def _new_consumer_thread(self) -> RangeThread:
        return RangeThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:
        # A partition whose bundles wait to be taken is left out of a fetch, and Faust does not look again before the
        # time is over: for a second there may be nothing to do although everything is there.
        while self.flow_active and self._buffered_partitions and not self._get_active_partitions():
            await asyncio.sleep(BUFFERED_SECONDS)
            if self.should_stop:
                return
        records, active = await self._wait_next_records(BUFFERED_SECONDS if self._buffered_partitions else timeout)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            try:
                await self.perform_seek()
            except Exception as error:
                # The partitions were taken away meanwhile; whoever is given them seeks anew, as we do.
                log.info("partitions moved while seeking", error=f"{type(error).__name__}: {error}")
            return
        for tp, batch in records.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                break
            if batch and (active is None or tp in active or tp in self._buffered_partitions):
                self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
                message = self._to_message(tp, batch[-1])
                message.value = batch
                yield tp, message

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """The ledger knows of gaps; Faust would list every offset in them."""

    def _new_offset(self, tp: TP) -> int | None:
        """What Kafka is told: acknowledgements come in order, so the highest is the position."""
        acked = self._acked[tp]
        if not acked:
            return None
        highest: int = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return highest + 1

    def highwater(self, tp: TP) -> int | None:
        """End of a partition's log as far as fetches have told; None also for one that was just taken away."""
        try:
            end: int | None = super().highwater(tp)
            return end
        except IllegalStateError:
            return None

    async def perform_seek(self) -> None:
        """On every assignment, before the flow resumes: read on from the ledger, wherever Kafka thinks we are."""
        while not self.should_stop:
            try:
                await self._seek_to_ledger()
                return
            except IllegalStateError:
                # The group has moved on while we asked: what counts is the assignment of now.
                await asyncio.sleep(SEEK_AGAIN_SECONDS)

    async def _seek_to_ledger(self) -> None:
        """Every partition, also one that seems to be in place: a fetch may have been thrown away meanwhile."""
        thread, assigned = self._thread, self.assignment()
        if not assigned:
            return
        # Side by side: each may have to wait for the long poll that is under way on the same connection.
        beginnings, ends = await asyncio.gather(self.earliest_offsets(*assigned), self.highwaters(*assigned))
        logs = {tp: range(beginning, ends[tp]) for tp, beginning in beginnings.items()}
        positions = await self.app.positions(logs)
        if not positions:
            # Kafka is told after the commit: reading from there repeats what is done, and skips nothing.
            told = await thread.call_thread(thread.committed, assigned)
            positions = {tp: told[tp] or held.start for tp, held in logs.items()}
        await thread.call_thread(thread.go_to, positions)
        self._read_offset.update({tp: offset or None for tp, offset in positions.items()})
        self._committed_offset.update(positions)


class BundleTransport(Transport):  # type: ignore[misc]
    """Faust's transport with our consumer."""

    Consumer = BundleConsumer


class WorkerApp(faust.App):  # type: ignore[misc]
    """A Faust app whose consumer asks `positions` where to read from."""

    positions: Positions

    def _new_transport(self) -> BundleTransport:
        return BundleTransport(self.conf.broker, self, self.loop)


def coordinator_error(app: WorkerApp) -> str | None:
    """An error of group coordination: aiokafka parks it for a call that Faust never makes. None while all is well."""
    thread = getattr(app.consumer, "_thread", None)
    consumer = getattr(thread, "_consumer", None)
    coordinator = getattr(consumer, "_coordinator", None)
    error = getattr(coordinator, "_pending_exception", None)
    if error is not None:
        return repr(error)
    task = getattr(coordinator, "_coordination_task", None)
    if task is not None and task.done() and not app.should_stop and not getattr(consumer, "_closed", False):
        return "its task has ended"
    return None


def create_app(settings: Settings, topics: Sequence[str], positions: Positions) -> tuple[WorkerApp, Any]:
    """A Faust app and the topic of all input topics together, read as raw bytes; nothing connects yet."""
    app = WorkerApp(
        settings.topic(settings.group),
        broker=[f"kafka://{server}" for server in settings.bootstrap.split(",")],
        store="memory://",
        datadir=settings.scratch,
        autodiscover=False,
        web_enabled=False,
        processing_guarantee="at_least_once",
        topic_disable_leader=True,  # leadership is a lock in PostgreSQL
        topic_allow_declare=False,  # `gatefold topics` declares
        table_standby_replicas=0,  # anything else selects Faust's own assignor
        producer_threaded=False,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=2 * 1024 * 1024,
        consumer_metadata_max_age_ms=60_000,
        broker_max_poll_records=settings.bundle_records,
        stream_buffer_maxsize=4,  # bundles in flight
        stream_wait_empty=True,  # the running bundle finishes before partitions are given away
        broker_commit_interval=1.0,
        # A pipeline that waits for PostgreSQL must not leave the group: the watchdog looks after progress instead.
        broker_max_poll_interval=864_000,
        broker_session_timeout=settings.session_seconds,
        broker_heartbeat_interval=min(3.0, settings.session_seconds / 3),
        broker_rebalance_timeout=45,
        broker_request_timeout=60,
    )
    app.positions = positions
    names = [settings.topic(name) for name in topics]
    return app, app.topic(*names, key_type=bytes, value_type=None, key_serializer="raw", value_serializer="raw")
