"""One collector in memory: counters that move by one release at a time, and what badges may know of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from services.state.counts import Counts
from services.state.facets import LABEL, MASTER, Counted
from services.state.graph import METRICS as OF_GRAPH
from services.state.graph import Measured

# Columns of `collector` in this order; names are those of the contract's metrics, `oldest_year` 0 is unknown.
COUNTERS: Final = (
    "releases",
    "genres",
    "styles",
    "labels",
    "countries",
    "decades",
    "largest_decade",
    "mono_releases",
    "formats",
    "deep_cuts",
    "taste_dimensions",
    "reviews",
    "edits",
    "wishlist",
    "compares",
    "oldest_year",
)
OF_ACTIVITY: Final = {"review": "reviews", "edit": "edits", "compare": "compares", "wish": "wishlist"}
TASTE_FROM: Final = 3  # releases that make a genre or style a dimension of taste

Unbounded = dict[tuple[bytes, int], int]


class Collector:
    """The counted state of one user, a Snapshot for evaluators.

    Shape:   `counters` by metric; `unbounded` holds the counts of labels and masters that were loaded or changed:
             what a caller counts it must have loaded first.
    """

    __slots__ = (
        "age_seen",
        "changed",
        "counters",
        "created",
        "erased_at",
        "facets",
        "graph",
        "joined_on",
        "moved_masters",
        "titles",
        "unbounded",
        "unbounded_changed",
        "user_id",
        "years",
    )

    def __init__(
        self,
        user_id: str,
        *,
        counters: dict[str, int] | None = None,
        facets: bytes = b"",
        years: bytes = b"",
        joined_on: date | None = None,
        erased_at: datetime | None = None,
        age_seen: int = 0,
        created: bool = False,
    ) -> None:
        self.user_id = user_id
        self.created = created  # in this transaction, by us
        self.counters = counters if counters is not None else dict.fromkeys(COUNTERS, 0)
        self.facets = Counts(facets)
        self.years = Counts(years)
        self.joined_on = joined_on
        self.erased_at = erased_at
        self.age_seen = age_seen
        self.unbounded: Unbounded = {}
        self.unbounded_changed: set[tuple[bytes, int]] = set()
        # (master, releases owned of it before, after) in the order in which the current event moved them.
        self.moved_masters: list[tuple[int, int, int]] = []
        self.titles: dict[int, str | None] = {}  # of masters, by the release that was counted last
        self.graph: Measured | None = None  # what the graph lane measured last, where a caller loaded it
        self.changed = False

    # -- counting -----------------------------------------------------------------------------------------------

    def count(self, counted: Counted, sign: int) -> None:
        """Add (`sign` 1) or take away (-1) all that one release counts as.

        Raises:  ValueError where a count would fall below zero.
        """
        self.changed = True
        counters = self.counters
        counters["releases"] += sign
        edge = 1 if sign > 0 else 0
        taste_edge = TASTE_FROM if sign > 0 else TASTE_FROM - 1
        add = self.facets.add
        for metric, ids in (("genres", counted.genres), ("styles", counted.styles)):
            for id_ in ids:
                number = add(id_, sign)
                if number == edge:
                    counters[metric] += sign
                elif number == taste_edge:
                    counters["taste_dimensions"] += sign
        for metric, ids in (("countries", counted.countries), ("formats", counted.formats)):
            for id_ in ids:
                if add(id_, sign) == edge:
                    counters[metric] += sign
        for label in counted.labels:
            if self._count_unbounded(LABEL, label, sign) == edge:
                counters["labels"] += sign
        if counted.master:
            number = self._count_unbounded(MASTER, counted.master, sign)
            self.moved_masters.append((counted.master, number - sign, number))
            if sign > 0:
                self.titles[counted.master] = counted.title
        if counted.year:
            self._count_year(counted.year, sign)
        if counted.mono:
            counters["mono_releases"] += sign
        if counted.deep_cut:
            counters["deep_cuts"] += sign

    def _count_unbounded(self, facet: bytes, value: int, sign: int) -> int:
        key = (facet, value)
        number = self.unbounded.get(key, 0) + sign
        if number < 0:
            raise ValueError(f"count of {facet.decode()}:{value} would be {number}")
        self.unbounded[key] = number
        self.unbounded_changed.add(key)
        return number

    def _count_year(self, year: int, sign: int) -> None:
        counters, years = self.counters, self.years
        years.add(year, sign)
        start = year - year % 10
        number = years.between(start, start + 9)
        if sign > 0:
            if number == 1:
                counters["decades"] += 1
            if number > counters["largest_decade"]:
                counters["largest_decade"] = number
        else:
            if number == 0:
                counters["decades"] -= 1
            if number + 1 == counters["largest_decade"]:
                counters["largest_decade"] = max(self.by_decade().values(), default=0)
        counters["oldest_year"] = years.first() or 0

    def count_activity(self, kind: str, sign: int) -> None:
        """One object more or less in a set of activity; joins are no counter."""
        self.changed = True
        if metric := OF_ACTIVITY.get(kind):
            self.counters[metric] += sign

    def by_decade(self) -> dict[int, int]:
        """Owned releases by decade (1970), earliest first."""
        found: dict[int, int] = {}
        for year, number in self.years:
            decade = year - year % 10
            found[decade] = found.get(decade, 0) + number
        return found

    # -- Snapshot -----------------------------------------------------------------------------------------------

    @property
    def oldest_year(self) -> int | None:
        """Year of the oldest pressing owned; None when no year is known."""
        return self.counters["oldest_year"] or None

    def value(self, metric: str, context: str = "") -> int | None:
        """The metric's count; `pressings` needs its context."""
        if metric == "pressings":
            return self.unbounded.get((MASTER, int(context.removeprefix("master:"))), 0)
        if metric in OF_GRAPH:
            return None if self.graph is None else self.graph.value(metric)
        return self.counters.get(metric)

    def contexts(self, metric: str) -> Iterable[str]:
        """The contexts in which the metric has a value, smallest number first."""
        if metric != "pressings":
            return []
        masters = sorted(value for (facet, value), number in self.unbounded.items() if facet == MASTER and number)
        return [f"master:{master}" for master in masters]

    def details(self, metric: str, context: str = "") -> Mapping[str, Any]:
        """What evidence names beside the number."""
        if metric == "largest_decade":
            decades = self.by_decade()
            return {"decade": max(decades, key=lambda decade: (decades[decade], -decade))} if decades else {}
        if metric == "pressings":
            master = int(context.removeprefix("master:"))
            return {"master": self.titles.get(master), "master_id": master}
        if metric in OF_GRAPH and self.graph is not None:
            return self.graph.evidence.get(metric, {})
        return {}
