"""How near a collector is to the next tiers: the verdicts that award, read before they are earned.

Shape:   one entry per family, of a family with contexts one for each of the five nearest contexts.
Units:   those of the metric; tenure in full years, coverage in percent.
Raises:  nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.definition import BadgeDefinition, Coverage, Tenure, Threshold, coverage_metric
from catalog.index import Catalog
from contracts.snapshot import METRICS, Occasion, Snapshot, measure
from evaluators.engine import contexts_of, evaluate
from evaluators.remaining import hint
from evaluators.threshold import counted
from evaluators.verdict import Verdict, measured

NEAREST_CONTEXTS = 5

Nearness = tuple[bool, float, int, str, str]


@dataclass(frozen=True, slots=True)
class Progress:
    """The next tier of one family (and context): the lowest that is not awarded yet.

    Shape: `current` None is "not known"; `remaining` is 0 where the target is reached and the award still to come.
        Where `reachable` is false the target lies above `ceiling`, the most that the metric can ever be.
    """

    badge: BadgeDefinition
    context: str
    current: int | None
    target: int
    remaining: int
    reachable: bool
    ceiling: int | None
    reason: str
    evidence: Mapping[str, Any]

    @property
    def id(self) -> str:
        return self.badge.key

    @property
    def name(self) -> str:
        return self.badge.name

    @property
    def hint(self) -> str:
        """What is still to do: "Add 3 more genres"."""
        return hint(self.badge, self.context, self.current, self.evidence)

    @property
    def next_tier(self) -> str | None:
        return self.badge.tier


def progress(
    catalog: Catalog,
    snapshot: Snapshot,
    occasion: Occasion,
    awarded: Collection[tuple[str, str]],
    limit: int | None = None,
) -> list[Progress]:
    """The next tiers of every family, nearest first, those out of reach last; at most `limit` of them.

    Shape: `awarded` holds (badge key, context). Give revoked awards too: they are not given again, so they are no next
        tier. Nearest is the smallest share of the target that is missing, then the smallest number, then the key.
        Secret, hidden and retired badges, and those given by hand or by a compound rule, have no entry.
    """
    taken = awarded if isinstance(awarded, (set, frozenset)) else frozenset(awarded)
    entries: list[Progress] = []
    for tiers in catalog.families.values():
        shown = [badge for badge in tiers if _measurable(badge)]
        if shown:
            entries += _of_family(shown, snapshot, occasion, taken)
    entries.sort(key=_nearness)
    return entries if limit is None else entries[:limit]


def _of_family(
    tiers: Sequence[BadgeDefinition], snapshot: Snapshot, occasion: Occasion, taken: Collection[tuple[str, str]]
) -> Iterator[Progress]:
    contexts = contexts_of(tiers[0], snapshot)
    if isinstance(criterion := tiers[0].criterion, Coverage):
        metric = coverage_metric(criterion)
        contexts = [one for one in contexts if (snapshot.details(metric, one).get("total") or 0) >= criterion.min_total]
    if not contexts:
        yield _none_yet(tiers[0], snapshot)
        return
    upcoming = [
        (badge, context)
        for context in contexts
        if (badge := next((tier for tier in tiers if (tier.key, context) not in taken), None)) is not None
    ]
    if len(upcoming) > NEAREST_CONTEXTS:
        upcoming = heapq.nsmallest(
            NEAREST_CONTEXTS, upcoming, key=lambda one: _rank(one[0], one[1], snapshot, occasion)
        )
    for badge, context in upcoming:
        yield _entry(evaluate(badge, snapshot, occasion, context))


def _rank(badge: BadgeDefinition, context: str, snapshot: Snapshot, occasion: Occasion) -> Nearness:
    """Nearness before a whole verdict is made: of thousands of masters only the nearest are worth one."""
    if isinstance(badge.criterion, Threshold):
        value = measure(snapshot, badge.criterion.metric, context, occasion.on)
        return _distance(badge, context, value, badge.criterion.at_least)
    verdict = evaluate(badge, snapshot, occasion, context)
    return _distance(badge, context, verdict.value, verdict.target)


def _distance(badge: BadgeDefinition, context: str, value: int | None, target: int) -> Nearness:
    ceiling = _ceiling(badge)
    missing = max(0, target - (value or 0))
    return (ceiling is not None and target > ceiling, missing / target, missing, badge.key, context)


def _nearness(entry: Progress) -> Nearness:
    return _distance(entry.badge, entry.context, entry.current, entry.target)


def _entry(verdict: Verdict) -> Progress:
    ceiling = _ceiling(verdict.badge)
    return Progress(
        badge=verdict.badge,
        context=verdict.context,
        current=verdict.value,
        target=verdict.target,
        remaining=max(0, verdict.target - (verdict.value or 0)),
        reachable=ceiling is None or verdict.target <= ceiling,
        ceiling=ceiling,
        reason=verdict.reason,
        evidence=verdict.evidence,
    )


def _none_yet(badge: BadgeDefinition, snapshot: Snapshot) -> Progress:
    """The first tier of a family with contexts, for a collector who has none of them, or none of a known size."""
    value: int | None = 0
    match badge.criterion:
        case Threshold(metric=metric, at_least=target):
            reason = counted(metric, 0, target)
        case Coverage(percent=target) as criterion:
            metric, reason = coverage_metric(criterion), f"0 % of {target} %"
            if snapshot.value("releases"):
                value, reason = None, "catalogue size not known"
        case _:
            raise TypeError(f"{badge.key}: no progress without a measure")
    return _entry(Verdict(badge, "", False, value, target, reason, measured(metric, value, target, {})))


def _measurable(badge: BadgeDefinition) -> bool:
    listed = not (badge.secret or badge.hidden_until_earned or badge.retired)
    return listed and isinstance(badge.criterion, Threshold | Coverage | Tenure)


def _ceiling(badge: BadgeDefinition) -> int | None:
    match badge.criterion:
        case Threshold(metric=metric):
            return METRICS[metric].ceiling
        case Coverage():
            return 100
        case _:
            return None
