"""Real workers on a backlog in real Kafka: how fast they go, and which bundles they made."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg
import psutil

from bench.bundles import Bundle
from bench.load import SOURCE, TOPIC, Sample
from services.kafka import Outgoing, Publisher, partition_of
from services.settings import Settings
from services.stores import inbox
from services.topics import TopicAdmin, plan

POLL_SECONDS: Final = 0.02
STALL_SECONDS: Final = 60.0
# While this share of the records is being processed, all workers have joined and all of their lanes have work.
FULL: Final = (0.25, 0.9)
PARTITIONS: Final = 8
SENT_AT_ONCE: Final = 5000

# The transaction that took an event in is the xmin of its identity; transactions of one worker come one by one.
TAKEN: Final = "select xmin::text::bigint as bundle, identity from inbox"


class WorkerFailed(Exception):
    """The worker ended, stalled, or did not process everything that was sent."""


@dataclass(frozen=True, slots=True)
class Run:
    """What the workers did: items per second while all lanes had work, their bundles in order, WAL bytes in all.

    Units:   `cpu` is what they worked an item, in seconds; `busy` the share of all cores that anybody kept busy.
    """

    rate: float
    cpu: float
    busy: float
    bundles: list[Bundle]
    wal: int


class Mark(NamedTuple):
    """How far the workers were at a time: records, what they had worked and what all cores had, in seconds."""

    at: float
    done: int
    worked: float
    busy: float


@dataclass(frozen=True, slots=True)
class Running:
    """A process and where it logs."""

    process: subprocess.Popen[bytes]
    log: Path


def placed(records: Sequence[Sample]) -> list[list[Sample]]:
    """The records by partition, with the offsets they get in an empty topic."""
    lanes: list[list[Sample]] = [[] for _ in range(PARTITIONS)]
    for record in records:
        lane = lanes[partition_of(record.key, range(PARTITIONS))]
        record.offset = len(lane)
        lane.append(record)
    return lanes


async def drain(url: str, kafka: str, records: Sequence[Sample], *, workers: int = 1, topic: str = TOPIC) -> Run:
    """Send the records to a topic of their own, start workers on that backlog, wait until all is processed.

    Raises:  WorkerFailed with the last lines of the worker's log.
    """
    settings = Settings(
        postgres_url=url,
        kafka_url=kafka,
        topic_prefix=f"bench{secrets.token_hex(4)}.",
        topic_partitions=PARTITIONS,
    )
    lanes = placed(records)
    await declare(settings)
    await _send(settings, topic, records)
    connection = await asyncpg.connect(url)
    try:
        before = await connection.fetchval("select pg_current_wal_insert_lsn()")
        begin, end = await _watch(settings, connection, records, workers)
        seconds, items = end.at - begin.at, (end.done - begin.done) * sum(one.items for one in records) / len(records)
        busy = (end.busy - begin.busy) / seconds / (os.cpu_count() or 1)
        wal = int(await connection.fetchval("select pg_current_wal_insert_lsn() - $1::pg_lsn", before))
        bundles = await _bundles(connection, lanes)
        return Run(items / seconds, (end.worked - begin.worked) / items, busy, bundles, wal)
    finally:
        await connection.close()


async def declare(settings: Settings) -> None:
    admin = TopicAdmin(settings)
    await admin.open()
    try:
        await admin.create(plan(settings, await admin.existing()))
    finally:
        await admin.close()


async def _send(settings: Settings, topic: str, records: Sequence[Sample]) -> None:
    publisher = Publisher(settings.bootstrap)
    await publisher.open()
    try:
        for start in range(0, len(records), SENT_AT_ONCE):
            part = records[start : start + SENT_AT_ONCE]
            report = await publisher.publish(
                [Outgoing(settings.topic(topic), one.key, one.value, one.headers) for one in part]
            )
            if len(report.sent) < len(part):
                raise WorkerFailed(f"Kafka did not take the backlog: {report.error or report.refused[:1]}")
    finally:
        await publisher.close()


async def _watch(
    settings: Settings, connection: asyncpg.Connection[asyncpg.Record], records: Sequence[Sample], workers: int
) -> tuple[Mark, Mark]:
    """Run the workers until the ledger has every record; the marks between which all lanes had work.

    Shape:   what is under way at the first mark is as much as at the last: with marks at the beginning and the end of
             the backlog it would count as done in no time, the more the larger a bundle is beside the backlog.
    """
    with tempfile.TemporaryDirectory(prefix="gatefold-bench-") as scratch:
        async with running(settings, scratch, ["worker"] * workers) as processes:
            marks = await _marks(connection, processes, len(records))
    begin, end = (next(mark for mark in marks if mark.done >= share * len(records)) for share in FULL)
    if begin.done == end.done:
        raise WorkerFailed("the backlog is too small to measure")
    return begin, end


@contextlib.asynccontextmanager
async def running(settings: Settings, scratch: str, names: Sequence[str]) -> AsyncIterator[list[Running]]:
    """Processes of these names, `worker` or `relay`, stopped at the end."""
    environment = os.environ | {
        "GATEFOLD_POSTGRES_URL": settings.postgres_url,
        "GATEFOLD_KAFKA_URL": settings.kafka_url,
        "GATEFOLD_TOPIC_PREFIX": settings.topic_prefix,
        "GATEFOLD_TOPIC_PARTITIONS": str(settings.topic_partitions),
        "GATEFOLD_WORKER_PORT": "0",
        "GATEFOLD_RELAY_PORT": "0",
        "GATEFOLD_SCRATCH": scratch,
        "GATEFOLD_ERASURE_KEY": "bench",
    }
    started = []
    for at, name in enumerate(names):
        log = Path(scratch) / f"{name}-{at}.log"
        with log.open("wb") as output:
            command = [sys.executable, "-m", "services.cli.main", name]
            started.append(Running(subprocess.Popen(command, env=environment, stdout=output, stderr=output), log))
    try:
        yield started
    finally:
        for one in started:
            one.process.terminate()
        for one in started:
            try:
                await asyncio.to_thread(one.process.wait, 30)
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()


async def _marks(
    connection: asyncpg.Connection[asyncpg.Record], processes: Sequence[Running], count: int
) -> list[Mark]:
    """A mark whenever more records were processed."""
    marks = [_mark(processes, 0)]
    while marks[-1].done < count:
        await asyncio.sleep(POLL_SECONDS)
        row = await connection.fetchrow(
            "select coalesce(sum(processed), 0)::bigint as good,"
            " coalesce(sum(duplicate + dead + hole), 0)::bigint as bad from offset_ledger"
        )
        assert row is not None
        if row["good"] > marks[-1].done:
            marks.append(_mark(processes, row["good"]))
        fault = None
        if row["bad"]:
            fault = f"{row['bad']} records were not processed"
        elif ended := [one for one in processes if one.process.poll() is not None]:
            fault = f"a worker ended with exit code {ended[0].process.returncode}"
        elif time.perf_counter() - marks[-1].at > STALL_SECONDS:
            fault = f"nothing was processed for {STALL_SECONDS:.0f} s"
        if fault:
            raise WorkerFailed("\n".join((fault, *(_tail(one.log) for one in processes))))
    return marks


def _mark(processes: Sequence[Running], done: int) -> Mark:
    worked = 0.0
    for one in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = psutil.Process(one.process.pid).cpu_times()
            worked += times.user + times.system
    every = psutil.cpu_times()
    return Mark(time.perf_counter(), done, worked, every.user + every.system)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])


async def _bundles(connection: asyncpg.Connection[asyncpg.Record], lanes: Sequence[Sequence[Sample]]) -> list[Bundle]:
    """The records that each transaction took, in the order of the transactions."""
    found = {row["identity"]: row["bundle"] for row in await connection.fetch(TAKEN)}
    taken: dict[tuple[int, int], list[Sample]] = {}
    for partition, lane in enumerate(lanes):
        for record in lane:
            name = inbox.identity(SOURCE, dict(record.headers)["ce_id"].decode())
            taken.setdefault((found[name], partition), []).append(record)
    return [Bundle(partition, part) for (_, partition), part in sorted(taken.items(), key=lambda one: one[0])]
