"""All that an evaluator may know of one user at one moment, and the metrics it may ask for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal, Protocol

import msgspec

ContextKind = Literal["", "master", "label", "artist"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A number in the snapshot; `ceiling` is the largest value it can ever have, where there is one."""

    name: str
    unit: str
    description: str
    ceiling: int | None = None
    context: ContextKind = ""


_DECLARED: Final = (
    Metric("releases", "releases", "distinct releases owned"),
    Metric("genres", "genres", "distinct genres among the owned releases; Discogs has 15", ceiling=15),
    Metric("styles", "styles", "distinct styles among the owned releases"),
    Metric("labels", "labels", "distinct labels among the owned releases, by id, else by exact name"),
    Metric("countries", "countries", "distinct single countries among the owned releases; regions do not count"),
    Metric("decades", "decades", "distinct decades of pressing among the owned releases"),
    Metric("largest_decade", "releases", "owned releases in the decade with the most of them"),
    Metric("oldest_age_years", "years", "year of the event minus the oldest pressing year, any carrier"),
    Metric("mono_releases", "releases", "owned releases with the format description Mono"),
    Metric("formats", "formats", "distinct formats among the owned releases"),
    Metric(
        "first_pressings",
        "releases",
        "owned releases that are the earliest dated version of their master, and no reissue or repress",
    ),
    Metric("deep_cuts", "releases", "owned releases that fewer than 100 Discogs users are known to own"),
    Metric("taste_dimensions", "genres and styles", "genres and styles with at least 3 owned releases each"),
    Metric("pressings", "releases", "owned releases of one master", context="master"),
    Metric("label_coverage", "%", "owned releases of one label among all of its releases", 100, context="label"),
    Metric(
        "artist_coverage",
        "%",
        "owned masters (releases, where they have none) of one artist among all of them",
        100,
        context="artist",
    ),
    Metric(
        "hops",
        "hops",
        "longest shortest path between two artists of the collection, through artists of the collection alone",
    ),
    Metric("cluster_artists", "artists", "largest group of the collection's artists that collaborations connect"),
    Metric("reviews", "reviews", "distinct approved reviews"),
    Metric("edits", "edits", "distinct approved edits"),
    Metric("wishlist", "releases", "distinct releases on the wishlist"),
    Metric("compares", "comparisons", "distinct comparisons used"),
    Metric(
        "years_since_join",
        "years",
        "full years since the join date; 29 February is reached on 28 February in common years",
    ),
)

METRICS: Final[dict[str, Metric]] = {metric.name: metric for metric in _DECLARED}


class Snapshot(Protocol):
    """One user at one moment; None means unknown, never zero."""

    @property
    def user_id(self) -> str: ...

    @property
    def joined_on(self) -> date | None: ...

    @property
    def oldest_year(self) -> int | None: ...

    def value(self, metric: str, context: str = "") -> int | None:
        """The plain count of a metric; None when unknown."""
        ...

    def contexts(self, metric: str) -> Iterable[str]:
        """The contexts in which the metric has a value, for example ``master:123``."""
        ...

    def details(self, metric: str, context: str = "") -> Mapping[str, Any]:
        """Evidence beyond value and target; empty when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class FrozenSnapshot:
    """A snapshot made of plain mappings.

    Shape:   `counts` metric -> number, `contextual` metric -> context -> number, `evidence` (metric, context) -> facts.
             A count that is not named is 0, one that is None is unknown.
    Raises:  KeyError for a metric that METRICS does not have.
    """

    user_id: str
    joined_on: date | None = None
    oldest_year: int | None = None
    counts: Mapping[str, int | None] = field(default_factory=dict)
    contextual: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    evidence: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    def value(self, metric: str, context: str = "") -> int | None:
        if METRICS[metric].context:
            return self.contextual.get(metric, {}).get(context, 0)
        return self.counts.get(metric, None if metric in MOVING else 0)

    def contexts(self, metric: str) -> Iterable[str]:
        return self.contextual.get(METRICS[metric].name, {}).keys()

    def details(self, metric: str, context: str = "") -> Mapping[str, Any]:
        return self.evidence.get((METRICS[metric].name, context), {})


class Occasion(msgspec.Struct, frozen=True):
    """Why and when an evaluation takes place.

    Units:   `trigger` and `time` are the event's; `on` is the date at which tenure and age are measured.
    """

    trigger: str
    time: datetime
    on: date


def full_years(since: date, on: date) -> int:
    """Full years between two dates, never negative; 29 February is reached on 28 February in common years."""
    reached_on = (
        (since.month, 28) if (since.month, since.day) == (2, 29) and not _is_leap(on.year) else (since.month, since.day)
    )
    return max(0, on.year - since.year - ((on.month, on.day) < reached_on))


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


MOVING: Final = frozenset({"oldest_age_years", "years_since_join"})
"""Metrics that grow with the calendar: measured at a date, not counted."""


def measure(snapshot: Snapshot, metric: str, context: str, on: date) -> int | None:
    """The metric as of a date: the count, or for what moves with the calendar the years reached on that date."""
    if metric == "oldest_age_years":
        return None if snapshot.oldest_year is None else on.year - snapshot.oldest_year
    if metric == "years_since_join":
        return None if snapshot.joined_on is None else full_years(snapshot.joined_on, on)
    return snapshot.value(metric, context)
