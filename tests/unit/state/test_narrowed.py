"""A past that is counted for one metric alone says of it what the whole past says."""

from __future__ import annotations

import random
from datetime import date

import pytest

from contracts.snapshot import METRICS
from services.state.collector import COVERED, Collector, Total
from services.state.facets import Counted, Counter
from services.state.narrowed import NOTHING, READ, Narrowed
from tests.unit.state.test_recount import release

# Counted of activity, of the calendar or of the graph: no facet of a release moves them.
ELSEWHERE = {"reviews", "edits", "wishlist", "compares", "years_since_join", "hops", "cluster_artists"}


def test_every_metric_is_named() -> None:
    assert READ.keys() == METRICS.keys()
    assert {facet for facets in READ.values() for facet in facets} <= NOTHING.keys()


@pytest.mark.parametrize("metric", sorted(METRICS.keys() - ELSEWHERE))
@pytest.mark.parametrize("seed", range(3))
def test_it_comes_to_the_same(metric: str, seed: int) -> None:
    dice = random.Random(seed)
    counter = Counter(lambda facet, value: 0)
    counter._known = {f"{at}".encode(): release(dice) for at in range(40)}
    narrowed = Narrowed(counter, [metric])
    whole, part = Collector("ann"), Collector("ann")
    for one in (whole, part):
        sizes = {
            (facet, value): Total(9, date(2026, 1, 1), "N") for _, facet in COVERED.values() for value in range(400)
        }
        one.totals = sizes
    seen = 0
    for content in counter._known:
        first_pressing = dice.random() < 0.3
        whole.count(counter(content), 1, first_pressing)
        part.count(narrowed(content), 1, first_pressing)
        contexts = list(whole.contexts(metric)) or [""]
        assert (list(part.contexts(metric)) or [""]) == contexts
        for context in contexts:
            assert part.value(metric, context) == whole.value(metric, context)
            assert part.details(metric, context) == whole.details(metric, context)
            seen += whole.value(metric, context) or 0
        if metric == "oldest_age_years":
            assert part.oldest_year == whole.oldest_year
            seen += part.oldest_year or 0
    assert seen > 0


def test_what_is_not_read_is_not_counted() -> None:
    counter = Counter(lambda facet, value: 0)
    counter._known = {b"1": release(random.Random(1))}
    whole = counter(b"1")
    bounded = tuple(("genres", id_) for id_ in whole.genres)
    part = Narrowed(counter, ["genres"])(b"1")
    assert part == Counted(**NOTHING | {"genres": whole.genres, "bounded": bounded})
    assert Narrowed(counter, ["a metric of tomorrow"])(b"1") == counter(b"1")
