"""Single events of random users beside bare SQL and COPY, pages beside single events, two workers beside one."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median

from bench import bundles, floors, load, worker
from bench.bundles import Bundle
from bench.databases import database, session, settle
from bench.plan import Engines, Scale, Steps
from bench.population import Group, populated
from bench.results import Result

SQL_GOAL = 0.7
COPY_GOAL = 0.10
PAGES_GOAL = 4
WORKERS_GOAL = 1.6


@dataclass(frozen=True, slots=True)
class Floors:
    """Items per second of both floors, and rows that each item changed."""

    sql: float
    copy: float
    rows: float


async def measure_floors(server: str, population: str, planned: list[Bundle]) -> Floors:
    """Measure bare SQL and COPY with these bundles, each on a database of its own."""
    units = [bundle.items for bundle in planned]
    rows = 0
    prepared: list[list[floors.Statement]] = []
    async with database(server, population) as url:
        async for changes in bundles.changes(url, planned):
            rows += sum(len(change.inserted) + len(change.updated) for change in changes)
            prepared.append(floors.prepare_sql(changes))
    async with database(server, population) as url, session(url) as connection:
        await settle(connection)
        await bundles.open_accounts(connection, planned)
        sql = bundles.rate(await floors.run_sql(connection, prepared), units)
    prepared.clear()
    raw = [floors.prepare_copy(bundle.partition, bundle.records) for bundle in planned]
    async with database(server, population) as url, session(url) as connection:
        await settle(connection)
        copied = bundles.rate(await floors.run_copy(connection, raw), units)
    return Floors(sql, copied, rows / sum(units))


async def single(engines: Engines, scale: Scale, steps: Steps) -> list[Result]:
    """Events of one item, beside the same changes as bare SQL and the raw records by COPY."""
    name, unit = "single", "events/s"
    crowd = Group("user", scale.users, scale.records)
    runs: list[worker.Run] = []
    found: list[Floors] = []
    steps.begin(name, 1 + 2 * scale.rounds)
    async with populated(engines.postgres, [crowd]) as population:
        steps.done(f"{crowd.users:,} users with {crowd.records} records each")
        for turn in range(scale.rounds):
            records = load.random_events(scale.events, crowd.members(), 1, seed=turn)
            async with database(engines.postgres, population) as url:
                runs.append(await worker.drain(url, engines.kafka, records))
            steps.done(f"one worker: {runs[-1].rate:,.0f} {unit}")
            found.append(await measure_floors(engines.postgres, population, runs[-1].bundles))
            steps.done(f"bare SQL: {found[-1].sql:,.0f} {unit}, COPY: {found[-1].copy:,.0f} {unit}")
    size = median(len(bundle.records) for run in runs for bundle in run.bundles)
    wal = median(run.wal / scale.events for run in runs)
    rows = median(one.rows for one in found)
    note = f"{size:,.0f} records a bundle, {rows:.1f} rows and {wal:,.0f} B of WAL an event"
    rates = [run.rate for run in runs]
    return [
        Result(f"{name} / bare SQL", unit, *middle(rates, [one.sql for one in found]), ">=", SQL_GOAL, note),
        Result(f"{name} / COPY", unit, *middle(rates, [one.copy for one in found]), ">=", COPY_GOAL),
    ]


async def pages(engines: Engines, scale: Scale, steps: Steps) -> list[Result]:
    """Events of a hundred items, beside events of one; and what bare SQL gains by the same."""
    crowd = Group("user", scale.users, scale.records)
    last: dict[int, worker.Run] = {}
    bare: dict[int, float] = {}

    async def run(url: str, turn: int, items: int) -> float:
        count = scale.pages if items > 1 else scale.events
        records = load.random_events(count, crowd.members(), items, seed=turn)
        last[items] = await worker.drain(url, engines.kafka, records)
        return last[items].rate

    async def write_bare(population: str) -> None:
        for items, one in last.items():
            bare[items] = (await measure_floors(engines.postgres, population, one.bundles)).sql
            steps.done(f"bare SQL, {items}: {bare[items]:,.0f} items/s")

    ours, floor = await _in_turn("pages", "items/s", engines, scale, steps, [100, 1], run, write_bare)
    gain = f"{bare[100] / bare[1]:.1f} times its single events"
    note = f"bare SQL of the same rows: {bare[100]:,.0f} items/s in pages, {gain}"
    return [Result("pages of 100 / single events", "items/s", ours, floor, ">=", PAGES_GOAL, note)]


async def workers(engines: Engines, scale: Scale, steps: Steps) -> list[Result]:
    """Two workers beside one, on one backlog each."""
    crowd = Group("user", scale.users, scale.records)

    found: dict[int, list[worker.Run]] = {1: [], 2: []}

    async def run(url: str, turn: int, number: int) -> float:
        # Three times as many as elsewhere: the second worker joins while the first is at work already.
        records = load.random_events(3 * scale.events, crowd.members(), 1, seed=turn)
        found[number].append(await worker.drain(url, engines.kafka, records, workers=number))
        return found[number][-1].rate

    ours, floor = await _in_turn("workers", "events/s", engines, scale, steps, [2, 1], run)
    busy = {number: f"{median(one.busy for one in runs):.0%}" for number, runs in found.items()}
    cpu = {number: f"{median(one.cpu for one in runs) * 1e6:.0f}" for number, runs in found.items()}
    note = (
        f"{os.cpu_count()} cores for all: one worker keeps {busy[1]} of them busy, two {busy[2]};"
        f" an event takes {cpu[1]} µs of a worker's CPU, or {cpu[2]}"
    )
    return [Result("two workers / one", "events/s", ours, floor, ">=", WORKERS_GOAL, note)]


async def _in_turn(
    name: str,
    unit: str,
    engines: Engines,
    scale: Scale,
    steps: Steps,
    kinds: list[int],
    run: Callable[[str, int, int], Awaitable[float]],
    beside: Callable[[str], Awaitable[None]] | None = None,
) -> tuple[float, float]:
    """The rates of both kinds, each round on fresh copies of one population; those of the median ratio.

    Shape:   `beside` measures something else of that population in the end, in a step for each kind.
    """
    rates: list[list[float]] = [[], []]
    steps.begin(name, 1 + 2 * scale.rounds + (2 if beside else 0))
    async with populated(engines.postgres, [Group("user", scale.users, scale.records)]) as population:
        steps.done(f"{scale.users:,} users with {scale.records} records each")
        for turn in range(scale.rounds):
            for at, kind in enumerate(kinds):
                async with database(engines.postgres, population) as url:
                    rates[at].append(await run(url, turn, kind))
                steps.done(f"{kind}: {rates[at][-1]:,.0f} {unit}")
        if beside is not None:
            await beside(population)
    return middle(*rates)


def middle(ours: list[float], floor: list[float]) -> tuple[float, float]:
    """The round whose ratio is the median: both numbers of a result are of one round."""
    pairs = sorted(zip(ours, floor, strict=True), key=lambda pair: pair[0] / pair[1])
    return pairs[len(pairs) // 2]
