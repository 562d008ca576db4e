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
from typing import Final

import asyncpg

from bench.bundles import Bundle
from bench.load import SOURCE, TOPIC, Sample
from services.kafka import Outgoing, Publisher, partition_of
from services.settings import Settings
from services.stores import inbox
from services.topics import TopicAdmin, plan

POLL_SECONDS: Final = 0.02
STALL_SECONDS: Final = 60.0
WARM: Final = 0.05
PARTITIONS: Final = 8
SENT_AT_ONCE: Final = 5000

# The transaction that took an event in is the xmin of its identity; transactions of one worker come one by one.
TAKEN: Final = "select xmin::text::bigint as bundle, identity from inbox"


class WorkerFailed(Exception):
    """The worker ended, stalled, or did not process everything that was sent."""


@dataclass(frozen=True, slots=True)
class Run:
    """What the worker did: items per second after the first 5 %, its bundles in order, WAL bytes in all."""

    rate: float
    bundles: list[Bundle]
    wal: int


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


async def drain(url: str, kafka: str, records: Sequence[Sample], *, workers: int = 1) -> Run:
    """Send the records to topics of their own, start workers on that backlog, wait until all is processed.

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
    await _send(settings, records)
    connection = await asyncpg.connect(url)
    try:
        before = await connection.fetchval("select pg_current_wal_insert_lsn()")
        rate = await _watch(settings, connection, records, workers)
        wal = int(await connection.fetchval("select pg_current_wal_insert_lsn() - $1::pg_lsn", before))
        return Run(rate, await _bundles(connection, lanes), wal)
    finally:
        await connection.close()


async def declare(settings: Settings) -> None:
    admin = TopicAdmin(settings)
    await admin.open()
    try:
        await admin.create(plan(settings, await admin.existing()))
    finally:
        await admin.close()


async def _send(settings: Settings, records: Sequence[Sample]) -> None:
    publisher = Publisher(settings.bootstrap)
    await publisher.open()
    topic = settings.topic(TOPIC)
    try:
        for start in range(0, len(records), SENT_AT_ONCE):
            part = records[start : start + SENT_AT_ONCE]
            report = await publisher.publish([Outgoing(topic, one.key, one.value, one.headers) for one in part])
            if len(report.sent) < len(part):
                raise WorkerFailed(f"Kafka did not take the backlog: {report.error or report.refused[:1]}")
    finally:
        await publisher.close()


async def _watch(
    settings: Settings, connection: asyncpg.Connection[asyncpg.Record], records: Sequence[Sample], workers: int
) -> float:
    """Run the workers until the ledger has every record; items per second between 5 % and the end."""
    items_each = sum(record.items for record in records) / len(records)
    with tempfile.TemporaryDirectory(prefix="gatefold-bench-") as scratch:
        async with running(settings, scratch, ["worker"] * workers) as processes:
            marks = await _marks(connection, processes, len(records))
    begin = next(mark for mark in marks if mark[1] >= WARM * len(records))
    if begin[1] == len(records):
        raise WorkerFailed("the backlog is too small to measure")
    return (len(records) - begin[1]) * items_each / (marks[-1][0] - begin[0])


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
) -> list[tuple[float, int]]:
    """Time and number of records processed, whenever the number had changed."""
    marks = [(time.perf_counter(), 0)]
    while marks[-1][1] < count:
        await asyncio.sleep(POLL_SECONDS)
        row = await connection.fetchrow(
            "select coalesce(sum(processed), 0)::bigint as good,"
            " coalesce(sum(duplicate + dead + hole), 0)::bigint as bad from offset_ledger"
        )
        assert row is not None
        if row["good"] > marks[-1][1]:
            marks.append((time.perf_counter(), row["good"]))
        fault = None
        if row["bad"]:
            fault = f"{row['bad']} records were not processed"
        elif ended := [one for one in processes if one.process.poll() is not None]:
            fault = f"a worker ended with exit code {ended[0].process.returncode}"
        elif time.perf_counter() - marks[-1][0] > STALL_SECONDS:
            fault = f"nothing was processed for {STALL_SECONDS:.0f} s"
        if fault:
            raise WorkerFailed("\n".join((fault, *(_tail(one.log) for one in processes))))
    return marks


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
