"""What evaluating costs, by family: of one transaction in so many each evaluation is timed, the others pay nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count, groupby
from typing import Final, TypeAlias

import asyncpg

from catalog.definition import BadgeDefinition
from contracts.snapshot import Occasion, Snapshot
from evaluators.engine import evaluate, evaluate_all
from evaluators.verdict import Verdict
from services import metrics
from services.stores import alarms
from services.stores.alarms import Cost
from services.stores.postgres import TRANSIENT

SAMPLE: Final = 32

Evaluate: TypeAlias = Callable[[BadgeDefinition, Snapshot, Occasion, str], Verdict]
EvaluateAll: TypeAlias = Callable[[Iterable[BadgeDefinition], Snapshot, Occasion], list[Verdict]]

_turns = count()
_spent: dict[str, Cost] = {}


def evaluators() -> tuple[Evaluate, EvaluateAll]:
    """`evaluate` and `evaluate_all`, as they are or timed."""
    return (evaluate, evaluate_all) if next(_turns) % SAMPLE else (_timed, _all_timed)


async def tell(pool: asyncpg.Pool[asyncpg.Record]) -> None:
    """Add what was timed since the last call to the metrics and, where PostgreSQL answers, to the day."""
    spent = _spent.copy()
    _spent.clear()
    for family, cost in spent.items():
        metrics.EVALUATIONS.labels(family).inc(cost.evaluations)
        metrics.EVALUATION_SECONDS.labels(family).inc(cost.seconds)
    if spent:
        with suppress(*TRANSIENT):
            async with pool.acquire(timeout=2) as connection:
                await alarms.note_costs(connection, datetime.now(UTC).date(), spent)


def _timed(badge: BadgeDefinition, snapshot: Snapshot, occasion: Occasion, context: str) -> Verdict:
    started = time.perf_counter()
    verdict = evaluate(badge, snapshot, occasion, context)
    _add(badge.family, 1, time.perf_counter() - started)
    return verdict


def _all_timed(badges: Iterable[BadgeDefinition], snapshot: Snapshot, occasion: Occasion) -> list[Verdict]:
    verdicts: list[Verdict] = []
    for family, tiers in groupby(badges, key=lambda badge: badge.family):
        started = time.perf_counter()
        found = evaluate_all(tiers, snapshot, occasion)
        _add(family, len(found), time.perf_counter() - started)
        verdicts += found
    return verdicts


def _add(family: str, evaluations: int, seconds: float) -> None:
    before = _spent.get(family, Cost(0, 0.0))
    _spent[family] = Cost(before.evaluations + evaluations, before.seconds + seconds)
