"""Dump files into the catalogue: batch after batch, each in a transaction with the position that it ends at."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from services.catalogue import finish
from services.catalogue.batches import Batch
from services.catalogue.dump import Kind, Position
from services.catalogue.reader import Over, Read, ToRead, read, resident
from services.catalogue.watcher import Watcher
from services.stores import catalogue_load
from services.stores.catalogue_load import FileState, Load
from services.stores.facts import FacetIds
from services.stores.postgres import Connection

LOCK_SECONDS = 3.0  # a load that was killed lets go of the lock when its session notices


class Busy(Exception):
    """Another load runs."""


@dataclass(frozen=True, slots=True)
class File:
    """A dump file and what is in it."""

    path: Path
    kind: Kind

    @property
    def name(self) -> str:
        """By which a load knows it again."""
        return self.path.name.removesuffix(".gz")


@dataclass(slots=True)
class Counts:
    """What a file held, since the load began."""

    elements: int = 0
    bad: int = 0
    broken: str | None = None


@dataclass(slots=True)
class Summary:
    """What a load did."""

    as_of: date
    files: list[Counts]
    load_id: int | None = None
    finished: bool = False
    releases: int = 0
    totals: int = 0
    gone: int = 0
    resident: int = 0  # bytes that this process and its reader held at most
    earlier: list[date] = field(default_factory=list)

    @property
    def flawless(self) -> bool:
        """Whether every element of every file was loaded."""
        return not any(one.bad or one.broken for one in self.files)


Source = Callable[[Sequence[ToRead], date], AsyncGenerator[Read | Over, None]]


async def load(
    connection: Connection,
    files: Sequence[File],
    as_of: date,
    *,
    whole: bool,
    watch: Watcher,
    source: Source = read,
) -> Summary:
    """Load these files of one dump; where a load of that day was not finished, go on with it.

    Shape:   `whole`: the files are whole dumps, so releases that they no longer have no longer count. Where a file
             breaks off the load stays unfinished: totals, dates and news come with the load that ends it. `source`
             reads the files.

    Raises:  Busy; reader.ReaderDied.
    """
    await _lock(connection)
    await catalogue_load.settle(connection)
    summary = Summary(as_of, [Counts() for _ in files])
    now = None
    for earlier in await catalogue_load.unfinished(connection):
        if earlier.as_of == as_of:
            now = earlier
        else:
            await finish.finish(connection, earlier, whole=False, watch=watch)
            summary.earlier.append(earlier.as_of)
    now = now or await catalogue_load.begin(connection, as_of)
    summary.load_id = now.load_id
    await _read(connection, now, files, summary, watch, source)
    if not any(one.broken for one in summary.files):
        whole = whole and any(file.kind == "release" for file in files)
        summary.gone = await finish.finish(connection, now, whole=whole, watch=watch)
        summary.finished = True
    summary.releases, summary.totals = await catalogue_load.changes(connection, now)
    return summary


async def count(files: Sequence[File], as_of: date, *, watch: Watcher) -> Summary:
    """Only read the files, and say what is in them."""
    summary = Summary(as_of, [Counts() for _ in files])
    async with contextlib.aclosing(read([ToRead(str(file.path)) for file in files], as_of)) as messages:
        async for message in messages:
            if isinstance(message, Over):
                _note_end(message, summary, watch)
            else:
                _note(message.file, message.batch, summary, watch)
    return summary


async def _lock(connection: Connection) -> None:
    end = time.monotonic() + LOCK_SECONDS
    while not await catalogue_load.try_lock(connection):
        if time.monotonic() > end:
            raise Busy
        await asyncio.sleep(0.1)


async def _read(
    connection: Connection, now: Load, files: Sequence[File], summary: Summary, watch: Watcher, source: Source
) -> None:
    known = await catalogue_load.files(connection, now)
    counts = now.as_of >= await catalogue_load.completed(connection)
    newest = {file.kind: now.as_of >= await catalogue_load.named(connection, file.kind) for file in files}
    facet_ids = FacetIds()
    orders = []
    for file in files:
        state = known.get(file.name)
        start = Position(state.bytes, state.lines, state.checksum) if state else None
        orders.append(ToRead(str(file.path), start))
    async with contextlib.aclosing(source(orders, now.as_of)) as messages:
        async for message in messages:
            file, seen = files[message.file], summary.files[message.file]
            if isinstance(message, Over):
                if not seen.elements and (state := known.get(file.name)):
                    seen.elements, seen.bad = state.elements, state.bad  # nothing was left to read
                _note_end(message, summary, watch)
                continue
            batch = message.batch
            if not seen.elements and (state := known.get(file.name)) and batch.begin == state.bytes:
                seen.elements, seen.bad = state.elements, state.bad
            # Before the transaction: who counts these facts needs the ids of their values, whatever becomes of it.
            await facet_ids.ensure(connection, batch.values)
            async with connection.transaction():
                await catalogue_load.stage(connection, batch.kind, batch.rows)
                await catalogue_load.share_catalogue(connection)
                if batch.kind == "release":
                    await catalogue_load.merge_releases(connection, now, counts=counts)
                else:
                    await catalogue_load.merge_names(connection, now, batch.kind, newest=newest[batch.kind])
                _note(message.file, batch, summary, watch)
                state = FileState(*_numbers(batch.end), seen.elements, seen.bad)
                await catalogue_load.save_file(connection, now, file.name, batch.kind, state)


def _numbers(at: Position) -> tuple[int, int, int]:
    return at.bytes, at.lines, at.checksum


def _note(file: int, batch: Batch, summary: Summary, watch: Watcher) -> None:
    seen = summary.files[file]
    seen.elements += batch.elements
    seen.bad += len(batch.bad)
    for bad in batch.bad:
        watch.bad(file, bad)
    watch.read(file, batch.read, seen.elements)


def _note_end(message: Over, summary: Summary, watch: Watcher) -> None:
    summary.resident = max(summary.resident, message.resident + resident())
    if message.broken is not None:
        summary.files[message.file].broken = message.broken
        watch.broken(message.file, message.line, message.broken)
