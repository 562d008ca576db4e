"""What an event costs a collector with 10,000 records beside one with 100."""

from __future__ import annotations

import random
import time
from statistics import median

from bench import bundles, load
from bench.databases import database, session, settle
from bench.plan import Engines, Scale, Steps
from bench.population import Group, populated
from bench.results import Result
from services.worker.bundle import process

SMALL, LARGE = 100, 10_000
GOAL = 1.3
EVENTS_A_BUNDLE = 500
WARM_ROUNDS = 2


async def flat(engines: Engines, scale: Scale, steps: Steps) -> list[Result]:
    """Bundles of single events of small and of large collectors in turn, alike in everything else."""
    turns = WARM_ROUNDS + scale.flat_rounds
    # What the measurement itself adds lies evenly around the size that is named.
    growth = turns * EVENTS_A_BUNDLE // scale.flat_users // 2
    groups = [
        Group("small", scale.flat_users, max(1, SMALL - growth), models=4),
        Group("large", scale.flat_users, LARGE - growth, models=4),
    ]
    steps.begin("flat", 2)
    async with populated(engines.postgres, groups) as population:
        steps.done(f"{scale.flat_users} users with {SMALL} records, {scale.flat_users} with {LARGE:,}")
        async with database(engines.postgres, population) as url:
            seconds = await _alternate(url, groups, turns)
    small, large = (median(seconds[group.name]) / EVENTS_A_BUNDLE * 1e6 for group in groups)
    steps.done(f"{SMALL} records: {small:,.0f} µs/event, {LARGE:,}: {large:,.0f} µs/event")
    note = f"{scale.flat_rounds} bundles of {EVENTS_A_BUNDLE} events each, in turn, medians"
    return [Result(f"{LARGE:,} records / {SMALL}", "µs/event", large, small, "<=", GOAL, note)]


async def _alternate(url: str, groups: list[Group], turns: int) -> dict[str, list[float]]:
    """Seconds per bundle of each group, without the first rounds; who goes first changes from round to round."""
    choice = random.Random(3)
    seconds: dict[str, list[float]] = {group.name: [] for group in groups}
    known = bundles.knowledge()
    offset = 0
    async with session(url) as connection:
        await settle(connection)
        for turn in range(turns):
            for group in groups if turn % 2 else groups[::-1]:
                members = group.members()
                records = []
                for at in range(EVENTS_A_BUNDLE):
                    number = choice.randrange(LARGE, 2 * LARGE)  # a release that nobody here owns yet
                    item = (load.NEW_COPIES + offset, number)
                    records.append(load.event(offset, members[at % len(members)], [item], name=f"flat-{offset}"))
                    offset += 1
                bundle = bundles.Bundle(0, records)
                if turn == 0 and group is groups[-1]:
                    await bundles.open_accounts(connection, [bundle])
                started = time.perf_counter()
                await process(connection, known, load.TOPIC, 0, records)
                if turn >= WARM_ROUNDS:
                    seconds[group.name].append(time.perf_counter() - started)
    return seconds
