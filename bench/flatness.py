"""What an event costs beside 100 times the records, 200 times the badges, 100 times the users."""

from __future__ import annotations

import random
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median

from bench import bundles, catalogs, load
from bench.databases import database, session, settle
from bench.plan import Engines, Scale, Steps
from bench.population import Group, populated
from bench.results import Result
from catalog.index import Catalog, every_badge
from services.stores.postgres import Connection
from services.worker.bundle import process
from services.worker.work import Knowledge

SMALL, LARGE = 100, 10_000
RECORDS_GOAL = 1.3
FEW, MANY = 50, 10_000
BADGES_GOAL = 1.2
# Levels that nobody reaches: many rules are to be asked, not many awards given.
OUT_OF_REACH = 1_000_000
USERS_GOAL = 1.5
CATALOGUE_GOAL = 1.2
EVENTS_A_BUNDLE = 500
WARM_ROUNDS = 2


# A share of so many that nobody reaches the first tier: shares are to be measured, not many awards given.
CATALOGUE = """
insert into catalogue_total select kind, id, 1000000, '2026-01-01'
from unnest(array['label', 'artist']) kind, generate_series(1, $1::integer) id
"""


@dataclass(slots=True)
class Side:
    """One of two that are measured in turn: who sends events, to which database, and what the worker knows."""

    name: str
    connection: Connection
    members: list[str]
    known: Knowledge

    @property
    def few(self) -> bool:
        """Whether every member has its turn in each bundle; else they are drawn."""
        return len(self.members) <= EVENTS_A_BUNDLE


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
    async with (
        populated(engines.postgres, groups) as population,
        database(engines.postgres, population) as url,
        session(url) as connection,
    ):
        steps.done(f"{scale.flat_users} users with {SMALL} records, {scale.flat_users} with {LARGE:,}")
        known = bundles.knowledge()
        sides = [Side(group.name, connection, group.members(), known) for group in groups]
        small, large = await _alternate(sides, turns)
    steps.done(f"{SMALL} records: {small:,.0f} µs/event, {LARGE:,}: {large:,.0f} µs/event")
    return [Result(f"{LARGE:,} records / {SMALL}", "µs/event", large, small, "<=", RECORDS_GOAL, _note(scale))]


async def wide(engines: Engines, scale: Scale, steps: Steps) -> list[Result]:
    """The same users and events under a catalog of few and of many badges in turn."""
    turns = WARM_ROUNDS + scale.flat_rounds
    group = Group("user", 1_000, 20)
    steps.begin("wide", 2)
    async with (
        populated(engines.postgres, [group]) as population,
        database(engines.postgres, population) as url,
        session(url) as connection,
    ):
        steps.done(f"{group.users:,} users with {group.records} records")
        catalogs_of = {"few": Catalog(every_badge()[:FEW]), "many": catalogs.with_more(MANY, first=OUT_OF_REACH)}
        sides = [
            Side(name, connection, group.members(), Knowledge(catalog, erasure_key=b"bench", owner="bench"))
            for name, catalog in catalogs_of.items()
        ]
        few, many = await _alternate(sides, turns)
    steps.done(f"{FEW} badges: {few:,.0f} µs/event, {MANY:,}: {many:,.0f} µs/event")
    return [Result(f"{MANY:,} badges / {FEW}", "µs/event", many, few, "<=", BADGES_GOAL, _note(scale))]


async def crowd(engines: Engines, scale: Scale, steps: Steps) -> list[Result]:
    """Random users of a small and of a large database in turn."""
    turns = WARM_ROUNDS + scale.flat_rounds
    sizes = [scale.crowd // 100, scale.crowd]
    steps.begin("crowd", 3)
    async with AsyncExitStack() as stack:
        sides = []
        for users in sizes:
            group = Group("user", users, 2)
            url = await stack.enter_async_context(populated(engines.postgres, [group]))
            steps.done(f"{users:,} users")
            connection = await stack.enter_async_context(session(url))
            sides.append(Side(f"{users:,}", connection, group.members(), bundles.knowledge()))
        small, large = await _alternate(sides, turns)
    steps.done(f"{sizes[0]:,} users: {small:,.0f} µs/event, {sizes[1]:,}: {large:,.0f} µs/event")
    return [Result(f"{sizes[1]:,} users / {sizes[0]:,}", "µs/event", large, small, "<=", USERS_GOAL, _note(scale))]


async def known(engines: Engines, scale: Scale, steps: Steps) -> list[Result]:
    """The same users and events beside a small and a large catalogue, each of which knows all that the events name."""
    turns = WARM_ROUNDS + scale.flat_rounds
    sizes = [scale.crowd // 100, scale.crowd]
    group = Group("user", 1_000, 20)
    steps.begin("known", 3)
    async with AsyncExitStack() as stack:
        sides = []
        for size in sizes:
            url = await stack.enter_async_context(populated(engines.postgres, [group]))
            connection = await stack.enter_async_context(session(url))
            await connection.execute(CATALOGUE, size)
            sides.append(Side(f"{size:,}", connection, group.members(), bundles.knowledge()))
            steps.done(f"{size:,} labels and {size:,} artists of a known size")
        small, large = await _alternate(sides, turns)
    steps.done(f"{sizes[0]:,}: {small:,.0f} µs/event, {sizes[1]:,}: {large:,.0f} µs/event")
    name = f"catalogue of {sizes[1]:,} / {sizes[0]:,}"
    return [Result(name, "µs/event", large, small, "<=", CATALOGUE_GOAL, _note(scale))]


def _note(scale: Scale) -> str:
    return f"{scale.flat_rounds} bundles of {EVENTS_A_BUNDLE} events each, in turn, medians"


async def _alternate(sides: list[Side], turns: int) -> list[float]:
    """Microseconds per event of each side, without the first rounds; who goes first changes from round to round."""
    choice = random.Random(3)
    seconds: dict[str, list[float]] = {side.name: [] for side in sides}
    offsets: dict[int, int] = {}
    serial = 0
    for side in sides:
        await settle(side.connection)
    for turn in range(turns):
        for side in sides if turn % 2 else sides[::-1]:
            place = id(side.connection)
            records = []
            for at in range(EVENTS_A_BUNDLE):
                number = choice.randrange(LARGE, 2 * LARGE)  # a release that nobody here owns yet
                user = side.members[at % len(side.members)] if side.few else choice.choice(side.members)
                item = (load.NEW_COPIES + serial, number)
                records.append(load.event(offsets.get(place, 0) + at, user, [item], name=f"flat-{serial}"))
                serial += 1
            if place not in offsets:
                await bundles.open_accounts(side.connection, [bundles.Bundle(0, records)])
            offsets[place] = offsets.get(place, 0) + EVENTS_A_BUNDLE
            started = time.perf_counter()
            await process(side.connection, side.known, load.TOPIC, 0, records)
            if turn >= WARM_ROUNDS:
                seconds[side.name].append(time.perf_counter() - started)
    return [median(seconds[side.name]) / EVENTS_A_BUNDLE * 1e6 for side in sides]
