"""Every rule that a catalog must obey; all faults are reported at once, each naming its badge."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from catalog.definition import BadgeDefinition, Coverage, Criterion, Manual, Tenure, Threshold, in_words, metrics_of
from catalog.icon import has_icon
from contracts.snapshot import METRICS
from contracts.topics import INPUT_TOPICS

KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def faults(badges: Iterable[BadgeDefinition]) -> list[str]:
    """What must be repaired before anything runs: an empty list, or one sentence per fault."""
    every = tuple(badges)
    counted = Counter(badge.key for badge in every)
    found = [f"{key}: the key is used {times} times" for key, times in counted.items() if times > 1]
    for badge in every:
        found += (f"{badge.key}: {fault}" for fault in _faults_of_badge(badge))
    for family, tiers in _families(every).items():
        found += (f"{family}: {fault}" for fault in _faults_of_family(tiers))
    return found


def warnings(badges: Iterable[BadgeDefinition]) -> list[str]:
    """What stands on purpose but should be known: tiers that nobody can reach."""
    return [
        f"{badge.key}: out of reach: {in_words(badge.criterion)}, and {metric} ends at {ceiling}"
        for badge in badges
        if isinstance(badge.criterion, Threshold)
        and (metric := badge.criterion.metric) in METRICS
        and (ceiling := METRICS[metric].ceiling) is not None
        and badge.criterion.at_least > ceiling
    ]


def _faults_of_badge(badge: BadgeDefinition) -> Iterator[str]:
    expected = badge.family if badge.tier is None else f"{badge.family}-{badge.tier}"
    if badge.key != expected:
        yield f"the key must be {expected}"
    if not KEY.fullmatch(badge.key):
        yield "a key is made of lower-case words joined by hyphens"
    if not badge.name.strip() or not badge.description.strip():
        yield "name and description must say something"
    if not has_icon(badge.icon):
        yield f"there is no icon {badge.icon!r}"
    yield from _faults_of_triggers(badge)
    yield from _faults_of_metrics(badge)


def _faults_of_triggers(badge: BadgeDefinition) -> Iterator[str]:
    if not badge.triggers and not isinstance(badge.criterion, Manual):
        yield "it has no trigger, so nothing but a sweep would ask for it"
    for trigger in badge.triggers:
        if trigger not in INPUT_TOPICS:
            yield f"unknown trigger {trigger!r}; known are {', '.join(INPUT_TOPICS)}"


def _faults_of_metrics(badge: BadgeDefinition) -> Iterator[str]:
    metrics = sorted(metrics_of(badge.criterion))
    contexts = {METRICS[metric].context for metric in metrics if metric in METRICS}
    for metric in metrics:
        if metric not in METRICS:
            yield f"the snapshot has no metric {metric!r}"
        elif METRICS[metric].context not in ("", badge.context_kind):
            yield (
                f"metric {metric!r} is counted per {METRICS[metric].context},"
                f" but the badge's context kind is {badge.context_kind!r}"
            )
    known_all = all(metric in METRICS for metric in metrics)
    if badge.context_kind and known_all and badge.context_kind not in contexts:
        yield f"its context kind is {badge.context_kind!r}, but none of its metrics is counted per {badge.context_kind}"


def _faults_of_family(tiers: Sequence[BadgeDefinition]) -> Iterator[str]:
    if len(tiers) > 1 and any(badge.tier is None for badge in tiers):
        yield "a badge without tier stands beside others of its family"
    indexes = [badge.tier_index for badge in tiers]
    if indexes != list(range(len(tiers))):
        yield f"tiers must be numbered 0 to {len(tiers) - 1}, found {indexes}"
    for attribute in ("category", "name", "context_kind"):
        values = sorted({str(getattr(badge, attribute)) for badge in tiers})
        if len(values) > 1:
            yield f"its tiers differ in {attribute}: {', '.join(values)}"
    for lower, upper in pairwise(tiers):
        below, above = _target(lower.criterion), _target(upper.criterion)
        if below is not None and above is not None and above <= below:
            yield f"targets must rise: {upper.key} asks {above} after {below} of {lower.key}"
        if upper.sort_score <= lower.sort_score:
            yield f"sort scores must rise: {upper.key} has {upper.sort_score} after {lower.sort_score} of {lower.key}"


def _target(criterion: Criterion) -> int | None:
    match criterion:
        case Threshold():
            return criterion.at_least
        case Coverage():
            return criterion.percent
        case Tenure():
            return criterion.years
        case _:
            return None


def _families(badges: Sequence[BadgeDefinition]) -> dict[str, list[BadgeDefinition]]:
    families: dict[str, list[BadgeDefinition]] = {}
    for badge in sorted(badges, key=lambda badge: badge.tier_index):
        families.setdefault(badge.family, []).append(badge)
    return families
