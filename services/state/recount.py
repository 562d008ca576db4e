"""A recount from the stored sets: what the counters must equal, counted without the counters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from services.state.collector import COUNTERS, TASTE_FROM, Collector, Credits
from services.state.counts import Counts
from services.state.facets import ARTIST, LABEL, MASTER, Counted, Counter
from services.state.holdings import Holding

K = TypeVar("K", int, tuple[bytes, int])
V = TypeVar("V")


def fresh(
    user_id: str,
    holdings: Iterable[Holding],
    objects: Iterable[tuple[str, str]],
    counter: Counter,
) -> Collector:
    """A collector counted from nothing, all at once and not by the steps in which events count.

    Shape:   `holdings` are all that the user owns or has spoken of, `objects` the (kind, id) of present activity.
             Of a master's titles the one of the last holding stays.
    """
    collector = Collector(user_id)
    owned = [one for one in holdings if one.copies and one.counted is not None]
    if owned:
        _count_releases(collector, [counter(one.counted or b"") for one in owned])
        collector.counters["first_pressings"] = sum(one.first_pressing for one in owned)
    for kind, object_id in objects:
        collector.count_activity(kind, 1)
        if kind == "join":
            joined = date.fromisoformat(object_id)
            collector.joined_on = min(collector.joined_on or joined, joined)
    return collector


def _count_releases(collector: Collector, releases: Sequence[Counted]) -> None:
    """What different releases come to in a collector of whom no release is counted."""
    genres, styles = _tally([one.genres for one in releases]), _tally([one.styles for one in releases])
    countries, formats = _tally([one.countries for one in releases]), _tally([one.formats for one in releases])
    labels = _tally([one.labels for one in releases])
    masters = _tally([[one.master for one in releases if one.master]])
    years = _tally([[one.year for one in releases if one.year]])
    decades: dict[int, int] = {}
    for year, number in years.items():
        decades[year - year % 10] = decades.get(year - year % 10, 0) + number
    credits: Credits = {}
    # A work of an artist is a master, however many of its pressings are owned, or a release without one.
    works: list[Iterable[int]] = [one.artists for one in releases if not one.master]
    for one in releases:
        if one.master and one.artists:
            credited = credits.setdefault(one.master, {})
            for artist in one.artists:
                credited[artist] = credited.get(artist, 0) + 1
    artists = _tally([*works, *credits.values()])
    collector.counters |= {
        "releases": len(releases),
        "genres": len(genres),
        "styles": len(styles),
        "labels": len(labels),
        "countries": len(countries),
        "decades": len(decades),
        "largest_decade": max(decades.values(), default=0),
        "mono_releases": sum([one.mono for one in releases]),
        "formats": len(formats),
        "deep_cuts": sum([one.deep_cut for one in releases]),
        "taste_dimensions": sum([number >= TASTE_FROM for some in (genres, styles) for number in some.values()]),
        "oldest_year": min(years, default=0),
    }
    collector.facets = Counts.of({**genres, **styles, **countries, **formats})
    collector.years = Counts.of(years)
    for facet, found in ((LABEL, labels), (MASTER, masters), (ARTIST, artists)):
        collector.unbounded |= {(facet, value): number for value, number in found.items()}
    collector.unbounded_changed = set(collector.unbounded)
    collector.credits = credits
    collector.titles = {one.master: one.title for one in releases if one.master}
    collector.changed = True


def _tally(parts: Iterable[Iterable[int]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for part in parts:
        for value in part:
            found[value] = found.get(value, 0) + 1
    return found


def differences(stored: Collector, counted: Collector) -> dict[str, tuple[Any, Any]]:
    """What drifted: name -> (stored, counted); both hold all of their counts. Empty is how it should be."""
    found: dict[str, tuple[Any, Any]] = {
        name: (stored.counters[name], counted.counters[name])
        for name in COUNTERS
        if stored.counters[name] != counted.counters[name]
    }
    if stored.joined_on != counted.joined_on:
        found["joined_on"] = (stored.joined_on, counted.joined_on)
    for name in ("facets", "years"):
        ours, theirs = getattr(stored, name).pack(), getattr(counted, name).pack()
        if ours != theirs:
            found[name] = (ours.hex(), theirs.hex())
    unbounded = _unequal(stored.unbounded, counted.unbounded, 0)
    found |= {f"{facet.decode()}:{value}": pair for (facet, value), pair in unbounded.items()}
    credits = _unequal(stored.credits, counted.credits, {})
    return found | {f"credits:{master}": pair for master, pair in credits.items()}


def copies_drift(holdings: Iterable[Holding], owned: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """Releases whose number of copies is not what the copies say; `owned` is release -> present copies."""
    return _unequal({one.release_id: one.copies for one in holdings if one.copies}, owned, 0)


def _unequal(stored: Mapping[K, V], counted: Mapping[K, V], nothing: V) -> dict[K, tuple[V, V]]:
    """The keys under which the two have not the same, in order: (stored, counted)."""
    if stored == counted:
        return {}
    pairs = {key: (stored.get(key, nothing), counted.get(key, nothing)) for key in stored.keys() | counted.keys()}
    return {key: pairs[key] for key in sorted(pairs) if pairs[key][0] != pairs[key][1]}
