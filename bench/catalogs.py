"""Catalogs of any size: levels on real metrics, beside or instead of the badges of this release."""

from __future__ import annotations

from typing import Final

from catalog.definition import BadgeDefinition, Threshold
from catalog.index import Catalog, every_badge
from contracts.snapshot import METRICS

TRIGGER: Final = "ownership.added"
# Counted once per user, and moved by what the benches send.
METRIC_NAMES: Final = tuple(
    name
    for name, metric in METRICS.items()
    if not metric.context and name not in ("years_since_join", "hops", "cluster_artists")
)


def level(number: int, metric: str, target: int) -> BadgeDefinition:
    """One badge for one level of a metric."""
    return BadgeDefinition(
        key=f"bench-{number}",
        family=f"bench-{number}",
        tier=None,
        tier_index=0,
        name=f"Bench {number}",
        description="A level that a bench asks for.",
        category="special",
        icon="special",
        criterion=Threshold(metric=metric, at_least=target),
        triggers=(TRIGGER,),
        sort_score=1,
    )


def levels(count: int, *, first: int = 1) -> list[BadgeDefinition]:
    """So many levels, of all metrics in turn; the lowest of each metric is `first`, the next one more."""
    names = METRIC_NAMES
    return [level(at, names[at % len(names)], first + at // len(names)) for at in range(count)]


def with_more(count: int, *, first: int) -> Catalog:
    """The catalog of this release and as many levels as make `count` badges."""
    badges = every_badge()
    return Catalog((*badges, *levels(count - len(badges), first=first)))
