"""Whether a metric has reached its target.

Shape:   one number against another; the context counts only for metrics that are counted per context.
Units:   those of the metric.
Raises:  nothing; a metric that is not known is "not earned".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.definition import Threshold
from contracts.snapshot import METRICS, Metric, Occasion, Snapshot, measure
from evaluators.verdict import Finding, measured

NOUNS = {
    "largest_decade": "releases of one decade",
    "mono_releases": "mono releases",
    "deep_cuts": "deep cuts",
    "pressings": "pressings of one master",
    "wishlist": "releases on the wishlist",
    "cluster_artists": "connected artists",
}
"""What is counted, where the metric's unit alone does not say it."""
SINGULAR = {"releases on the wishlist": "release on the wishlist", "countries": "country"}


def evaluate_threshold(criterion: Threshold, snapshot: Snapshot, occasion: Occasion, context: str) -> Finding:
    """Earned as soon as the metric is at the target or above."""
    metric = METRICS[criterion.metric]
    place = context if metric.context else ""
    value = measure(snapshot, metric.name, place, occasion.on)
    details = snapshot.details(metric.name, place)
    return Finding(
        earned=value is not None and value >= criterion.at_least,
        value=value,
        target=criterion.at_least,
        reason=_reason(metric, value, criterion.at_least, details, snapshot),
        evidence=measured(metric.name, value, criterion.at_least, details),
    )


def counted(metric: str, value: int, target: int) -> str:
    """The numbers in words: "12 of 20 genres", or "23 genres, 20 needed" beyond the target."""
    noun = NOUNS.get(metric, METRICS[metric].unit)
    if value > target:
        return f"{value} {noun}, {target} needed"
    return f"{value} of {target} {noun if target > 1 else SINGULAR.get(noun, noun.removesuffix('s'))}"


def _reason(metric: Metric, value: int | None, target: int, details: Mapping[str, Any], snapshot: Snapshot) -> str:
    if metric.name == "oldest_age_years":
        if value is None:
            return "oldest pressing year not known"
        return f"oldest pressing from {snapshot.oldest_year}: {counted(metric.name, value, target)}"
    if value is None:
        return f"number of {NOUNS.get(metric.name, metric.unit)} not known"
    words = counted(metric.name, value, target)
    if metric.name == "largest_decade" and "decade" in details:
        words += f" (the {details['decade']}s)"
    if metric.name == "pressings" and details.get("master"):
        words += f" ({details['master']})"
    if metric.ceiling is not None and target > metric.ceiling:
        words += f"; out of reach, there are only {metric.ceiling}"
    return words
