"""One collector in memory: counters that move by one release at a time, and what badges may know of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from evaluators.coverage import percent
from services.state.counts import Counts
from services.state.facets import ARTIST, LABEL, MASTER, Counted
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
    "first_pressings",
    "taste_dimensions",
    "reviews",
    "edits",
    "wishlist",
    "compares",
    "oldest_year",
)
OF_ACTIVITY: Final = {"review": "reviews", "edit": "edits", "compare": "compares", "wish": "wishlist"}
OF_TASTE: Final = frozenset({"genres", "styles"})
TASTE_FROM: Final = 3  # releases that make a genre or style a dimension of taste

COVERED: Final = {"label_coverage": ("label", LABEL), "artist_coverage": ("artist", ARTIST)}
# What is counted per context: facet -> metric, kind of context.
OF_CONTEXTS: Final = {
    MASTER: ("pressings", "master"),
    LABEL: ("label_coverage", "label"),
    ARTIST: ("artist_coverage", "artist"),
}

Key = tuple[bytes, int]  # facet and value
Unbounded = dict[Key, int]
Credits = dict[int, dict[int, int]]  # master -> artist -> how many of its owned releases credit the artist


class Total(NamedTuple):
    """How large the catalogue of a label (releases) or an artist (works) was at the date of the dump, and its name."""

    total: int
    as_of: date
    name: str | None


class Collector:
    """The counted state of one user, a Snapshot for evaluators.

    Shape:   `counters` by metric; `unbounded` holds the counts of labels, artists and masters that were loaded or
             changed, `credits` who is credited on the releases of these masters: what a caller counts it must have
             loaded first. `totals` are the catalogue's, shared by the users of a bundle.
    """

    __slots__ = (
        "age_seen",
        "changed",
        "counters",
        "created",
        "credits",
        "erased_at",
        "facets",
        "graph",
        "joined_on",
        "moved",
        "seen_on",
        "titles",
        "totals",
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
        seen_on: date | None = None,
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
        self.seen_on = seen_on  # the UTC date of the newest of the user's own events
        self.unbounded: Unbounded = {}
        self.unbounded_changed: set[Key] = set()
        self.credits: Credits = {}
        self.totals: Mapping[Key, Total] = {}
        # (master, label or artist with a known total; count before, after) in the order in which the event moved them.
        self.moved: list[tuple[Key, int, int]] = []
        self.titles: dict[int, str | None] = {}  # of masters, by the release that was counted last
        self.graph: Measured | None = None  # what the graph lane measured last, where a caller loaded it
        self.changed = False

    # -- counting -----------------------------------------------------------------------------------------------

    def count(self, counted: Counted, sign: int, first_pressing: bool = False) -> None:
        """Add (`sign` 1) or take away (-1) all that one release counts as.

        Raises:  ValueError where a count would fall below zero.
        """
        self.changed = True
        counters = self.counters
        counters["releases"] += sign
        edge = 1 if sign > 0 else 0
        taste_edge = TASTE_FROM if sign > 0 else TASTE_FROM - 1
        add = self.facets.add
        for metric, id_ in counted.bounded:
            number = add(id_, sign)
            if number == edge:
                counters[metric] += sign
            elif number == taste_edge and metric in OF_TASTE:
                counters["taste_dimensions"] += sign
        for label in counted.labels:
            if self._count_unbounded(LABEL, label, sign) == edge:
                counters["labels"] += sign
        if counted.master:
            self._count_unbounded(MASTER, counted.master, sign)
            if sign > 0:
                self.titles[counted.master] = counted.title
        if counted.artists:
            self._count_artists(counted, sign, edge)
        if counted.year:
            self._count_year(counted.year, sign)
        if counted.mono:
            counters["mono_releases"] += sign
        if counted.deep_cut:
            counters["deep_cuts"] += sign
        if first_pressing:
            counters["first_pressings"] += sign

    def _count_artists(self, counted: Counted, sign: int, edge: int) -> None:
        """An artist's works are counted: a master once, however many of its pressings are owned."""
        if not counted.master:
            for artist in counted.artists:
                self._count_unbounded(ARTIST, artist, sign)
            return
        credited = self.credits.setdefault(counted.master, {})
        for artist in counted.artists:
            number = credited.get(artist, 0) + sign
            if number < 0:
                raise ValueError(f"credits of artist {artist} on master {counted.master} would be {number}")
            if number:
                credited[artist] = number
            else:
                del credited[artist]
            if number == edge:
                self._count_unbounded(ARTIST, artist, sign)

    def _count_unbounded(self, facet: bytes, value: int, sign: int) -> int:
        key = (facet, value)
        number = self.unbounded.get(key, 0) + sign
        if number < 0:
            raise ValueError(f"count of {facet.decode()}:{value} would be {number}")
        self.unbounded[key] = number
        self.unbounded_changed.add(key)
        if facet == MASTER or key in self.totals:
            self.moved.append((key, number - sign, number))
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

    def see(self, on: date) -> None:
        """The user did something on that day: what sweeps and anniversaries do is not the user's."""
        if self.seen_on is None or on > self.seen_on:
            self.seen_on = on
            self.changed = True

    def measured(self, key: Key, number: int) -> int:
        """What `number` owned comes to: pressings of a master, percent of a label or an artist whose total is known."""
        return number if key[0] == MASTER else percent(number, self.totals[key].total)

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
        """The metric's count, of a coverage the percentage; what has contexts needs one."""
        if metric == "pressings":
            return self.unbounded.get((MASTER, _number(context)), 0)
        if metric in COVERED:
            key = (COVERED[metric][1], _number(context))
            return self.measured(key, self.unbounded.get(key, 0)) if key in self.totals else None
        if metric in OF_GRAPH:
            return None if self.graph is None else self.graph.value(metric)
        return self.counters.get(metric)

    def contexts(self, metric: str) -> Iterable[str]:
        """The contexts in which the metric has a value, smallest number first."""
        if metric == "pressings":
            masters = sorted(value for (facet, value), number in self.unbounded.items() if facet == MASTER and number)
            return [f"master:{master}" for master in masters]
        if metric in COVERED:
            kind, wanted = COVERED[metric]
            return [
                f"{kind}:{id_}"
                for facet, id_ in sorted(self.totals)
                if facet == wanted and self.unbounded.get((facet, id_))
            ]
        return []

    def details(self, metric: str, context: str = "") -> Mapping[str, Any]:
        """What evidence names beside the number."""
        if metric == "largest_decade":
            decades = self.by_decade()
            return {"decade": max(decades, key=lambda decade: (decades[decade], -decade))} if decades else {}
        if metric == "pressings":
            master = _number(context)
            return {"master": self.titles.get(master), "master_id": master}
        if metric in COVERED:
            kind, facet = COVERED[metric]
            id_ = _number(context)
            found: dict[str, Any] = {f"{kind}_id": id_, "owned": self.unbounded.get((facet, id_), 0)}
            if known := self.totals.get((facet, id_)):
                found |= {kind: known.name, "total": known.total, "as_of": known.as_of.isoformat()}
            return found
        if metric in OF_GRAPH and self.graph is not None:
            return self.graph.evidence.get(metric, {})
        return {}


def _number(context: str) -> int:
    """The id in a context such as `master:123`; 0 where there is none."""
    return int(context.partition(":")[2] or 0)
