"""A recount from the stored sets: what the counters must equal, counted without the counters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from services.state.collector import COUNTERS, Collector
from services.state.facets import Counter
from services.state.holdings import Holding


def fresh(
    user_id: str,
    holdings: Iterable[Holding],
    objects: Iterable[tuple[str, str]],
    counter: Counter,
) -> Collector:
    """A collector counted from nothing.

    Shape:   `holdings` are all that the user owns or has spoken of, `objects` the (kind, id) of present activity.
    """
    collector = Collector(user_id)
    for holding in holdings:
        if holding.copies and holding.counted is not None:
            collector.count(counter(holding.counted), 1, holding.first_pressing)
    for kind, object_id in objects:
        collector.count_activity(kind, 1)
        if kind == "join":
            joined = date.fromisoformat(object_id)
            collector.joined_on = min(collector.joined_on or joined, joined)
    collector.moved.clear()
    return collector


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
    for facet, value in sorted(stored.unbounded.keys() | counted.unbounded.keys()):
        pair = (stored.unbounded.get((facet, value), 0), counted.unbounded.get((facet, value), 0))
        if pair[0] != pair[1]:
            found[f"{facet.decode()}:{value}"] = pair
    for master in sorted(stored.credits.keys() | counted.credits.keys()):
        credits = (stored.credits.get(master, {}), counted.credits.get(master, {}))
        if credits[0] != credits[1]:
            found[f"credits:{master}"] = credits
    return found


def copies_drift(holdings: Iterable[Holding], owned: Mapping[int, int]) -> dict[str, tuple[int, int]]:
    """Releases whose number of copies is not what the copies say; `owned` is release -> present copies."""
    stored = {holding.release_id: holding.copies for holding in holdings}
    return {
        f"copies:{release}": (stored.get(release, 0), owned.get(release, 0))
        for release in sorted(stored.keys() | owned.keys())
        if stored.get(release, 0) != owned.get(release, 0)
    }
