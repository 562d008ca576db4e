"""Where the time of a bundle goes: `python -m bench --only single --in-process --profile`."""

from __future__ import annotations

import cProfile
import io
import pstats
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table as Grid

from bench import bundles, load
from bench.bundles import Bundle
from bench.databases import database, session, settle
from bench.plan import Scale
from bench.plans import Explainer
from bench.population import Group, populated
from bench.stopwatch import Stopwatch, now
from bench.throughput import measure_floors
from contracts.envelope import decode

BUNDLE_EVENTS = 1000
BUNDLE_PAGES = 50


async def profile(server: str, scale: Scale, *, pages: bool, functions: bool) -> None:
    """Measure the bundles of one bench in this process and print the split, beside both floors."""
    console = Console(width=max(120, Console().width))
    unit, count, items, size = (
        ("items", scale.pages, 100, BUNDLE_PAGES) if pages else ("events", scale.events, 1, BUNDLE_EVENTS)
    )
    crowd = Group("user", scale.users, scale.records)
    planned = bundles.cut(load.random_events(count, crowd.members(), items), size)
    async with populated(server, [crowd]) as population:
        ours = await _ours(server, population, console, planned)
        floors = await measure_floors(server, population, planned)
        console.print(
            f"ours {ours:,.0f} {unit}/s | bare SQL {floors.sql:,.0f} ({ours / floors.sql:.2f})"
            f" | COPY {floors.copy:,.0f} ({ours / floors.copy:.3f}) | {floors.rows:.1f} rows changed per unit"
        )
        await _plans(server, population, console, planned)
        if functions:
            await _functions(server, population, console, planned)


async def _ours(server: str, population: str, console: Console, planned: Sequence[Bundle]) -> float:
    watch = Stopwatch()
    units = [bundle.items for bundle in planned]
    warm = max(1, len(planned) // 10)
    async with database(server, population) as url, session(url) as connection:
        await settle(connection)
        known = bundles.knowledge()
        await bundles.run(watch.watch(connection), planned[:warm], known)
        watch.clear()
        before = await connection.fetchval("select pg_current_wal_insert_lsn()")
        started = now()
        await bundles.run(watch.watch(connection), planned[warm:], known)
        total = _since(started)
        wal = await connection.fetchval("select pg_current_wal_insert_lsn() - $1::pg_lsn", before)
    number, count = sum(units[warm:]), len(planned) - warm
    started = now()
    for bundle in planned[warm:]:
        for record in bundle.records:
            decode(load.TOPIC, record.key, record.value, record.headers, record.timestamp)
    decoding = _since(started)
    asked = sum(watch.wall.values()), sum(watch.cpu.values())
    title = f"{number:,} units in {count} bundles, {float(wal) / number:,.0f} B WAL/unit"
    grid = Grid("part", "wall µs/unit", "share", "own cpu µs/unit", "calls/bundle", title=title)
    parts = {name: (wall, watch.cpu[name], watch.calls[name] / count) for name, wall in watch.wall.items()}
    parts["decode"] = (*decoding, 0.0)
    parts["python"] = (total[0] - asked[0] - decoding[0], total[1] - asked[1] - decoding[1], 0.0)
    for name, (wall, cpu, calls) in sorted(parts.items(), key=lambda part: -part[1][0]):
        grid.add_row(name, _micro(wall / number), f"{wall / total[0]:.1%}", _micro(cpu / number), f"{calls:.1f}")
    grid.add_section()
    grid.add_row("all statements", _micro(asked[0] / number), f"{asked[0] / total[0]:.1%}", _micro(asked[1] / number))
    grid.add_row("total", _micro(total[0] / number), f"{number / total[0]:,.0f}/s", _micro(total[1] / number))
    console.print(grid)
    return number / total[0]


def _since(started: tuple[float, float]) -> tuple[float, float]:
    wall, cpu = now()
    return wall - started[0], cpu - started[1]


def _micro(seconds: float) -> str:
    return f"{seconds * 1e6:.1f}"


async def _plans(server: str, population: str, console: Console, planned: Sequence[Bundle]) -> None:
    """The server's figures of the last bundle."""
    explainer = Explainer()
    async with database(server, population) as url, session(url) as connection:
        known = bundles.knowledge()
        await bundles.run(connection, planned[:-1], known)
        await bundles.run(explainer.watch(connection), planned[-1:], known)
    console.print(explainer.table(planned[-1].items))


async def _functions(server: str, population: str, console: Console, planned: Sequence[Bundle]) -> None:
    """cProfile of the same bundles: shares are right, absolute times are not."""
    profiler = cProfile.Profile()
    async with database(server, population) as url, session(url) as connection:
        profiler.enable()
        await bundles.run(connection, planned)
        profiler.disable()
    text = io.StringIO()
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats("cumulative").print_stats(45).sort_stats(
        "tottime"
    ).print_stats(35)
    console.print(text.getvalue(), markup=False, highlight=False)
