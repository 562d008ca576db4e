"""Which badges has a user earned: the index beside a plain scan of the same levels, and many rules beside few."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import chain
from statistics import median
from typing import Final

from bench import catalogs
from bench.plan import Engines, Scale, Steps
from bench.results import Result
from catalog.definition import BadgeDefinition, Threshold
from catalog.index import TriggerIndex

LEVELS: Final = 800
ITEMS: Final = 600
FEW, MANY = 50, 10_000
CALLS: Final = 2_000
ROUNDS: Final = 15


async def evaluation(engines: Engines, scale: Scale, steps: Steps) -> list[Result]:
    """Without any engine: microseconds per question, medians of rounds taken in turn."""
    badges = catalogs.levels(LEVELS)
    index = TriggerIndex(badges)
    rules = [
        (badge.criterion.metric, badge.criterion.at_least, badge)
        for badge in badges
        if isinstance(badge.criterion, Threshold)
    ]
    choice = random.Random(5)
    values = {name: choice.randrange(ITEMS // 20) for name in catalogs.METRIC_NAMES} | {"releases": ITEMS}

    def scanned() -> list[BadgeDefinition]:
        return [badge for metric, target, badge in rules if values[metric] >= target]

    def indexed() -> list[BadgeDefinition]:
        return list(chain.from_iterable(index.crossed(metric, 0, value) for metric, value in values.items()))

    def touched() -> list[BadgeDefinition]:
        return list(index.crossed("styles", values["styles"] - 1, values["styles"]))

    assert {badge.key for badge in scanned()} == {badge.key for badge in indexed()}
    few, many = (TriggerIndex(catalogs.levels(count)) for count in (FEW, MANY))
    steps.begin("evaluation", 1)
    scan, full, one, of_few, of_many = _in_turn(
        scanned, indexed, touched, lambda: few.crossed("styles", 2, 3), lambda: many.crossed("styles", 2, 3)
    )
    steps.done(f"a scan {scan:.1f} µs, in full {full:.1f} µs, one facet {one:.2f} µs")
    note = f"{LEVELS} levels, a user of {ITEMS} records"
    return [
        Result("evaluation in full, a plain scan / ours", "µs", scan, full, ">=", 2, note),
        Result("evaluation of one touched facet, a scan / ours", "µs", scan, one, ">=", 50, note),
        Result(f"a trigger with {MANY:,} rules / {FEW}", "µs", of_many, of_few, "<=", 1.2),
    ]


def _in_turn(*questions: Callable[[], object]) -> list[float]:
    """Microseconds of each question: the median of rounds, so that a busy moment meets all of them."""
    found: list[list[float]] = [[] for _ in questions]
    for _ in range(ROUNDS):
        for at, question in enumerate(questions):
            begin = time.perf_counter()
            for _ in range(CALLS):
                question()
            found[at].append((time.perf_counter() - begin) / CALLS * 1e6)
    return [median(times) for times in found]
