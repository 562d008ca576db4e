"""Single events and pages of random users through one worker, beside bare SQL and COPY."""

from __future__ import annotations

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
    """Events of one item."""
    return await _compare("single", "events/s", engines, scale, steps, scale.events, 1)


async def pages(engines: Engines, scale: Scale, steps: Steps) -> list[Result]:
    """Events of a hundred items."""
    return await _compare("pages", "items/s", engines, scale, steps, scale.pages, 100)


async def _compare(
    name: str, unit: str, engines: Engines, scale: Scale, steps: Steps, count: int, items: int
) -> list[Result]:
    crowd = Group("user", scale.users, scale.records)
    runs: list[worker.Run] = []
    found: list[Floors] = []
    steps.begin(name, 1 + 2 * scale.rounds)
    async with populated(engines.postgres, [crowd]) as population:
        steps.done(f"{crowd.users:,} users with {crowd.records} records each")
        for turn in range(scale.rounds):
            records = load.random_events(count, crowd.members(), items, seed=turn)
            async with database(engines.postgres, population) as url:
                runs.append(await worker.drain(url, engines.kafka, records))
            steps.done(f"one worker: {runs[-1].rate:,.0f} {unit}")
            found.append(await measure_floors(engines.postgres, population, runs[-1].bundles))
            steps.done(f"bare SQL: {found[-1].sql:,.0f} {unit}, COPY: {found[-1].copy:,.0f} {unit}")
    size = median(len(bundle.records) for run in runs for bundle in run.bundles)
    wal = median(run.wal / (count * items) for run in runs)
    rows = median(one.rows for one in found)
    note = f"{size:,.0f} records a bundle, {rows:.1f} rows and {wal:,.0f} B of WAL an item"
    rates = [run.rate for run in runs]
    return [
        Result(f"{name} / bare SQL", unit, *middle(rates, [one.sql for one in found]), ">=", SQL_GOAL, note),
        Result(f"{name} / COPY", unit, *middle(rates, [one.copy for one in found]), ">=", COPY_GOAL),
    ]


def middle(ours: list[float], floor: list[float]) -> tuple[float, float]:
    """The round whose ratio is the median: both numbers of a result are of one round."""
    pairs = sorted(zip(ours, floor, strict=True), key=lambda pair: pair[0] / pair[1])
    return pairs[len(pairs) // 2]
