"""Bundles through `process` in this process: to measure without Kafka, and to learn what each bundle changes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from bench.changes import Change, Watcher, tables
from bench.databases import session
from bench.load import TOPIC, Sample
from catalog.index import load_catalog
from services.stores import ledger
from services.stores.postgres import Connection
from services.worker.bundle import process
from services.worker.work import Knowledge


@dataclass(frozen=True, slots=True)
class Bundle:
    """Records of one partition that one transaction takes."""

    partition: int
    records: Sequence[Sample]

    @property
    def items(self) -> int:
        """Copies that its events add."""
        return sum(record.items for record in self.records)


def cut(records: Sequence[Sample], size: int) -> list[Bundle]:
    """Bundles of `size` records of partition 0."""
    return [Bundle(0, records[start : start + size]) for start in range(0, len(records), size)]


def knowledge() -> Knowledge:
    """What a new worker knows."""
    return Knowledge(load_catalog(), erasure_key=b"bench", owner="bench")


async def open_accounts(connection: Connection, bundles: Iterable[Bundle]) -> None:
    """Begin the ledger of each partition at its first record."""
    first: dict[int, int] = {}
    for bundle in bundles:
        first.setdefault(bundle.partition, bundle.records[0].offset)
    for partition, offset in first.items():
        await ledger.open_partition(connection, TOPIC, partition, offset, "bench")


async def run(connection: Connection, bundles: Sequence[Bundle], known: Knowledge | None = None) -> list[float]:
    """Process the bundles; answers the time after each commit, and first that of the beginning."""
    known = known or knowledge()
    await open_accounts(connection, bundles)
    marks = [time.perf_counter()]
    for bundle in bundles:
        await process(connection, known, TOPIC, bundle.partition, bundle.records)
        marks.append(time.perf_counter())
    return marks


async def changes(url: str, bundles: Sequence[Bundle]) -> AsyncIterator[list[Change]]:
    """What each bundle changes, on the empty database at `url`."""
    known = knowledge()
    async with session(url) as connection, session(url) as present, session(url) as past:
        await open_accounts(connection, bundles)
        await present.execute("set enable_seqscan = on")  # rows are found by their age, for which there is no index
        watcher = Watcher(present, past, await tables(present))
        for bundle in bundles:
            await watcher.begin()
            await process(connection, known, TOPIC, bundle.partition, bundle.records)
            yield await watcher.end()


def rate(marks: Sequence[float], units: Sequence[int], warm: float = 0.05) -> float:
    """Units per second, without the bundles before the share `warm` of all units is done."""
    total, done = sum(units), 0
    for at, number in enumerate(units):
        if done >= warm * total:
            return (total - done) / (marks[-1] - marks[at])
        done += number
    raise ValueError("nothing is left to measure")
