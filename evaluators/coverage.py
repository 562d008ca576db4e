"""Whether the user owns enough of a label's or an artist's catalogue.

Shape:   the snapshot's details of `label_coverage` or `artist_coverage` hold `owned` and `total` for the context, and
         the `label` or `artist` by name.
Units:   criterion.percent is 0–100; owned and total count releases (labels) or masters (artists). The value is the
         percentage rounded down, 100 at most (a collector may own what the catalogue does not list yet), in evidence
         `percentage` to one decimal, rounded down; whether it is enough is decided by whole numbers.
Raises:  nothing; an unknown or too small total is "not earned", reason "catalogue size not known" or the size needed.
"""

from __future__ import annotations

from catalog.definition import Coverage, coverage_metric
from contracts.snapshot import Occasion, Snapshot
from evaluators.verdict import Finding, measured


def percent(owned: int, total: int) -> int:
    """The share of a catalogue in whole percent, rounded down, 100 at most."""
    return min(owned, total) * 100 // total


def percentage(owned: int, total: int) -> float:
    """The same to one decimal."""
    return min(owned, total) * 1000 // total / 10


def evaluate_coverage(criterion: Coverage, snapshot: Snapshot, _occasion: Occasion, context: str) -> Finding:
    """Earned where owned ÷ total is at the percentage or above, of a catalogue that is known and large enough."""
    metric = coverage_metric(criterion)
    details = snapshot.details(metric, context)
    owned, total = details.get("owned"), details.get("total")
    counted = "releases" if criterion.of == "label" else "masters"
    value, earned = None, False
    if owned is None or total is None:
        reason = "catalogue size not known"
    elif total < criterion.min_total:
        reason = f"a catalogue of {total} {counted} is too small, {criterion.min_total} needed"
    else:
        value, earned = percent(owned, total), owned * 100 >= criterion.percent * total
        details = {**details, "percentage": percentage(owned, total)}
        compared = f"of {criterion.percent} %" if value <= criterion.percent else f"({criterion.percent} % needed)"
        name = details.get(criterion.of)
        reason = f"{owned} of {total} {counted}{f' of {name}' if name else ''}: {value} % {compared}"
    return Finding(
        earned=earned,
        value=value,
        target=criterion.percent,
        reason=reason,
        evidence=measured(metric, value, criterion.percent, details),
    )
